"""What the daemon does when a link goes or comes."""

import tempfile
import time
from pathlib import Path

from . import configurations, figures, traced
from .curve import Chart, Line
from .daemon import Daemon
from .rig import INTERNET, Rig
from .tables import Table, between, of

TITLE = "Events of a link"
MEASURED = """\
One link of many loses its carrier, gets it back, goes down and comes up as by `ifdown` and `ifup`, or falls silent behind its
gateway. Counts are of the daemon from the event until 1.6 s after it has told of it, by strace; the processor time is of
other rounds, without strace. Only where links are watched (silence) does the daemon also do something else meanwhile: it goes
on asking, which the counts include; what it takes for that in the same time at rest is subtracted from the processor time. To
find a link's connections the kernel walks the table of the whole machine, those of other namespaces included: on a machine
that others use, this is what scatters."""
IN_NAMESPACES = True

# Until the last of what it does about an event: it looks once more for the link's connections a second later.
AFTERWARDS = 1.6


def measure(options):
    rows = []
    for links in options.sizes([2, 8, 32, 60], [2]):
        with Rig(links) as rig, tempfile.TemporaryDirectory(dir="/run") as directory:
            config = Path(directory, "config")
            for rules in options.sizes([10, 1000], [10]):
                config.write_text(configurations.configuration(links, configurations.rules("ports", rules)), encoding="utf-8")
                rows += _Case(options, rig, config, {"links": links, "rules": rules}).told()
            watched = [*(f"list track_ip '{host}'" for host in INTERNET), *(["option interval '100ms'"] if options.quick else [])]
            config.write_text(configurations.configuration(links, configurations.rules("ports", 10), watched), encoding="utf-8")
            rows += _Case(options, rig, config, {"links": links, "rules": 10}).silent()
    return rows


class _Case:
    def __init__(self, options, rig, config, about):
        self.options, self.rig, self.config = options, rig, config
        self.about = {"part": "events"} | about

    def _daemon(self):
        # A new one each round: it would hold a link that falls so often.
        daemon = Daemon(self.options.program, self.config)
        time.sleep(0.5)
        return daemon

    def told(self):
        """Events the kernel tells of."""
        pairs = {
            ("carrier lost", "carrier back"): self.rig.carrier,
            ("ifdown", "ifup"): self.rig.interface,
        }
        rows = []
        for (falls, comes), change in pairs.items():
            counts, cpu, told = {}, {falls: [], comes: []}, {falls: [], comes: []}
            for number in range(1 + self.options.rounds(5, 1)):
                with self._daemon() as daemon:
                    for event, on in ((falls, False), (comes, True)):
                        def happen(on=on):
                            change(1, on)

                        if number == 0:
                            with traced.process(daemon.child.pid) as counts[event]:
                                self._wait(daemon, on, happen)
                            continue
                        before = daemon.cpu()
                        took = self._wait(daemon, on, happen)
                        cpu[event].append(daemon.cpu() - before)
                        told[event].append(took * 1000)
            for event in (falls, comes):
                rows.append(self._row(event, counts[event], cpu[event]) | {"told_ms": figures.middle(told[event], 1)})
        return rows

    def silent(self):
        """What only probes can find."""
        trace, cpu, rest = None, [], []
        for number in range(1 + self.options.rounds(3, 1)):
            with self._daemon() as daemon:
                time.sleep(self.options.rounds(2.5, 0.5))
                fall = lambda: self.rig.speaks(1, False)  # noqa: E731
                try:
                    if number == 0:
                        with traced.process(daemon.child.pid) as trace:
                            self._wait(daemon, False, fall)
                        continue
                    before, start = daemon.cpu(), time.monotonic()
                    self._wait(daemon, False, fall)
                    window, used = time.monotonic() - start, daemon.cpu() - before
                finally:
                    self.rig.speaks(1, True)
                # The same time at rest, with the same number of links.
                time.sleep(self.options.rounds(3, 0.5))
                before = daemon.cpu()
                time.sleep(window)
                rest.append(daemon.cpu() - before)
                cpu.append(used - rest[-1])
        return [self._row("silence", trace, cpu) | {"rest_ms": figures.middle(rest)}]

    @staticmethod
    def _wait(daemon, on, happen):
        """Lets it happen; returns how long it took to be told."""
        since = time.monotonic()
        happen()
        at = daemon.wait_for_line(since, "link L1", "up" if on else "down")
        time.sleep(AFTERWARDS)
        return at - since

    def _row(self, event, trace, cpu):
        low, high = figures.interval(cpu)
        return self.about | {"event": event, **trace.row(), "rounds": len(cpu), "cpu_ms": figures.middle(cpu),
                             "cpu_low": round(low, 2), "cpu_high": round(high, 2)}


def tables(rows):
    counts = [
        ("", lambda row: f"{row['event']}, {row['links']} links, {row['rules']:,} rules"),
        ("processes", "processes"),
        ("nftables changes", "nft_changes"),
        ("changes sent", "changes"),
        ("questions sent", "asked"),
        ("received", "received"),
        ("system calls", "calls"),
        ("CPU ms (95 %)", between("cpu_ms", "cpu_low", "cpu_high")),
    ]
    kinds = sorted({kind for row in rows for kind in row["changes_by_kind"]})
    note = f"Changes, questions and what is received are netlink messages. Kinds of changes seen: {', '.join(kinds) or 'none'}."
    lost = [row for row in rows if row["event"] == "carrier lost" and row["rules"] == 10]
    names = sorted({name for row in lost for name in row["calls_by_name"]})
    calls = [[name, *(f"{row['calls_by_name'].get(name, 0):,}" for row in lost)] for name in names]
    return [
        of("", rows, counts, note),
        Table("System calls when a carrier is lost", ["", *(f"{row['links']} links" for row in lost)], calls),
    ]


def curves(rows):
    lines = []
    for event in ("carrier lost", "ifdown", "silence"):
        for rules in (10, 1000):
            points = [(row["links"], row["cpu_ms"]) for row in rows if row["event"] == event and row["rules"] == rules]
            lines.append(Line(f"{event}, {rules:,} rules", points, dashed=rules == 1000))
    lines = [line for line in lines if line.points]
    return [Chart("events-links", "Processor time for one event", "links", "ms", lines, log_y=False)]
