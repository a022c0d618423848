"""What a Hailo-8 could not place: one rule per known blocker, on the HN graph and nothing else.

A rule sees layers, shapes and the architecture. It has no notion of where the graph came from: the same graph
gets the same verdict from anywhere. Each rule carries its evidence and says whether a layer of this kind and
size was *observed* to fail, or whether the failure is *extrapolated* by a reading that nobody has confirmed.

The evidence is public: forum and issue texts, and the conversion notes of a Conv-TasNet project of 17 February
2026 (Dataflow Compiler 3.33.0, Hailo-8), with what its team tried later. One bracket is shared by all outcomes in
it: a layer whose input and output rows (W x C elements) are at most 384,000 has compiled, one with a row of 512,000
or more has not. Nothing is known in between, and a row there gives `unknown`.

Of single layers, 1x1 convolutions 256 -> 256 compiled at W 128 to 1024 and not at 2000, 512 -> 1 at W 256 and 512
and not at 1024. Of 49 small pieces 46 compiled, all with rows up to 262,144, and so did ten pieces of a masker, two
of them of several layers; their kinds and widths were not stated, so they make no graph's verdict observed.

Two readings are hypotheses, and marked `extrapolated` wherever they decide alone:

- *Folding needs factors.* The compiler folds a long `[1, W, C]` row into a grid around layers that do not mix
  positions. Each "Reshape is needed" was at W = 1999, a prime; each "Agent infeasible" at a composite W. So a
  wide row fails as reshape_insertion where W is prime, as agent_infeasible otherwise. A folded layer at a prime W,
  or a failed reshape at a composite one, would refute it. It decides the family only, never whether a row fails.
- *Memory units hold 16 KiB.* Then the input row of the notes' block-diagonal deconvolution (1024 x 1999 bytes)
  takes 125 of a cluster's 128 units. A compiled layer that needs more than 128 by this count would refute it.

Families without a rule, because no fact ties them to the graph: negative_slope (depends on the calibration
data), mapping_timeout (the end of a search, not its cause), and those seen only on other networks (partition,
kernel_validation, format, inter_context_stream, microcode; resource_presolve is a caution that decides nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from math import isqrt

from tasnet.hailo import ARCHITECTURES, Certainty, Failure
from tasnet.hailo.files import Assumption, AssumptionKind, Layer, Network, row_elements, widest_shape
from tasnet.hailo.predict.bracket import PUBLIC_BRACKET, ROW_FAIL, Bracket
from tasnet.hailo.predict.layer_controllers import ALLOCATOR, NO_WORK, layer_controllers
from tasnet.hailo.predict.layer_needs import memory_units, mixes_positions
from tasnet.hailo.predict.observations import PUBLIC_RECORD, Observations

MEMORY_UNITS = 128
"""memory units of a cluster, a limit of the silicon"""

_MOVED = "; the bracket's ends by the evidence in this store"
_NOTES = "conversion notes, 17 February 2026, DFC 3.33.0, hailo8"


class PredictionKind(str, Enum):
    """The verdict of the constraints on a graph."""

    CLEAR = "clear"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PredictedFailure:
    """What one rule says: a failure that comes, or (`certain` False) one that may or may not come."""

    failure: Failure
    certain: bool = True


@dataclass(frozen=True)
class Prediction:
    """The constraints' word on a graph for an architecture.

    `certainty` of a clear verdict: observed when every layer is of a kind and size that was seen to compile;
    of a blocked one: observed when one of its blockers was. `doubts` are failures that may come and leave a graph
    without blockers unknown; `cautions` decide nothing: no outcome ties them to the graph. With `assumptions` of how
    the graph is to be read, nothing is clear by observation.
    """

    kind: PredictionKind
    certainty: Certainty
    blockers: tuple[Failure, ...] = ()
    doubts: tuple[Failure, ...] = ()
    cautions: tuple[Failure, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


Rule = Callable[[Network, Bracket], Iterator[PredictedFailure]]


def predict_network(network: Network, arch: str, known: Observations = PUBLIC_RECORD) -> Prediction:
    """The verdict on a graph. `known` is what compilers said, by default what is public of it.

    Raises ValueError for an architecture that Dataflow Compiler 3.x does not take.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"architecture {arch}: unknown; one of {', '.join(ARCHITECTURES)}")
    predicted = _judged(network, arch, known)
    ranked = any(each.kind is AssumptionKind.RANK for each in network.assumptions)
    if ranked or (network.assumptions and predicted.kind is PredictionKind.CLEAR):
        predicted = replace(predicted, certainty=Certainty.EXTRAPOLATED)
    return replace(predicted, assumptions=network.assumptions)


def _judged(network: Network, arch: str, known: Observations) -> Prediction:
    findings = [finding for rule in RULES for finding in rule(network, known.bracket)]
    blockers = tuple(_seen_here(_for_arch(f.failure, arch), network, known) for f in findings if f.certain)
    doubts = tuple(_for_arch(f.failure, arch) for f in findings if not f.certain)
    cautions = tuple(_for_arch(failure, arch) for failure in layer_controllers(network, arch))
    kind = PredictionKind.BLOCKED if blockers else PredictionKind.UNKNOWN if doubts else PredictionKind.CLEAR
    if kind is PredictionKind.CLEAR:
        seen = not cautions and all(_compiled(layer, arch, known) for layer in network)
    else:
        seen = any(failure.certainty is Certainty.OBSERVED for failure in blockers)
    return Prediction(kind, Certainty.OBSERVED if seen else Certainty.EXTRAPOLATED, blockers, doubts, cautions)


def _compiled(layer: Layer, arch: str, known: Observations) -> bool:
    """Whether layers of this kind and size were seen to compile for this chip."""
    if layer.type in NO_WORK or known.has_compiled(layer):
        return True
    return arch == "hailo8" and _seen_to_compile(layer) and not known.has_failed(layer)


def _seen_here(failure: Failure, network: Network, known: Observations) -> Failure:
    """The failure, observed where one of its layers, or a smaller of its kind, failed so alone."""
    if failure.certainty is Certainty.OBSERVED or not known.failed:
        return failure
    named = [layer for layer in network if layer.name in failure.layers]
    if not any(known.has_failed(layer, [failure.family]) for layer in named):
        return failure
    evidence = f"{failure.evidence}; in this store's evidence a layer of this kind, no larger, failed so alone"
    return failure.model_copy(update={"certainty": Certainty.OBSERVED, "evidence": evidence})


def grouped_super_deconv(network: Network, _bracket: Bracket = PUBLIC_BRACKET) -> Iterator[PredictedFailure]:
    """A deconvolution with groups has no kernel. A depthwise one was never tried: a doubt."""
    for layer in network:
        groups = int(layer.params.get("groups", 1)) if layer.type == "deconv" else 1
        if groups == 1:
            continue
        cin, cout = layer.input_shapes[0][3], layer.output_shape[3]
        # The notes' layer: one output channel per group, overlapping by half its kernel.
        strides = layer.params["strides"]
        seen = groups == cout == 2 and layer.kernel == (1, 16) and list(strides) == [1, 1, 8, 1]
        yield PredictedFailure(
            Failure(
                stage="compile",
                family="unsupported_kernel",
                exception=ALLOCATOR,
                message="Super deconv is not supported with groups",
                layers=(layer.name,),
                figures={
                    "groups": groups,
                    "kernel_h": layer.kernel[0],
                    "kernel_w": layer.kernel[1],
                    "stride_w": int(strides[2]),
                },
                evidence=f"{_NOTES}: project, mask bypassed, grouped",
                certainty=Certainty.OBSERVED if seen else Certainty.EXTRAPOLATED,
            ),
            certain=not groups == cin == cout,
        )


def deconv_memory(network: Network, _bracket: Bracket = PUBLIC_BRACKET) -> Iterator[PredictedFailure]:
    """A layer that mixes positions holds its rows whole: more than a cluster's memory units can't be had.

    The count is a lower bound (rows under the kernel, one output row, 8-bit weights, in units of 16 KiB).
    """
    for layer in network:
        if layer.type in NO_WORK or not mixes_positions(layer) or not layer.input_shapes:
            continue
        need = memory_units(layer)
        if need <= MEMORY_UNITS:
            continue
        source = layer.input_shapes[0]
        seen = layer.type == "deconv" and row_elements(source) >= 1024 * 1999
        yield PredictedFailure(
            Failure(
                stage="compile",
                family="memory_units",
                exception=ALLOCATOR,
                message=f"Memory units capacity exceeded (available: {MEMORY_UNITS}, required: {need})",
                layers=(layer.name,),
                figures={
                    "memory_units_required_at_least": need,
                    "memory_units_available": MEMORY_UNITS,
                    "input_row_elements": row_elements(source),
                },
                evidence=f"{_NOTES}: project, mask bypassed, ungrouped block-diagonal; "
                "the count rests on units of 16 KiB, a hypothesis",
                certainty=Certainty.OBSERVED if seen else Certainty.EXTRAPOLATED,
            )
        )


def wide_rows_unfolded(network: Network, bracket: Bracket = PUBLIC_BRACKET) -> Iterator[PredictedFailure]:
    """Wide rows around layers that do not mix positions, at a prime W: no reshape can be added.

    The compiler named a part of these layers only; by which rule it chose is not known.
    """

    def member(layer: Layer) -> bool:
        return not mixes_positions(layer) and _prime(widest_shape(layer)[2])

    def message(layers: tuple[Layer, ...]) -> str:
        names = ", ".join(layer.name for layer in layers)
        return f"Reshape is needed for layers: {names}, but adding a reshape has failed."

    def seen(layer: Layer) -> bool:
        kinds = {"conv", "concat", "shortcut", "ew_mult"}
        return (
            layer.type in kinds and widest_shape(layer)[2] == 1999 and row_elements(widest_shape(layer)) >= 512 * 1999
        )

    evidence = f"{_NOTES}: conv2, conv3 with the mask bypassed, conv5..conv73 and the joins without"
    yield from _wide(network, bracket, "reshape_insertion", member, message, seen, evidence)


def wide_rows_unplaced(network: Network, bracket: Bracket = PUBLIC_BRACKET) -> Iterator[PredictedFailure]:
    """Wide rows in layers that mix positions, or at a composite W: no agent can place them."""

    def member(layer: Layer) -> bool:
        return mixes_positions(layer) or not _prime(widest_shape(layer)[2])

    def message(layers: tuple[Layer, ...]) -> str:
        return " ".join(f"{layer.name} errors:\tAgent infeasible" for layer in layers)

    def seen(layer: Layer) -> bool:
        kind = layer.type == "dw" or (layer.type == "conv" and layer.kernel == (1, 1))
        return kind and not _prime(widest_shape(layer)[2])

    evidence = (
        "1x1 convolutions 256 -> 256 at W 2000, 512 -> 1 at W 1024; dw66, conv68 of an 8x3 network of 256 filters; "
    )
    evidence += "DFC 3.33.0"
    yield from _wide(network, bracket, "agent_infeasible", member, message, seen, evidence)


def prelu_dimensions(network: Network, _bracket: Bracket = PUBLIC_BRACKET) -> Iterator[PredictedFailure]:
    """A PRelu op on C channels is spread over C x C features: seen to fail at 512, never tried with fewer."""
    layers = [layer for layer in network if layer.params.get("activation") == "prelu"]
    for certain in (True, False):
        chosen = [layer for layer in layers if (layer.output_shape[3] >= 512) is certain]
        if not chosen:
            continue
        worst = max(chosen, key=lambda layer: layer.output_shape[3])
        _, height, width, channels = worst.output_shape
        seen = any(layer.output_shape[3] == 512 and layer.output_shape[2] == 1999 for layer in chosen)
        yield PredictedFailure(
            Failure(
                stage="optimize",
                family="unsupported_dimensions",
                message=f"Unsupported dimensions: [-1, {height}, {width}, {channels * channels}]",
                layers=tuple(layer.name for layer in chosen),
                figures={"channels": channels, "features": channels * channels, "width": width},
                evidence=f"{_NOTES}: a PReLU on 512 channels kept as a PRelu op",
                certainty=Certainty.OBSERVED if seen and certain else Certainty.EXTRAPOLATED,
            ),
            certain,
        )


RULES: tuple[Rule, ...] = (
    prelu_dimensions,
    grouped_super_deconv,
    deconv_memory,
    wide_rows_unfolded,
    wide_rows_unplaced,
)
"""Every rule, in the order in which the flow would meet the failures."""


def _wide(
    network: Network,
    bracket: Bracket,
    family: str,
    member: Callable[[Layer], bool],
    message: Callable[[tuple[Layer, ...]], str],
    seen: Callable[[Layer], bool],
    evidence: str,
) -> Iterator[PredictedFailure]:
    """Findings on the rows of the layers that `member` takes: past the bracket certain, inside it a doubt."""
    layers = [layer for layer in network if layer.type not in NO_WORK and member(layer)]
    for certain in (True, False):
        in_range = bracket.fails_at if certain else bracket.open_at
        chosen = tuple(layer for layer in layers if in_range(row_elements(widest_shape(layer))))
        if not chosen:
            continue
        worst = max(chosen, key=lambda layer: row_elements(widest_shape(layer)))
        # What was seen to fail are rows past the public bracket; a narrower one was not of just any kind of layer.
        past = [layer for layer in chosen if row_elements(widest_shape(layer)) >= ROW_FAIL]
        observed = certain and any(seen(layer) for layer in past)
        yield PredictedFailure(
            Failure(
                stage="compile",
                family=family,
                exception=ALLOCATOR,
                message=message(chosen),
                layers=tuple(layer.name for layer in chosen),
                figures={
                    "row_elements": row_elements(widest_shape(worst)),
                    "row_layer": worst.name,
                    "width": widest_shape(worst)[2],
                    "bracket_pass_elements": bracket.passes,
                    "bracket_fail_elements": bracket.fails or 0,
                },
                evidence=evidence if bracket == PUBLIC_BRACKET else f"{evidence}{_MOVED}",
                certainty=Certainty.OBSERVED if observed else Certainty.EXTRAPOLATED,
            ),
            certain,
        )


def _prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, isqrt(number) + 1))


SEEN_POINTWISE = ((1024, 256, 256), (512, 512, 1))
"""W, channels in and out of the largest 1x1 convolutions that were seen to compile, H 1, each with smaller W too"""


def _seen_to_compile(layer: Layer) -> bool:
    """The kinds and sizes that were seen to compile alone: 1x1 convolutions no larger than one of those."""
    if layer.type != "conv" or mixes_positions(layer) or layer.params.get("activation") != "linear":
        return False
    _, height, width, cin = layer.input_shapes[0]
    if int(layer.params.get("groups", 1)) != 1 or height != 1:
        return False
    return any(width <= w and cin <= i and layer.output_shape[3] <= o for w, i, o in SEEN_POINTWISE)


def _for_arch(failure: Failure, arch: str) -> Failure:
    """Only Hailo-8 was observed: for another chip of the family the same failure is extrapolated."""
    if arch == "hailo8" or failure.certainty is Certainty.EXTRAPOLATED:
        return failure
    return failure.model_copy(update={"certainty": Certainty.EXTRAPOLATED})


def at_stage(failures: Iterable[Failure], stage: str) -> tuple[Failure, ...]:
    """Those of `failures` that show at `stage`."""
    return tuple(failure for failure in failures if failure.stage == stage)
