"""Every scope of an ONNX file: graphs, functions, the graphs in attributes, training graphs.

A tensor may stand in each of them, and a function's body becomes the graph's only when it is inlined. Whoever checks a
file walks through here, so that no place is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import onnx

Holder = onnx.GraphProto | onnx.FunctionProto


@dataclass(frozen=True)
class OnnxScope:
    """A graph or a function, and the scopes whose values it may read, from the inside out."""

    holder: Holder
    outer: tuple[OnnxScope, ...] = ()

    @cached_property
    def made(self) -> frozenset[str]:
        """The values that the scope itself has: inputs, weights and what its nodes leave."""
        made = {name for node in self.holder.node for name in node.output}
        if isinstance(self.holder, onnx.GraphProto):
            made.update(value.name for value in self.holder.input)
            made.update(tensor.name for tensor in self.holder.initializer)
        else:
            made.update(self.holder.input)
        return frozenset(made)


def scopes(model: onnx.ModelProto) -> Iterator[OnnxScope]:
    """Every scope of the file, each once; an outer one before those inside it."""
    graph = OnnxScope(model.graph)
    todo = [graph, *(OnnxScope(function) for function in model.functions)]
    for training in model.training_info:
        todo += [OnnxScope(training.initialization, (graph,)), OnnxScope(training.algorithm, (graph,))]
    while todo:
        scope = todo.pop()
        yield scope
        outer = (scope, *scope.outer)
        for attribute in attributes(scope.holder):
            if attribute.HasField("g"):
                todo.append(OnnxScope(attribute.g, outer))
            todo += [OnnxScope(graph, outer) for graph in attribute.graphs]


def attributes(holder: Holder) -> Iterator[onnx.AttributeProto]:
    """The attributes of all nodes, and a function's own with their defaults."""
    for node in holder.node:
        yield from node.attribute
    if isinstance(holder, onnx.FunctionProto):
        yield from holder.attribute_proto


def tensors(holder: Holder) -> Iterator[tuple[onnx.TensorProto, str]]:
    """The tensors of one scope without those inside it, sparse ones' parts too, each with what to call it."""
    if isinstance(holder, onnx.GraphProto):
        for tensor in holder.initializer:
            yield tensor, f"weight {tensor.name}"
        for sparse in holder.sparse_initializer:
            yield from _parts(sparse)
    for node in holder.node:
        for attribute in node.attribute:
            for tensor in _of(attribute):
                yield tensor, f"weight {tensor.name or attribute.name} of node {node.name or node.op_type}"
    if isinstance(holder, onnx.FunctionProto):
        for attribute in holder.attribute_proto:
            for tensor in _of(attribute):
                yield tensor, f"weight {tensor.name or attribute.name} of function {holder.name}"


def _of(attribute: onnx.AttributeProto) -> Iterator[onnx.TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    sparse = [*attribute.sparse_tensors, *([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else [])]
    for each in sparse:
        yield each.values
        yield each.indices


def _parts(sparse: onnx.SparseTensorProto) -> Iterator[tuple[onnx.TensorProto, str]]:
    yield sparse.values, f"sparse weight {sparse.values.name}"
    yield sparse.indices, f"indices of sparse weight {sparse.values.name}"
