"""Choices of a case that change nothing: its graph is that of another case, and what was chosen is in no part of it.

With the mask product bypassed, for one, no output depends on the masker: a truncation, other skips, another norm or
activation give the same graph. A result of such a case tells nothing about what it names.

Found from the graphs alone (`vacuous_in_graphs`), or by the cases' graph keys, which needs no graph and says the same:
a test holds one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasnet.network import Variant
from tasnet.suite.cases import AnyCase, Case, SegmentCase, graph_key

if TYPE_CHECKING:
    from onnx import ModelProto

_DEAD = "the masker is dead: no output depends on any of its weights"


def vacuous_by_key(case: AnyCase) -> tuple[str, ...]:
    """What is vacuous in a case, a sentence each: choices in the order of the axes, then what is dead.

    Nothing of a plan's segment: plans are of what the network computes.
    """
    if isinstance(case, SegmentCase):
        return ()
    other = _with(case, "norm", "gln" if case.variant.norm == "cln" else "cln")
    return (*_choices(case, _same_key), *([_DEAD] if _same_key(case, other) else []))


def vacuous_in_graphs(case: Case) -> tuple[str, ...]:
    """The same, found from the exported graphs alone: node for node and weight for weight. Takes seconds a graph."""
    # Only here: torch takes seconds to import.
    from tasnet.network import seeded_weights, to_onnx

    exported: dict[Case, ModelProto] = {}

    def graph(each: Case) -> ModelProto:
        if each not in exported:
            exported[each] = to_onnx(each.variant, each.size, seeded_weights(each.size), each.length)
        return exported[each]

    def alike(one: Case, other: Case) -> bool:
        return bool(
            graph(one).SerializeToString(deterministic=True) == graph(other).SerializeToString(deterministic=True)
        )

    dead = not any(tensor.name.startswith("masker.") for tensor in graph(case).graph.initializer)
    return (*_choices(case, alike), *([_DEAD] if dead else []))


def dead_nodes(model: ModelProto) -> tuple[str, ...]:
    """The names (or ops, without one) of the nodes of a file's graph on which no output depends."""
    needed = {each.name for each in model.graph.output}
    dead = []
    for node in reversed(model.graph.node):
        if needed.isdisjoint(node.output):
            dead.append(node.name or node.op_type)
        else:
            inner = (name for each in node.attribute for inside in each.g.node for name in inside.input)
            needed |= {*node.input, *inner}
    return tuple(reversed(dead))


def _choices(case: Case, same: Callable[[Case, Case], bool]) -> Iterator[str]:
    """A sentence for each departure from the usual variant without which the graph is the same."""
    usual, told = Variant(), case.variant.axes()
    for axis, instead in usual.axes().items():
        value = getattr(usual, axis)
        if getattr(case.variant, axis) != value and same(case, _with(case, axis, value)):
            yield f"{axis}={told[axis]} changes nothing: {axis}={instead} gives the same graph"


def _same_key(one: Case, other: Case) -> bool:
    return graph_key(one) == graph_key(other)


def _with(case: Case, axis: str, value: object) -> Case:
    changes: dict[str, Any] = {axis: value}
    return replace(case, variant=replace(case.variant, **changes))
