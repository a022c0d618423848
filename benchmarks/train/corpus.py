"""The recordings: each speaker's sentences at 8 kHz, spoken once and kept, so that a second start takes seconds."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from benchmarks.train.sentences import sentence
from benchmarks.train.voices import SPEAKERS, Speaker, check, speak
from tasnet.common import TasnetError
from tasnet.suite.numerics.speech import RATE, Samples, read_wav, resample

SENTENCES = 120
"""of each speaker"""
HELD_OUT = 20
"""the last of them are for validation and figures alone"""
_PAUSE = 0.25
"""seconds of silence that a sentence keeps inside; synthesis leaves longer ones"""


@dataclass(frozen=True)
class Spoken:
    """A speaker and what of it is heard: each sentence float32 at RATE, mean square 1, silence at its ends cut."""

    speaker: Speaker
    sentences: tuple[Samples, ...]

    @property
    def training(self) -> tuple[Samples, ...]:
        return self.sentences[:-HELD_OUT]

    @property
    def held_out(self) -> tuple[Samples, ...]:
        return self.sentences[-HELD_OUT:]


class CorpusError(TasnetError):
    """A kept recording is damaged. One line: which, and what to do."""


def corpus(folder: Path, speakers: Sequence[Speaker] = SPEAKERS) -> Mapping[str, Spoken]:
    """By speaker's name. Speaks what `folder` doesn't hold yet, and says so.

    Raises VoicesMissing before any work, CorpusError for a damaged recording.
    """
    missing = [speaker for speaker in speakers if not (folder / f"{speaker.name}.npz").is_file()]
    check(missing)
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for speaker in pool.map(lambda each: _record(each, folder), missing):
            print(f"spoken: {speaker.name}, {SENTENCES} sentences", flush=True)
    return {speaker.name: Spoken(speaker, tuple(_kept(folder / f"{speaker.name}.npz"))) for speaker in speakers}


def _record(speaker: Speaker, folder: Path) -> Speaker:
    number = SPEAKERS.index(speaker)
    with tempfile.TemporaryDirectory(dir=folder) as desk:
        wav, whole = Path(desk) / "sentence.wav", Path(desk) / "whole.npz"
        rows = []
        for index in range(SENTENCES):
            speak(speaker, sentence(speaker.script, number, index), wav)
            voice = read_wav(wav)
            rows.append(_even(resample(voice.samples, voice.rate, RATE)))
            wav.unlink()
        np.savez(whole, *[np.round(row * 4096).clip(-32768, 32767).astype(np.int16) for row in rows])
        os.replace(whole, folder / f"{speaker.name}.npz")
    return speaker


def _even(samples: Samples) -> Samples:
    """Silence at the ends cut and pauses shortened, then a mean square of 1."""
    frame = RATE // 50
    count = len(samples) // frame
    level = np.sqrt(np.mean(samples[: count * frame].reshape(count, frame) ** 2, axis=1))
    loud = level > 0.02 * level.max()
    kept, quiet = np.zeros(count, bool), 0
    for index in range(count):
        quiet = 0 if loud[index] else quiet + 1
        kept[index] = quiet <= _PAUSE * 50
    inside = np.flatnonzero(loud)
    kept[: inside[0]] = kept[inside[-1] + 1 :] = False
    row = samples[: count * frame].reshape(count, frame)[kept].reshape(-1)
    return np.asarray(row / np.sqrt(np.mean(row**2)), np.float32)


def _kept(path: Path) -> Iterator[Samples]:
    try:
        with np.load(path) as arrays:
            for index in range(SENTENCES):
                yield arrays[f"arr_{index}"].astype(np.float32) / 4096
    except (ValueError, KeyError, EOFError, BadZipFile):
        raise CorpusError(f"{path} is damaged: remove it, and its speaker speaks again") from None
