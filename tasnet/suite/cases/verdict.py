"""Verdict: the one word on a case, made from its outcomes in this one place.

No word of it is a default: a case that no compile was asked of is `not compiled`, one whose tool broke down `broke
down`, and a pass that doesn't say how it is known is `unknown`. A reader of verdicts goes through all of them, and mypy
finds the one that forgets a member.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from typing_extensions import assert_never

from tasnet.hailo import Certainty
from tasnet.suite.cases.outcome import Outcome, Stage, Status


class Verdict(str, Enum):
    """The gravest last: a case has the verdict of its gravest stage."""

    CLEAR_OBSERVED = "clear, observed"
    """it compiled, or every layer is of a kind and size that was seen to compile"""
    CLEAR_EXTRAPOLATED = "clear, extrapolated"
    """no rule objects, and nobody has tried"""
    NOT_COMPILED = "not compiled"
    """no stage failed, and nobody asked for the compile"""
    UNKNOWN = "unknown"
    """the toolchain can't tell"""
    BLOCKED = "blocked"
    """a stage failed"""
    UNCLASSIFIED = "unclassified"
    """the compiler ended with a message that no rule knows: nothing was learned of the network"""
    BROKE_DOWN = "broke down"
    """a tool did: nothing was learned of the network"""

    @property
    def word(self) -> str:
        """The verdict without how well a clear is known: `clear`, `not compiled`, `blocked`, …"""
        return self.value.partition(",")[0]

    @property
    def certainty(self) -> Certainty | None:
        """How a clear is known; None for what is none."""
        if self is Verdict.CLEAR_OBSERVED:
            return Certainty.OBSERVED
        if self is Verdict.CLEAR_EXTRAPOLATED:
            return Certainty.EXTRAPOLATED
        return None

    @property
    def is_clear(self) -> bool:
        """Whether it is one of the two clears."""
        return self.certainty is not None


VERDICT_WORDS: tuple[str, ...] = tuple(dict.fromkeys(verdict.word for verdict in Verdict))
"""every word, the gravest last"""

_GRAVITY = {verdict: at for at, verdict in enumerate(Verdict)}


def verdict_of(outcomes: Iterable[Outcome]) -> Verdict:
    """The verdict of a case that ended so. Without a word on its compile it is none of the clears.

    What ran on a chip was compiled, whatever it made of the sound.
    """
    verdicts = [each for each in map(_stage_verdict, outcomes) if each is not None]
    return max(verdicts, key=_GRAVITY.__getitem__, default=Verdict.NOT_COMPILED)


def severity(verdict: Verdict) -> int | None:
    """How bad it is for the network, 0 the best; None where nothing was learned of it."""
    match verdict:
        case Verdict.CLEAR_OBSERVED | Verdict.CLEAR_EXTRAPOLATED:
            return 0
        case Verdict.UNKNOWN:
            return 1
        case Verdict.BLOCKED:
            return 2
        case Verdict.NOT_COMPILED | Verdict.UNCLASSIFIED | Verdict.BROKE_DOWN:
            return None
        case _:
            assert_never(verdict)


def _stage_verdict(outcome: Outcome) -> Verdict | None:
    """What one stage says of the case; None for a stage before the compile that passed: the case goes on."""
    match outcome.status:
        case Status.INFRA:
            return Verdict.BROKE_DOWN
        case Status.UNCLASSIFIED:
            return Verdict.UNCLASSIFIED
        case Status.FAILED:
            return Verdict.CLEAR_OBSERVED if outcome.stage is Stage.INFER else Verdict.BLOCKED
        case Status.BLOCKED:
            return Verdict.BLOCKED
        case Status.UNKNOWN:
            return Verdict.UNKNOWN
        case Status.SKIPPED:
            return Verdict.NOT_COMPILED
        case Status.PASSED:
            return _passed(outcome)
        case _:
            assert_never(outcome.status)


def _passed(outcome: Outcome) -> Verdict | None:
    match outcome.stage:
        case Stage.EXPORT | Stage.TRANSLATE | Stage.OPTIMIZE:
            return None
        case Stage.COMPILE | Stage.INFER:
            return _clear(outcome.certainty)
        case _:
            assert_never(outcome.stage)


def _clear(certainty: Certainty | None) -> Verdict:
    match certainty:
        case Certainty.OBSERVED:
            return Verdict.CLEAR_OBSERVED
        case Certainty.EXTRAPOLATED:
            return Verdict.CLEAR_EXTRAPOLATED
        case None:
            return Verdict.UNKNOWN
        case _:
            assert_never(certainty)
