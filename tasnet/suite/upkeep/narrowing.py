"""The fewest conditions with which a `where` claims some cases and not others.

Nothing here knows a ledger or a run: cases are their axes. The result claims every case of `keep` and none of `leave`,
and no case that was not claimed before: it is the old `where` with conditions added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tasnet.suite.ledger import (
    COUNT_AXES,
    NOT,
    WORD_AXES,
    Axes,
    Claim,
    Condition,
    Count,
    Not,
    Without,
    count_of,
    holds,
    one_or_list,
    plain_claim,
    plain_condition,
    read_where,
    value_of,
    where_matches,
)

PlainClaim = Mapping[str, object]
"""A claim as YAML has it: axis, or `not` -> condition."""


Row = Mapping[str, str | int]
"""A case's value on each axis on which the cases differ: words, and counts as numbers."""


def conditions_to_add(claim: Claim, keep: Sequence[Axes], leave: Sequence[Axes]) -> list[PlainClaim]:
    """The conditions to add to a claim: one map for each claim that must take its place.

    Cases of `keep` and `leave` that the claim doesn't claim are ignored. An empty list means that the claim keeps no
    case and is to be removed, `[{}]` that nothing need be added. Raises ValueError for a case in both.
    """
    kept = _rows(axes for axes in keep if where_matches([claim], axes))
    left = _rows(axes for axes in leave if where_matches([claim], axes))
    if both := kept.keys() & left.keys():
        raise ValueError(f"a case can't be kept and left out: {kept[both.pop()]}")
    if not kept:
        return [] if left else [{}]
    values = zip(*(row.values() for row in (*kept.values(), *left.values())), strict=True)
    apart = [axis for axis, those in zip((*WORD_AXES, *COUNT_AXES), values, strict=True) if len({*those}) > 1]
    keep_rows, leave_rows = ([{axis: row[axis] for axis in apart} for row in those.values()] for those in (kept, left))
    return _fewest_conditions(keep_rows, leave_rows)


def _rows(cases: Iterable[Axes]) -> dict[tuple[str | int, ...], Row]:
    """The distinct rows of cases, by their values."""
    rows = (
        {axis: (value_of if axis in WORD_AXES else count_of)(axis, axes) for axis in (*WORD_AXES, *COUNT_AXES)}
        for axes in cases
    )
    return {tuple(row.values()): row for row in rows}


def _fewest_conditions(keep: Sequence[Row], leave: Sequence[Row]) -> list[PlainClaim]:
    """Conditions on single axes where they suffice, else the shorter of: a `not` beside them, or several claims."""
    chosen, left = _by_single_axes(keep, leave)
    if not left:
        return [chosen]
    ways = [_by_parts(keep, leave)]
    for beside, rest in ((chosen, left), ({}, leave)):
        out, kept = _by_single_axes(rest, keep)
        ways += [] if kept else [[{**beside, "not": out}]]
    return min((way for way in ways if way), key=count_conditions)


def count_conditions(claims: object) -> int:
    """How many conditions claims have."""
    if isinstance(claims, list):
        return sum(map(count_conditions, claims)) + len(claims)
    if isinstance(claims, dict):
        return sum(1 + (count_conditions(value) if axis == "not" else 0) for axis, value in claims.items())
    return 0


def _by_single_axes(keep: Sequence[Row], leave: Sequence[Row]) -> tuple[dict[str, object], Sequence[Row]]:
    """Conditions on single axes that leave out as much as they can, the best first, and what they don't leave out.

    A condition on an axis leaves out the values that nothing to keep has, and no others: those are `kept`.
    """
    kept = {axis: {row[axis] for row in keep} for axis in keep[0]}
    outside = {axis: others for axis in kept if (others := {row[axis] for row in leave} - kept[axis])}
    chosen: list[str] = []
    left = leave
    while left and outside:
        best = max(outside, key=lambda axis: sum(row[axis] in outside[axis] for row in left))
        remaining = [row for row in left if row[best] in kept[best]]
        if len(remaining) == len(left):
            break
        chosen.append(best)
        left = remaining
    if not left:
        for axis in list(chosen):
            fewer = [other for other in chosen if other != axis]
            if not any(all(row[other] in kept[other] for other in fewer) for row in leave):
                chosen = fewer
    # Of all that is to be left out: each condition must hold without the others.
    return {axis: _condition(axis, kept[axis], outside[axis]) for axis in kept if axis in chosen}, left


def _condition(axis: str, kept: Collection[Any], outside: Collection[Any]) -> object:
    """The shortest condition on one axis that holds for the values `kept` and for none of those `outside`."""
    if axis in WORD_AXES:
        without, with_ = (one_or_list(sorted(each, key=WORD_AXES[axis].index)) for each in (outside, kept))
        return with_ if len(kept) <= len(outside) else {"not": without}
    low, high = min(kept), max(kept)
    if low == high:
        return _count(low)
    if not any(low <= count <= high for count in outside):
        bounds = [f">={low}"] if min(outside) < low else []
        return ",".join([*bounds, *([f"<={high}"] if max(outside) > high else [])])
    listed, others = (one_or_list([_count(count) for count in sorted(each)]) for each in (kept, outside))
    return listed if len(kept) <= 4 else {"not": others}


def _count(count: int) -> int | str:
    """A count as a condition: only a segment's may be 0, which the ledger has as a comparison."""
    return count or "<1"


def _by_parts(keep: Sequence[Row], leave: Sequence[Row]) -> list[PlainClaim]:
    """Several claims: the cases to keep are split on the axis that separates them best, and each part is solved."""
    best: tuple[int, int, str, list[tuple[list[Any], list[Row]]]] | None = None
    for axis in keep[0]:
        values: dict[str | int, list[Row]] = {}
        for row in keep:
            values.setdefault(row[axis], []).append(row)
        there = {row[axis] for row in leave}
        if len(values.keys() | there) < 2:
            continue
        mixed = sum(len(inside) for value, inside in values.items() if value in there)
        groups = _merged(values, there)
        if best is None or (mixed, len(groups)) < best[:2]:
            best = (mixed, len(groups), axis, groups)
    if best is None:
        raise ValueError("two cases of the same axes can't be told apart")
    _, _, axis, groups = best
    parts: list[PlainClaim] = []
    for values_, inside in groups:
        here = [row for row in leave if row[axis] in values_]
        condition = one_or_list([value if axis in WORD_AXES else _count(value) for value in values_])
        parts += [{axis: condition, **rest} for rest in _fewest_conditions(inside, here)]
    return parts


def _merged(values: Mapping[Any, list[Row]], there: Collection[Any]) -> list[tuple[list[Any], list[Row]]]:
    """Values that need no further condition in one group, each other value in its own."""
    pure = [value for value in values if value not in there]
    groups = [([value], inside) for value, inside in values.items() if value in there]
    if pure:
        groups.insert(0, (pure, [row for value in pure for row in values[value]]))
    return groups


# --- joined to what stands there ---------------------------------------------------------------------------


def joined_condition(axis: str, old: Condition, new: object) -> object:
    """One condition that holds where both do, written as the old one is where possible."""
    if axis == NOT:
        out = [plain_claim(claim) for claim in old.claims] if isinstance(old, Without) else []
        return [*out, *(new if isinstance(new, list) else [new])]
    added = read_where({axis: new})[0][axis]
    if axis in WORD_AXES:
        values = [word for word in WORD_AXES[axis] if _accepts(old, axis, word) and _accepts(added, axis, word)]
        others = [word for word in WORD_AXES[axis] if word not in values]
        short = isinstance(old, Not) and 0 < len(others) <= len(values)
        return {NOT: one_or_list(others)} if short else one_or_list(values)
    if isinstance(new, int) or (isinstance(new, list) and all(isinstance(each, int) for each in new)):
        return new
    if isinstance(old, Count) and isinstance(added, Count):
        return _tightest([*old.comparisons, *added.comparisons])
    return {NOT: [{NOT: plain_condition(old)}, {NOT: new}]}


def _accepts(condition: Condition, axis: str, word: str) -> bool:
    axes: Axes = {axis: word}
    return holds(condition, axis, axes)


def _tightest(comparisons: Sequence[tuple[str, int]]) -> str:
    """The comparisons without those that another one implies."""
    bounds: dict[str, int] = {}
    kept = []
    for operator, number in comparisons:
        if operator not in (">=", "<="):
            kept.append(f"{operator}{number}")
        elif operator in bounds:
            bounds[operator] = (max if operator == ">=" else min)(bounds[operator], number)
        else:
            bounds[operator] = number
    return ",".join([*(f"{operator}{number}" for operator, number in bounds.items()), *dict.fromkeys(kept)])


def joined_claim(claim: Claim, added: Mapping[str, object]) -> dict[str, object]:
    """A claim with conditions added, as YAML has it."""
    all_of = plain_claim(claim)
    for axis, condition in added.items():
        all_of[axis] = joined_condition(axis, claim[axis], condition) if axis in claim else condition
    return all_of
