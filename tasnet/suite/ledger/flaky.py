"""A failure that comes and goes: the rate that an entry states, tested against the last stored runs of a case.

The rate is refuted where an exact one-sided binomial test, on either side, gives a probability below 0.001. A few runs
refute nothing, and a permanent failure is noticed after `runs_to_refute(rate)` runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import ceil, comb, log

from tasnet.suite.ledger.entry import Flaky

BY_CHANCE = 0.001
"""Below this probability the runs refute a stated rate."""


@dataclass(frozen=True)
class FailureCount:
    """How many of the last stored runs of a case failed as an entry says."""

    failed: int = 0
    runs: int = 0


class RateError(str, Enum):
    """On which side the stored runs refute a stated rate; the value is said in the hint."""

    TOO_LOW = "more often"
    """the case fails more often than the entry says"""
    TOO_HIGH = "less often"


def at_least(failed: int, runs: int, rate: float) -> float:
    """The probability that `failed` or more of so many independent runs fail."""
    return sum(comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(failed, runs + 1))


def rate_error(stated: Flaky, seen: FailureCount) -> RateError | None:
    """On which side the runs refute the stated rate; None where they don't."""
    if at_least(seen.failed, seen.runs, stated.rate) < BY_CHANCE:
        return RateError.TOO_LOW
    if 1 - at_least(seen.failed + 1, seen.runs, stated.rate) < BY_CHANCE:
        return RateError.TOO_HIGH
    return None


def rate_hint(error: RateError, stated: Flaky, seen: FailureCount) -> str:
    """The refutation in words, with its figures."""
    often = at_least(seen.failed, seen.runs, stated.rate)
    chance = often if error is RateError.TOO_LOW else 1 - at_least(seen.failed + 1, seen.runs, stated.rate)
    return (
        f"fails {error.value} than that: {seen.failed} of the last {seen.runs} runs failed, and the entry says "
        f"{stated.rate:g} of them (by chance {chance:.1g}); mend the cause, or state the rate anew"
    )


def runs_to_refute(rate: float) -> int:
    """How many failing runs in a row refute the rate: fewer can't tell it from a failure that is there for good."""
    return max(2, ceil(log(BY_CHANCE) / log(rate) + 1e-9))
