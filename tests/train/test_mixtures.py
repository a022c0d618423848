"""What is heard in a training: by seed and step alone, two different speakers, and nothing that is held out."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.train import corpus, pairs, sentences, voices
from benchmarks.train.corpus import CorpusError, Spoken
from benchmarks.train.pairs import SPREAD, drawn, fixed, sets
from benchmarks.train.voices import SPEAKERS, Speaker, VoicesMissing, check
from tasnet.suite.numerics import speech
from tests.train.conftest import notes

VOICES = tuple(notes(speaker) for speaker in range(3))


def speakers_of(mixture: np.ndarray) -> list[int]:
    """Which of VOICES each row is of, by its loudness: gains are far less than the hundredfold between two."""
    return [round(float(np.log(np.abs(row).mean() / 0.1) / np.log(100))) for row in mixture]


@given(seed=st.integers(0, 2**32), step=st.integers(0, 10**6))
def test_a_training_step_hears_two_different_speakers_of_training_sentences_alone_and_the_same_ones_each_time(
    seed: int, step: int
) -> None:
    made = drawn(VOICES, step, seed, 3, 500)

    assert made.dtype == np.float32
    assert made.shape == (3, 2, 500)
    assert (made > 0).all()
    for mixture in made:
        first, second = speakers_of(mixture)
        assert first != second
    np.testing.assert_array_equal(made, drawn(VOICES, step, seed, 3, 500))
    assert not np.array_equal(made, drawn(VOICES, step + 1, seed, 3, 500))
    assert not np.array_equal(made, drawn(VOICES, step, seed + 1, 3, 500))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 9), length=st.integers(1, 2 * 400 * 8))
def test_figures_are_given_on_held_out_sentences_alone_and_every_pair_comes_as_often(
    seed: int, count: int, length: int
) -> None:
    made = fixed(VOICES, count, length, seed=seed)

    assert (made < 0).all()
    np.testing.assert_array_equal(made, fixed(VOICES, count, length, seed=seed))
    seen = [tuple(sorted(speakers_of(mixture))) for mixture in made]
    times = [seen.count(pair) for pair in ((0, 1), (0, 2), (1, 2))]
    assert sum(times) == count
    assert max(times) - min(times) <= 1


@given(seed=st.integers(0, 2**32))
def test_one_voice_is_louder_than_the_other_by_no_more_than_is_said(seed: int) -> None:
    alike = [Spoken(each, (np.ones(400, np.float32),) * (corpus.HELD_OUT + 1)) for each in SPEAKERS[:2]]

    for made in (drawn(alike, 0, seed, 2, 100), fixed(alike, 2, 100, seed=seed)):
        levels = 20 * np.log10(made.mean(2))
        assert np.abs(levels[:, 0] - levels[:, 1]).max() <= 2 * SPREAD + 1e-3


def test_a_pair_of_voices_is_heard_in_no_training_and_judged_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {speaker.name for speaker in SPEAKERS if speaker.role == "held_out"}
    assert len(held) == 2
    monkeypatch.setattr(pairs, "real", lambda count, length: np.ones((count, 2, length), np.float32))
    quiet, loud = 1.0, 1000.0
    spoken = {
        speaker.name: Spoken(
            speaker, (np.full(400, loud if speaker.name in held else quiet, np.float32),) * (corpus.HELD_OUT + 1)
        )
        for speaker in SPEAKERS
    }

    judged = sets(spoken, 0.05)

    assert judged["held-out sentences of known voices"].max() < 1
    assert judged["held-out pair of voices"].min() > 1


def test_without_the_recordings_no_figure_is_given_on_real_voices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech.voices, "__defaults__", (speech.RATE, tmp_path))

    with pytest.raises(VoicesMissing, match="apt-get install pocketsphinx-testdata"):
        pairs.real(2, 800)


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        (
            {"flite", "espeak-ng", "text2wave"},
            "festvox-ca-ona-hts festvox-czech-dita festvox-czech-krb festvox-czech-machac festvox-czech-ph "
            "festvox-hi-nsk festvox-italp16k festvox-itapc16k festvox-kdlpc16k festvox-ru festvox-suopuhe-lj "
            "festvox-suopuhe-mv wamerican",
        ),
        ({"flite"}, "espeak-ng festival"),
        ({"text2wave"}, "espeak-ng festvox-ca-ona-hts"),
        (set(), "espeak-ng festival flite wamerican"),
    ],
)
def test_what_is_not_installed_is_named_with_its_package_before_any_work(
    present: set[str], missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}" if program in present else None)
    monkeypatch.setattr(voices, "FESTIVAL", tmp_path / "none")
    monkeypatch.setattr(voices, "WORDS", tmp_path / "none")

    with pytest.raises(VoicesMissing, match=f"apt-get install {missing}"):
        corpus.corpus(tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_a_voice_that_festival_has_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(voices, "FESTIVAL", tmp_path)
    (tmp_path / "czech" / "czech_ph").mkdir(parents=True)

    check([speaker for speaker in SPEAKERS if speaker.name == "czech-ph"])


def test_a_program_that_fails_is_told_with_what_it_said_and_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "espeak-ng").write_text("#!/bin/sh\necho 'Failed to read voice' >&2\nexit 1\n")
    (tmp_path / "espeak-ng").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    with pytest.raises(VoicesMissing, match=r"espeak-ng can't speak as .* \(Failed to read voice\): install espeak-ng"):
        voices.speak(next(each for each in SPEAKERS if each.program == "espeak-ng"), "word", tmp_path / "out.wav")


def spoken_by_a_double(speaker: Speaker, text: str, path: Path) -> None:
    """16 kHz: half a second of nothing, a tone, a second of nothing, the tone again, nothing."""
    time = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 440 * time) * 8000
    whole = np.concatenate([np.zeros(8000), tone, np.zeros(16000), tone, np.zeros(8000)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(whole.astype("<i2").tobytes())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Speaker]:
    """Two speakers with two sentences each, as a double speaks them."""
    words = tmp_path / "words"
    words.write_text("one\nfour\nseven\nNine\nit's\ntenths\n")
    monkeypatch.setattr(sentences, "WORDS", words)
    sentences._english.cache_clear()
    monkeypatch.setattr(corpus, "SENTENCES", 2)
    monkeypatch.setattr(corpus, "check", lambda speakers: None)
    monkeypatch.setattr(corpus, "speak", spoken_by_a_double)
    return list(SPEAKERS[:2])


def test_a_recording_is_cut_at_its_ends_loses_its_long_pause_and_has_a_mean_square_of_1(
    short: list[Speaker], tmp_path: Path
) -> None:
    found = corpus.corpus(tmp_path / "corpus", short)

    for each in found.values():
        for sentence in each.sentences:
            assert np.mean(sentence**2) == pytest.approx(1, abs=0.01)
            assert len(sentence) / 8000 == pytest.approx(1 + 0.25 + 1, abs=0.05)


def test_what_was_spoken_is_not_spoken_again(
    short: list[Speaker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = corpus.corpus(tmp_path / "corpus", short)
    monkeypatch.setattr(corpus, "speak", None)
    second = corpus.corpus(tmp_path / "corpus", short)

    for name, each in first.items():
        np.testing.assert_array_equal(each.sentences, second[name].sentences)


@pytest.mark.parametrize("left", [0, 1, 100, 20000])
def test_a_damaged_recording_is_named_with_what_to_do(short: list[Speaker], tmp_path: Path, left: int) -> None:
    corpus.corpus(tmp_path / "corpus", short)
    kept = tmp_path / "corpus" / f"{short[0].name}.npz"
    kept.write_bytes(kept.read_bytes()[:left])

    with pytest.raises(CorpusError, match=r"slt\.npz is damaged: remove it"):
        corpus.corpus(tmp_path / "corpus", short)
    kept.unlink()
    assert len(corpus.corpus(tmp_path / "corpus", short)) == 2
