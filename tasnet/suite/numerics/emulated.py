"""What the compiler emulates: a HAR in one of its contexts on a mix, as waves beside those of the other stages.

As documented, a parsed HAR runs in SDK_NATIVE, and a quantized one also in SDK_FP_OPTIMIZED and SDK_QUANTIZED. The
vendor's deconvolution has fewer samples than PyTorch's: `aligned` says how many, and whether they are the first ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasnet.common import TasnetError, unfinished
from tasnet.hailo import StageEnd
from tasnet.hailo.compiler import Dfc
from tasnet.suite.cases import Case
from tasnet.suite.numerics.metrics import SignalDistance, distance
from tasnet.suite.numerics.waves import Signal, frames_waveform, host_frames

CONTEXTS: Mapping[str, str] = {
    "sdk_native": "SDK_NATIVE",
    "sdk_fp_optimized": "SDK_FP_OPTIMIZED",
    "sdk_quantized": "SDK_QUANTIZED",
}
"""a stage of the parity, and the compiler's name for it"""


class EmulationError(TasnetError, RuntimeError):
    """The compiler gave no waves. One line: of which stage, what it said, what to do."""


@dataclass(frozen=True)
class AlignedDistance:
    """The distance over the samples that both have. `missing` samples are not there; `offset` is where those begin."""

    distance: SignalDistance
    missing: int
    offset: int


def emulate(dfc: Dfc, har: Path, case: Case, stage: str, mix: Signal) -> Signal:
    """What `har` makes of a mix [B, T] at a stage of CONTEXTS: waves [B, sources, T'].

    Raises EmulationError where the compiler fails, or gives other arrays than the case has outputs.
    """
    arrays = emulated_arrays(dfc, har, case, CONTEXTS[stage], host_frames(case.variant, case.size, mix), stage)
    # as the compiler orders them: the order of the graph's output layers, as documented
    outputs = [np.asarray(array) for array in arrays.values()]
    if any(output.ndim != 4 or len(output) != len(mix) for output in outputs):
        shapes = ", ".join(str(list(output.shape)) for output in outputs)
        raise EmulationError(f"{stage}: {case.id}: gave arrays of {shapes}; [{len(mix)}, H, W, C] each is expected")
    return frames_waveform(case.variant, case.size, outputs)


def emulated_arrays(
    dfc: Dfc, har: Path, case: Case, context: str, frames: Signal, stage: str = ""
) -> dict[str, Signal]:
    """What `har` makes of frames [N, H, W, C] in the compiler's `context`: its outputs in its order, by their names.

    Outputs that have none are `output0`, `output1`, ... Raises EmulationError (which names `stage`, or the context).
    """
    with unfinished.folder(prefix="tasnet-emulate") as folder:
        data, out = Path(folder) / "frames.npy", Path(folder) / "outputs.npz"
        np.save(data, np.ascontiguousarray(frames))
        report = dfc.infer(har, case.arch, context, data, out)
        if report.ended is not StageEnd.PASSED:
            told = report.detail or (report.failures[0].message if report.failures else report.ended.value)
            raise EmulationError(
                f"{stage or context}: {case.id}: {' '.join(told.split())}; run that case with a longer --limit"
            )
        with np.load(out, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def aligned_distance(found: Signal, expected: Signal) -> AlignedDistance:
    """The distance of waves [B, sources, T'] from longer ones [B, sources, T], at the offset where they are nearest.

    An offset that isn't 0 is a shift in time that nobody undoes: the compiler cropped at the centre. Raises
    EmulationError where `found` is longer than `expected`, or of other sources.
    """
    missing = expected.shape[-1] - found.shape[-1]
    if missing < 0 or found.shape[:-1] != expected.shape[:-1]:
        raise EmulationError(f"waves of {list(found.shape)} for {list(expected.shape)}: not this case's outputs")
    tried = [
        AlignedDistance(distance(found, expected[..., offset : offset + found.shape[-1]]), missing, offset)
        for offset in range(missing + 1)
    ]
    # max takes the first of equals: no shift where none is better
    return max(tried, key=lambda each: -np.inf if np.isnan(each.distance.snr) else each.distance.snr)
