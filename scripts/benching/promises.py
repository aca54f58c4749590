"""What we promise of the rows, and whether it holds.

A promise that no row is about is not measured; it neither holds nor fails. A failing one makes `scripts/bench` end with 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .tables import Table


@dataclass(frozen=True)
class Promise:
    """`value` gives what was measured for each row that is meant; none of it may be over the bound."""

    text: str
    part: str
    bound: float
    value: Callable  # of a row: the number, or None where the promise says nothing of it
    unit: str = ""


def _ratio_at(**about):
    return lambda row: row["ratio"] if all(row.get(key) == value for key, value in about.items()) else None


def _number(key, **about):
    return lambda row: row.get(key) if all(row.get(name) == value for name, value in about.items()) else None


PROMISES = [
    Promise("Applying 1,000 rules takes at most 1.3 times what bare nft takes", "apply", 1.3, _ratio_at(what="first", rules=1000)),
    Promise("Applying 1,000 rules takes at most 1.3 times what the same takes by hand", "apply", 1.3, _number("hand_wall_ratio", what="first", rules=1000)),
    Promise("The same configuration again sends no change", "apply", 0, _number("changes", what="again")),
    Promise("The same configuration again starts no process", "apply", 0, _number("processes", what="again")),
    Promise("A link event starts no process", "events", 0, _number("processes")),
    Promise("A link event changes nothing in nftables", "events", 0, _number("nft_changes")),
    Promise("A link dies: no message of the other link's connections is lost", "failover", 0, _number("lost_others")),
    Promise("A link dies: none of them is broken", "failover", 0, _number("broken_others")),
    Promise("A link dies under traffic: no process is started", "failover", 0, _number("processes")),
    Promise("A link dies silently: found within 3 s by the defaults", "failover", 3000, _number("found_worst", what="silence", interval="default"), "ms"),
    Promise("A link dies silently: found within 0.5 s with interval 100 ms", "failover", 500, _number("found_worst", what="silence", interval="100ms"), "ms"),
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
        found = [(value, row) for row in rows if row.get("part") == promise.part and (value := promise.value(row)) is not None]
        value, row = max(found, key=lambda pair: pair[0], default=(None, None))
        verdicts.append(Verdict(promise, value, row))
    return verdicts


def table(verdicts):
    def cells(verdict):
        promise, unit = verdict.promise, f" {verdict.promise.unit}" if verdict.promise.unit else ""
        value = "-" if verdict.value is None else f"{verdict.value:g}{unit}"
        row = verdict.row or {}
        spread = f"{row['low']:.2f} to {row['high']:.2f}" if row.get("ratio") == verdict.value and "low" in row else ""
        return [promise.text, f"{promise.bound:g}{unit}", value, spread, verdict.word]

    return Table("", ["what we promise", "at most", "measured, at worst", "95 %", ""], [cells(verdict) for verdict in verdicts])
