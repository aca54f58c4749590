"""Medians, and how sure they are."""

import math
import random
import statistics

WARM_UP = 2


def in_turns(rounds, things):
    """Calls each of these functions once a round, in a new order each time, and gives what they return, by name.

    So a busy moment of the machine hits all of them. The first rounds fill caches and are thrown away.
    """
    dice = random.Random(1)
    results = {name: [] for name in things}
    names = list(things)
    for number in range(-WARM_UP, rounds):
        dice.shuffle(names)
        for name in names:
            result = things[name]()
            if number >= 0:
                results[name].append(result)
    return results


def median(values):
    return statistics.median(values)


def interval(values):
    """The 95 % interval of the median, by order statistics: ranks n/2 -+ 0.98 sqrt(n)."""
    ordered, n = sorted(values), len(values)
    reach = 0.98 * math.sqrt(n)
    low, high = math.floor(n / 2 - reach), math.ceil(n / 2 + reach)
    return ordered[max(low, 0)], ordered[min(high, n - 1)]


def ratio(ours, theirs):
    """Round by round, as columns of a row."""
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    low, high = interval(ratios)
    return {"ratio": round(median(ratios), 3), "low": round(low, 3), "high": round(high, 3)}


def middle(values, digits=2):
    """The median, for people."""
    return round(median(values), digits)
