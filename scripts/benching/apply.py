"""Applying, beside what bare `nft` takes for the same ruleset."""

import json
import os
import tempfile
from pathlib import Path

from . import configurations, figures, timed, traced
from .curve import Chart, Line
from .rig import Rig
from .tables import of, ratio

TITLE = "Applying rules"
MEASURED = """\
`wansplit apply` with 5 links, beside bare `nft -j -f` of what `wansplit show nft` prints, and of the networks of the sets.
Each begins with a kernel that has nothing of ours, in turns. apply also reads and judges the configuration, sets routes, ip
rules and settings, starts the nft it needs, and reads back what the kernel holds. *By hand* is the same state by a shell
script out of `wansplit show`: nft, `ip -batch` twice, and settings. A second bare nft beside the first shows how exact this
is. Shapes: ports, hosts, *mixed* (a fifth each of ports, hosts, networks with a range of ports, ranges of addresses,
networks), *in turns* (the same five, one after the other, so that the order of all must be kept; more than 1,000 of these
take nft seconds). nft starts while apply still reads: where another processor is free, the wall clock gains by it."""
DIFFERENCE = """\
Those of the `nft` that apply starts included; nft loads everything anew. The unit of what is sent is a map: with another port
rule among 1,000 their map is sent anew, beside the rules that look into it. nft ends twice or three times for it, each time
waiting for the kernel, and so no packet is lost."""
IN_NAMESPACES = True

LINKS = 5


def measure(options):
    rows = []
    with Rig(LINKS), tempfile.TemporaryDirectory(dir="/run") as directory:
        for count in options.sizes([10, 100, 1000, 10_000], [10]):
            for shape in configurations.SHAPES:
                # As many maps as rules, for which nft and the kernel take seconds: that is theirs.
                if shape == "in turns" and count > 1000:
                    continue
                case = _Case(options.program, directory, configurations.rules(shape, count))
                about = {"part": "apply", "shape": shape, "rules": count}
                rounds = options.rounds(41 if count < 10_000 else 9)
                rows += [about | row for row in (case.first(rounds), case.again(rounds), case.changed(rounds))]
        for count in options.sizes([1000, 10_000, 100_000], [1000]):
            case = _Case(options.program, directory, [("list dest_set 'networks'",)], networks=count)
            about = {"part": "apply", "shape": "set", "rules": 1, "networks": count}
            rows.append(about | case.first(options.rounds(21)))
            rows.append(about | case.again(options.rounds(21)))
    return rows


class _Case:
    """One configuration, the same with another rule, and what nft is given for each."""

    def __init__(self, program, directory, rules, networks=0):
        self.program = program
        sets = []
        if networks:
            sets = [("networks", Path(directory, "networks"))]
            sets[0][1].write_text("\n".join(configurations.networks(networks)) + "\n", encoding="utf-8")
        self.config, self.other = Path(directory, "config"), Path(directory, "other")
        self.ruleset, self.anew = Path(directory, "ruleset.json"), Path(directory, "anew.json")
        another = [*rules[:-1], ("option dest_ip '9.9.9.9'",)]
        for file, own in ((self.config, rules), (self.other, another)):
            file.write_text(configurations.configuration(LINKS, own, sets=sets), encoding="utf-8")
        wanted = json.loads(timed.text(program, "show", "nft", "--config", self.config))
        self._fill(wanted, networks)
        self.ruleset.write_text(json.dumps(wanted), encoding="utf-8")
        table = {"table": {"family": "inet", "name": "wansplit"}}
        self._by_hand(timed.text(program, "show", "ip", "--config", self.config), directory)
        wanted["nftables"][1:1] = [{"delete": table}, {"add": table}]
        self.anew.write_text(json.dumps(wanted), encoding="utf-8")

    def _by_hand(self, commands, directory):
        """A script that makes the same state, and one that puts the settings back, which `wansplit stop` knows nothing of."""
        self.hand, self.back = Path(directory, "hand.sh"), Path(directory, "back.sh")
        settings, batches = [], {"-4": [], "-6": []}
        for line in commands.splitlines():
            if line.startswith("echo "):
                settings.append(line)
            else:
                family = "-6" if line.startswith("ip -6 ") else "-4"
                batches[family].append(line.removeprefix("ip ").removeprefix("-6 "))
        lines = ["set -e", *settings]
        for family, batch in batches.items():
            file = Path(directory, f"batch{family}")
            file.write_text("\n".join(batch) + "\n", encoding="utf-8")
            lines.append(f"ip {family} -batch {file}")
        lines.append(f"nft -j -f {self.ruleset}")
        self.hand.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.back.write_text("\n".join(line.replace("echo 1", "echo 0") for line in settings) + "\n", encoding="utf-8")

    @staticmethod
    def _fill(wanted, networks):
        """`show nft` leaves to the list what is in a set."""
        split = [network.split("/") for network in configurations.networks(networks)]
        for command in wanted["nftables"]:
            own = command.get("add", {}).get("set", {})
            if own.get("name", "").startswith("listed4_"):
                own["elem"] = [{"prefix": {"addr": address, "len": int(length)}} for address, length in split]

    def _apply(self, config=None):
        return timed.run(self.program, "--config", config or self.config, "apply")

    def _stop(self):
        timed.run(self.program, "stop")

    def first(self, rounds):
        """From an empty kernel."""
        def apply():
            time = self._apply()
            self._stop()
            return time

        def nft():
            time = timed.run("nft", "-j", "-f", self.ruleset)
            timed.run("nft", "delete", "table", "inet", "wansplit")
            return time

        def hand():
            time = timed.run("sh", self.hand)
            self._stop()
            timed.run("sh", self.back)
            return time

        times = figures.in_turns(rounds, {"apply": apply, "nft": nft, "nft again": nft, "hand": hand})
        ours, theirs, control, hand = times["apply"], times["nft"], times["nft again"], times["hand"]
        cpu = figures.ratio([time.cpu for time in ours], [time.cpu for time in theirs])
        return {
            "what": "first",
            "rounds": rounds,
            **_medians(ours, theirs),
            **figures.ratio([time.wall for time in ours], [time.wall for time in theirs]),
            **_named("cpu", cpu),
            "hand_wall_ms": figures.middle([time.wall for time in hand]),
            "hand_cpu_ms": figures.middle([time.cpu for time in hand]),
            **_named("hand_wall", figures.ratio([time.wall for time in ours], [time.wall for time in hand])),
            **_named("hand_cpu", figures.ratio([time.cpu for time in ours], [time.cpu for time in hand])),
            "control": figures.ratio([time.wall for time in control], [time.wall for time in theirs])["ratio"],
            "kib": os.path.getsize(self.ruleset) // 1024,
        }

    def again(self, rounds):
        """The same configuration when it is there already."""
        self._apply()
        times = figures.in_turns(rounds, {"apply": self._apply})["apply"]
        trace = traced.command(self.program, "--config", self.config, "apply")
        self._stop()
        return {"what": "again", "rounds": rounds, **_medians(times), **trace.row()}

    def changed(self, rounds):
        """One rule of it is another, beside nft that loads everything anew."""
        self._apply()
        self._apply(self.other)
        turn = [self.config, self.other]

        def apply():
            turn.reverse()
            return self._apply(turn[1])

        ours = figures.in_turns(rounds, {"apply": apply})["apply"]
        trace = traced.command(self.program, "--config", turn[0], "apply")
        self._stop()
        timed.run("nft", "-j", "-f", self.ruleset)
        theirs = figures.in_turns(rounds, {"nft": lambda: timed.run("nft", "-j", "-f", self.anew)})["nft"]
        bare = traced.command("nft", "-j", "-f", self.anew)
        timed.run("nft", "delete", "table", "inet", "wansplit")
        return {
            "what": "changed",
            "rounds": rounds,
            **_medians(ours, theirs),
            **trace.row(),
            "bare_changes": bare.changes,
            "bare_change_bytes": bare.change_bytes,
        }


def _named(prefix, columns):
    return {f"{prefix}_{key}": value for key, value in columns.items()}


def _medians(ours, theirs=()):
    row = {"wall_ms": figures.middle([time.wall for time in ours]), "cpu_ms": figures.middle([time.cpu for time in ours])}
    if theirs:
        row["nft_wall_ms"] = figures.middle([time.wall for time in theirs])
        row["nft_cpu_ms"] = figures.middle([time.cpu for time in theirs])
    return row


def _name(row):
    return f"{row['networks']:,} networks in a set" if row["shape"] == "set" else f"{row['rules']:,} {row['shape']}"


def tables(rows):
    first, again, changed = ([row for row in rows if row["what"] == what] for what in ("first", "again", "changed"))
    wall = [
        ("", _name),
        ("apply, ms", "wall_ms"),
        ("bare nft, ms", "nft_wall_ms"),
        ("ratio (95 %)", ratio()),
        ("nft twice", lambda row: f"{row['control']:.2f}"),
        ("by hand, ms", "hand_wall_ms"),
        ("ratio (95 %)", ratio("hand_wall_")),
    ]
    cpu = [
        ("", _name),
        ("apply, ms", "cpu_ms"),
        ("bare nft, ms", "nft_cpu_ms"),
        ("ratio (95 %)", ratio("cpu_")),
        ("by hand, ms", "hand_cpu_ms"),
        ("ratio (95 %)", ratio("hand_cpu_")),
        ("JSON, KiB", "kib"),
    ]
    counts = [
        ("", _name),
        ("changes sent", "changes"),
        ("questions sent", "asked"),
        ("system calls", "calls"),
        ("processes", "processes"),
        ("ms", "wall_ms"),
        ("CPU ms", "cpu_ms"),
    ]
    difference = [
        ("", _name),
        ("changes sent", "changes"),
        ("bytes", "change_bytes"),
        ("nft anew: changes", "bare_changes"),
        ("bytes", "bare_change_bytes"),
        ("apply, ms", "wall_ms"),
        ("nft anew, ms", "nft_wall_ms"),
        ("apply, CPU ms", "cpu_ms"),
        ("nft anew, CPU ms", "nft_cpu_ms"),
    ]
    return [
        of("From an empty kernel, wall clock", first, wall),
        of("The same, processor time", first, cpu),
        of("The same configuration again", again, counts, "Changes and questions are netlink messages."),
        of("One rule is another", changed, difference, DIFFERENCE),
    ]


def curves(rows):
    first = [row for row in rows if row["what"] == "first"]
    lines = []
    for shape in configurations.SHAPES:
        own = [row for row in first if row["shape"] == shape]
        lines.append(Line(f"apply, {shape}", [(row["rules"], row["wall_ms"]) for row in own]))
        lines.append(Line(f"nft alone, {shape}", [(row["rules"], row["nft_wall_ms"]) for row in own], dashed=True))
    sets = [row for row in first if row["shape"] == "set"]
    filled = [Line("apply", [(row["networks"], row["wall_ms"]) for row in sets]),
              Line("nft alone", [(row["networks"], row["nft_wall_ms"]) for row in sets], dashed=True)]
    return [
        Chart("apply-rules", "Time to apply, from an empty kernel", "rules", "ms", lines),
        Chart("apply-sets", "Time to load a set, from an empty kernel", "networks in the set", "ms", filled),
    ]
