"""Every op of ONNX's table, in ONNX's own node tests and alone: parsed and right, unknown, or wrongly blocked.

The graphs, their inputs and what is right come from the `onnx` package: its node tests hold all three, and its
reference evaluator says what an op alone gives. No compiler was asked about any of them, so none may be called blocked
or failed, and whatever is translated must compute the op's function.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tasnet.hailo.execute import ExecuteError, run_network
from tasnet.hailo.files import har
from tasnet.hailo.predict.reference import Reference
from tasnet.hailo.toolchain import StageEnd

Array = npt.NDArray[np.generic]
OPSET = 22
SIGNAL = (1, 8, 1, 64)
"""batch, channels, height, width"""


class Told(Enum):
    """What became of one graph."""

    RIGHT = "parsed, and computes the op's function"
    WRONG = "parsed, and computes another function"
    UNKNOWN = "unknown"
    BLOCKED = "wrongly blocked"
    BROKE = "broke off with another error than ours"


@dataclass(frozen=True)
class Case:
    """A graph of one node with its first operand as input `signal`, and what is right."""

    op: str
    name: str
    model: onnx.ModelProto
    signal: Array
    right: Array


def figures() -> list[str]:
    """A line for each figure, its number first, its goal last."""
    found: dict[str, list[tuple[Told, str]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for case in (*alone(), *node_tests()):
            found[case.op].append((told(case, Path(folder)), case.name))
    table = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == "" and not schema.deprecated}

    def ops(*wanted: Told) -> list[str]:
        return sorted(op for op, ends in found.items() if any(end in wanted for end, _ in ends))

    def names(wanted: Told) -> str:
        return ", ".join(name for ends in found.values() for end, name in ends if end is wanted)[:300]

    parsed = ops(Told.RIGHT, Told.WRONG)
    graphs = sum(map(len, found.values()))
    lines = [
        f"{len(table)} ops in the table, {len(set(found) & table)} of them tried in {graphs} graphs",
        f"{len(parsed)} ops parsed: {', '.join(parsed)}",
        f"{len(set(found) - set(parsed))} ops unknown, {len(table - set(found))} without a graph to try",
    ]
    for end in (Told.WRONG, Told.BLOCKED, Told.BROKE):
        count = sum(1 for ends in found.values() for each, _ in ends if each is end)
        lines.append(f"{count} graphs {end.value} (goal 0){': ' + names(end) if count else ''}")
    return lines


def told(case: Case, folder: Path) -> Told:
    """Takes one graph through the embedded toolchain, and runs what it made of it."""
    path, target, toolchain = folder / "case.onnx", folder / "case.har", Reference()
    try:
        onnx.save(case.model, path)
        report = toolchain.translate(path, "net", target)
        if report.ended is not StageEnd.PASSED:
            return Told.UNKNOWN if report.ended is StageEnd.UNKNOWN else Told.BLOCKED
        ends = {
            toolchain.optimize(target, "hailo8", folder / "q.har").ended,
            toolchain.compile(target, "hailo8", folder / "c.hef").ended,
        }
        if StageEnd.FAILED in ends:
            return Told.BLOCKED
        return Told.RIGHT if _computes(case, target) else Told.WRONG
    except Exception:
        return Told.BROKE


def _computes(case: Case, target: Path) -> bool:
    """Whether the layers give what is right, its sizes other than 1 in whichever order the HN has them."""
    network = har.read(target)
    (first,) = [layer for layer in network if layer.type == "input_layer"]
    wanted = first.output_shape[1:]
    planes = case.signal.astype(np.float32)
    planes = planes.reshape((1,) * max(0, 2 - planes.ndim) + planes.shape)
    if planes.ndim == 3:
        planes = planes[:, :, None, :]
    planes = planes.reshape(*planes.shape, *(1,) * (4 - planes.ndim))
    signal = planes.transpose(0, 2, 3, 1)
    if signal.shape[1:] != wanted:
        signal = case.signal.astype(np.float32).reshape(1, *wanted)
    try:
        made = run_network(network, signal, deconv="onnx")[0]
    except ExecuteError:
        return False
    right = np.asarray(case.right, np.float32)
    given = made.transpose(0, 3, 1, 2)
    return any(
        each.size == right.size and np.allclose(each.reshape(right.shape), right, rtol=1e-3, atol=1e-4)
        for each in (given, made)
    )


def alone() -> Iterator[Case]:
    """Each op of one or two operands that needs no attribute, alone on a signal; what is right by ONNX's evaluator.

    A second operand is a positive constant per channel.
    """
    draw = np.random.default_rng(0)
    signal = draw.standard_normal(SIGNAL).astype(np.float32)
    second = draw.uniform(0.5, 2.0, (1, SIGNAL[1], 1, 1)).astype(np.float32)
    for name in sorted({schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}):
        try:
            schema = onnx.defs.get_schema(name, OPSET, "")
        except onnx.defs.SchemaError:
            continue
        needs = any(attribute.required for attribute in schema.attributes.values())
        inputs = list(schema.inputs)
        if schema.deprecated or needs or schema.min_input not in (1, 2) or "tensor(float)" not in inputs[0].types:
            continue
        two = schema.min_input == 2 or inputs[0].option is onnx.defs.OpSchema.FormalParameterOption.Variadic
        if two and "tensor(float)" not in inputs[-1].types:
            continue
        graph = helper.make_graph(
            [helper.make_node(name, ["x", "k"] if two else ["x"], ["y"], name=name.lower())],
            "alone",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, SIGNAL)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(second, "k")] if two else [],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                (right, *_) = ReferenceEvaluator(model).run(None, {"x": signal})
            model = onnx.shape_inference.infer_shapes(model)
        except Exception:
            # not for floats of rank 4, or chance decides
            continue
        if not isinstance(right, np.ndarray) or not np.isfinite(right.astype(np.float64)).all():
            continue
        yield Case(name, f"{name} alone", model, signal, right)


def node_tests() -> Iterator[Case]:
    """ONNX's node tests, the operands after the first as constants, for so a network has them."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        collected = collect_testcases("")
    for each in collected:
        if each.model is None or not each.data_sets or len(each.model.graph.node) != 1:
            continue
        given, right = each.data_sets[0]
        operands = [value for value in given if isinstance(value, np.ndarray)]
        if len(operands) != len(given) or not given or not isinstance(right[0], np.ndarray):
            continue
        model = onnx.ModelProto.FromString(each.model.SerializeToString())
        node = model.graph.node[0]
        if operands[0].dtype != np.float32 or right[0].dtype != np.float32:
            continue
        constants = [
            numpy_helper.from_array(np.ascontiguousarray(value), info.name)
            for info, value in zip(model.graph.input[1:], operands[1:], strict=False)
        ]
        model.graph.initializer.extend(constants)
        del model.graph.input[1:]
        yield Case(node.op_type, each.name, model, operands[0], right[0])
