"""`tasnet listen`: a mix through every stage of a case, as wavs and a page with spectrograms and figures.

One recording is a mixture; two or more are mixed at 0 dB over the shortest one's length, and then the improvement is
known too. Each window of the case's length is separated for itself, as the exported network was made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError, open_wav, unfinished
from tasnet.suite.cases import Case
from tasnet.suite.numerics.emulated import CONTEXTS, aligned
from tasnet.suite.numerics.hearing import PAGE, TELLING, Heard, Mix, Samples, files, order
from tasnet.suite.numerics.listen_page import page
from tasnet.suite.numerics.metrics import distance, si_sdr
from tasnet.suite.numerics.speech import PEAK, RATE, SpeechError, resample
from tasnet.suite.numerics.stages import NAMES, Staged, staged
from tasnet.suite.run import Pipeline

Signal = npt.NDArray[Any]

SECONDS = 30.0
"""a longer mix is cut here: every stage takes a few times as long as the mix"""

SILENT = 1e-4
"""peak against full scale below which a recording is silent: less than 16 bits can tell from nothing"""


MOST_SAMPLES = 40_000_000
"""83 minutes at 8 kHz; what is made of them on the way stays under 2 GB"""

HIGHEST_RATE = 768_000
"""samples per second that the fastest converters for sound take; more is a wrong header"""

LOWEST_RATE = 4000
"""samples per second below which a recording holds no speech: a wrong header, most likely"""


class ListenError(TasnetError, ValueError):
    """A recording, a case or a folder that can't be used. One line: which, what is wrong, what to do."""


def listen(
    case: Case,
    mixes: Sequence[Path],
    out: Path,
    pipeline: Pipeline,
    *,
    compiler: Pipeline | None = None,
    rate: int = RATE,
    seconds: float = SECONDS,
) -> Heard:
    """Writes wavs and a page into the folder `out`, whole or not at all; `out` may exist if it is empty.

    `pipeline` has the embedded toolchain; `compiler`, a pipeline with a Dfc, adds its contexts. At most `seconds`
    of the mix are used. Raises ListenError, and what the pipeline raises.
    """
    check_folder(out)
    if case.variant.decoder == "conv1x1_head":
        raise ListenError(f"case {case.id}: conv1x1_head gives one value per frame, no waveform; take another decoder")
    heard = separate(case, mixed(mixes, case.length, rate, seconds), pipeline, compiler)
    write(heard, out)
    return heard


def mixed(paths: Sequence[Path], window: int = 1, rate: int = RATE, seconds: float = SECONDS) -> Mix:
    """The recordings as one mix at `rate` Hz: one as it is, several at equal energy over the shortest's length.

    As many whole windows as there are, `seconds` at most and one at least. Raises ListenError.
    """
    if not paths:
        raise ListenError("no recording: give one mixture, or two or more recordings to mix")
    waves = [recording(path, rate) for path in paths]
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
        return Mix(waves[0][:length], np.zeros((0, length), np.float32), (paths[0].stem,), rate, able - length)
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
    return Mix(references.sum(0, dtype=np.float32), references, tuple(path.stem for path in paths), rate, able - length)


def recording(path: Path, rate: int) -> Samples:
    """A recording of one channel as float32 [T] at `rate` Hz, full scale 1. Raises ListenError."""
    with open_wav(path, ListenError) as sound:
        own, channels, count = sound.samplerate, sound.channels, sound.frames
        if channels != 1:
            raise ListenError(f"{path}: {channels} channels; mix them down to one first")
        if count > MOST_SAMPLES:
            raise ListenError(f"{path}: {count:,} samples; cut a part of at most {MOST_SAMPLES:,} out of it")
        data = sound.read(dtype="float32", always_2d=True)
    wave = np.ascontiguousarray(data[:, 0])
    if not len(wave):
        raise ListenError(f"{path}: holds no samples; give another recording")
    if wrong := int(len(wave) - np.count_nonzero(np.isfinite(wave))):
        raise ListenError(f"{path}: {wrong} of {len(wave)} samples are NaN or infinite; mend the recording")
    if float(np.abs(wave).max()) < SILENT:
        raise ListenError(f"{path}: silent; give a recording with a voice in it")
    if own < LOWEST_RATE:
        raise ListenError(f"{path}: recorded at {own} Hz, where no voice fits; {LOWEST_RATE} Hz at least are needed")
    if own > HIGHEST_RATE:
        raise ListenError(f"{path}: recorded at {own} Hz, and no converter takes over {HIGHEST_RATE}; mend the header")
    try:
        return resample(wave, int(own), rate)
    except SpeechError as error:
        raise ListenError(f"{path}: {error}") from None


def separate(case: Case, mix: Mix, pipeline: Pipeline, compiler: Pipeline | None = None) -> Heard:
    """A mix of whole windows of the case's length through all stages, window after window."""
    made = staged(case, pipeline, mix.mix.reshape(-1, case.length), compiler=compiler)
    expected = made.waves["torch"]
    distances = {
        stage: aligned(wave, expected).distance if stage in CONTEXTS else distance(wave, expected)
        for stage, wave in made.waves.items()
        if stage != "torch"
    }
    waves = {stage: _in_a_row(wave, case.length) for stage, wave in made.waves.items()}
    improvements = {}
    if len(mix.references):
        improvements = {stage: improvement(wave, mix) for stage, wave in waves.items()}
    highest = max(float(np.abs(wave).max()) for wave in waves.values())
    gain = PEAK / highest if highest else 1.0
    return Heard(made, mix, waves, distances, improvements, gain, clipped(made, mix.mix))


def clipped(made: Staged, mix: Samples) -> float | None:
    """The share of a mix [T] outside of what the input's 8 bits hold, by more than half a step."""
    if made.quantized is None:
        return None
    inputs = [layer.name for layer in made.quantized.network if layer.type == "input_layer"]
    own = made.quantized.grids[inputs[0]]
    return float(np.mean((mix < own.low - own.step / 2) | (mix > own.high + own.step / 2)))


def improvement(estimates: Samples, mix: Mix) -> float:
    """SI-SDRi in dB of estimates [n, T] by the best assignment to the recordings, the mean of all that are paired."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped, unused-ignore]

    before = [si_sdr(mix.mix, reference) for reference in mix.references]
    gains = np.array(
        [
            [si_sdr(one, reference) - first for reference, first in zip(mix.references, before, strict=True)]
            for one in estimates
        ]
    )
    if not np.isfinite(gains).all():
        # a silent estimate has no figure
        return float("nan")
    return float(gains[linear_sum_assignment(gains, maximize=True)].mean())


def check_folder(out: Path) -> None:
    """ListenError unless `out` can be made: there is nothing of that name, or an empty folder, in a folder."""
    if out.is_dir():
        if any(out.iterdir()):
            raise ListenError(f"{out}: the folder isn't empty; name a new one")
    elif out.exists():
        raise ListenError(f"{out}: a file; name a folder")
    if not out.absolute().parent.is_dir():
        raise ListenError(f"{out}: no folder {out.parent}; make it first")


def write(heard: Heard, out: Path) -> None:
    """The wavs and the page, into a folder beside `out` that is then renamed. Raises ListenError, OSError."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    with unfinished.folder(out.absolute().parent, ".listen") as workspace:
        folder = Path(workspace) / "made"
        folder.mkdir()
        for name, wave in files(heard).items():
            soundfile.write(str(folder / name), wave, heard.mix.rate, subtype="FLOAT")
        (folder / PAGE).write_text(page(heard), encoding="utf-8")
        check_folder(out)
        os.replace(folder, out)


def shown(heard: Heard, out: Path) -> str:
    """The figures for a terminal, a line per stage, and where the page is."""
    lines = []
    for stage in order(heard):
        word = " (predicted)" if stage in heard.staged.predicted else ""
        if stage in heard.staged.missing:
            told = f"none: {heard.staged.missing[stage]}"
        elif stage in heard.distances:
            told = str(heard.distances[stage])
        else:
            told = "what the others are compared with"
        if stage in heard.improvements:
            told += f", SI-SDRi {heard.improvements[stage]:.1f} dB"
        lines.append(f"  {NAMES[stage] + word:38}{told}")
    if heard.clipped is not None and heard.clipped > TELLING:
        lines.append(f"  {100 * heard.clipped:.2g} % of the mix is louder than the speech that set the 8 bits: clipped")
    if heard.staged.trained.drawn:
        lines.append("  the weights were drawn from a seed: they separate nothing; give --checkpoint to hear voices")
    return "\n".join([f"{out / PAGE}: {heard.staged.case.id}", *lines])


def _in_a_row(waves: Signal, length: int) -> Samples:
    """Windows [B, sources, T'] -> [sources, B * length], with zeros where a stage has fewer samples."""
    padded = np.pad(waves, ((0, 0), (0, 0), (0, length - waves.shape[2])))
    return np.asarray(padded.swapaxes(0, 1).reshape(waves.shape[1], -1), np.float32)
