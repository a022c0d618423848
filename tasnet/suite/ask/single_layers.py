"""Single layers as ONNX, where a whole graph would leave open which of its layers is to blame.

They are made from what is open, by what the constraints measure: large layers with each layout, operation and
activation that is new, and for the rows' bracket the observed piece, widened through it. One is proposed only if
the embedded translator finds in it what it was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tasnet.hailo.files import Network
from tasnet.hailo.predict import (
    LINEAR,
    SEEN_KIND,
    SEEN_POINTWISE,
    SIZES,
    Bracket,
    Demand,
    Demands,
    Observations,
    demands_of,
    predict_network,
)
from tasnet.hailo.translate import TranslationError, translate
from tasnet.suite.ask.chances import traits_of
from tasnet.suite.ask.question import Question, Source, rule_verdict

BRACKET_STEPS = 7
"""layers between the ends of the bracket: three answers find the limit to an eighth of it"""
OPSET = 13


def layers_of_new_kinds(
    open_: Iterable[Demands], compiled: Iterable[Demand], bracket: Bracket, arch: str
) -> list[Question]:
    """The fewest large layers that have every new layout, operation and activation which a layer can be written for.

    New is what none of `compiled` has. A layer whose row is a question of the bracket is left out.
    """
    known = {trait for kind in (SEEN_KIND, *(each.kind for each in compiled)) for trait in traits_of(kind)}
    found: list[Question] = []
    narrow = {each for graph in open_ for each in graph.layers if each.size("row_elements") <= bracket.passes}
    largest = sorted(narrow, key=lambda each: (each.size("row_elements"), each.sizes, each.kind), reverse=True)
    while largest:
        new = [len({*traits_of(each.kind)} - known) for each in largest]
        if not max(new):
            break
        demand = largest.pop(new.index(max(new)))
        if (model := single_layer(demand)) is not None:
            question = _question(f"single layer {demand.kind.text} {_sized(demand)}", model, 1.0, bracket, arch)
            found += [question] if question else []
            known |= {*traits_of(demand.kind)}
    return [replace(each, weight=1 / len(found)) for each in found]


@lru_cache(maxsize=64)
def layers_in_bracket(bracket: Bracket, arch: str) -> tuple[Question, ...]:
    """The widest piece that was seen to compile, at widths through the bracket; none where it has no end."""
    if bracket.fails is None:
        return ()
    width, given, made = max(SEEN_POINTWISE, key=lambda each: each[0] * max(each[1:]))
    channels, span = max(given, made), bracket.fails - bracket.passes
    ends = (bracket.passes + span * step // (BRACKET_STEPS + 1) for step in range(1, BRACKET_STEPS + 1))
    widths = [each for each in dict.fromkeys(end // channels for end in ends) if bracket.open_at(each * channels)]
    demands = [Demand(SEEN_KIND, (1, each, each * channels, given, made, 1, 1, 0)) for each in widths if each > width]
    models = [(f"single layer {SEEN_KIND.text} {_sized(each)}", single_layer(each)) for each in demands]
    questions = [_question(name, model, 1 / len(models), bracket, arch) for name, model in models if model is not None]
    return tuple(each for each in questions if each is not None)


def single_layer(demand: Demand) -> onnx.ModelProto | None:
    """A graph of one layer that asks this; None for a kind that none is written for, or whose graph asks another."""
    kind, size = demand.kind, dict(zip(SIZES, demand.sizes, strict=True))
    maker = _MAKERS.get(kind.type)
    if maker is None or kind.activation not in _ACTIVATIONS or kind.strides or kind.grouped or kind.kernel == "hw":
        return None
    model = maker(demand, size)
    network = _network(model.SerializeToString(deterministic=True))
    return model if network is not None and demand in demands_of(network).layers else None


def _question(name: str, model: onnx.ModelProto, weight: float, bracket: Bracket, arch: str) -> Question | None:
    data = model.SerializeToString(deterministic=True)
    network = _network(data)
    if network is None:
        return None
    seen = rule_verdict(predict_network(network, arch, Observations(bracket)))
    return Question(name, demands_of(network), seen, Source.SINGLE_LAYER, (name,), weight, model=data)


@lru_cache(maxsize=256)
def _network(data: bytes) -> Network | None:
    try:
        return translate(onnx.load_from_string(data), "probe")
    except TranslationError:
        return None


# --- one layer as ONNX

Sizes = Mapping[str, int]
_ACTIVATIONS: Mapping[str, tuple[str, dict[str, Any]] | None] = {
    LINEAR: None,
    "relu": ("Relu", {}),
    "leaky": ("LeakyRelu", {"alpha": 0.25}),
}


def _conv(demand: Demand, size: Sizes) -> onnx.ModelProto:
    depthwise, taps, dilation = demand.kind.type == "dw", size["taps"], size["dilation"]
    given, made = size["channels_in"], size["channels_out"]
    along = (taps, 1) if demand.kind.kernel == "h" else (1, taps)
    reach = (taps - 1) * dilation // 2
    pads = [reach, 0] if demand.kind.kernel == "h" else [0, reach]
    attributes: dict[str, Any] = {
        "kernel_shape": list(along),
        "dilations": [dilation if each > 1 else 1 for each in along],
        "pads": [*pads, *pads],
        "group": given if depthwise else 1,
    }
    weights = np.random.default_rng(0).uniform(-0.1, 0.1, (made, 1 if depthwise else given, *along))
    return _model(
        [helper.make_node("Conv", ["x0", "w", "b"], ["y"], "layer", **attributes)],
        demand,
        [(given, size["height"], size["width"])],
        (made, size["height"], size["width"]),
        {"w": weights, "b": np.zeros(made)},
    )


def _joined(demand: Demand, size: Sizes) -> onnx.ModelProto:
    shape = (size["channels_out"], size["height"], size["width"])
    op = {"ew_add": "Add", "ew_mult": "Mul"}[demand.kind.type]
    return _model([helper.make_node(op, ["x0", "x1"], ["y"], "layer")], demand, [shape, shape], shape, {})


def _mean(demand: Demand, size: Sizes) -> onnx.ModelProto:
    height, width = size["height"], size["width"]
    node = helper.make_node("ReduceMean", ["x0"], ["y"], "layer", axes=[1], keepdims=1)
    return _model([node], demand, [(size["channels_in"], height, width)], (1, height, width), {})


_MAKERS: Mapping[str, Callable[[Demand, Sizes], onnx.ModelProto]] = {
    "conv": _conv,
    "dw": _conv,
    "ew_add": _joined,
    "ew_mult": _joined,
    "reduce_mean": _mean,
}


def _model(
    nodes: list[onnx.NodeProto],
    demand: Demand,
    given: Sequence[tuple[int, ...]],
    made: tuple[int, ...],
    weights: Mapping[str, np.ndarray],
) -> onnx.ModelProto:
    activation, out = _ACTIVATIONS[demand.kind.activation], "y"
    if activation:
        nodes.append(helper.make_node(activation[0], ["y"], ["z"], "activation", **activation[1]))
        out = "z"

    def tensor(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, *shape])

    graph = helper.make_graph(
        nodes,
        "probe",
        [tensor(f"x{index}", shape) for index, shape in enumerate(given)],
        [tensor(out, made)],
        [numpy_helper.from_array(np.asarray(each, np.float32), name) for name, each in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def _sized(demand: Demand) -> str:
    """`1 x 680 x 512 dilation 128`: height, width, channels of the wider side."""
    size = dict(zip(SIZES, demand.sizes, strict=True))
    channels = max(size["channels_in"] if demand.kind.type in ("conv", "dw") else 0, size["channels_out"])
    dilated = f" dilation {size['dilation']}" if size["dilation"] > 1 else ""
    return f"{size['height']} x {size['width']} x {channels}{dilated}"
