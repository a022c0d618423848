"""A case on the device: speech in windows through its HEF, parity with PyTorch, and the observed outcome.

Windows follow each other without overlap, each as long as the case; what doesn't fill the last one is left out and
counted. Every window is run for itself, as the network was exported: nothing is added up across their borders.
A compiled deconvolution gives fewer samples than PyTorch's: both are compared over those that the device gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError, error_line
from tasnet.hailo import Certainty, Failure
from tasnet.hailo.chip import ChipInference, ChipMeasurement, Detection, infer_on_chip
from tasnet.suite.cases import (
    DOUBLE_SUFFIX,
    LEARNED_NOTHING,
    Case,
    CaseError,
    Outcome,
    Provenance,
    Stage,
    Status,
    parse_case,
)
from tasnet.suite.numerics import distance
from tasnet.suite.observed.evidence import Evidence, keep_evidence
from tasnet.suite.run import Store, file_sha256

if TYPE_CHECKING:
    from tasnet.network import Weights
    from tasnet.suite.observed.bit_exact import Exactness

HAILORT = "hailort"

Array = npt.NDArray[np.float32]


class DeviceError(TasnetError, ValueError):
    """What can't be run or kept. One line: what is wrong and what to do."""


@dataclass(frozen=True)
class DeviceWaves:
    """`waves` is (sources, samples), a whole number of windows; `left_out` samples came after the last.

    Of each window the device gave the first `given` samples; the others are zeros.
    """

    waves: Array
    windows: int
    left_out: int
    given: int
    inference: ChipInference


@dataclass(frozen=True)
class DeviceParity:
    """The device against PyTorch, per source, in dB, by `metrics.py`: NaN where PyTorch's source is silent."""

    si_sdr_db: tuple[float, ...]
    snr_db: tuple[float, ...]
    max_abs: float
    identical: bool
    """bit for bit"""
    missing: int = 0
    """samples of each window that the device doesn't give"""
    offset: int = 0
    """where in the window the device's samples begin; anything but 0 is a shift that nobody undoes"""

    @property
    def worst_db(self) -> float:
        """The lowest SI-SDR of all sources; NaN if one is."""
        return float(np.min(self.si_sdr_db))


def cut_windows(wave: Array, length: int) -> tuple[Array, int]:
    """A wave (T,) -> ((N, length) in a row from the start, samples left out at the end). Raises DeviceError."""
    if wave.ndim != 1:
        raise DeviceError(f"the wave has shape {wave.shape}; give one channel, (T,)")
    count = len(wave) // length
    if not count:
        raise DeviceError(f"the wave has {len(wave)} samples, a window {length}; give a longer one, it isn't padded")
    return wave[: count * length].reshape(count, length), len(wave) - count * length


def waveform(case: Case, outputs: Sequence[Any]) -> Array:
    """The HEF's outputs (N, H, W, C) in its order -> (sources, N * T).

    Samples that a window lacks at its end come back as zeros, as Asteroid pads, so that time stays aligned.
    `conv1x1_head` has no waveform: it gives (sources, N * frames), one value per frame.
    """
    return _joined(case, _windowed(case, outputs))


def _windowed(case: Case, outputs: Sequence[Any]) -> Array:
    """Outputs (N, H, W, C) -> (N, sources, samples), as many as there are. DeviceError for another case's."""
    # Only now: torch comes with it.
    from tasnet.suite.numerics import frames_waveform

    waves = frames_waveform(case.variant, case.size, outputs)
    if waves.shape[2] > case.length:
        raise DeviceError(f"{waves.shape[2]} samples of a window of {case.length}: not {case.id}'s; inspect the HEF")
    return waves


def _joined(case: Case, waves: Array) -> Array:
    """Windows (N, sources, samples) -> (sources, N * T); those of `conv1x1_head` as they are."""
    from tasnet.suite.numerics import in_a_row

    return in_a_row(waves, waves.shape[2] if case.variant.decoder == "conv1x1_head" else case.length)


def pytorch_waves(case: Case, waves: Array, weights: Weights, mask_activation: str = "relu") -> Array:
    """What PyTorch makes of the windows (N, T), in the form of `waveform`: the device's reference."""
    from tasnet.suite.numerics import each_window, torch_waveform

    form = (case.variant, case.size, weights)
    made = each_window(lambda one: torch_waveform(*form, one, mask_activation=mask_activation), waves)
    return _joined(case, np.asarray(made, np.float32))


def separate_on_device(case: Case, hef: Path, wave: Array, detection: Detection) -> DeviceWaves:
    """Runs a wave (T,) at the model's rate through the case's HEF. Raises DeviceError, RuntimeFailure, HefError."""
    from tasnet.suite.numerics import host_frames

    cut, left_out = cut_windows(wave, case.length)
    inference = infer_on_chip(hef, host_frames(case.variant, case.size, cut), detection)
    outputs = list(inference.outputs.values())
    waves = _windowed(case, outputs)
    return DeviceWaves(_joined(case, waves), len(cut), left_out, waves.shape[2], inference)


def aligned_parity(separated: DeviceWaves, pytorch: Array) -> DeviceParity:
    """The device against PyTorch's waves of the same windows, over the samples that the device gives of each.

    They are taken where both are nearest: an `offset` says that the compiler cropped elsewhere than at the end.
    """
    from tasnet.suite.numerics import aligned_distance

    if separated.waves.shape != pytorch.shape:
        return device_parity(separated.waves, pytorch)
    sources, given = len(pytorch), separated.given
    device, whole = (wave.reshape(sources, separated.windows, -1) for wave in (separated.waves, pytorch))
    device = device[..., :given]
    found = aligned_distance(device.swapaxes(0, 1), whole.swapaxes(0, 1))
    shared = whole[..., found.offset : found.offset + given]
    found_parity = device_parity(device.reshape(sources, -1), shared.reshape(sources, -1))
    return replace(found_parity, missing=found.missing, offset=found.offset)


def device_parity(device: Array, pytorch: Array) -> DeviceParity:
    """The device's waves (sources, T) against PyTorch's of the same windows. Raises DeviceError for other shapes."""
    if device.shape != pytorch.shape or device.ndim != 2 or not device.size:
        raise DeviceError(f"device {device.shape} and PyTorch {pytorch.shape}: give (sources, T) of the same windows")
    if not (np.all(np.isfinite(device)) and np.all(np.isfinite(pytorch))):
        raise DeviceError("the outputs hold NaN or infinity; see which side they come from")
    each = [distance(ours, theirs) for ours, theirs in zip(device, pytorch, strict=True)]
    return DeviceParity(
        si_sdr_db=tuple(source.si_sdr for source in each),
        snr_db=tuple(source.snr for source in each),
        max_abs=max(source.max_abs for source in each),
        identical=bool(np.array_equal(device, pytorch)),
    )


def parity_outcome(
    case: Case,
    hef: Path,
    separated: DeviceWaves,
    compared: DeviceParity | None = None,
    measured: ChipMeasurement | None = None,
    *,
    least_db: float | None = None,
    chip_latency_ms: float | None = None,
) -> Outcome:
    """The outcome of the case at `infer`: failed where the worst source is under `least_db`, or is shifted.

    Where a test double ran it, its provenance says so: nothing was observed.
    """
    ran = separated.inference
    figures: dict[str, int | float | str] = {"windows": separated.windows, "api": ran.api}
    figures["latency_median_ms"] = 1000 * float(np.median(ran.latencies))
    if compared is not None:
        figures |= {"worst_si_sdr_db": compared.worst_db, "worst_snr_db": float(np.min(compared.snr_db))}
        figures |= {"missing_samples": compared.missing} if compared.missing else {}
    if chip_latency_ms is not None:
        figures["chip_latency_ms"] = chip_latency_ms
    if measured is not None:
        sensors = {"temperature_celsius": measured.temperature_celsius, "power_watts": measured.power_watts}
        figures["fps"] = measured.fps
        figures["latency_median_ms"] = 1000 * measured.latency_median_seconds
        figures["latency_95_ms"] = 1000 * measured.latency_95_seconds
        figures |= {name: value for name, value in sensors.items() if value is not None}
    messages = []
    if compared is not None and least_db is not None and not compared.worst_db >= least_db:
        messages.append(f"SI-SDR to PyTorch is {compared.worst_db:.1f} dB, at least {least_db:g} dB was asked for")
    if compared is not None and compared.offset:
        messages.append(
            f"the waves begin {compared.offset} samples late: the compiler crops its deconvolution elsewhere than at "
            "the end; shift them back"
        )
    failures = tuple(_not_the_function(message) for message in messages)
    return Outcome(
        stage=Stage.INFER,
        status=Status.FAILED if failures else Status.PASSED,
        provenance=_provenance(case, hef, ran.version, ran.chip.arch, ran.double or bool(measured and measured.double)),
        failures=failures,
        certainty=None if failures else Certainty.OBSERVED,
        figures=_finite(figures),
        seconds=sum(ran.latencies),
    )


def _not_the_function(message: str) -> Failure:
    """The failure of a case that runs and gives other waves than it should."""
    return Failure(stage=Stage.INFER.value, family="unclassified", message=message, certainty=Certainty.OBSERVED)


def exactness_outcome(case: Case, hef: Path, ran: ChipInference, found: Exactness) -> Outcome:
    """The outcome of holding the chip against its emulation: failed where a value differs."""
    return Outcome(
        stage=Stage.INFER,
        status=Status.FAILED if found.differing else Status.PASSED,
        provenance=_provenance(case, hef, ran.version, ran.chip.arch, ran.double),
        failures=(_not_the_function(str(found)),) if found.differing else (),
        certainty=None if found.differing else Certainty.OBSERVED,
        figures={
            "bit_exact_values": found.values,
            "bit_exact_differing": found.differing,
            "bit_exact_most_steps": found.most_steps,
        },
        seconds=sum(ran.latencies),
    )


def broken_outcome(case: Case, hef: Path, error: Exception, detection: Detection) -> Outcome:
    """The outcome of a case whose run broke off, on the device or before it: `infra`, and no word of the network."""
    arch = detection.chips[0].arch if detection.chips else case.arch
    return Outcome(
        stage=Stage.INFER,
        status=Status.INFRA,
        provenance=_provenance(case, hef, detection.version, arch, detection.double),
        reason=error_line(error),
    )


def keep_device_outcome(store: Store, case: Case, hef: Path, observed: Outcome) -> bool:
    """Keeps a run on the device as evidence; False where it is known, or none: a broken run, a test double's."""
    if observed.stage is not Stage.INFER:
        raise DeviceError(f"{observed.stage.value} doesn't run on the device; keep outcomes of {Stage.INFER.value}")
    if observed.status in LEARNED_NOTHING or observed.provenance.double:
        return False
    evidence = Evidence(case_id=case.id, tag=case.id, source=hef.name, outcomes=(observed,))
    return keep_evidence(store, evidence)


def hefs_by_case(folder: Path, arch: str | None = None) -> list[tuple[Case, Path]]:
    """The HEFs of a folder by the cases that they are named for, `<case id>.hef`. Raises DeviceError."""
    if not folder.is_dir():
        raise DeviceError(f"{folder}: no such folder; name one with <case id>.hef in it")
    found = []
    for file in sorted(folder.glob("*.hef")):
        try:
            found.append((parse_case(file.stem, arch), file))
        except CaseError as error:
            raise DeviceError(f"{file}: {error}; name a HEF for its case, <case id>.hef") from None
    return found


def _provenance(case: Case, hef: Path, version: str, arch: str, double: bool) -> Provenance:
    return Provenance(
        toolchain=HAILORT,
        version=f"{version}{DOUBLE_SUFFIX}" if double else version,
        predicted=False,
        exhaustive=False,
        arch=arch or case.arch,
        inputs=file_sha256(hef) if hef.is_file() else "",
    )


def _finite(figures: dict[str, Any]) -> dict[str, int | float | str]:
    """JSON has no infinity: an exact match is said in words."""
    return {k: v if isinstance(v, str) or np.isfinite(v) else str(v) for k, v in figures.items()}
