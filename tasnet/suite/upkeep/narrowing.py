"""The fewest conditions with which a `where` claims some cases and not others.

Nothing here knows a ledger or a run: cases are their axes. The result claims every case of `keep` and none of `leave`,
and no case that was not claimed before: it is the old `where` with conditions added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

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


def conditions_to_add(claim: Claim, keep: Sequence[Axes], leave: Sequence[Axes]) -> list[PlainClaim]:
    """The conditions to add to a claim: one map for each claim that must take its place.

    Cases of `keep` and `leave` that the claim doesn't claim are ignored. An empty list means that the claim keeps no
    case and is to be removed, `[{}]` that nothing need be added. Raises ValueError for a case in both.
    """
    kept = _distinct(axes for axes in keep if where_matches([claim], axes))
    left = _distinct(axes for axes in leave if where_matches([claim], axes))
    if both := [axes for axes in kept if axes in left]:
        raise ValueError(f"a case can't be kept and left out: {both[0]}")
    if not kept:
        return [] if left else [{}]
    return _fewest_conditions(kept, left)


def _distinct(cases: Iterable[Axes]) -> list[Axes]:
    return list({tuple(sorted(axes.items())): axes for axes in cases}.values())


def _fewest_conditions(keep: list[Axes], leave: list[Axes]) -> list[PlainClaim]:
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


def _by_single_axes(keep: list[Axes], leave: list[Axes]) -> tuple[dict[str, object], list[Axes]]:
    """Conditions on single axes that leave out as much as they can, the best first, and what they don't leave out."""
    chosen: dict[str, object] = {}
    left = leave
    while left:
        best = max(_candidates(keep, left), key=lambda step: len(left) - len(step[2]), default=None)
        if best is None:
            break
        axis = best[0]
        # Of all that is to be left out: a later condition on the same axis may not forget what the first one did.
        chosen[axis] = _condition(axis, keep, leave)
        left = _holding({axis: chosen[axis]}, left)
    if not left:
        for axis in list(chosen):
            fewer = {other: condition for other, condition in chosen.items() if other != axis}
            if not _holding(fewer, leave):
                chosen = fewer
    return {axis: chosen[axis] for axis in (*WORD_AXES, *COUNT_AXES) if axis in chosen}, left


def _holding(claim: PlainClaim, cases: Iterable[Axes]) -> list[Axes]:
    """The cases for which a claim holds."""
    read = read_where(claim)
    return [axes for axes in cases if where_matches(read, axes)]


def _candidates(keep: list[Axes], leave: list[Axes]) -> Iterable[tuple[str, object, list[Axes]]]:
    """(axis, condition, what it does not leave out) of each axis on which something can be left out."""
    for axis in (*WORD_AXES, *COUNT_AXES):
        condition = _condition(axis, keep, leave)
        if condition is not None:
            yield axis, condition, _holding({axis: condition}, leave)


def _condition(axis: str, keep: Sequence[Axes], leave: Sequence[Axes]) -> object | None:
    """The shortest condition on one axis that holds for all of `keep` and for as few of `leave` as it can."""
    if axis in WORD_AXES:
        kept, left = ({str(value_of(axis, axes)) for axes in cases} for cases in (keep, leave))
        if not left - kept:
            return None
        without = one_or_list(sorted(left - kept, key=WORD_AXES[axis].index))
        with_ = one_or_list(sorted(kept, key=WORD_AXES[axis].index))
        return with_ if len(kept) <= len(left - kept) else {"not": without}
    kept_counts, left_counts = ({count_of(axis, axes) for axes in cases} for cases in (keep, leave))
    outside = left_counts - kept_counts
    if not outside:
        return None
    low, high = min(kept_counts), max(kept_counts)
    bounds = [f">={low}"] if min(outside) < low else []
    bounds += [f"<={high}"] if max(outside) > high else []
    beyond = {count for count in outside if not low <= count <= high}
    if low == high:
        return low
    if beyond == outside:
        return ",".join(bounds)
    return one_or_list(sorted(kept_counts)) if len(kept_counts) <= 4 else {"not": one_or_list(sorted(outside))}


def _by_parts(keep: list[Axes], leave: list[Axes]) -> list[PlainClaim]:
    """Several claims: the cases to keep are split on the axis that separates them best, and each part is solved."""
    best: tuple[int, int, str, list[tuple[object, list[Axes]]]] | None = None
    for axis in (*WORD_AXES, *COUNT_AXES):
        values: dict[object, list[Axes]] = {}
        for axes in keep:
            values.setdefault(value_of(axis, axes) if axis in WORD_AXES else count_of(axis, axes), []).append(axes)
        there = {value_of(axis, axes) if axis in WORD_AXES else count_of(axis, axes) for axes in leave}
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
        here = _holding({axis: values_}, leave)
        parts += [{axis: values_, **rest} for rest in _fewest_conditions(inside, here)]
    return parts


def _merged(values: Mapping[object, list[Axes]], there: Collection[object]) -> list[tuple[object, list[Axes]]]:
    """Values that need no further condition in one group, each other value in its own."""
    pure = [value for value in values if value not in there]
    groups = [(value, inside) for value, inside in values.items() if value in there]
    if pure:
        groups.insert(0, (one_or_list(pure), [axes for value in pure for axes in values[value]]))
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
