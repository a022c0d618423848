"""Runs that are kept: read back as they were, not once the code is another, and enough to propose limits from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.cli.parity_figures import measure_cases
from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.kept_figures import keep_figures, read_case_figures, read_figures, weights_label
from tasnet.suite.numerics.speech import synthetic
from tasnet.suite.numerics.stages import PARITY_STAGES
from tasnet.suite.numerics.thresholds import StageFigure, read_thresholds
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.recipe import Recipe
from tasnet.suite.run.store import DamageWarning, Store, open_store

ONE = StageFigure("torch", "gln prelu", 400, 124.25, 3.5e-7, "a+T=400")
CASE = Case(Variant("split", decoder="polyphase"), Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1), 400)

NO_LIMITS = """\
schema: 1
margin_db: {torch: 6, onnx: 6, har: 6, har8: 2}
thresholds:
  - stage: sdk_native
    form: any
    T: any
    snr_db: 80.0
    of_peak: 1.0e-3
    measured:
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def test_what_is_kept_is_read_back_and_replaces_what_was_there(store: Store) -> None:
    exact = replace(ONE, stage="onnx", snr_db=math.inf, of_peak=0.0)
    keep_figures(store, [ONE, exact, replace(ONE, weights="seed 1")])
    assert set(read_figures(store)) == {ONE, exact, replace(ONE, weights="seed 1")}
    better = replace(ONE, snr_db=130.0)
    keep_figures(store, [better])
    assert set(read_figures(store)) == {better, exact, replace(ONE, weights="seed 1")}
    broken = replace(ONE, snr_db=math.nan)
    keep_figures(store, [broken])
    assert any(math.isnan(each.snr_db) for each in read_figures(store))
    assert not list((store.root / "tmp").iterdir())


def test_what_older_code_measured_and_what_cannot_be_read_is_not_there(store: Store) -> None:
    keep_figures(store, [ONE, replace(ONE, stage="har"), replace(ONE, stage="har8")])
    first, second, third = sorted((store.root / "measures").iterdir())
    told = json.loads(first.read_text())["kept"]
    store.seal(first, first.stem, json.dumps(told | {"code": "older"}).encode())
    second.write_text(json.dumps(told))
    left = json.loads(third.read_text())["kept"]["measured"]
    assert list(read_figures(store)) == [StageFigure(**_floats(left))], "an older version's figure has no seal"
    third.write_text(third.read_text()[:20])
    with pytest.warns(DamageWarning, match=third.name):
        assert list(read_figures(store)) == []
    assert list(read_figures(Store(store.root / "nowhere"))) == []


def _floats(data: dict[str, object]) -> dict[str, object]:
    return data | {key: float(str(data[key])) for key in ("snr_db", "of_peak")}


def test_a_case_is_known_once_all_of_its_stages_are(store: Store) -> None:
    keep_figures(store, [ONE, replace(ONE, case="b")])
    assert read_case_figures(store, ONE.case, ONE.weights, ["torch", "har"]) == ()
    keep_figures(store, [replace(ONE, stage="har")])
    assert {each.stage for each in read_case_figures(store, ONE.case, ONE.weights, ["torch", "har"])} == {
        "torch",
        "har",
    }
    assert read_case_figures(store, ONE.case, "seed 1", ["torch"]) == ()


def test_weights_are_told_apart(tmp_path: Path) -> None:
    assert weights_label(Recipe(seed=3)) == "seed 3"
    (tmp_path / "a.pth").write_bytes(b"1")
    first = weights_label(Recipe(checkpoint=tmp_path / "a.pth"))
    assert first.startswith("a.pth ")
    (tmp_path / "a.pth").write_bytes(b"2")
    second = weights_label(Recipe(checkpoint=tmp_path / "a.pth"))
    assert second != first
    assert weights_label(Recipe(checkpoint=tmp_path / "a.pth", mask_activation="sigmoid")) == f"{second} sigmoid"
    assert weights_label(Recipe(checkpoint=tmp_path / "a.pth", blocks_per_repeat=4)) == f"{second} X4"


def test_a_killed_measurement_goes_on_where_it_was(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = Pipeline(store, Reference())
    others = [CASE, replace(CASE, variant=Variant(mask="bypass"))]
    next(measure_cases(others, pipeline))
    assert capsys.readouterr().out.startswith("1/2 ")
    found = list(measure_cases(others, pipeline))
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("(kept)")
    assert "(kept)" not in second
    assert {(each.case, each.stage) for each in found} == {
        (each.id, stage) for each in others for stage in PARITY_STAGES
    }


def test_limits_are_proposed_from_what_is_kept_and_nothing_is_measured(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text(NO_LIMITS)
    where = ["--file", str(limits), "--store", str(store.root)]
    assert main(["thresholds", "propose", *where]) == 2
    assert "no runs of this code are kept; run pytest -m numerics" in capsys.readouterr().err
    keep_figures(store, [replace(ONE, case=f"c{i}", weights=f"seed {i % 2}") for i in range(9)])
    assert main(["thresholds", "propose", "--write", *where]) == 0
    assert "9 figures of 9 cases kept" in capsys.readouterr().out
    (limit,) = [each for each in read_thresholds(limits).limits if each.stage == "torch"]
    assert (limit.snr_db, limit.cases) == (118.0, 9)
    assert "how: seed 0, seed 1; one mixture, " in limits.read_text().replace("'", "")
    assert main(["thresholds", "check", *where]) == 0
    # a worse run of one of them breaks it, and doesn't loosen it
    keep_figures(store, [replace(ONE, case="c3", weights="seed 1", snr_db=90.0)])
    assert main(["thresholds", "check", *where]) == 1
    assert "c3, seed 1: torch: SNR 90.0 dB" in capsys.readouterr().out
    before = limits.read_text()
    assert main(["thresholds", "propose", "--write", *where]) == 1
    assert "refused: torch, gln prelu, T=400: c3, seed 1" in capsys.readouterr().out
    assert limits.read_text() == before
    assert main(["thresholds", "propose", "--write", "--allow-looser", "another BLAS", *where]) == 0
    assert "reason: another BLAS" in limits.read_text()


def test_a_case_that_is_named_is_measured_and_kept(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text(NO_LIMITS)
    case = "split-bypass-polyphase-all+T=400+N=12+L=8+B=6+H=10+Sc=6+X=2+R=1"
    where = ["--file", str(limits), "--store", str(store.root)]
    assert main(["thresholds", "propose", "--case", case, "--seed", "1", "--seed", "2", "--write", *where]) == 0
    told = capsys.readouterr().out
    assert "seed 1: torch" in told
    assert "8 figures of 2 cases kept" in told
    assert {each.stage for each in read_thresholds(limits).limits} == {*PARITY_STAGES, "sdk_native"}
    assert main(["thresholds", "check", "--case", case, "--seed", "1", *where]) == 0
    assert "(kept)" in capsys.readouterr().out
    assert main(["thresholds", "check", "--seed", "1", *where]) == 2
    assert "--seed needs cases to draw weights for; add --case or --profile" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_the_voices_to_mix_follow_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--mix a.wav b.wav` and `--mix a.wav --mix b.wav` are one; the folder is named after the case."""
    for name, seed in {"a.wav": 1, "b.wav": 2}.items():
        soundfile.write(str(tmp_path / name), synthetic(seed, 3.0).samples, 8000)
    monkeypatch.chdir(tmp_path)
    case = "split-bypass-polyphase-k1+T=8000"
    assert main(["listen", case, "--mix", "a.wav", "b.wav", "--store", "s"]) == 0
    folder = capsys.readouterr().out.splitlines()[0].partition("/index.html: ")[0]
    assert folder.startswith("heard-split-bypass-polyphase-k1+")
    assert {"recording1.wav", "recording2.wav"} <= {path.name for path in (tmp_path / folder).iterdir()}
    assert main(["listen", case, "--mix", "a.wav", "--mix", "b.wav", "-o", "x", "--store", "s"]) == 0
    once, again = (soundfile.read(str(tmp_path / name / "recording2.wav"))[0] for name in (folder, "x"))
    assert np.array_equal(once, again)
