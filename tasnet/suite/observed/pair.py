"""What only the pair can tell: the compiler's word on a case beside the embedded toolchain's.

Layer by layer of the HN, verdict by verdict, and the compiled file beside the ONNX it came from. Where the compiler is
a stand-in for tests, the texts say so: nothing of it was observed.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasnet.hailo import StageEnd
from tasnet.hailo.files import Layer, Network, edges_in_order, hn_dict, read_hef, shape_differences
from tasnet.suite.cases import Case, Outcome, Stage, Status
from tasnet.suite.observed.confusions import ConfusionTable, VerdictComparison, confusion_table, refutation_text
from tasnet.suite.observed.evidence import Evidence
from tasnet.suite.run import Store, content_key, stored_graph

if TYPE_CHECKING:
    from tasnet.hailo.compiler import Dfc

SHOWN = 20
"""differences named; of the others only the count is told"""

_KEYS = ("type", "input", "output", "input_shapes", "output_shapes", "original_names", "params")
_CONST = re.compile(r"const_input\d+$")


@dataclass(frozen=True)
class ToolchainPair:
    """A case's outcomes by both toolchains, from translate on, as far as they came."""

    case: Case
    predicted: Mapping[Stage, Outcome]
    observed: Mapping[Stage, Outcome]
    compiler: Dfc
    store: Store


class NothingToCompare(Exception):
    """There are no two things to compare; the reason is the message."""


# --- layers ------------------------------------------------------------------------------------------------


def layer_differences(pair: ToolchainPair) -> list[str]:
    """How the compiler's HN differs from the open translator's, a line each. Raises NothingToCompare."""
    ours, theirs = (_artifact(each, Stage.TRANSLATE) for each in (pair.predicted, pair.observed))
    with pair.store.workspace() as desk:
        network = stored_graph(pair.store, ours, desk)
        return hn_differences(hn_dict(network), _graph(pair, theirs, desk))


def _artifact(outcomes: Mapping[Stage, Outcome], stage: Stage) -> str:
    outcome = outcomes[stage]
    if outcome.status is not Status.PASSED or not outcome.artifact:
        left = " and left nothing" if outcome.status is Status.PASSED else ""
        raise NothingToCompare(f"{stage.value} {outcome.status.value} with {outcome.provenance.toolchain}{left}")
    return outcome.artifact


def _graph(pair: ToolchainPair, har: str, desk: Path) -> Any:
    """The HN as the compiler sees it: asked for once per HAR and compiler."""
    key = content_key({"schema": 2, "hn": har, "compiler": pair.compiler.fingerprint})
    noted = pair.store.note(key)
    if noted is None:
        file = desk / "hn.json"
        report = pair.compiler.hn(pair.store.get_har(har, desk / "theirs.har"), pair.case.arch, file)
        if report.ended is not StageEnd.PASSED:
            raise NothingToCompare(f"the compiler doesn't tell its HN: {report.detail}")
        noted = json.loads(file.read_text(encoding="utf-8"))
        pair.store.put_note(key, noted)
    return noted


def hn_differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """How two HNs differ: layers that one lacks, then the keys that the open form has. Scopes are left out.

    The numbers of `const_input` layers follow no rule that is known: they are left out too.
    """
    open_layers, vendor_layers = _layers(ours), _layers(theirs)
    lines = [f"{name}: the compiler has no such layer" for name in open_layers if name not in vendor_layers]
    lines += [
        f"{name}: the compiler's alone ({vendor_layers[name].get('type')})"
        for name in vendor_layers
        if name not in open_layers
    ]
    for name in open_layers:
        if name in vendor_layers:
            lines += _layer_differences(name, open_layers[name], vendor_layers[name])
    return lines


def _layers(hn: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    layers = hn.get("layers")
    if not isinstance(layers, dict):
        raise NothingToCompare("the compiler's HN has no layers")
    return {_bare(name): layer for name, layer in layers.items() if isinstance(layer, dict) and not _constant(name)}


def _constant(name: str) -> bool:
    return _CONST.search(name) is not None


def _layer_differences(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    for key in _KEYS:
        if key not in ours:
            continue
        mine, other = _plain(key, ours[key]), _plain(key, theirs.get(key))
        if key == "params" and isinstance(mine, dict) and isinstance(other, dict):
            for param, value in mine.items():
                if value != other.get(param):
                    yield f"{name}.{param}: {value} here, {other.get(param)} by the compiler"
        elif mine != other:
            yield f"{name}.{key}: {mine} here, {other} by the compiler"


def _plain(key: str, value: Any) -> Any:
    """A value without what may differ between equal graphs."""
    if key in ("input", "output") and isinstance(value, list):
        return [_CONST.sub("const_input", _bare(str(each))) for each in value]
    return json.loads(json.dumps(value, default=str))


def _bare(name: str) -> str:
    return name.rpartition("/")[2]


# --- verdicts ----------------------------------------------------------------------------------------------


def compare_verdicts(pair: ToolchainPair) -> VerdictComparison:
    """The prediction beside what the compiler said."""
    stages = [pair.observed[stage] for stage in (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)]
    told = Evidence(case_id=pair.case.id, tag=pair.case.id, outcomes=tuple(stages))
    (found,) = confusion_table({pair.case.id: pair.predicted}, [told]).compared
    return found


def refutation_by(found: VerdictComparison, compiler: Dfc) -> str:
    """The message about a prediction that `compiler` contradicts, with the evidence to add."""
    if not compiler.double:
        return refutation_text(found)
    double = f"{compiler.name} {compiler.version}, a test double, which is no evidence"
    return f"said by {double}\n{refutation_text(found, 'the double says')}"


def confusion_lines(found: Sequence[VerdictComparison], *, double: bool) -> str:
    """The confusion table: predictions in rows, the compiler's verdicts in columns."""
    return ConfusionTable(tuple(found)).table("double" if double else "observed")


# --- the compiled file -------------------------------------------------------------------------------------


class KnownDeparture(UserWarning):
    """A compiled file differs from its ONNX as the compiler is known to differ: told, and no failure."""


def hef_differences(pair: ToolchainPair) -> list[str]:
    """How the inputs and outputs of the compiled file differ from the ONNX's, a line each.

    One difference is known, and a KnownDeparture: the compiler's deconvolution gives input x stride samples, where
    ONNX's gives kernel - stride more. It is known where the HN says the same length and a deconvolution is above the
    output; any other length is a difference. Raises NothingToCompare where nothing was compiled, and HefError for a
    file that can't be read.
    """
    import onnx

    hef = read_hef(pair.store.path(_artifact(pair.observed, Stage.COMPILE)))
    graph = onnx.load(str(pair.store.path(pair.observed[Stage.EXPORT].artifact)), load_external_data=False).graph
    weights = {weight.name for weight in graph.initializer}
    inputs = {each.name: _hwc(each) for each in graph.input if each.name not in weights}
    outputs = {each.name: _hwc(each) for each in graph.output}
    given = edges_in_order(list(outputs), hef.outputs)
    for (name, shape), layer, short in zip(outputs.items(), given, _shortened(pair), strict=False):
        if short and layer.shape == short.shape and _is_end_cut(short.shape, shape):
            there, wanted = (each[0] * each[1] for each in (short.shape, shape))
            warnings.warn(
                f"the HEF has {there} of {wanted} samples: the compiler's {short.deconv} ends {wanted - there} before "
                "ONNX's, as documented; waves are compared without them",
                KnownDeparture,
                stacklevel=2,
            )
            outputs[name] = short.shape
    return [
        *shape_differences("input", edges_in_order(list(inputs), hef.inputs), list(inputs.values())),
        *shape_differences("output", given, list(outputs.values())),
    ]


@dataclass(frozen=True)
class _Short:
    """What the HN says of an output below a deconvolution: (H, W, C), and the deconvolution's name."""

    shape: tuple[int, ...]
    deconv: str


def _shortened(pair: ToolchainPair) -> list[_Short | None]:
    """By output of the graph, in its order; nothing where the open translator gave no HN."""
    try:
        name = _artifact(pair.predicted, Stage.TRANSLATE)
    except NothingToCompare:
        return []
    with pair.store.workspace() as desk:
        network = stored_graph(pair.store, name, desk)
    found: list[_Short | None] = []
    for output in network.output_layers:
        deconv = _deconv_above(network, network.layer(output))
        found.append(_Short(network.layer(output).output_shape[1:], deconv) if deconv else None)
    return found


def _deconv_above(network: Network, layer: Layer) -> str:
    """The name of a deconvolution that the layer's values come through; empty without one."""
    todo, seen = [layer.name], {layer.name}
    while todo:
        each = network.layer(todo.pop())
        if each.type == "deconv":
            return each.name
        # Each once: a residual stream of N sums has 2^N ways to its input.
        todo.extend(name for name in each.inputs if name not in seen)
        seen.update(each.inputs)
    return ""


def _is_end_cut(short: Sequence[int], whole: Sequence[int]) -> bool:
    """Whether (H, W, C) differs in one of H and W alone, and is smaller there."""
    differ = [axis for axis in range(3) if short[axis] != whole[axis]]
    return len(differ) == 1 and differ[0] < 2 and short[differ[0]] < whole[differ[0]]


def _hwc(value: Any) -> tuple[int, ...]:
    """[N, C, H, W] or [N, C, T] -> (H, W, C)."""
    _, channels, *rest = (int(size.dim_value) for size in value.type.tensor_type.shape.dim)
    return (*([1] * (2 - len(rest))), *rest, channels)


def first_lines(lines: Sequence[str]) -> str:
    """The first of the lines, and how many more there are."""
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *more])
