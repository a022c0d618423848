"""`tasnet listen`: a mix through every stage of a case, as wavs and a page with spectrograms and figures.

One recording is a mixture; two or more are mixed at 0 dB over the shortest one's length, and then the improvement is
known too. Each window of the case's length is separated for itself, as the exported network was made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasnet.common import TasnetError, open_wav, resample, unfinished
from tasnet.suite.cases import Case
from tasnet.suite.numerics.function_distance import distance_to_trained
from tasnet.suite.numerics.listen_page import (
    MIN_CLIPPED_SHARE,
    PAGE,
    ListenResult,
    MixedRecording,
    Samples,
    listen_html,
    stage_order,
    wav_files,
)
from tasnet.suite.numerics.measuring import distances_from
from tasnet.suite.numerics.separation import improvement
from tasnet.suite.numerics.speech import PEAK, RATE
from tasnet.suite.numerics.stages import STAGE_LABELS, StageWaves, run_stages
from tasnet.suite.numerics.waves import in_a_row
from tasnet.suite.run import Pipeline

SECONDS = 30.0
"""a longer mix is cut here: every stage takes a few times as long as the mix"""

SILENT = 1e-4
"""peak against full scale below which a recording is silent: less than 16 bits can tell from nothing"""


MAX_SAMPLES = 40_000_000
"""83 minutes at 8 kHz; what is made of them on the way stays under 2 GB"""

MAX_RATE = 768_000
"""samples per second that the fastest converters for sound take; more is a wrong header"""

MIN_RATE = 4000
"""samples per second below which a recording holds no speech: a wrong header, most likely"""


class ListenError(TasnetError, ValueError):
    """A recording, a case or a folder that can't be used. One line: which, what is wrong, what to do."""


def separate_to_folder(
    case: Case,
    mixes: Sequence[Path],
    out: Path,
    pipeline: Pipeline,
    *,
    compiler: Pipeline | None = None,
    rate: int = RATE,
    seconds: float = SECONDS,
) -> ListenResult:
    """Writes wavs and a page into the folder `out`, whole or not at all; `out` may exist if it is empty.

    `pipeline` has the embedded toolchain; `compiler`, a pipeline with a Dfc, adds its contexts. At most `seconds`
    of the mix are used. Raises ListenError, and what the pipeline raises.
    """
    check_folder(out)
    if case.variant.decoder == "conv1x1_head":
        raise ListenError(f"case {case.id}: conv1x1_head gives one value per frame, no waveform; take another decoder")
    result = separate_mix(case, mix_recordings(mixes, case.length, rate, seconds), pipeline, compiler)
    write_folder(result, out)
    return result


def mix_recordings(
    paths: Sequence[Path], window: int = 1, rate: int = RATE, seconds: float = SECONDS
) -> MixedRecording:
    """The recordings as one mix at `rate` Hz: one as it is, several at equal energy over the shortest's length.

    As many whole windows as there are, `seconds` at most and one at least. Raises ListenError.
    """
    if not paths:
        raise ListenError("no recording: give one mixture, or two or more recordings to mix")
    waves = [read_recording(path, rate) for path in paths]
    shortest = min(range(len(waves)), key=lambda index: len(waves[index]))
    able = len(waves[shortest])
    count = min(able // window, max(1, int(seconds * rate) // window))
    if not count:
        raise ListenError(
            f"{paths[shortest]}: {able} samples at {rate} Hz, a window is {window}; give a longer one, or a case with "
            "+T=SAMPLES"
        )
    # cut first: what is left out has no part in the levels
    length = count * window
    if len(waves) == 1:
        return MixedRecording(
            waves[0][:length], np.zeros((0, length), np.float32), (paths[0].stem,), rate, able - length
        )
    cut = np.stack([wave[:length].astype(np.float64) for wave in waves])
    energy = np.sqrt(np.mean(cut * cut, 1, keepdims=True))
    for path, one in zip(paths, energy, strict=True):
        if one < SILENT / 10:
            raise ListenError(f"{path}: silent in its first {length / rate:.2f} s, all that is mixed; cut it")
    level = cut / energy
    for index, path in enumerate(paths[1:], 1):
        for before in range(index):
            if np.array_equal(level[index], level[before]):
                raise ListenError(f"{path}: the same sound as {paths[before]}; mix two recordings")
    highest = max(float(np.abs(level).max()), float(np.abs(level.sum(0)).max()))
    references = (level * (PEAK / highest)).astype(np.float32)
    return MixedRecording(
        references.sum(0, dtype=np.float32), references, tuple(path.stem for path in paths), rate, able - length
    )


def read_recording(path: Path, rate: int) -> Samples:
    """A recording of one channel as float32 [T] at `rate` Hz, full scale 1. Raises ListenError."""
    with open_wav(path, ListenError) as sound:
        own, channels, count = sound.samplerate, sound.channels, sound.frames
        if channels != 1:
            raise ListenError(f"{path}: {channels} channels; mix them down to one first")
        if count > MAX_SAMPLES:
            raise ListenError(f"{path}: {count:,} samples; cut a part of at most {MAX_SAMPLES:,} out of it")
        data = sound.read(dtype="float32", always_2d=True)
    wave = np.ascontiguousarray(data[:, 0])
    if not len(wave):
        raise ListenError(f"{path}: holds no samples; give another recording")
    if wrong := int(len(wave) - np.count_nonzero(np.isfinite(wave))):
        raise ListenError(f"{path}: {wrong} of {len(wave)} samples are NaN or infinite; mend the recording")
    if float(np.abs(wave).max()) < SILENT:
        raise ListenError(f"{path}: silent; give a recording with a voice in it")
    if own < MIN_RATE:
        raise ListenError(f"{path}: recorded at {own} Hz, where no voice fits; {MIN_RATE} Hz at least are needed")
    if own > MAX_RATE:
        raise ListenError(f"{path}: recorded at {own} Hz, and no converter takes over {MAX_RATE}; mend the header")
    return resample(wave, int(own), rate)


def separate_mix(case: Case, mix: MixedRecording, pipeline: Pipeline, compiler: Pipeline | None = None) -> ListenResult:
    """A mix of whole windows of the case's length through all stages, window after window."""
    made = run_stages(case, pipeline, mix.mix.reshape(-1, case.length), compiler=compiler)
    others = {stage: wave for stage, wave in made.waves.items() if stage != "torch"}
    distances = distances_from(made.waves["torch"], others)
    waves = {stage: in_a_row(wave, case.length) for stage, wave in made.waves.items()}
    improvements = {}
    if len(mix.references):
        improvements = {stage: improvement(wave, mix.mix, mix.references) for stage, wave in waves.items()}
    highest = max(float(np.abs(wave).max()) for wave in waves.values())
    gain = PEAK / highest if highest else 1.0
    trained = made.trained
    far = None
    if not trained.drawn:
        far = distance_to_trained(made.case, trained.weights, trained.form, mask_activation=trained.mask_activation)
    return ListenResult(made, mix, waves, distances, improvements, gain, clipped_share(made, mix.mix), far)


def clipped_share(made: StageWaves, mix: Samples) -> float | None:
    """The share of a mix [T] outside of what the input's 8 bits hold, by more than half a step."""
    if made.quantized is None:
        return None
    inputs = [layer.name for layer in made.quantized.network if layer.type == "input_layer"]
    own = made.quantized.grids[inputs[0]]
    return float(np.mean((mix < own.low - own.step / 2) | (mix > own.high + own.step / 2)))


def check_folder(out: Path) -> None:
    """ListenError unless `out` can be made: there is nothing of that name, or an empty folder, in a folder."""
    if out.is_dir():
        if any(out.iterdir()):
            raise ListenError(f"{out}: the folder isn't empty; name a new one")
    elif out.exists():
        raise ListenError(f"{out}: a file; name a folder")
    if not out.absolute().parent.is_dir():
        raise ListenError(f"{out}: no folder {out.parent}; make it first")


def write_folder(result: ListenResult, out: Path) -> None:
    """The wavs and the page, into a folder beside `out` that is then renamed. Raises ListenError, OSError."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    with unfinished.folder(out.absolute().parent, ".listen") as workspace:
        folder = Path(workspace) / "made"
        folder.mkdir()
        for name, wave in wav_files(result).items():
            soundfile.write(str(folder / name), wave, result.mix.rate, subtype="FLOAT")
        (folder / PAGE).write_text(listen_html(result), encoding="utf-8")
        check_folder(out)
        os.replace(folder, out)


def listen_summary(result: ListenResult, out: Path) -> str:
    """The figures for a terminal, a line per stage, and where the page is."""
    lines = []
    for stage in stage_order(result):
        word = " (predicted)" if stage in result.staged.predicted else ""
        if stage in result.staged.missing:
            shown = f"none: {result.staged.missing[stage]}"
        elif stage in result.distances:
            shown = str(result.distances[stage])
        else:
            shown = "what the others are compared with"
        if stage in result.improvements:
            shown += f", SI-SDRi {result.improvements[stage]:.1f} dB"
        lines.append(f"  {STAGE_LABELS[stage] + word:38}{shown}")
    if result.clipped is not None and result.clipped > MIN_CLIPPED_SHARE:
        lines.append(
            f"  {100 * result.clipped:.2g} % of the mix is louder than the speech that set the 8 bits: clipped"
        )
    case, trained = result.staged.case, result.staged.trained
    if trained.drawn:
        lines.append("  the weights were drawn from a seed: they separate nothing; give --checkpoint to hear voices")
    head = [f"{out / PAGE}: {case.id}", f"  weights: {trained.name}", f"  function: {result.function}"]
    return "\n".join([*head, *lines])
