"""A plan's folder: read as it was written, refused where anything in it isn't the plan's, run as PyTorch runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasnet.hailo.files import har
from tasnet.hailo.predict import predict_network
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan.candidates import Bounds
from tasnet.plan.cuts import Plan, read_plan
from tasnet.plan.executors import EXECUTORS, read_host_weights
from tasnet.plan.function import PlanError, function_of_variant
from tasnet.plan.make import make_plan, write_plan
from tasnet.plan.run import separate
from tests.plan.running import HARDWARE, apart, noise, uncut

SMALL = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=4, R=2, n_src=2)
BOUNDS = Bounds(rows=16 * 70, max_blocks=3)
FLOAT = 5e-6
"""of the peak"""


def made(folder: Path, norm: str = "cln", bounds: Bounds = BOUNDS) -> Plan:
    trained = function_of_variant(Variant(norm=norm, activation="prelu"), SMALL, seeded_weights(SMALL, 3))
    plan = make_plan(trained, 1200, "hailo8", bounds, "time", HARDWARE).plan
    return write_plan(plan, trained, folder)


@pytest.fixture(scope="module")
def plan_json(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What stands in a written plan's plan.json."""
    folder = tmp_path_factory.mktemp("written") / "plan"
    made(folder)
    return (folder / "plan.json").read_text()


@pytest.mark.parametrize("norm", ["affine", "cln", "gln", "cgln"])
def test_the_written_graphs_compute_what_pytorch_computes(tmp_path: Path, norm: str) -> None:
    plan = made(tmp_path / "plan", norm)
    for length in (1200, 1777, 40):
        mix = noise(length, length)
        expected = uncut(Variant(norm=norm, activation="prelu"), SMALL, seeded_weights(SMALL, 3), mix)
        for executor, execute in EXECUTORS.items():
            given = read_host_weights(plan, tmp_path / "plan"), execute(tmp_path / "plan"), mix.astype(np.float32)
            got = separate(plan, *given)
            assert got.dtype == np.float32, executor
            assert apart(got, expected) < FLOAT, f"{executor} on {length} samples"


def test_what_is_written_is_read_back_and_each_verdict_is_its_files(tmp_path: Path) -> None:
    plan = made(tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == read_plan(tmp_path / "plan" / "plan.json") == plan
    for each in plan.on_chip:
        assert (
            predict_network(har.read(tmp_path / "plan" / each.har.name), "hailo8").kind.value == each.verdict == "clear"
        )
    names = {path.name for path in (tmp_path / "plan").iterdir()}
    files = {f"{each.name}.{kind}" for each in plan.on_chip for kind in ("onnx", "har")}
    assert names == {"plan.json", "host.npz", *files}


def test_the_same_plan_is_the_same_bytes(tmp_path: Path) -> None:
    made(tmp_path / "one")
    made(tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_changed_file_is_refused_before_it_is_run(tmp_path: Path) -> None:
    plan = made(tmp_path / "plan")
    folder, first = tmp_path / "plan", plan.on_chip[0]
    for name, kind in ((first.onnx.name, "onnx"), (first.har.name, "har")):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        with pytest.raises(PlanError, match=f"{name}: not the file that the plan was made with"):
            separate(plan, read_host_weights(plan, folder), EXECUTORS[kind](folder), noise(1200).astype(np.float32))
    (folder / "host.npz").unlink()
    with pytest.raises(PlanError, match=r"host\.npz: No such file"):
        read_host_weights(plan, folder)


def test_weights_of_another_checkpoint_are_refused(tmp_path: Path) -> None:
    variant = Variant(norm="cln")
    trained = function_of_variant(variant, SMALL, seeded_weights(SMALL, 3))
    plan = make_plan(trained, 1200, "hailo8", BOUNDS, "time", HARDWARE).plan
    with pytest.raises(PlanError, match="not the plan's"):
        write_plan(plan, function_of_variant(variant, SMALL, seeded_weights(SMALL, 4)), tmp_path / "plan")
    assert not (tmp_path / "plan").exists()


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "mine.txt").write_text("mine")
    with pytest.raises(PlanError, match="there is something in it"):
        made(tmp_path / "plan")
    assert [path.name for path in (tmp_path / "plan").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda plan: plan | {"schema_": 7}, "schema 7, 3 is known"),
        (lambda plan: plan | {"colour": "red"}, "colour"),
        (lambda plan: {key: value for key, value in plan.items() if key != "segments"}, "segments"),
        (lambda plan: plan | {"function": plan["function"] | {"size": plan["function"]["size"] | {"N": 0}}}, "N=0"),
        (lambda plan: plan | {"function": plan["function"] | {"colour": 1}}, "function.colour"),
        (lambda plan: plan | {"length": "many"}, "length"),
        (lambda plan: [plan], "valid dictionary"),
    ],
)
def test_a_plan_json_that_no_one_wrote_is_one_line(tmp_path: Path, plan_json: str, change: object, told: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(change(json.loads(plan_json))))  # type: ignore[operator]
    with pytest.raises(PlanError, match=told) as error:
        read_plan(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["segments"].pop(0),
        lambda plan: plan["segments"].reverse(),
        lambda plan: plan["segments"][0].update(halo=[0, 0]),
        lambda plan: plan["segments"][0].update(width=plan["segments"][0]["width"] - 1),
        lambda plan: plan["segments"][0].update(place="host"),
        lambda plan: plan["function"].update(activation="relu"),
        lambda plan: plan["function"].update(blocks=1),
        lambda plan: plan.update(weights="0" * 64),
        lambda plan: plan.update(padding=-4),
        lambda plan: plan["host_weights"].update(name="../host.npz"),
        lambda plan: plan.pop("seal"),
    ],
)
def test_a_plan_json_that_was_changed_by_hand_is_refused_and_not_run_as_another_function(
    tmp_path: Path, plan_json: str, change: Callable[[dict[str, Any]], object]
) -> None:
    path = tmp_path / "plan.json"
    path.write_text(plan_json)
    read_plan(path)
    given = json.loads(plan_json)
    change(given)
    path.write_text(json.dumps(given, indent=1))
    with pytest.raises(PlanError, match=r"plan\.json: changed since it was written"):
        read_plan(path)


def test_text_that_is_no_json_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("[" * 100_000)
    with pytest.raises(PlanError, match="not JSON"):
        read_plan(tmp_path)
