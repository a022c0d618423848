"""Conditions of a `where` as YAML: written on one line, and two of them in one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from tasnet.suite.ledger import (
    NOT,
    WORD_AXES,
    AnyOf,
    Axes,
    Claim,
    Condition,
    Count,
    Not,
    Without,
    Word,
    holds,
    read_where,
    text,
)
from tasnet.suite.upkeep.narrowing import one_or_list

_BARE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")


def flow(value: object) -> str:
    """A value of a `where` as flow YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str) and not _BARE.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def both(axis: str, old: Condition, new: object) -> object:
    """One condition that holds where the old and the new one do, in the words of the old one where it can."""
    if axis == NOT:
        out = [plain(claim) for claim in old.claims] if isinstance(old, Without) else []
        return [*out, *(new if isinstance(new, list) else [new])]
    added = read_where({axis: new})[0][axis]
    if axis in WORD_AXES:
        values = [word for word in WORD_AXES[axis] if _takes(old, axis, word) and _takes(added, axis, word)]
        others = [word for word in WORD_AXES[axis] if word not in values]
        short = isinstance(old, Not) and 0 < len(others) <= len(values)
        return {NOT: one_or_list(others)} if short else one_or_list(values)
    if isinstance(new, int) or (isinstance(new, list) and all(isinstance(each, int) for each in new)):
        return new
    if isinstance(old, Count) and isinstance(added, Count):
        return _tightest([*old.comparisons, *added.comparisons])
    return {NOT: [{NOT: plain_condition(old)}, {NOT: new}]}


def _takes(condition: Condition, axis: str, word: str) -> bool:
    axes: Axes = {axis: word}
    return holds(condition, axis, axes)


def _tightest(comparisons: Sequence[tuple[str, int]]) -> str:
    """The comparisons without those that another one makes needless."""
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


def joined(claim: Claim, added: Mapping[str, object]) -> dict[str, object]:
    """A claim with conditions added, as YAML has it."""
    all_of = plain(claim)
    for axis, condition in added.items():
        all_of[axis] = both(axis, claim[axis], condition) if axis in claim else condition
    return all_of


def plain(claim: Claim) -> dict[str, object]:
    """A claim as YAML has it."""
    return {axis: plain_condition(condition) for axis, condition in claim.items()}


def plain_condition(condition: Condition) -> object:
    """A condition as YAML has it."""
    if isinstance(condition, AnyOf):
        return [plain_condition(each) for each in condition.conditions]
    if isinstance(condition, Not):
        return {NOT: plain_condition(condition.condition)}
    if isinstance(condition, Without):
        return one_or_list([plain(claim) for claim in condition.claims])
    if isinstance(condition, Word):
        return condition.pattern
    said = text(condition).strip('"')
    return int(said) if said.isdecimal() else said
