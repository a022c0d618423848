"""A training goes on after a kill as if nothing had been, and says so when it breaks down."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.train import __main__ as program
from benchmarks.train import fit as training
from benchmarks.train import score as scoring
from benchmarks.train.corpus import Spoken
from benchmarks.train.fit import Diverged, Plan, StateError, fit
from benchmarks.train.pairs import fixed
from benchmarks.train.separator import SMALL, Form, count, leaves
from tasnet.network import Size, Variant, load_checkpoint

Singers = tuple[Spoken, ...]

TINY = Size(N=6, L=8, B=4, H=5, Sc=4, P=3, X=2, R=1)
PLAN = Plan(Form(size=TINY), steps=6, batch=3, seconds=0.05, check=2)


def run(plan: Plan, singers: Sequence[Spoken], folder: Path, start: Any = None) -> dict[str, torch.Tensor]:
    return fit(plan, singers, fixed(singers, 4, 400, seed=1), folder, start)


def log_of(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def unbroken(singers: Singers, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, torch.Tensor], Path]:
    folder = tmp_path_factory.mktemp("unbroken")
    return run(PLAN, singers, folder), folder


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("what", "call"), [("drawn", 1), ("drawn", 4), ("_step", 3), ("score", 2), ("write_whole", 1), ("write_whole", 4)]
)
def test_a_training_that_is_killed_anywhere_ends_with_the_weights_and_the_log_of_an_unbroken_one(
    what: str,
    call: int,
    unbroken: tuple[dict[str, torch.Tensor], Path],
    singers: Singers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, calls = getattr(training, what), []

    def killed(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(training, what, killed)
        with pytest.raises(KeyboardInterrupt):
            run(PLAN, singers, tmp_path)
    weights = run(PLAN, singers, tmp_path)

    assert same(weights, unbroken[0])
    assert log_of(tmp_path) == log_of(unbroken[1])


@pytest.mark.parametrize(
    "rest", [b'{"step": 8, "train_d', b'{"step": 7, "train_db": 1}\n', b"\x00" * 40, b"3\n\xff\xfe\n[]\n\n"]
)
def test_a_log_cut_in_a_line_goes_on_with_the_lines_that_the_state_vouches_for(
    rest: bytes, unbroken: tuple[dict[str, torch.Tensor], Path], singers: Singers, tmp_path: Path
) -> None:
    real, calls = training.drawn, []

    def killed(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "drawn", killed)
        with pytest.raises(KeyboardInterrupt):
            run(PLAN, singers, tmp_path)
    with (tmp_path / "log.jsonl").open("ab") as log:
        log.write(rest)

    assert same(run(PLAN, singers, tmp_path), unbroken[0])
    assert [line["step"] for line in log_of(tmp_path)] == [2, 4, 6]


def test_a_finished_training_is_not_done_again(
    unbroken: tuple[dict[str, torch.Tensor], Path], singers: Singers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "drawn", None)

    assert same(run(PLAN, singers, unbroken[1]), unbroken[0])


def test_the_weights_are_those_of_the_best_check(
    singers: Singers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(training, "score", lambda *given: scoring.Score((next(found),)))
    seen: list[dict[str, torch.Tensor]] = []
    write = training._State.write
    monkeypatch.setattr(
        training._State,
        "write",
        lambda state, *given: (
            seen.append({k: t.detach().clone() for k, t in state.now.items()}),
            write(state, *given),
        ),
    )

    weights = run(PLAN, singers, tmp_path)

    assert same(weights, seen[1])
    assert not same(weights, seen[2])


def test_it_learns_what_sets_two_voices_apart(
    singers: Singers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_WARM", 10)
    form = Form(size=Size(N=16, L=8, B=8, H=16, Sc=8, P=3, X=2, R=1))
    heard = fixed(singers, 4, 400, seed=1)

    weights = run(replace(PLAN, form=form, steps=30, rate=2e-2, check=30), singers, tmp_path)

    assert scoring.score(form, leaves(form.size), heard).mean < 0
    assert scoring.score(form, weights, heard).mean > 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_a_loss_that_is_no_number_stops_the_training_with_what_to_do(
    value: float, singers: Singers, tmp_path: Path
) -> None:
    start = {name: tensor.detach().clone() for name, tensor in leaves(TINY).items()}
    start["encoder.filterbank._filters"][0] = value

    with pytest.raises(Diverged, match=r"^step 0: the loss is .*; start again in another folder with a lower --rate"):
        run(PLAN, singers, tmp_path, start)
    assert not (tmp_path / "state.pt").exists()


def test_a_training_that_falls_far_behind_its_best_stops_and_keeps_the_state_before(
    singers: Singers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([7.0, 9.0, 2.5])
    monkeypatch.setattr(training, "score", lambda *given: scoring.Score((next(found),)))

    with pytest.raises(Diverged, match=r"step 6: 2\.5 dB after 9\.0; start again .* lower --rate than 0\.002"):
        run(PLAN, singers, tmp_path)
    assert [line["step"] for line in log_of(tmp_path)] == [2, 4]
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 4


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, steps=8),
        replace(PLAN, seed=1),
        replace(PLAN, rate=1e-3),
        replace(PLAN, form=Form(Variant(activation="relu", norm="gln"), TINY)),
    ],
    ids=["steps", "seed", "rate", "form"],
)
def test_another_training_does_not_go_on_with_this_ones_state(
    other: Plan, unbroken: tuple[dict[str, torch.Tensor], Path], singers: Singers
) -> None:
    before = (unbroken[1] / "log.jsonl").read_bytes()

    with pytest.raises(StateError, match="is of another training: name another folder"):
        run(other, singers, unbroken[1])
    assert (unbroken[1] / "log.jsonl").read_bytes() == before


def test_nor_one_that_starts_from_other_weights(
    unbroken: tuple[dict[str, torch.Tensor], Path], singers: Singers
) -> None:
    with pytest.raises(StateError, match="is of another training"):
        run(PLAN, singers, unbroken[1], dict(leaves(TINY, seed=1)))


@pytest.mark.parametrize("left", [0, 10, 3000])
def test_a_damaged_state_is_named_with_what_to_do(
    left: int, unbroken: tuple[dict[str, torch.Tensor], Path], singers: Singers, tmp_path: Path
) -> None:
    (tmp_path / "state.pt").write_bytes((unbroken[1] / "state.pt").read_bytes()[:left])

    with pytest.raises(StateError, match="is damaged: remove it"):
        run(PLAN, singers, tmp_path)


def test_the_default_network_is_small_enough_to_ship() -> None:
    assert 100_000 <= count(SMALL) <= 400_000
    assert 4 * count(SMALL) < 1.6e6


def test_the_score_of_the_mixture_itself_is_0_db_and_a_tenth_of_the_other_voice_is_20_db_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Two voices at right angles, equally loud: the mixture is at 0 dB for both.
    sources = np.zeros((5, 2, 40), np.float32)
    sources[:, 0, ::2] = sources[:, 1, 1::2] = 0.3
    truth = torch.from_numpy(sources)
    monkeypatch.setattr(scoring, "separate", lambda form, weights, mix: mix[:, None].expand(-1, 2, -1))
    assert scoring.score(Form(size=TINY), {}, sources).improvements == pytest.approx([0] * 5, abs=1e-4)

    leaking = truth + truth.flip(1) / 10
    monkeypatch.setattr(scoring, "separate", lambda form, weights, mix: leaking[: len(mix)])
    assert scoring.score(Form(size=TINY), {}, sources).improvements == pytest.approx([20] * 5, abs=1e-3)


@dataclass(frozen=True)
class Short(Plan):
    """A plan as the program makes it, of two steps on little sound."""

    steps: int = 2
    batch: int = 2
    seconds: float = 0.05


@pytest.fixture
def program_at_once(monkeypatch: pytest.MonkeyPatch, singers: Singers, tmp_path: Path) -> Path:
    """The program with the singers for a corpus and short mixtures; a tiny network to start from."""
    sources = fixed(singers, 4, 400, seed=1)
    monkeypatch.setattr(program, "corpus", lambda folder: {each.speaker.name: each for each in singers})
    monkeypatch.setattr(program, "sets", lambda spoken, seconds: {"known": sources})
    monkeypatch.setattr(program, "fixed", lambda *given, **named: sources)
    monkeypatch.setattr(program, "Plan", Short)
    tiny = tmp_path / "tiny.pth"
    torch.save(program.as_asteroid(Form(size=TINY), leaves(TINY)), tiny)
    return tiny


def test_the_program_leaves_a_checkpoint_that_the_package_reads_its_figures_and_its_curve(
    program_at_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"

    assert program.main([str(folder), "--checkpoint", str(program_at_once)]) == 0

    found = load_checkpoint(folder / "small.pth")
    kept = torch.load(folder / "state.pt", weights_only=True)["best"]
    assert (found.size, found.mask_activation, found.norm, found.sample_rate) == (TINY, "relu", "gln", 8000)
    assert all(torch.equal(found.weights[name], kept[name]) for name in found.weights)
    shown = json.loads((folder / "figures.json").read_text())["known"]
    assert f"known: {shown['si_sdri_db']:.2f} dB SI-SDRi" in capsys.readouterr().out
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_form_is_trained_on_and_its_heads_are_kept(program_at_once: Path, tmp_path: Path) -> None:
    form = "concat-normal-reduced_deconv_64-all+norm=affine"

    assert program.main([str(tmp_path / "run"), "--checkpoint", str(program_at_once), "--form", form]) == 0

    saved = torch.load(tmp_path / "run" / "small.pth", weights_only=True)
    assert saved["infos"]["variant"]["norm"] == "affine"
    assert set(saved["infos"]["heads"]) == {"reduced_64.pre.weight", "reduced_64.deconv.weight"}
    assert not torch.equal(saved["infos"]["heads"]["reduced_64.pre.weight"], leaves(TINY)["reduced_64.pre.weight"])
    assert load_checkpoint(tmp_path / "run" / "small.pth").size == TINY


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--form", "split-normal-first-grouped-all"], "both outputs"),
        (["--form", "split-normal-conv1x1_head-all"], "no waveform"),
        (["--form", "nonsense"], "nonsense"),
        (["--checkpoint", "/nowhere/small.pth"], "/nowhere/small.pth"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line_and_nothing_is_written(
    arguments: list[str], said: str, program_at_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"

    assert program.main([str(folder), "--checkpoint", str(program_at_once), *arguments]) == 2

    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not folder.exists()


@pytest.mark.parametrize("arguments", [["--steps", "0"], ["--seed", "-1"], ["--rate", "nan"], ["--form", "baseline"]])
def test_wrong_options_are_usage_errors(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main([str(tmp_path / "run"), *arguments])
    assert ended.value.code == 2


def test_a_diverged_run_ends_with_1_and_one_line(
    program_at_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = leaves(TINY)
    with torch.no_grad():
        weights["encoder.filterbank._filters"][0] = 1e30
    torch.save(program.as_asteroid(Form(size=TINY), weights), tmp_path / "huge.pth")

    code = program.main([str(tmp_path / "run"), "--checkpoint", str(tmp_path / "huge.pth")])

    complaint = capsys.readouterr().err
    assert code == 1
    assert "step 0: the loss is " in complaint
    assert complaint.count("\n") == 1


def test_without_voices_the_program_says_what_to_install_and_makes_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)

    assert program.main([str(tmp_path / "run")]) == 2
    assert "apt-get install espeak-ng festival flite" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_file_in_the_folders_place_is_said_in_one_line(
    program_at_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main([str(program_at_once), "--checkpoint", str(program_at_once)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
