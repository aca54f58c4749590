"""What we promise of the rows, and whether it holds.

A promise that no row is about is not measured; it neither holds nor fails. A failing one makes `scripts/bench` end with 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from .tables import of


@dataclass(frozen=True)
class Promise:
    """`value` gives what was measured for each row that is meant; none of it may be over the bound."""

    text: str
    part: str
    bound: float
    value: Callable  # of a row and all of its part: the number, or None where the promise says nothing of it
    unit: str = ""
    why: str = ""  # what is known about it where it does not hold


def _is(row, about):
    return all(row.get(name) == value for name, value in about.items())


def _number(key, **about):
    """What stands in the rows of which this is true."""
    return lambda row, rows: row.get(key) if _is(row, about) else None


def _times(key, other, **about):
    """The same as a multiple of the row that differs from it in this alone."""
    def value(row, rows):
        if not _is(row, about):
            return None
        alike = {name: row.get(name) for name in ("variant", "kind", "event", "links", "rules")} | other
        beside = [own[key] for own in rows if _is(own, alike)]
        if not beside or row[key] == beside[0]:
            return 1 if beside else None
        return round(row[key] / beside[0], 3) if beside[0] else math.inf
    return value


_TEN = {"rules": 10}
_LINKS, _OFFLOADED = {"variant": "links", "kind": "established"}, {"variant": "offloaded", "kind": "established"}
_NEW, _RUNNING = {"kind": "new", "rules": 1000}, {"kind": "established"}
_BARE = """\
Half of what apply takes beyond bare nft is there with 10 rules already: routes, ip rules and settings, which bare nft does not
make, and reading back what the kernel holds. The other half is reading, judging and planning the rules, 3 to 4 us each, where
nft takes 4 to 6 us to load one. The same state by hand takes as long as apply."""
_FIRST = {"what": "first", "rules": 1000}
_LOSS = {"event": "carrier lost", "rules": 1000}
_SILENCE, _FAST = {"what": "silence", "interval": "default"}, {"what": "silence", "interval": "100ms"}

PROMISES = [
    # `variant` of a row about packets is what is between LAN and WAN; its ratio is to a plain router with fw4.
    Promise("New connection: 1,000 port rules, times 10", "packets", 1.05, _times("ratio", _TEN, variant="ports", **_NEW)),
    Promise("New connection: 1,000 mixed rules, times 10", "packets", 1.15, _times("ratio", _TEN, variant="mixed", **_NEW)),
    Promise("Established packet: 1,000 rules, times 10", "packets", 1.005, _times("ratio", _TEN, rules=1000, **_RUNNING)),
    Promise("Established packet: 2 links, times a plain router", "packets", 1.27, _number("ratio", links=2, **_LINKS)),
    Promise("Established packet: 60 links, times a plain router", "packets", 1.5, _number("ratio", links=60, **_LINKS)),
    Promise("Offloaded packet, times a plain router's", "packets", 1.005, _number("ratio", **_OFFLOADED)),
    Promise("Applying 1,000 rules takes at most 1.3 times bare nft", "apply", 1.3, _number("ratio", **_FIRST), why=_BARE),
    Promise("Applying 1,000 rules takes at most 1.3 times the same by hand", "apply", 1.3, _number("hand_wall_ratio", **_FIRST)),
    Promise("The same configuration again sends no change", "apply", 0, _number("changes", what="again")),
    Promise("The same configuration again starts no process", "apply", 0, _number("processes", what="again")),
    Promise("A link event starts no process", "events", 0, _number("processes")),
    Promise("A link event changes nothing in nftables", "events", 0, _number("nft_changes")),
    # Of one that comes as one message; what comes as several may be answered in one go or in two.
    Promise("A carrier's loss: changes sent with 1,000 rules, times 10", "events", 1, _times("changes", _TEN, **_LOSS)),
    Promise("A link dies: the other link's connections lose no message", "failover", 0, _number("lost_others")),
    Promise("A link dies: none of them breaks", "failover", 0, _number("broken_others")),
    Promise("A link dies under traffic: no process is started", "failover", 0, _number("processes")),
    Promise("Silence is found within 3 s", "failover", 3000, _number("found_worst", **_SILENCE), "ms"),
    Promise("Silence is found within 0.5 s with interval 100 ms", "failover", 500, _number("found_worst", **_FAST), "ms"),
]


@dataclass(frozen=True)
class Verdict:
    """What came of a promise: the worst row."""

    promise: Promise
    value: float | None
    row: dict | None

    @property
    def holds(self):
        return self.value is None or self.value <= self.promise.bound

    @property
    def word(self):
        if self.value is None:
            return "not measured"
        return "holds" if self.holds else "DOES NOT HOLD"


def judge(rows):
    verdicts = []
    for promise in PROMISES:
        own = [row for row in rows if row.get("part") == promise.part]
        found = [(value, row) for row in own if (value := promise.value(row, own)) is not None]
        value, row = max(found, key=lambda pair: pair[0], default=(None, None))
        verdicts.append(Verdict(promise, value, row))
    return verdicts


def table(verdicts):
    def unit(verdict):
        return f" {verdict.promise.unit}" if verdict.promise.unit else ""

    columns = [
        ("what we promise", lambda own: own.promise.text),
        ("at most", lambda own: f"{own.promise.bound:g}{unit(own)}"),
        ("measured, at worst", lambda own: None if own.value is None else f"{own.value:g}{unit(own)}"),
        ("of", lambda own: "" if own.row is None else _about(own.row)),
        ("", lambda own: own.word),
    ]
    return of("", verdicts, columns)


def _about(row):
    """Which row it is, in a few words."""
    words = ("what", "event", "shape", "variant", "kind", "links", "rules", "networks", "interval")
    return ", ".join(f"{row[word]:,} {word}" if isinstance(row[word], int) else str(row[word]) for word in words if row.get(word))
