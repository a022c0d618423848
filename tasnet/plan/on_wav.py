"""A plan run on a wav: `source1.wav`, `source2.wav`, … of the mix's length, 32-bit float, a block at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasnet.common import open_wav, printable, unfinished, why_no_folder
from tasnet.plan.cuts import Plan, read_plan
from tasnet.plan.executors import EXECUTORS, read_host_weights, read_verified_file
from tasnet.plan.function import PlanError
from tasnet.plan.loss import Loss
from tasnet.plan.on_device import on_device
from tasnet.plan.progress import Tell, Told, invocations
from tasnet.plan.run import Execute, estimates, too_short
from tasnet.plan.simulated import Simulated, check_recordings

DEVICE = "hailort"
"""the executor that is no simulation"""
SIMULATED = "simulated"
"""the executor in 8 bits, beside which the plan is run in float"""


@dataclass(frozen=True)
class SeparationResult:
    """What a run took. `spent` is seconds by segment and of the `host`; `by_host` where the clip was too short;
    `double` where a test double was in the device's place. `loss` is a simulation's, against the same plan in float."""

    files: tuple[Path, ...]
    samples: int
    rate: int
    seconds: float
    spent: Mapping[str, float]
    by_host: bool
    double: bool
    loss: Loss | None


def separate_wav(
    folder: Path, mix: Path, output: Path, executor: str = "onnx", cut_bits: int = 8, tell: Tell | None = None
) -> SeparationResult:
    """Separates `mix` with the plan in `folder`; `output` is a folder, made where it is missing.

    `cut_bits` are a simulation's, for what crosses a cut: 8 or 16. `tell` hears of each invocation. Everything is
    checked before anything is run, and the files appear when all of them are whole. Raises PlanError.
    """
    known = (*EXECUTORS, SIMULATED, DEVICE)
    if executor not in known:
        raise PlanError(f"--executor {printable(executor)}: unknown; one of {', '.join(known)}")
    plan, folder = read_plan(folder), folder if folder.is_dir() else folder.parent
    weights = read_host_weights(plan, folder)
    check_segments(plan, folder, executor)
    names = source_names(plan, output)
    check_output(output, names, mix)
    with open_wav(mix, PlanError) as sound:
        _check(plan, sound, mix)
        frames = (sound.frames + 2 * plan.padding - plan.function.size.L) // (plan.function.size.L // 2) + 1
        spent: dict[str, float] = {}
        begun = time.perf_counter()

        def samples(start: int, count: int) -> Any:
            sound.seek(start)
            found = sound.read(count, dtype="float32")
            if len(found) != count:
                raise PlanError(f"{mix}: ends before the {sound.frames:,} samples that it says; copy it again")
            if not np.isfinite(found).all():
                raise PlanError(f"{mix}: holds NaN or infinity; mend the recording")
            return found

        def blocks(run: Execute, spent: dict[str, float]) -> Iterator[Any]:
            return estimates(plan, weights, run, samples, sound.frames, spent)

        loss = Loss(plan.function.size.n_src) if executor == SIMULATED and not too_short(plan, frames) else None
        total = invocations(plan, frames) * (1 if loss is None else 2)

        def told(run: Execute) -> Execute:
            return Told(run, total, tell) if tell else run

        with (
            opened(plan, folder, executor, cut_bits) as (run, double),
            unfinished.folder(output.parent, f".{output.name}") as place,
        ):
            exact = None if loss is None else blocks(told(EXECUTORS["har"](folder)), {})
            with writers([place / name.name for name in names], sound.samplerate) as files:
                for block in blocks(told(run), spent):
                    if loss is not None and exact is not None:
                        loss.add(block, next(exact))
                    for file, each in zip(files, block, strict=True):
                        file.write(each)
            output.mkdir(exist_ok=True)
            for name in names:
                os.replace(place / name.name, name)
        seconds = time.perf_counter() - begun
        short = too_short(plan, frames)
        return SeparationResult(tuple(names), sound.frames, sound.samplerate, seconds, spent, short, double, loss)


@contextmanager
def opened(plan: Plan, folder: Path, executor: str, cut_bits: int = 8) -> Iterator[tuple[Execute, bool]]:
    """What runs segments, and whether it is a test double of a device."""
    if executor == SIMULATED:
        yield Simulated(folder, cut_bits), False
        return
    if executor != DEVICE:
        # A stream comes back to each segment many times a second.
        yield EXECUTORS[executor](folder, plan.block is not None), False
        return
    with on_device(plan, folder) as (run, double):
        yield run, double


def check_segments(plan: Plan, folder: Path, executor: str) -> None:
    """Raises PlanError unless what the executor reads of the plan is there, as it was written."""
    if executor == SIMULATED:
        check_recordings(plan, folder)
        return
    for each in plan.on_chip if executor != DEVICE else ():
        read_verified_file(folder, each.har if executor == "har" else each.onnx)


def source_names(plan: Plan, output: Path) -> list[Path]:
    """The wavs that a run writes."""
    return [output / f"source{source + 1}.wav" for source in range(plan.function.size.n_src)]


def check_output(output: Path, names: list[Path], mix: Path | None = None) -> None:
    """Raises PlanError unless the wavs can be written there, and none of them is the mix."""
    if instead := why_no_folder(output):
        raise PlanError(f"{output}: {instead}")
    if not output.parent.is_dir():
        raise PlanError(f"{output}: no directory {output.parent}; make it first")
    for name in names:
        if mix is not None and name.exists() and mix.exists() and name.samefile(mix):
            raise PlanError(f"{name}: is the mix itself; name another folder")


def _check(plan: Plan, sound: Any, mix: Path) -> None:
    if sound.channels != 1:
        raise PlanError(f"{mix}: {sound.channels} channels; the network hears one: give a mono wav")
    if plan.sample_rate is not None and sound.samplerate != plan.sample_rate:
        raise PlanError(f"{mix}: {sound.samplerate} Hz, the network hears {plan.sample_rate:g} Hz; resample it first")
    if sound.frames + 2 * plan.padding < plan.function.size.L:
        raise PlanError(
            f"{mix}: {sound.frames} samples, the encoder's kernel has {plan.function.size.L}; give a longer one"
        )


@contextmanager
def writers(names: list[Path], rate: int) -> Iterator[list[Any]]:
    """The wavs, open; the library's own errors become one line."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    try:
        with ExitStack() as stack:
            yield [
                stack.enter_context(soundfile.SoundFile(name, "w", rate, 1, "FLOAT", format="WAV")) for name in names
            ]
    except soundfile.LibsndfileError as error:
        raise PlanError(
            f"{names[0]}: can't be written ({printable(error.error_string, 120)}); is the disk full?"
        ) from None
