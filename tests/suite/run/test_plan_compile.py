"""A plan through the compiler's double: refused segments lead to the next best plan, trouble of the machine doesn't."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tasnet.cli import main
from tasnet.hailo.files import read_hef
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan.candidates import Bounds
from tasnet.plan.cuts import Plan, plan_json, read_plan
from tasnet.plan.function import function_of_variant
from tasnet.plan.hardware import read_profile
from tasnet.plan.make import make_plan, write_plan
from tasnet.suite.cases import Outcome, SegmentCase, Stage
from tasnet.suite.observed import segment_evidence
from tasnet.suite.run import Store
from tests.doubles.dfc_python import dfc_python
from tests.doubles.forked_compiler import forked_compiler
from tests.doubles.processes import until
from tests.plan.running import made_of

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=2, R=1, n_src=2)
TRAINED = function_of_variant(Variant(norm="identity", activation="relu"), SIZE, seeded_weights(SIZE, 5))
LENGTH = 1600
"""399 frames: one row of 16 x 399 = 6,384 elements"""
BROKEN = {"do": "raise", "type": "MemoryError", "text": ""}


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    path = tmp_path / "speech.npz"
    np.savez(path, speech=np.random.default_rng(1).uniform(-0.5, 0.5, (2, 2 * LENGTH)).astype(np.float32), rate=8000)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return planned(tmp_path / "plan")


def planned(folder: Path, **bounds: int) -> Path:
    plan = make_plan(TRAINED, LENGTH, "hailo8", Bounds(**bounds), "hefs", read_profile("raspberry-pi-5")).plan
    write_plan(plan, TRAINED, folder)
    return folder


def command(tmp_path: Path, plan: Path, speech: Path, **script: object) -> list[str]:
    """`tasnet plan compile` with a compiler that acts by the script; what it was called for is in `calls`."""
    acts = {"graph": "read", "calls": str(tmp_path / "calls"), **script}
    python = dfc_python(tmp_path / "sdk", acts)
    given = ["--calibration", str(speech), "--dfc-python", str(python), "--store", str(tmp_path / "store")]
    return ["plan", "compile", str(plan), "-o", str(tmp_path / "hefs"), *given]


def compiled(tmp_path: Path, plan: Path, speech: Path, **script: object) -> int:
    """The exit code of the command."""
    with forked_compiler():
        return main(command(tmp_path, plan, speech, **script))


def calls(tmp_path: Path) -> Counter[str]:
    """Stage -> how many graphs; none came twice to a stage."""
    lines = (tmp_path / "calls").read_text().splitlines()
    assert len(set(lines)) == len(lines)
    return Counter(line.split()[0] for line in lines)


def with_hefs(tmp_path: Path) -> Plan:
    """The plan that was compiled, each of its HEFs one of its own segment."""
    plan = read_plan(tmp_path / "hefs")
    for each in plan.on_chip:
        assert each.hef is not None
        hef = read_hef(tmp_path / "hefs" / each.hef.name)
        shapes = sorted((each.height, each.width, port.channels) for port in each.inputs)
        assert sorted(edge.shape for edge in hef.inputs) == shapes
        assert len(hef.outputs) == len(each.outputs)
        scopes = {edge.name.split("/")[0] for edge in (*hef.inputs, *hef.outputs)}
        own = f"{each.form}_stages_{each.start}_{each.stop}_phase_{each.phase}_rows_{each.height}x{each.width}"
        assert scopes == {own}
    return plan


def tried(tmp_path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (tmp_path / "hefs" / "evidence.jsonl").read_text().splitlines()]


def test_a_plan_that_compiles_is_a_folder_of_hefs_and_says_that_a_double_made_them(
    tmp_path: Path, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compiled(tmp_path, planned(tmp_path / "plan", max_blocks=1), speech) == 0
    told = capsys.readouterr().out
    assert "a test double: nothing was observed" in told
    assert "compiled by dfc 3.33.0+double" in told
    plan = with_hefs(tmp_path)
    assert len(plan.on_chip) == 2 == len(tried(tmp_path))
    assert plan.refused == ()
    assert calls(tmp_path) == {"translate": 2, "optimize": 2, "compile": 2}
    assert {each.name for each in (tmp_path / "hefs").iterdir()} >= {"plan.json", "host.npz", "s1.hef", "s1.onnx"}


def test_what_is_refused_leads_to_the_next_best_plan_without_it(
    tmp_path: Path, made: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def keep(store: Store, case: SegmentCase, outcomes: Mapping[Stage, Outcome]) -> bool:
        heard.append((case.cut.start, case.cut.stop, case.cut.width, list(outcomes.values())[-1].status.value))
        return True

    # A double's words are no evidence: whoever keeps it is asked in its place.
    monkeypatch.setattr(segment_evidence, "keep_compiled", keep)
    assert compiled(tmp_path, made, speech, rows=3000) == 0
    plan, told = with_hefs(tmp_path), tried(tmp_path)
    assert plan.refused
    assert all(each.widest_row <= 3000 for each in plan.on_chip)
    # fewest HEFs was asked for: one row too wide becomes windows, and stays one HEF
    assert len(plan.on_chip) == len(read_plan(made).on_chip)
    assert [each["status"] for each in told] == ["failed"] * len(plan.refused) + ["passed"] * len(plan.on_chip)
    assert {each["family"] for each in told if each["status"] == "failed"} == {"reshape_insertion"}
    for each in told:
        assert (tmp_path / "store" / str(each["log"])).is_file()
    assert heard == [(each["start"], each["stop"], each["width"], each["status"]) for each in told]


def test_trouble_of_the_machine_refuses_nothing_and_the_same_command_goes_on(
    tmp_path: Path, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(tmp_path / "plan", max_blocks=1)
    assert compiled(tmp_path, plan, speech, compile=BROKEN) == 2
    error = capsys.readouterr().err
    assert "nothing was learned" in error
    assert not (tmp_path / "hefs").exists()
    assert not list(tmp_path.glob(".hefs*"))
    assert calls(tmp_path) == {"translate": 1, "optimize": 1}
    assert compiled(tmp_path, plan, speech) == 0
    # what the first had come to was kept
    assert calls(tmp_path) == {"translate": 2, "optimize": 2, "compile": 2}
    assert len(with_hefs(tmp_path).on_chip) == 2


def test_where_everything_is_refused_one_line_says_what_the_nearest_was(
    tmp_path: Path, made: Path, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "UnsupportedOperationError in op Conv_1: Conv operation is unsupported"
    act = {"do": "raise", "type": "ParsingWithRecommendationException", "text": text}
    assert compiled(tmp_path, made, speech, translate_onnx_model=act) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "no plan compiles: " in last
    assert "unsupported_op at translate" in last
    assert "the nearest plan had 0 of its" in last
    assert not (tmp_path / "hefs").exists()


def test_what_cant_be_compiled_is_one_line_before_any_work(
    tmp_path: Path, made: Path, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(told: str) -> None:
        assert compiled(tmp_path, made, speech) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
        assert not (tmp_path / "calls").exists()

    (tmp_path / "hefs").mkdir()
    (tmp_path / "hefs" / "mine").touch()
    refused("there is something in it")
    (tmp_path / "hefs" / "mine").unlink()
    onnx = made / "s1.onnx"
    whole = onnx.read_bytes()
    onnx.write_bytes(whole[:-1])
    refused("not the file that the plan was made with")
    onnx.write_bytes(whole)
    other = function_of_variant(Variant(norm="identity", activation="relu"), SIZE, seeded_weights(SIZE, 6))
    (made / "plan.json").write_bytes(plan_json(read_plan(made).model_copy(update={"weights": other.digest})))
    refused("another checkpoint's weights")


def test_a_killed_compile_goes_on_where_it_was(tmp_path: Path, speech: Path) -> None:
    plan = planned(tmp_path / "plan", max_blocks=1)
    mark, hang = {"do": "once", "marker": str(tmp_path / "mark"), "then": {"do": "hang"}}, {"do": "hang"}
    words = command(tmp_path, plan, speech, optimize=[mark, hang])
    run = multiprocessing.get_context("fork").Process(target=main, args=(words,))
    run.start()
    assert until((tmp_path / "mark").exists)
    run.kill()
    run.join()
    assert calls(tmp_path) == {"translate": 1}
    assert not (tmp_path / "hefs").exists()
    assert compiled(tmp_path, plan, speech) == 0
    assert calls(tmp_path) == {"translate": 2, "optimize": 2, "compile": 2}
    assert len(with_hefs(tmp_path).on_chip) == 2
    assert not list(tmp_path.glob(".hefs*"))


def test_segments_of_several_inputs_are_calibrated_each_by_its_name(tmp_path: Path, speech: Path) -> None:
    # The double of the compiler runs what it optimizes, in simulated 8 bits, and refuses an array of another shape.
    trained = function_of_variant(Variant(norm="gln", activation="prelu"), SIZE, seeded_weights(SIZE, 5))
    plan = make_plan(trained, LENGTH, "hailo8", Bounds(), "hefs", read_profile("raspberry-pi-5")).plan
    write_plan(plan, trained, tmp_path / "plan")
    assert all(len(each.inputs) == 2 for each in plan.on_chip)
    assert compiled(tmp_path, tmp_path / "plan", speech, graph="run") == 0
    assert len(with_hefs(tmp_path).on_chip) == len(plan.on_chip)


def test_a_plan_for_streams_compiles_too_calibrated_by_blocks_of_speech(tmp_path: Path) -> None:
    speech = tmp_path / "speech.npz"
    np.savez(speech, speech=np.random.default_rng(1).uniform(-0.5, 0.5, (1, 40000)).astype(np.float32), rate=8000)
    variant = Variant(norm="cln", activation="prelu", causal="pad")
    trained = function_of_variant(variant, SIZE, seeded_weights(SIZE, 5))
    write_plan(made_of(trained, 25).plan, trained, tmp_path / "plan")
    assert compiled(tmp_path, tmp_path / "plan", speech, graph="run") == 0
    assert with_hefs(tmp_path).on_chip


def test_prelu_with_one_slope_compiles_as_the_leaky_relu_that_it_is(tmp_path: Path, speech: Path) -> None:
    trained = function_of_variant(Variant(norm="identity", activation="prelu"), SIZE, seeded_weights(SIZE, 5))
    plan = make_plan(trained, LENGTH, "hailo8", Bounds(), "hefs", read_profile("raspberry-pi-5")).plan
    write_plan(plan, trained, tmp_path / "plan")
    assert compiled(tmp_path, tmp_path / "plan", speech) == 0
    assert [each.name for each in with_hefs(tmp_path).on_chip] == [each.name for each in plan.on_chip]
