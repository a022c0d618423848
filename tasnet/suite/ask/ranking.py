"""What to compile next: the question whose answer is expected to settle most, per hour.

A yes settles every open question that is no harder, a no every one that is no easier. What both are worth is weighed
by the chance of each. The questions after the first are ranked over what the answers before them may have been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasnet.suite.ask.order import Bools

Floats = npt.NDArray[np.float64]

LEAST = 1e-9
"""a chance, or a weight, that is none"""
MAX_SCENARIOS = 32
"""beam width: the likeliest sequences of answers that the ranking looks ahead over"""


@dataclass(frozen=True)
class Choice:
    """One question to ask: its index among the questions, what its answers would settle (indices), and its worth.

    `settled` is the expected weight of what its answer settles when it is asked in its turn.
    """

    index: int
    chance: float
    by_yes: tuple[int, ...]
    by_no: tuple[int, ...]
    settled: float
    per_hour: float


def rank(
    no_harder: Bools,
    open_: Bools,
    chance: Sequence[float],
    weights: Sequence[float],
    seconds: Sequence[float],
    *,
    most: int = 1,
    askable: Bools | None = None,
) -> list[Choice]:
    """The next questions, the best first, at most `most`, fewer when nothing more is settled by any.

    `no_harder` is PartialOrder's; `open_` are the undecided indices. Only `askable` indices (all, if None) are chosen.
    """
    spent = np.asarray(seconds, float)
    free = open_.copy() if askable is None else open_ & askable
    scenarios = [_Scenario(1.0, np.where(open_, np.asarray(weights, float), 0.0), np.asarray(chance, float))]
    found: list[Choice] = []
    while len(found) < most and free.any():
        worth = np.sum([each.probability * each.worth(no_harder) for each in scenarios], axis=0)
        rate = np.where(free, worth * 3600 / spent, -1.0)
        index = int(np.argmax(rate))
        if worth[index] <= LEAST:
            break
        likely = sum(each.probability * float(each.chance[index]) for each in scenarios)
        by_yes, by_no = (np.flatnonzero(those & open_) for those in (no_harder[:, index], no_harder[index]))
        found.append(
            Choice(
                index,
                likely,
                tuple(map(int, by_yes)),
                tuple(map(int, by_no)),
                float(worth[index]),
                float(rate[index]),
            )
        )
        free[index] = False
        after = (each for scenario in scenarios for each in scenario.after(index, no_harder))
        scenarios = sorted(after, key=lambda each: -each.probability)[:MAX_SCENARIOS]
    return found


@dataclass(frozen=True)
class _Scenario:
    """What the answers up to here may have been: how probable, what is left to settle, and each question's chance."""

    probability: float
    left: Floats
    chance: Floats

    def worth(self, no_harder: Bools) -> Floats:
        """What each answer settles: P(yes) x weight of all no harder + P(no) x weight of all no easier."""
        found: Floats = self.chance * (no_harder.T @ self.left) + (1 - self.chance) * (no_harder @ self.left)
        return found

    def after(self, index: int, no_harder: Bools) -> Iterator[_Scenario]:
        """The scenarios in which a question was answered with yes, and with no."""
        likely, easier, harder = self.chance[index], no_harder[:, index], no_harder[index]
        if likely > LEAST:
            chance = np.where(easier, 1.0, np.where(harder, np.minimum(self.chance / likely, 1.0), self.chance))
            yield _Scenario(self.probability * likely, np.where(easier, 0.0, self.left), chance)
        if likely < 1 - LEAST:
            # what goes wherever the harder one goes is less likely to, once that didn't
            rest = np.clip((self.chance - likely) / (1 - likely), 0.0, 1.0)
            chance = np.where(harder, 0.0, np.where(easier, rest, self.chance))
            yield _Scenario(self.probability * (1 - likely), np.where(harder, 0.0, self.left), chance)
