"""A `where` and its conditions as they are written in the ledger, on one line of flow YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from tasnet.suite.ledger.where import NOT, AnyOf, Claim, Condition, Count, Not, Word

_BARE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")


def where_text(where: Sequence[Claim]) -> str:
    """A `where`."""
    return flow_yaml(one_or_list([plain_claim(claim) for claim in where]))


def condition_text(condition: Condition) -> str:
    """One condition."""
    return flow_yaml(plain_condition(condition))


def flow_yaml(value: object) -> str:
    """Plain maps, lists, words and counts as flow YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow_yaml, value))}]"
    if isinstance(value, str) and not _BARE.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def plain_claim(claim: Claim) -> dict[str, object]:
    """A claim in the plain maps, lists, words and counts that `read_where` reads."""
    return {axis: plain_condition(condition) for axis, condition in claim.items()}


def plain_condition(condition: Condition) -> object:
    """A condition in the same plain values."""
    if isinstance(condition, AnyOf):
        return [plain_condition(each) for each in condition.conditions]
    if isinstance(condition, Not):
        return {NOT: plain_condition(condition.condition)}
    if isinstance(condition, Word):
        return condition.pattern
    if isinstance(condition, Count):
        operator, number = condition.comparisons[0]
        if len(condition.comparisons) == 1 and operator == "==" and number > 0:
            return number
        return ",".join(f"{operator}{number}" for operator, number in condition.comparisons)
    return one_or_list([plain_claim(claim) for claim in condition.claims])


def one_or_list(values: Sequence[object]) -> object:
    """A value by itself, or the list of them."""
    return values[0] if len(values) == 1 else list(values)
