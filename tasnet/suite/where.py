"""`where`: which cases an entry of the ledger claims, as conditions on the axes of a case.

A claim is a map of axis -> condition, all of which must hold; a list of maps holds when any of them does; `{}`
claims every case. A condition is a value, a list of conditions (any of them), a glob such as `reduced_*`, a
comparison such as `">=512"` or `">=2000,<16000"` on a number, or `{not: condition}`. So one more axis in a map can
only take cases away, and no order of keys or list items matters. `blocks` compares as a count; `all` is R * X.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt, ne

from tasnet.hailo.toolchain import ARCHITECTURES
from tasnet.network.variant import AXES, Size

Axes = Mapping[str, str | int]
"""A case's axes, as `Case.axes()` gives them."""

WORDS: Mapping[str, tuple[str, ...]] = {
    **{axis: values for axis, values in AXES.items() if axis != "blocks"},
    "arch": ARCHITECTURES,
}
"""Axes whose values are words, and the words."""

COUNTS: tuple[str, ...] = ("blocks", "T", *(field.name for field in fields(Size)))
"""Axes whose values are counts; `blocks` may be `all` too."""

_COMPARISON = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]+)")
_OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    ">=": ge,
    "<=": le,
    "==": eq,
    "!=": ne,
    ">": gt,
    "<": lt,
}


class WhereError(ValueError):
    """A condition that can't be meant. `at` is the path of keys and indices to the culprit."""

    def __init__(self, message: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Word:
    """Holds when the axis has a value that `pattern` (a word or a glob) matches."""

    pattern: str


@dataclass(frozen=True)
class Count:
    """Holds when every comparison `(operator, number)` does."""

    comparisons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class AnyOf:
    """Holds when one of the conditions does."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """Holds when the condition doesn't."""

    condition: Condition


Condition = Word | Count | AnyOf | Not
Claim = Mapping[str, Condition]
"""axis -> condition; all must hold"""


def read_where(node: object) -> tuple[Claim, ...]:
    """The claims that a `where` node of YAML means. Raises WhereError with the path to what is wrong."""
    if isinstance(node, list):
        if not node:
            raise WhereError("an empty list claims no case; write {} for all cases, or name some")
        return tuple(_claim(item, (index,)) for index, item in enumerate(node))
    return (_claim(node, ()),)


def matches(where: Iterable[Claim], axes: Axes) -> bool:
    """True when one of the claims holds for a case with these axes."""
    return any(all(_holds(condition, axis, axes) for axis, condition in claim.items()) for claim in where)


def _claim(node: object, at: tuple[str | int, ...]) -> Claim:
    if not isinstance(node, Mapping):
        raise WhereError("expected a map such as {decoder: grouped}, or a list of such maps", at)
    claim: dict[str, Condition] = {}
    for axis, value in node.items():
        if axis not in WORDS and axis not in COUNTS:
            raise WhereError(f"unknown axis '{axis}'; one of {', '.join((*AXES, *COUNTS[1:], 'arch'))}", (*at, axis))
        claim[axis] = _condition(axis, value, (*at, axis))
    return claim


def _condition(axis: str, node: object, at: tuple[str | int, ...]) -> Condition:
    if isinstance(node, list):
        if not node:
            raise WhereError(f"{axis}: an empty list matches nothing; leave the axis out or name a value", at)
        return AnyOf(tuple(_condition(axis, item, (*at, i)) for i, item in enumerate(node)))
    if isinstance(node, Mapping):
        if list(node) != ["not"]:
            raise WhereError(f"{axis}: the only map that may stand here is {{not: value}}", at)
        return Not(_condition(axis, node["not"], (*at, "not")))
    return _count(axis, node, at) if axis in COUNTS else _word(axis, node, at)


def _word(axis: str, node: object, at: tuple[str | int, ...]) -> Condition:
    known = f"one of {', '.join(WORDS[axis])}, or a glob that matches one"
    if not isinstance(node, str):
        raise WhereError(f"{axis}: '{node}' isn't a word; {known}", at)
    if not any(fnmatchcase(word, node) for word in WORDS[axis]):
        raise WhereError(f"{axis}: unknown value '{node}'; {known}", at)
    return Word(str(node))


def _count(axis: str, node: object, at: tuple[str | int, ...]) -> Condition:
    also = ", 'all'" if axis == "blocks" else ""
    expected = f'a count of at least 1{also} or a comparison such as ">=512" or ">=2000,<16000"'
    if axis == "blocks" and node == "all":
        return Word("all")
    if isinstance(node, int) and not isinstance(node, bool) and node >= 1:
        return Count((("==", int(node)),))
    if isinstance(node, str):
        found = [_COMPARISON.fullmatch(part.strip()) for part in node.split(",")]
        comparisons = tuple((part[1], int(part[2])) for part in found if part)
        if len(comparisons) == len(found):
            return Count(comparisons)
    raise WhereError(f"{axis}: '{node}' isn't {expected}", at)


def _holds(condition: Condition, axis: str, axes: Axes) -> bool:
    if isinstance(condition, AnyOf):
        return any(_holds(each, axis, axes) for each in condition.conditions)
    if isinstance(condition, Not):
        return not _holds(condition.condition, axis, axes)
    value = axes[axis]
    if isinstance(condition, Word):
        return fnmatchcase(str(value), condition.pattern)
    count = int(axes["R"]) * int(axes["X"]) if value == "all" else int(value)
    return all(_OPERATORS[operator](count, number) for operator, number in condition.comparisons)
