"""Any ONNX file -> a graph that the rules can read: one static rank-4 input, constants folded, nothing dead.

Exporters differ in what they leave behind (Constant nodes, functions, Identity, Shape chains, unnamed nodes,
values without shapes); after `prepare` there is one form.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError
from onnx_ir.passes import common

from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.folding import fold, foldable

OPSETS = range(7, 26)
"""Opsets read. The vendor documents 11-13 and 15-21; other numbers are read as the ops allow."""


_HOLDERS = frozenset({"Constant", "If", "Loop", "Scan"})
"""ops whose attributes hold tensors or graphs"""


def load(path: Path) -> ir.Model:
    """The model in an ONNX file, external data read and closed. Raises ModelError."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        proto = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise ModelError(f"{path}: not an ONNX file, or cut short ({_line(error)}); export it again") from None
    if not proto.HasField("graph") or not proto.graph.node:
        raise ModelError(f"{path}: holds no ONNX graph; export it again")
    return from_proto(proto, path.parent, str(path))


def from_proto(proto: onnx.ModelProto, folder: Path | None = None, where: str = "the model") -> ir.Model:
    """The model in a ModelProto; external data is looked for in `folder`. Raises ModelError."""
    outside: dict[str, Path] = {}
    root = folder.resolve() if folder is not None else None
    for tensor in proto.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            outside[tensor.name] = _checked_external(tensor, root, where)
    try:
        model = ir.from_proto(proto)
    except Exception as error:  # a broken proto fails in as many ways as it has fields
        raise ModelError(f"{where}: not a readable ONNX model ({_line(error)}); export it again") from None
    if folder is not None and any(node.op_type in _HOLDERS for node in model.graph):
        ir.external_data.set_base_dir(model.graph, folder)
    for name, path in outside.items():
        value = model.graph.initializers[name]
        found = value.const_value
        assert isinstance(found, ir.ExternalTensor)
        # With its full path, which was checked above: else each is checked once more when it is read.
        mapped = ir.ExternalTensor(path, found.offset, found.length, found.dtype, shape=found.shape, name=name)
        # Copied and closed: a mapping holds a descriptor until the model is collected, and a graph has hundreds.
        value.const_value = ir.Tensor(np.array(mapped.numpy()), dtype=found.dtype, name=name)
        mapped.release()
    return model


def prepare(model: ir.Model, where: str = "the model") -> ir.Model:
    """`model`, changed in place into the form that the rules read. Raises ModelError."""
    opset = model.opset_imports.get("", 0)
    if opset not in OPSETS:
        raise ModelError(
            f"{where}: opset {opset} is not read; export with opset 11 to 18 (`opset_version=13` is the safest)"
        )
    # Each pass takes about as long as the drafting: those that have nothing to do are left out.
    if model.functions:
        _run(model, where, common.InlinePass())
    _run(model, where, common.RemoveInitializersFromInputsPass())
    operators = {node.op_type for node in model.graph}
    if "Constant" in operators:
        _run(model, where, common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0))
    if "Identity" in operators:
        _run(model, where, common.IdentityEliminationPass())
    if any(not value.uses() and not value.is_graph_output() for node in model.graph for value in node.outputs):
        _run(model, where, common.RemoveUnusedNodesPass())
    _check_io(model, where)
    _name_nodes(model)
    if any(value.shape is None for node in model.graph for value in node.outputs) or foldable(model):
        _run(model, where, common.ShapeInferencePass())
    if foldable(model):
        _fold(model, where)
    if not _sorted(model):
        _run(model, where, common.TopologicalSortPass())
    _check_shapes(model, where)
    return model


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:160]


def _run(model: ir.Model, where: str, *passes: ir.passes.PassBase) -> None:
    for each in passes:
        try:
            each(model)
        except Exception as error:  # third-party passes document no errors of their own
            raise ModelError(f"{where}: the graph is not consistent ({_line(error)}); export it again") from None


def _checked_external(tensor: onnx.TensorProto, root: Path | None, where: str) -> Path:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if root is None:
        raise ModelError(f"{where}: weight {tensor.name} is in another file ({location}); give the file's path")
    path = _resolved(root, location)
    if not location or not path.is_relative_to(root):
        raise ModelError(f"{where}: weight {tensor.name} points outside the model's folder ({location})")
    if not path.is_file():
        raise ModelError(
            f"{where}: weight {tensor.name} is in {location}, which is not beside the model; "
            "copy it there or export with the weights inside"
        )
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        raise ModelError(f"{where}: weight {tensor.name}: its place in {location} is not a number") from None
    if offset < 0 or length < 0 or offset + length > path.stat().st_size:
        raise ModelError(f"{where}: weight {tensor.name}: {location} is cut short; copy it again")
    return path


def _resolved(root: Path, location: str) -> Path:
    path = root / location
    # A file right below the root is where it seems to be, and resolving asks about every folder above it.
    plain = path.parent == root and path.name == location != ".." and not path.is_symlink()
    return path if plain else path.resolve()


def _sorted(model: ir.Model) -> bool:
    seen: set[ir.Node] = set()
    for node in model.graph:
        for value in node.inputs:
            producer = value.producer() if value is not None else None
            if producer is not None and producer not in seen:
                return False
        seen.add(node)
    return True


def _check_io(model: ir.Model, where: str) -> None:
    inputs = model.graph.inputs
    if len(inputs) != 1:
        names = ", ".join(value.name or "?" for value in inputs) or "none"
        raise ModelError(
            f"{where}: {len(inputs)} inputs ({names}), one is needed; make the others constants or export without them"
        )
    value = inputs[0]
    if value.dtype != ir.DataType.FLOAT:
        raise ModelError(f"{where}: input {value.name} is {value.dtype}, float32 is needed; export in float32")
    shape = value.shape
    if shape is None:
        raise ModelError(f"{where}: input {value.name} has no shape; export with a fixed input shape")
    text = "[" + ", ".join(str(d) for d in shape) + "]"
    for axis, size in enumerate(shape):
        if not isinstance(size, int) or size <= 0:
            raise ModelError(
                f"{where}: input {value.name} {text}: axis {axis} is dynamic; export without dynamic_axes, "
                "every size fixed"
            )
    if len(shape) != 4:
        raise ModelError(
            f"{where}: input {value.name} {text} is rank {len(shape)}: the 1D form is not supported; "
            "write the network in rank 4, [batch, channels, 1, time]"
        )
    if shape[0] != 1:
        raise ModelError(
            f"{where}: input {value.name} {text}: batch is {shape[0]}; export with batch 1 (an HN's batch is free)"
        )
    if not model.graph.outputs:
        raise ModelError(f"{where}: the graph has no output; export it again")


def _name_nodes(model: ir.Model) -> None:
    taken = {node.name for node in model.graph if node.name}
    for index, node in enumerate(model.graph):
        if not node.name:
            name = f"{node.op_type}_{index}"
            while name in taken:
                name += "_"
            taken.add(name)
            node.name = name


def _fold(model: ir.Model, where: str) -> None:
    try:
        fold(model)
    except Exception as error:  # third-party passes document no errors of their own
        raise ModelError(f"{where}: constants can't be folded ({_line(error)}); simplify the graph") from None
    _name_nodes(model)


def _check_shapes(model: ir.Model, where: str) -> None:
    for node in model.graph:
        for value in node.outputs:
            shape = value.shape
            if shape is None or not all(isinstance(size, int) for size in shape):
                text = "no shape" if shape is None else f"the shape {shape}"
                raise ModelError(
                    f"{where}: node {node.name} ({node.op_type}) leaves {text}: it can't be inferred; "
                    "export with every size fixed"
                )
