"""One mix through every stage of a case: PyTorch, ONNX Runtime, the HAR in float, the HAR in 8 bits, the compiler's.

Every stage gives waves [B, sources, T'], or the reason why it gave none. Nothing but the compiler's own contexts is
observed of the compiler: what this package runs of a HAR is predicted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasnet.common import error_line, unfinished
from tasnet.hailo.compiler import Dfc
from tasnet.hailo.execute import ExecuteError
from tasnet.hailo.files import Network, har
from tasnet.hailo.quantize import Quantized, QuantizeError, quantize_network, run_quantized
from tasnet.suite.cases import Case, Outcome, Stage
from tasnet.suite.numerics.emulated import CONTEXTS, EmulationError, emulate
from tasnet.suite.numerics.float64_reference import har_waveform, onnx_waveform
from tasnet.suite.numerics.separation import calibration_mixtures
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.waves import Signal, each_window, frames_waveform, host_frames, torch_waveform
from tasnet.suite.run import Pipeline, Recipe, RecipeWeights, load_weights

PARITY_STAGES = ("torch", "onnx", "har", "har8")
"""without a compiler: PyTorch, ONNX Runtime, the HAR run natively, the same simulated in 8 bits"""

STAGE_LABELS: Mapping[str, str] = {
    "torch": "PyTorch",
    "onnx": "ONNX Runtime",
    "har": "HAR, float",
    "har8": "HAR, 8 bits simulated",
    "sdk_native": "compiler, SDK_NATIVE",
    "sdk_fp_optimized": "compiler, SDK_FP_OPTIMIZED",
    "sdk_quantized": "compiler, SDK_QUANTIZED",
}
"""every stage as a person reads it"""

CALIBRATED_ON = 4
"""mixtures of speech that set the ranges of the 8-bit simulation, where the network isn't the package's own"""


@dataclass(frozen=True)
class StageWaves:
    """The waves by stage, [B, sources, T'], why a stage gave none, and what they were made with.

    `predicted` names the stages that rest on the embedded toolchain, or on a double of the compiler.
    """

    case: Case
    waves: Mapping[str, Signal]
    missing: Mapping[str, str]
    predicted: frozenset[str]
    trained: RecipeWeights
    network: Network | None
    quantized: Quantized | None


def run_stages(
    case: Case,
    pipeline: Pipeline,
    mix: Signal,
    *,
    compiler: Pipeline | None = None,
    eight_bits: bool = True,
) -> StageWaves:
    """A mix [B, T] through the stages of `case` by `pipeline`, whose toolchain is the embedded one.

    `compiler` is a pipeline whose toolchain is a Dfc: it adds CONTEXTS. The 8-bit stage is calibrated on CALIBRATED_ON
    mixtures of speech; `eight_bits=False` leaves it out. Raises what the pipeline raises; a stage that fails is among
    `missing`.
    """
    case = pipeline.resolve(case)
    given = load_weights(pipeline.recipe, case.size)
    waves: dict[str, Signal] = {}
    missing: dict[str, str] = {}
    form = (case.variant, case.size)
    waves["torch"] = each_window(
        lambda one: torch_waveform(*form, given.weights, one, mask_activation=given.mask_activation), mix
    )
    outcomes = pipeline.run(case, until=Stage.TRANSLATE, whole=True)
    network = quantized = None
    if exported := outcomes[Stage.EXPORT].artifact:
        model = pipeline.store.path(exported)
        waves["onnx"] = each_window(lambda one: onnx_waveform(*form, model, one), mix)
    else:
        missing["onnx"] = _why_missing(outcomes[Stage.EXPORT])
    if translated := outcomes[Stage.TRANSLATE].artifact:
        network = read = _read(pipeline, translated)
        waves["har"] = each_window(lambda one: har_waveform(*form, read, one), mix)
        if eight_bits:
            try:
                signals = range_signals(case, pipeline.recipe)
                quantized = made = quantize_network(network, host_frames(*form, signals))
                waves["har8"] = each_window(lambda one: _simulated(case, made, one), mix)
            except (QuantizeError, ExecuteError) as error:
                missing["har8"] = error_line(error)
    else:
        missing |= dict.fromkeys(("har", "har8") if eight_bits else ("har",), _why_missing(outcomes[Stage.TRANSLATE]))
    predicted = {"har", "har8"}
    if compiler is not None:
        predicted |= _compiled(case, compiler, mix, waves, missing)
    return StageWaves(case, waves, missing, frozenset(predicted), given, network, quantized)


def range_signals(case: Case, recipe: Recipe) -> Signal:
    """What sets the ranges of `case`, [count, T]: for the package's own network, the package's own voices."""
    if recipe.shipped:
        return np.stack([each.mix for each in calibration_mixtures(case.length)])
    return calibration_signals(case)


def calibration_signals(case: Case, count: int = CALIBRATED_ON) -> Signal:
    """Mixtures of speech for the ranges of `case`, [count, T]."""
    return np.stack([each.mix for each in mixtures(count, case.length, skip=1)])


def _simulated(case: Case, quantized: Quantized, mix: Signal) -> Signal:
    """What the 8-bit simulation makes of a mix [B, T], its deconvolutions as long as ONNX's."""
    outputs = run_quantized(quantized, host_frames(case.variant, case.size, mix), deconv="onnx")
    return frames_waveform(case.variant, case.size, outputs)


def _why_missing(outcome: Outcome) -> str:
    """One line: how a stage ended that left nothing."""
    told = [failure.message for failure in outcome.failures] or [outcome.reason]
    return " ".join(f"{outcome.stage.value} ended {outcome.status.value}: {told[0] or 'no reason given'}".split())


def _compiled(
    case: Case, compiler: Pipeline, mix: Signal, waves: dict[str, Signal], missing: dict[str, str]
) -> frozenset[str]:
    """Adds the compiler's stages; those of a double are returned, for they are predicted."""
    dfc = compiler.toolchain
    if not isinstance(dfc, Dfc):
        raise EmulationError(f"toolchain {dfc.name}: emulates nothing; give the compiler")
    outcomes = compiler.run(case, until=Stage.OPTIMIZE, whole=True)
    for stage in CONTEXTS:
        made = outcomes[Stage.TRANSLATE if stage == "sdk_native" else Stage.OPTIMIZE]
        if not made.artifact:
            missing[stage] = _why_missing(made)
            continue
        with unfinished.folder(prefix="tasnet-har") as folder:
            file = compiler.store.get_har(made.artifact, Path(folder) / "net.har")
            try:
                waves[stage] = emulate(dfc, file, case, stage, mix)
            except EmulationError as error:
                missing[stage] = str(error)
    return frozenset(CONTEXTS) if dfc.predicted else frozenset()


def _read(pipeline: Pipeline, name: str) -> Network:
    with unfinished.folder(prefix="tasnet-har") as folder:
        return har.read(pipeline.store.get_har(name, Path(folder) / "net.har"))
