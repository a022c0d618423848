"""`where`: which cases an entry of the ledger claims, as conditions on the axes of a case.

A claim is a map of axis -> condition, all of which must hold; a list of maps holds when any of them does; `{}`
claims every case. A condition is a value, a list of conditions (any of them), a glob such as `reduced_*`, a
comparison such as `">=512"` or `">=2000,<16000"` on a number, or `{not: condition}`. The key `not` beside the axes
takes a map, or a list of maps, out of the claim: `{T: ">=8000", not: {decoder: grouped, sources: all}}`. So one more
key in a map can only take cases away, and no order of keys or list items matters. `blocks` compares as a count; `all`
is R * X.

A segment of a plan has its network's axes and its own: `segment` (its form), `start`, `stop`, `phase`, `width`,
`height`. On a whole network the first reads as `none`, the others as 0. An entry reaches segments by a claim that names
one of these, and no other: what stands in the way of a whole network needn't in that of its pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from tasnet.hailo import ARCHITECTURES
from tasnet.network import AXES, Size
from tasnet.plan import FORMS

Axes = Mapping[str, str | int]
"""A case's axes, as `Case.axes()` gives them."""

SEGMENT = "segment"
WHOLE = "none"
"""the value of `segment` on a whole network"""
SEGMENT_COUNTS: tuple[str, ...] = ("start", "stop", "phase", "width", "height")
SEGMENT_AXES = frozenset({SEGMENT, *SEGMENT_COUNTS})

WORD_AXES: Mapping[str, tuple[str, ...]] = {
    **{axis: values for axis, values in AXES.items() if axis != "blocks"},
    "arch": ARCHITECTURES,
    SEGMENT: (WHOLE, *FORMS),
}
"""Axes whose values are words, and the words."""

COUNT_AXES: tuple[str, ...] = ("blocks", "T", *(field.name for field in fields(Size)), *SEGMENT_COUNTS)
"""Axes whose values are counts; `blocks` may be `all` too."""

_COMPARISON = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]{1,18})")
_OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    ">=": ge,
    "<=": le,
    "==": eq,
    "!=": ne,
    ">": gt,
    "<": lt,
}


class WhereError(ValueError):
    """A condition that is refused. `at` is the path of keys and indices to it."""

    def __init__(self, message: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Word:
    """Holds when the axis has a value that `pattern` (a word or a glob) matches; `accepts` are those values."""

    pattern: str
    accepts: frozenset[str] = field(compare=False)


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


@dataclass(frozen=True)
class Without:
    """Holds when none of the claims does. Stands under the key `not`, beside the axes."""

    claims: tuple[Claim, ...]


Condition = Word | Count | AnyOf | Not | Without
Claim = Mapping[str, Condition]
"""axis, or `not` -> condition; all must hold"""

NOT = "not"


def read_where(node: object) -> tuple[Claim, ...]:
    """The claims that a `where` node of YAML means. Raises WhereError with the path to what is wrong."""
    if isinstance(node, list):
        if not node:
            raise WhereError("an empty list claims no case; write {} for all cases, or name some")
        return tuple(_claim(item, (index,)) for index, item in enumerate(node))
    return (_claim(node, ()),)


def where_matches(where: Iterable[Claim], axes: Axes) -> bool:
    """True when one of the claims holds for a case with these axes."""
    for claim in where:
        for axis, condition in claim.items():
            if not holds(condition, axis, axes):
                break
        else:
            return True
    return False


def _claim(node: object, at: tuple[str | int, ...]) -> Claim:
    if not isinstance(node, Mapping):
        raise WhereError("expected a map such as {decoder: grouped}, or a list of such maps", at)
    claim: dict[str, Condition] = {}
    for axis, value in node.items():
        if axis == NOT:
            claim[axis] = Without(_without(value, (*at, axis)))
            continue
        if axis not in WORD_AXES and axis not in COUNT_AXES:
            known = ", ".join((*AXES, *COUNT_AXES[1:], "arch", SEGMENT))
            raise WhereError(f"unknown axis '{axis}'; one of {known}, or not", (*at, axis))
        claim[axis] = _condition(axis, value, (*at, axis))
    return claim


def _without(node: object, at: tuple[str | int, ...]) -> tuple[Claim, ...]:
    if isinstance(node, list) and node:
        return tuple(_claim(item, (*at, index)) for index, item in enumerate(node))
    if not isinstance(node, Mapping):
        raise WhereError("not: expected a map such as {decoder: grouped}, or a list of such maps", at)
    return (_claim(node, at),)


def _condition(axis: str, node: object, at: tuple[str | int, ...]) -> Condition:
    if isinstance(node, list):
        if not node:
            raise WhereError(f"{axis}: an empty list matches nothing; leave the axis out or name a value", at)
        return AnyOf(tuple(_condition(axis, item, (*at, i)) for i, item in enumerate(node)))
    if isinstance(node, Mapping):
        if list(node) != [NOT]:
            raise WhereError(f"{axis}: the only map that may stand here is {{not: value}}", at)
        return Not(_condition(axis, node[NOT], (*at, NOT)))
    return _count(axis, node, at) if axis in COUNT_AXES else _word(axis, node, at)


def _word(axis: str, node: object, at: tuple[str | int, ...]) -> Condition:
    known = f"one of {', '.join(WORD_AXES[axis])}, or a glob that matches one"
    if not isinstance(node, str):
        raise WhereError(f"{axis}: '{node}' isn't text; quote it if it is meant; {known}", at)
    accepts = frozenset(word for word in WORD_AXES[axis] if fnmatchcase(word, node))
    if not accepts:
        raise WhereError(f"{axis}: unknown value '{node}'; {known}", at)
    return Word(str(node), accepts)


def _count(axis: str, node: object, at: tuple[str | int, ...]) -> Condition:
    also = ", 'all'" if axis == "blocks" else ""
    expected = f'a count of at least 1{also} or a comparison such as ">=512" or ">=2000,<16000"'
    if axis == "blocks" and node == "all":
        return Word("all", frozenset({"all"}))
    if isinstance(node, int) and not isinstance(node, bool) and node >= 1:
        return Count((("==", int(node)),))
    if isinstance(node, str):
        found = [_COMPARISON.fullmatch(part.strip()) for part in node.split(",")]
        comparisons = tuple((part[1], int(part[2])) for part in found if part)
        if len(comparisons) == len(found):
            return Count(comparisons)
    raise WhereError(f"{axis}: '{node}' isn't {expected}", at)


def holds(condition: Condition, axis: str, axes: Axes) -> bool:
    """True when one condition of a claim, under the key `axis`, holds for a case with these axes."""
    if isinstance(condition, Word):
        return value_of(axis, axes) in condition.accepts
    if isinstance(condition, Count):
        count = count_of(axis, axes)
        return all(_OPERATORS[operator](count, number) for operator, number in condition.comparisons)
    if isinstance(condition, AnyOf):
        return any(holds(each, axis, axes) for each in condition.conditions)
    if isinstance(condition, Not):
        return not holds(condition.condition, axis, axes)
    return not where_matches(condition.claims, axes)


def is_segment(axes: Axes) -> bool:
    """Whether these are the axes of a segment, and not of a whole network."""
    return SEGMENT in axes


def reaches(claim: Claim, axes: Axes) -> bool:
    """Whether an entry's claim is about cases of this sort: about segments where it names an axis of theirs."""
    return not is_segment(axes) or not SEGMENT_AXES.isdisjoint(claim)


def value_of(axis: str, axes: Axes) -> str | int:
    """The case's value on an axis."""
    if axis not in axes and axis in SEGMENT_AXES:
        return WHOLE if axis == SEGMENT else 0
    return axes[axis]


def count_of(axis: str, axes: Axes) -> int:
    """The case's value on an axis of COUNTS; all blocks are R * X."""
    value = value_of(axis, axes)
    return int(axes["R"]) * int(axes["X"]) if value == "all" else int(value)


# --- the schema --------------------------------------------------------------------------------------------

_COMPARISONS = r"^\s*(>=|<=|==|!=|>|<)\s*[0-9]{1,18}\s*(,\s*(>=|<=|==|!=|>|<)\s*[0-9]{1,18}\s*)*$"


def where_schema() -> dict[str, Any]:
    """`where`, and the `claim` it is made of, as definitions of a JSON Schema.

    What `read_where` refuses beyond it is a glob that matches no value.
    """
    conditions = {axis: _condition_schema(axis, _value_schema(axis)) for axis in (*WORD_AXES, *COUNT_AXES)}
    claim = {
        "type": "object",
        "properties": {**conditions, NOT: {"$ref": "#/$defs/where"}},
        "additionalProperties": False,
    }
    one = {"$ref": "#/$defs/claim"}
    return {"claim": claim, "where": {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}}


def _value_schema(axis: str) -> dict[str, Any]:
    if axis in WORD_AXES:
        return {"anyOf": [{"enum": list(WORD_AXES[axis])}, {"type": "string", "pattern": r"[*?\[]"}]}
    counts: list[dict[str, Any]] = [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": _COMPARISONS}]
    return {"anyOf": [*counts, *([{"const": "all"}] if axis == "blocks" else [])]}


def _condition_schema(axis: str, value: dict[str, Any]) -> dict[str, Any]:
    nested = {"$ref": f"#/$defs/claim/properties/{axis}"}
    negated = {"type": "object", "properties": {NOT: nested}, "required": [NOT], "additionalProperties": False}
    return {"anyOf": [value, {"type": "array", "items": nested, "minItems": 1}, negated]}
