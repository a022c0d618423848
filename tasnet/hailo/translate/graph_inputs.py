"""Fixes the sizes of a graph's inputs: float32, batch 1, every size known; one output at least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_ir as ir

from tasnet.hailo.translate.errors import ModelError

Shapes = Mapping[str, Sequence[int]]
"""the sizes that a user gives for inputs, by their names"""

_RANKS = range(2, 5)


def fix_sizes(model: ir.Model, shapes: Shapes, where: str) -> bool:
    """Give every input its sizes, in place; True if one was open before. A batch that is open is 1.

    Raises ModelError for an input of another type or rank, with an open axis that `shapes` doesn't give, or of a
    batch other than 1; for a name in `shapes` that no input has; for a graph without inputs or outputs.
    """
    inputs = {value.name or "?": value for value in model.graph.inputs}
    if not inputs:
        raise ModelError(f"{where}: the graph has no input; export it again")
    if not model.graph.outputs:
        raise ModelError(f"{where}: the graph has no output; export it again")
    for name in shapes:
        if name not in inputs:
            raise ModelError(f"{where}: --shape {name}: no such input; it has {', '.join(inputs)}")
    opened = False
    for name, value in inputs.items():
        fixed = _fixed(value, name, shapes.get(name), where)
        if value.shape is None or list(value.shape) != fixed:
            value.shape, opened = ir.Shape(fixed), True
    if opened:
        # What was inferred with an open axis says nothing now.
        for node in model.graph:
            for value in node.outputs:
                value.shape = None
    return opened


def _fixed(value: ir.Value, name: str, given: Sequence[int] | None, where: str) -> list[int]:
    if value.dtype != ir.DataType.FLOAT:
        raise ModelError(f"{where}: input {name} is {value.dtype}, float32 is needed; export in float32")
    shape = value.shape
    if shape is None:
        if given is None:
            raise ModelError(
                f"{where}: input {name} has no shape; export with a fixed input shape, "
                f"or give one: --shape {name}=1,1,1,16000"
            )
        shape = ir.Shape([None] * len(given))
    text = f"input {name} [" + ", ".join(str(size) for size in shape) + "]"
    if len(shape) not in _RANKS:
        raise ModelError(
            f"{where}: {text} is rank {len(shape)}; write the network in rank 4, [batch, channels, 1, time]"
        )
    if given is not None and len(given) != len(shape):
        raise ModelError(f"{where}: {text}: --shape gives {len(given)} sizes, {len(shape)} are needed")
    sizes = [_size(axis, size, given, f"{where}: {text}", name) for axis, size in enumerate(shape)]
    if sizes[0] != 1:
        raise ModelError(f"{where}: {text}: batch is {sizes[0]}; export with batch 1 (an HN's batch is free)")
    return sizes


def _size(axis: int, size: object, given: Sequence[int] | None, text: str, name: str) -> int:
    known = size if isinstance(size, int) and size > 0 else None
    asked = given[axis] if given is not None else None
    if asked is not None:
        if asked < 1:
            raise ModelError(f"{text}: --shape gives axis {axis} the size {asked}; sizes from 1 are needed")
        if known is not None and known != asked:
            raise ModelError(f"{text}: --shape gives axis {axis} the size {asked}, but the file fixes it at {known}")
        return asked
    if known is not None:
        return known
    if axis == 0:
        return 1
    raise ModelError(
        f"{text}: axis {axis} is dynamic; export without dynamic_axes, every size fixed, "
        f"or give them: --shape {name}=1,1,1,16000"
    )
