"""SI-SDRi on the package's voices, and what 8 bits cost of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tasnet.cli import main
from tasnet.network.shipped import SMALL, checkpoint_file
from tasnet.network.variant import Size
from tasnet.network.weights import asteroid_shapes, seeded_weights
from tasnet.suite.numerics.eight_bits import CALIBRATION, METHOD, METHODS, WHERE, can_be_judged, eight_bit_costs
from tasnet.suite.numerics.parity_page import parity_html
from tasnet.suite.numerics.parity_report import ParityReport
from tasnet.suite.numerics.separation import calibration_mixtures, improvement, improvements, judged_mixtures
from tasnet.suite.numerics.speech import SHIPPED, Mixture, mixture, read_wav, synthetic
from tasnet.suite.run.recipe import Recipe

TINY = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)


def test_the_improvement_is_that_of_a_formula() -> None:
    """SI-SDR as Le Roux et al. 2019 define it, with the optimal scale, by least squares."""
    draw = np.random.default_rng(0)
    references = draw.standard_normal((2, 500))
    mix, estimates = references.sum(0), references[::-1] + 0.3 * draw.standard_normal((2, 500))

    def by_definition(estimate: np.ndarray, reference: np.ndarray) -> float:
        (scale,), *_ = np.linalg.lstsq(reference[:, None], estimate, rcond=None)
        return float(10 * np.log10(np.sum((scale * reference) ** 2) / np.sum((estimate - scale * reference) ** 2)))

    expected = np.mean(
        [
            by_definition(estimate, reference) - by_definition(mix, reference)
            for estimate, reference in zip(estimates[::-1], references, strict=True)
        ]
    )
    assert improvement(estimates, mix, references) == pytest.approx(expected, abs=1e-9)


def test_no_mixture_that_is_judged_has_a_part_of_one_that_sets_a_range() -> None:
    judged = judged_mixtures()
    assert len(judged) == 18
    assert {each.mix.shape for each in judged} == {(16000,)}
    assert len({each.mix.tobytes() for each in judged}) == 18
    for length in (400, 16000, 32000, 40000):
        calibration = calibration_mixtures(length)
        assert {each.mix.shape for each in calibration} == {(length,)}
        assert len({each.mix.tobytes() for each in calibration}) == 6
    tails = [read_wav(path).samples[-32000:] for path in SHIPPED]
    for each in calibration_mixtures(16000):
        for source in each.sources:
            found = [np.correlate(tail, source[4000:4400], "valid") for tail in tails]
            energy = [
                np.sqrt(np.convolve(tail**2, np.ones(400), "valid") * np.sum(source[4000:4400] ** 2)) for tail in tails
            ]
            assert max(float((a / np.maximum(b, 1e-9)).max()) for a, b in zip(found, energy, strict=True)) > 0.999


@pytest.fixture
def tiny(tmp_path: Path) -> Recipe:
    """A checkpoint of drawn weights: what is tested is the bookkeeping."""
    weights = seeded_weights(TINY, 5)
    path = tmp_path / "tiny.pth"
    arguments = {"n_src": 2, "n_blocks": 2, "n_repeats": 1, "norm_type": "gLN", "mask_act": "relu", "sample_rate": 8000}
    state = {name: weights[name] for name in asteroid_shapes(TINY)}
    torch.save({"model_name": "ConvTasNet", "model_args": arguments, "state_dict": state, "infos": {}}, path)
    return Recipe(path)


def short(count: int, length: int = 400) -> tuple[Mixture, ...]:
    voices = [synthetic(seed, 1.0) for seed in range(count + 1)]
    return tuple(mixture(voices[index], voices[index + 1], 0.0, length) for index in range(count))


def test_every_row_is_measured_against_the_network_in_float(tiny: Recipe) -> None:
    told: list[str] = []
    costs = eight_bit_costs(tiny, short(3), say=told.append)
    assert len(told) == len(costs.rows) - 1
    assert [each.what for each in costs.of(METHOD)] == list(METHODS)
    exact, *others = costs.rows
    assert (exact.what, exact.lost) == ("float", 0.0)
    for row in others:
        assert row.lost == pytest.approx(exact.si_sdri - row.si_sdri, abs=1e-9, nan_ok=True)
    whole = next(each for each in costs.of(WHERE) if each.what.startswith("a8_w8"))
    assert whole.si_sdri == costs.of(CALIBRATION)[0].si_sdri, "one measurement under two names"
    html = parity_html(ParityReport((), (), (), "voices", costs.weights, costs))
    assert all(f"<td>{row.what}</td>" in html for row in costs.rows)
    assert html.count("data:image/png;base64,") == 1, "of the costs alone: no case is there"


def test_what_has_no_meaning_is_not_judged(tiny: Recipe, tmp_path: Path) -> None:
    assert can_be_judged(tiny)
    assert can_be_judged(Recipe(checkpoint_file(SMALL)))
    assert not can_be_judged(Recipe(seed=1))
    held = torch.load(tiny.checkpoint, weights_only=True)
    held["model_args"]["sample_rate"] = 16000
    torch.save(held, tmp_path / "fast.pth")
    assert not can_be_judged(Recipe(tmp_path / "fast.pth"))


def test_a_silent_estimate_has_no_improvement() -> None:
    (one,) = short(1)
    assert np.isnan(improvements(np.zeros((1, 2, 396), np.float32), [one])).all()


@pytest.mark.usefixtures("undrawn")
def test_two_voices_in_and_two_out_without_a_word_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `tasnet listen` does with no argument but a folder, on a second: it says whose weights those are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tasnet.cli.numbers.AS_TRAINED", "split-normal-polyphase-all+norm=gln+activation=prelu+T=8000")
    monkeypatch.setattr("tasnet.cli.numbers.HEARD", 1.0)
    assert main(["listen", "-o", "heard", "--store", "s"]) == 0
    told = capsys.readouterr().out
    assert "weights: tasnet:small" in told
    assert float(told.partition("SI-SDRi ")[2].partition(" dB")[0]) > 5
    assert {"recording1.wav", "recording2.wav", "torch_source1.wav", "har8_source2.wav"} <= {
        path.name for path in (tmp_path / "heard").iterdir()
    }
    assert "Weights: tasnet:small" in (tmp_path / "heard" / "index.html").read_text(encoding="utf-8")


WRONG = {
    "a size of its own": (["listen", "split-normal-polyphase-all+N=64"], "tasnet:small has sizes of its own"),
    "a size of parity's": (["parity", "--case", "baseline+N=64", "-o", "p.html"], "tasnet:small has sizes of its own"),
    "recordings without --mix": (["listen", "baseline", "a.wav"], "a.wav: name the recordings to mix with --mix"),
    "a recording for a case": (["listen", "--mix", "a.wav", "b.wav"], "a.wav: no such file"),
}


@pytest.mark.parametrize(("command", "says"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_heard_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
