"""One message of the compiler: how it is recognised, which family it belongs to, and how much it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """How much a message says about why a phase failed; of two, the lower rank decides."""

    MACHINE = 0
    """the machine or the set-up broke down: whatever else was logged followed from it, or no longer counts"""
    CAUSE = 1
    CONSEQUENCE = 2
    """the end that an earlier cause led to: a timeout"""
    INCIDENTAL = 3
    """decides only where nothing better is known: a missing module may be a mere warning"""
    LOOSE = 4
    """says that something failed, and not what"""


@dataclass(frozen=True)
class Remedy:
    """What a person can do about a fault. `passing` where another try may not meet it: a full disk, a killed child."""

    text: str
    passing: bool = False


@dataclass(frozen=True)
class Rule:
    """One message. `hint` is a literal in every line that `pattern` matches; many rules share one,
    since each distinct hint costs a search over the whole log.

    The pattern's groups `layers`, `layer`, `layer_from` and `layer_to` hold names of layers, `node` that of a node of
    the ONNX graph; any other group is a figure of that name, in seconds if the name ends in `_seconds`. `remedy` is
    set for faults of the machine and of the set-up.
    """

    family: str
    hint: str
    pattern: re.Pattern[str]
    rank: Rank = Rank.CAUSE
    remedy: Remedy | None = None


NAME = r"(?<![^\s,:'\"\[(])[^\s,:'\"\[()\]]{1,256}"
NAMES = rf"{NAME}(?:\s{{0,4}},\s{{0,4}}{NAME}){{0,4096}}"
INT = r"\d{1,18}"
TIME = r"(?:\d{1,6}\s?h\s?)?(?:\d{1,6}\s?m\s?)?\d{1,9}(?:\.\d{1,6})?\s?s"


def rule(family: str, hint: str, pattern: str, rank: Rank = Rank.CAUSE, remedy: Remedy | None = None) -> Rule:
    """A rule whose pattern is given as text."""
    return Rule(family, hint, re.compile(pattern), rank, remedy)
