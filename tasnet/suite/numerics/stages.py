"""One mix through every stage of a case: PyTorch, ONNX Runtime, the HAR in float, the HAR in 8 bits, the compiler's.

Every stage gives waves [B, sources, T'], or the reason why it gave none. Nothing but the compiler's own contexts is
observed of the compiler: what this package runs of a HAR is predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasnet.common import unfinished
from tasnet.hailo.compiler import Dfc
from tasnet.hailo.execute import ExecuteError
from tasnet.hailo.files import Network, har
from tasnet.hailo.quantize import Quantized, QuantizeError, Scheme, quantize_network, run_quantized
from tasnet.network import to_host_input
from tasnet.suite.cases import Case, Outcome, Stage
from tasnet.suite.numerics.emulated import CONTEXTS, EmulationError, emulate
from tasnet.suite.numerics.parity import har_waveform, onnx_waveform, torch_waveform, waveform
from tasnet.suite.numerics.speech import RATE, mixtures
from tasnet.suite.run import Pipeline, RecipeWeights, load_weights

Signal = npt.NDArray[Any]

STAGES = ("torch", "onnx", "har", "har8")
"""without a compiler: PyTorch, ONNX Runtime, the HAR run natively, the same simulated in 8 bits"""

NAMES: Mapping[str, str] = {
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
"""mixtures of speech that set the ranges of the 8-bit simulation"""


@dataclass(frozen=True)
class Staged:
    """The waves by stage, [B, sources, T'], the reasons of the stages that gave none, and who said what.

    `predicted` names the stages that rest on the embedded toolchain, or on a double of the compiler.
    """

    case: Case
    waves: Mapping[str, Signal]
    missing: Mapping[str, str]
    predicted: frozenset[str]
    trained: RecipeWeights
    network: Network | None
    quantized: Quantized | None


def staged(
    case: Case,
    pipeline: Pipeline,
    mix: Signal,
    *,
    compiler: Pipeline | None = None,
    scheme: Scheme | None = None,
    calibration: Signal | None = None,
    eight: bool = True,
) -> Staged:
    """A mix [B, T] through the stages of `case` by `pipeline`, whose toolchain is the embedded one.

    `compiler` is a pipeline whose toolchain is a Dfc: it adds CONTEXTS. The 8-bit stage is calibrated on
    `calibration` [count, T], or on CALIBRATED_ON mixtures of speech; `eight=False` leaves it out. Raises what the
    pipeline raises; a stage that fails is among `missing`.
    """
    case = pipeline.resolve(case)
    given = load_weights(pipeline.recipe, case.size)
    waves: dict[str, Signal] = {}
    missing: dict[str, str] = {}
    waves["torch"] = _each(
        mix,
        lambda one: torch_waveform(case.variant, case.size, given.weights, one, mask_activation=given.mask_activation),
    )
    outcomes = pipeline.run(case, until=Stage.TRANSLATE, whole=True)
    network = quantized = None
    if exported := outcomes[Stage.EXPORT].artifact:
        model = pipeline.store.path(exported)
        threads = torch.get_num_threads()
        waves["onnx"] = _each(mix, lambda one: onnx_waveform(case.variant, case.size, model, one, threads=threads))
    else:
        missing["onnx"] = why(outcomes[Stage.EXPORT])
    if translated := outcomes[Stage.TRANSLATE].artifact:
        network = _read(pipeline, translated)
        read = network
        waves["har"] = _each(mix, lambda one: har_waveform(case.variant, case.size, read, one))
        if eight:
            signals = calibration_signals(case) if calibration is None else calibration
            try:
                quantized = made = quantize_network(network, host(case, signals), scheme)
                waves["har8"] = _each(mix, lambda one: simulated(case, made, one))
            except (QuantizeError, ExecuteError) as error:
                missing["har8"] = " ".join(str(error).split())
    else:
        missing |= dict.fromkeys(("har", "har8") if eight else ("har",), why(outcomes[Stage.TRANSLATE]))
    predicted = {"har", "har8"}
    if compiler is not None:
        predicted |= _compiled(case, compiler, mix, waves, missing)
    return Staged(case, waves, missing, frozenset(predicted), given, network, quantized)


def calibration_signals(case: Case, count: int = CALIBRATED_ON, rate: int = RATE) -> Signal:
    """Mixtures of speech for the ranges of `case`, [count, T]."""
    return np.stack([each.mix for each in mixtures(count, case.length, rate=rate, skip=1)])


def host(case: Case, waves: Signal) -> Signal:
    """Waves [B, T] as the graph takes them, NHWC."""
    return np.ascontiguousarray(
        to_host_input(case.variant, case.size, np.asarray(waves, np.float32)).transpose(0, 2, 3, 1)
    )


def simulated(case: Case, quantized: Quantized, mix: Signal) -> Signal:
    """What the 8-bit simulation makes of a mix [B, T], its deconvolutions as long as ONNX's."""
    outputs = run_quantized(quantized, host(case, mix), deconv="onnx")
    return waveform(case.variant, case.size, [output.transpose(0, 3, 1, 2) for output in outputs])


def why(outcome: Outcome) -> str:
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
            missing[stage] = why(made)
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


def _each(mix: Signal, run: Callable[[Signal], Signal]) -> Signal:
    """`run` on one signal [1, T] after the other: all windows at once would take a gigabyte each."""
    return np.concatenate([run(mix[index : index + 1]) for index in range(len(mix))])
