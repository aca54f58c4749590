"""Memory, starting, and what the daemon does at rest."""

import tempfile
import time
from pathlib import Path

from . import configurations, figures, traced
from .curve import Chart, Line
from .daemon import Daemon, is_ready
from .rig import INTERNET, Rig
from .tables import of

TITLE = "Memory, start and rest"
MEASURED = """\
The daemon in a kernel that already holds its configuration, so that nothing but the daemon is measured. It is ready when it
has nothing more to do: processor time is looked at every millisecond. Then its memory is read: VmRSS, what of it is its own
and no file's, and VmHWM."""
IN_NAMESPACES = True

_REST = 10


def measure(options):
    programs = {"static, musl": options.static} if options.static else {}
    programs["as cargo builds it"] = options.program
    rows = []
    for links in options.sizes([2, 8, 32, 60], [2]):
        with Rig(links), tempfile.TemporaryDirectory(dir="/run") as directory:
            place = Path(directory)
            for built, program in programs.items():
                case = _Case(options, program, place, {"part": "memory", "built": built})
                text = configurations.configuration(links, configurations.rules("ports", 10))
                rows.append(case.held("links", links, text))
                if links == 2:
                    rows += _of_two_links(options, case)
                rows.append(case.rest(links))
    return rows


def _of_two_links(options, case):
    rows = []
    for shape in ("ports", "mixed"):
        for count in options.sizes([10, 100, 1000, 10_000], [100]):
            text = configurations.configuration(2, configurations.rules(shape, count))
            rows.append(case.held(f"rules, {shape}", count, text))
    for count in options.sizes([1000, 10_000, 100_000], [1000]):
        file = case.directory / "networks"
        file.write_text("\n".join(configurations.networks(count)) + "\n", encoding="utf-8")
        text = configurations.configuration(2, [("list dest_set 'networks'",)], sets=[("networks", file)])
        rows.append(case.held("networks in a set", count, text))
    return rows


class _Case:
    def __init__(self, options, program, directory, about):
        self.options, self.program, self.directory, self.about = options, program, directory, about
        self.config = directory / "config"

    def held(self, what, count, text):
        """What it takes with a configuration, and to start."""
        self.config.write_text(text, encoding="utf-8")
        with Daemon(self.program, self.config):
            pass
        ready, cpu, samples = [], [], []
        for _ in range(self.options.rounds(5, 1)):
            with Daemon(self.program, self.config, wait=False) as daemon:
                until, used = daemon.busy_at_first()
                ready.append(until)
                cpu.append(used)
                samples.append(daemon.usage())
        usage = {name: max(sample[name] for sample in samples) for name in ("rss_kib", "own_kib", "peak_kib")}
        trace = traced.until(self._ready, self.program, "--config", self.config, "run")
        return self.about | {
            "what": what,
            "count": count,
            "ready_ms": figures.middle(ready, 1),
            "start_cpu_ms": figures.middle(cpu, 1),
            "start_calls": sum(trace.calls.values()),
            "start_processes": trace.processes,
            **usage,
        }

    def _ready(self):
        until = time.monotonic() + 60
        while not is_ready(self.program, self.config):
            if time.monotonic() > until:
                raise TimeoutError("the daemon is not ready under strace")
            time.sleep(0.01)

    def rest(self, links):
        """What it does while nothing happens: each link is asked once a second, in both families."""
        watched = [f"list track_ip '{host}'" for host in INTERNET]
        text = configurations.configuration(links, configurations.rules("ports", 10), watched)
        self.config.write_text(text, encoding="utf-8")
        with Daemon(self.program, self.config) as daemon:
            time.sleep(self.options.rounds(5, 1))
            before, cpu = daemon.usage(), daemon.cpu()
            span = self.options.rounds(_REST, 2)
            time.sleep(span)
            after, cpu = daemon.usage(), daemon.cpu() - cpu
        return self.about | {
            "what": "rest",
            "count": links,
            "wakeups_s": round((after["wakeups"] - before["wakeups"]) / span, 1),
            "cpu_ms_s": round(cpu / span, 2),
            "rss_kib": after["rss_kib"],
            "own_kib": after["own_kib"],
        }


def tables(rows):
    held = [
        ("", lambda row: f"{row['count']:,} {row['what']}"),
        ("program", "built"),
        ("resident, KiB", "rss_kib"),
        ("its own, KiB", "own_kib"),
        ("at most, KiB", "peak_kib"),
        ("ready after ms", "ready_ms"),
        ("CPU ms", "start_cpu_ms"),
        ("system calls", "start_calls"),
        ("processes", "start_processes"),
    ]
    rest = [
        ("", lambda row: f"{row['count']} links"),
        ("program", "built"),
        ("wake-ups a second", "wakeups_s"),
        ("CPU ms a second", lambda row: f"{row['cpu_ms_s']:.2f}"),
        ("resident, KiB", "rss_kib"),
    ]
    note = "10 rules where links are counted, 2 links where rules or networks are."
    return [
        of("The daemon, by what it is given", [row for row in rows if row["what"] != "rest"], held, note),
        of("At rest, each link asked once a second in two families", [row for row in rows if row["what"] == "rest"], rest),
    ]


def curves(rows):
    kinds = {
        "links": "links",
        "rules, ports": "port rules",
        "rules, mixed": "mixed rules",
        "networks in a set": "networks in a set",
    }
    best = "static, musl" if any(row["built"] == "static, musl" for row in rows) else "as cargo builds it"
    shown = [row for row in rows if row["built"] == best]
    points = lambda what: [(row["count"], row["rss_kib"] / 1024) for row in shown if row["what"] == what]  # noqa: E731
    lines = [Line(name, points(what)) for what, name in kinds.items()]
    return [Chart("memory", f"Memory of the daemon ({best})", "links, rules or networks", "MiB resident", lines)]
