"""A failure that comes and goes: the rate an entry states, against how often a case failed in the last runs.

The rate is refuted when what was seen would come by chance less than once in a thousand times: an exact one-sided
binomial test on either side. Few runs refute nothing, and a failure that is there for good is noticed after
`enough(rate)` runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, comb, log

from tasnet.suite.ledger.entry import Flaky

BY_CHANCE = 0.001
"""Below this probability the runs refute a stated rate."""


@dataclass(frozen=True)
class FailureCount:
    """In how many of how many runs a case failed as an entry says."""

    failed: int = 0
    runs: int = 0


def at_least(failed: int, runs: int, rate: float) -> float:
    """The probability that `failed` or more of so many independent runs fail."""
    return sum(comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(failed, runs + 1))


def refuted(stated: Flaky, seen: FailureCount) -> str:
    """What is wrong with the stated rate, with the figures; empty where the runs don't refute it."""
    told = f"{seen.failed} of the last {seen.runs} runs failed, and the entry says {stated.rate:g} of them"
    often = at_least(seen.failed, seen.runs, stated.rate)
    seldom = 1 - at_least(seen.failed + 1, seen.runs, stated.rate)
    if often < BY_CHANCE:
        return f"fails more often than that: {told} (by chance {often:.1g})"
    if seldom < BY_CHANCE:
        return f"fails less often than that: {told} (by chance {seldom:.1g})"
    return ""


def enough(rate: float) -> int:
    """How many failing runs in a row refute the rate: fewer can't tell it from a failure that is there for good."""
    return max(2, ceil(log(BY_CHANCE) / log(rate) + 1e-9))
