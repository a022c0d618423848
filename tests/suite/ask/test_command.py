"""`tasnet isolate`: what it leaves and prints, with the embedded toolchain and with the double of the compiler."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tasnet.cli import main
from tasnet.hailo.predict import predict_file
from tasnet.network import write_onnx
from tests.doubles.dfc_python import dfc_python
from tests.doubles.forked_compiler import forked_compiler
from tests.suite.ask.graphs import network

TINY = "+T=80+N=4+L=8+B=4+H=6+Sc=4+X=1+R=1"
CASE = "project-bypass-grouped-k1+B=8+H=8+Sc=8+X=1+R=1"
"""the whole of it: encoder, a projection and a grouped deconvolution, at their real sizes"""


def isolate(tmp_path: Path, *words: str) -> int:
    return main(["isolate", *words, "-o", str(tmp_path / "out"), "--store", str(tmp_path / "store")])


def summary(tmp_path: Path) -> dict[str, object]:
    return json.loads((tmp_path / "out" / "isolated.json").read_text())  # type: ignore[no-any-return]


def files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An ONNX file of two blocks with rows of 2,000 elements."""
    return write_onnx(network(), tmp_path / "mine.onnx")


def compiler(tmp_path: Path, **script: object) -> list[str]:
    """The options for a compiler on whose chip rows of 900 elements and fewer fit."""
    python = dfc_python(tmp_path / "sdk", {"graph": "read", "rows": 900, "calls": str(tmp_path / "calls"), **script})
    return ["--toolchain", "dfc", "--dfc-python", str(python)]


def test_a_case_leaves_a_folder_for_each_blocker_whose_command_repeats_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isolate(tmp_path, CASE) == 0
    told = capsys.readouterr().out
    families = ["agent_infeasible", "reshape_insertion", "unsupported_kernel"]
    out = tmp_path / "out"
    wanted = [f"{family}/{name}" for family in families for name in ("README.md", "graph.onnx", "repeat.py")]
    assert files(out) == sorted([*wanted, "isolated.json"])
    for family in families:
        blocked = predict_file(out / family / "graph.onnx", "hailo8").blockers
        assert family in {failure.family for failure in blocked}
        assert f"tasnet check {out}/{family}/graph.onnx --arch hailo8" in told
        assert main(["check", str(out / family / "graph.onnx"), "--arch", "hailo8"]) == 1
        assert "Predicted by an embedded toolchain, not observed" in (out / family / "README.md").read_text()
        # the case is the owner's matter, and stands in the summary alone
        assert all(CASE not in path.read_text(errors="replace") for path in (out / family).iterdir())
    assert "unsupported_kernel at compile: predicted by reference" in told
    assert "blocks=1 changes nothing: blocks=all gives the same graph" in told
    assert "the masker is dead" in told
    assert "layout=vertical  exact" in told
    found = summary(tmp_path)
    assert found["case"] == CASE
    assert found["toolchain"]["predicted"] is True  # type: ignore[index]
    assert len(found["vacuous"]) == 2  # type: ignore[arg-type]


def test_a_file_is_isolated_by_the_compiler_whose_own_calls_repeat_it_and_a_cut_search_goes_on(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(small), "--compiles", "4", *compiler(tmp_path)]
    with forked_compiler():
        assert isolate(tmp_path, *words) == 0
    told = capsys.readouterr().out
    assert "reshape_insertion at compile: predicted by dfc 3.33.0+double" in told, "a double observes nothing"
    assert "compiles  4 run" in told
    assert "left      its sizes; it was not asked a second time" in told
    found = summary(tmp_path)
    (blocker,) = found["blockers"]  # type: ignore[misc]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == len(set(calls))
    assert sum(line.startswith("translate") for line in calls) == 4
    folder = tmp_path / "out" / blocker["family"]
    assert "Not finished: its sizes" in (folder / "README.md").read_text()
    assert len(blocker["nodes"]) == 1
    assert blocker["network_layers"] <= 6
    # the program that goes to the vendor, where the compiler refuses the graph and where one does not
    refused, passed = repeated(tmp_path, folder, 900), repeated(tmp_path, folder, 10**6)
    assert refused.returncode != 0
    assert blocker["message"].split("errors")[0] in refused.stderr
    assert passed.returncode == 0
    assert "compiled: " in passed.stdout
    # the same command goes on: not one of those compiles is run again
    (tmp_path / "out").rename(tmp_path / "first")
    with forked_compiler():
        assert isolate(tmp_path, str(small), "--compiles", "2", *compiler(tmp_path)) == 0
    more = (tmp_path / "calls").read_text().splitlines()
    assert len(more) == len(set(more))
    assert summary(tmp_path)["compiles"] == 2
    assert summary(tmp_path)["kept"] >= 4  # type: ignore[operator]


def repeated(tmp_path: Path, folder: Path, rows: int) -> subprocess.CompletedProcess[str]:
    """repeat.py with a compiler that has room for rows of so many elements."""
    python = dfc_python(tmp_path / f"sdk{rows}", {"graph": "read", "rows": rows})
    return subprocess.run([str(python), str(folder / "repeat.py")], capture_output=True, text=True, check=False)


def test_a_compile_that_takes_longer_than_the_budget_is_cut_and_nothing_is_learned(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hangs = compiler(tmp_path, compile={"do": "hang"})
    assert isolate(tmp_path, str(small), "--hours", "0.0003", *hangs) == 2
    assert "--hours 0.0003: too small for one compile" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_dead_nodes_of_a_file_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="live"),
        helper.make_node("Sigmoid", ["a"], ["b"], name="masks"),
        helper.make_node("Concat", ["a", "a"], ["y"], name="both", axis=1),
    ]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 300, 1, 2000])]
    ends += [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 600, 1, 2000])]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("", 13)]
    )
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "m.onnx"))
    assert isolate(tmp_path, str(tmp_path / "m.onnx")) == 0
    assert "1 node changes nothing: no output depends on them, the first is masks" in capsys.readouterr().out
    assert summary(tmp_path)["changes"] is None


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["no-such-case"], "'no-such-case'"),
        (["missing.onnx"], "missing.onnx: no such file"),
        ([CASE, "--hours", "0"], "--hours 0: more than 0"),
        ([CASE, "--compiles", "0"], "--compiles"),
        (
            [CASE, "--family", "no_such"],
            "--family no_such: the graph doesn't show it; reference names unsupported_kernel",
        ),
        ([CASE, "--arch", "hailo9"], "--arch hailo9: unknown"),
        ([CASE, "--shape", "mix=1,1,1,800"], "--shape: a case has its sizes"),
        ([CASE, "--dfc-python", "python3"], "--dfc-python: only the compiler has it"),
        ([f"project-bypass-conv1x1_head-all{TINY}"], "has no blocker to isolate: compile passed"),
        ([f"concat-normal-grouped-all{TINY}+norm=cgln"], "has no blocker to isolate: translate unknown"),
    ],
    ids=lambda value: value[-1][:24] if isinstance(value, list) else "",
)
def test_bad_input_is_a_line_and_leaves_nothing(
    tmp_path: Path, words: list[str], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isolate(tmp_path, *words) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert wrong in told[-1]
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert isolate(tmp_path, CASE) == 2
    assert "there is something in it" in capsys.readouterr().err
    assert files(tmp_path / "out") == ["notes.txt"]
    assert not (tmp_path / "store").exists(), "it is said before any work is done"
