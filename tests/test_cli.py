"""The command line: what each command prints and leaves, and what bad input gets: one line, exit code 2, no file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tasnet.cli import main
from tasnet.hailo.har import write
from tasnet.hailo.hn import Layer, Network
from tasnet.suite.case import profile

COMMANDS = ("matrix", "export", "translate", "check", "inspect")


def model(path: Path, op: str = "Relu", width: int = 100, channels: int = 8) -> Path:
    """An ONNX file of one node on [1, channels, 1, width]."""
    shape = [1, channels, 1, width]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"], name="node")], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), str(path))
    return path


def har(path: Path, width: int, kind: str = "activation") -> Path:
    """A HAR of one layer on rows of 512 x width."""
    shape = (-1, 1, width, 512)
    names = ("input_layer1", "node1", "output_layer1")
    kinds = ("input_layer", kind, "output_layer")
    layers = tuple(
        Layer(
            name,
            each,
            names[index - 1 : index] if index else (),
            names[index + 1 : index + 2],
            (shape,),
            (shape,),
        )
        for index, (name, each) in enumerate(zip(names, kinds, strict=True))
    )
    write(Network("net", layers, ("node1",)), path)
    return path


def test_matrix_lists_ids_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [case.id for case in profile("matrix")]
    assert main(["matrix", "--list", "--profile", "notes", "--arch", "hailo8l"]) == 0
    assert capsys.readouterr().out.splitlines() == [case.id for case in profile("notes", "hailo8l")]


def test_every_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        assert f"Example: tasnet {command}" in capsys.readouterr().out


def test_export_then_translate_then_check_then_inspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case, onnx_file, har_file = (
        "mask=bypass,decoder=conv1x1_head+N=16+B=8+H=8+Sc=8+T=400",
        tmp_path / "m.onnx",
        tmp_path / "m.har",
    )
    assert main(["export", case, "-o", str(onnx_file)]) == 0
    assert main(["translate", str(onnx_file), "--name", "net", "-o", str(har_file)]) == 0
    assert "predicted" in capsys.readouterr().out
    told = []
    for file in (onnx_file, har_file):
        assert main(["check", str(file), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
        assert main(["inspect", str(file), "--json"]) == 0
        told[-1].pop("arch")
        layers = json.loads(capsys.readouterr().out)
        assert layers["totals"]["layers"] == len(layers["layers"]) > 3
    assert told[0] == told[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.har", "m.onnx"]


def test_equal_exports_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        assert main(["export", "baseline+N=16+B=8+H=8+Sc=8+T=400+X=1+R=1", "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


@pytest.mark.parametrize(
    ("width", "verdict", "code"), [(100, "clear", 0), (1999, "blocked", 1), (877, "unknown", 1)], ids=str
)
def test_check_json(width: int, verdict: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = har(tmp_path / "m.har", width)
    assert main(["check", str(file), "--arch", "hailo8", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    keys = ["verdict", "certainty", "predicted", "toolchain", "arch", "blockers"]
    assert list(told) == keys + ["doubts"] * (verdict == "unknown")
    assert told["verdict"] == verdict
    assert told["predicted"] is True
    assert told["certainty"] in ("observed", "extrapolated")
    assert set(told["toolchain"]) == {"name", "version"}
    assert bool(told["blockers"]) is (verdict == "blocked")
    for failure in told["blockers"] + told.get("doubts", []):
        assert set(failure) == {"family", "layers", "message", "figures", "evidence", "certainty"}


def test_check_says_predicted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(har(tmp_path / "m.har", 1999)), "--arch", "hailo8r"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("blocked on hailo8r: predicted by the embedded toolchain, not observed\n")
    assert "predicted blocker: reshape_insertion at compile" in text


def test_check_of_a_node_without_a_form_is_blocked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(model(tmp_path / "m.onnx", "Sinh"))
    assert main(["check", file, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["blockers"][0]["family"]) == ("blocked", "unsupported_op")
    assert main(["translate", file, "--name", "net", "-o", str(tmp_path / "m.har")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "m.har").exists()


def test_inspect_lists_layers_and_totals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(model(tmp_path / "m.onnx"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("net: 3 layers, 0 weights")
    heads = ["name", "type", "input_shapes", "output_shape", "weights", "macs", "ops", "row_in", "row_out"]
    assert lines[1].split() == heads
    assert lines[2].split()[:4] == ["input_layer1", "input_layer", "1x100x8", "1x100x8"]


BAD = {
    "no command": [],
    "unknown command": ["chekc"],
    "unknown option": ["check", "--fast"],
    "no file": ["check", "none.onnx"],
    "a directory": ["check", "."],
    "garbage": ["check", "garbage"],
    "garbage.har": ["check", "garbage.har"],
    "garbage inspected": ["inspect", "garbage"],
    "empty": ["check", "empty.onnx"],
    "unknown arch": ["check", "good.onnx", "--arch", "hailo9"],
    "garbage translated": ["translate", "garbage", "--name", "net", "-o", "out"],
    "no name": ["translate", "good.onnx", "-o", "out"],
    "a bad name": ["translate", "good.onnx", "--name", "a/b", "-o", "out"],
    "nowhere to write": ["translate", "good.onnx", "--name", "net", "-o", "none/out"],
    "onto a directory": ["translate", "good.onnx", "--name", "net", "-o", "."],
    "unknown case": ["export", "concat-normal-gruoped-all", "-o", "out"],
    "unknown axis": ["export", "colour=red", "-o", "out"],
    "bad opset": ["export", "baseline", "-o", "out", "--opset", "3"],
    "opset a word": ["export", "baseline", "-o", "out", "--opset", "new"],
    "negative seed": ["export", "baseline", "-o", "out", "--seed", "-1"],
    "no checkpoint": ["export", "baseline", "-o", "out", "--checkpoint", "none.pt"],
    "garbage checkpoint": ["export", "baseline", "-o", "out", "--checkpoint", "garbage"],
    "unknown profile": ["matrix", "--list", "--profile", "all"],
    "unknown arch of a profile": ["matrix", "--list", "--arch", "hailo9"],
    "workers a word": ["matrix", "--profile", "notes", "-n", "many"],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("garbage", "garbage.har"):
        Path(name).write_bytes(b"\x08\xff garbage")
    Path("empty.onnx").touch()
    model(Path("good.onnx"))
    before = sorted(Path().iterdir())
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tasnet: ")
    assert err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_an_existing_file_survives_a_failed_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("old")
    (tmp_path / "garbage").write_bytes(b"garbage")
    assert main(["translate", str(tmp_path / "garbage"), "--name", "net", "-o", str(out)]) == 2
    assert out.read_text() == "old"


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    ran = subprocess.run(
        f"{sys.executable} -m tasnet.cli matrix --list | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "concat-normal-grouped-all\n"
    assert ran.stderr == ""


def test_check_and_help_need_no_torch(tmp_path: Path) -> None:
    file = model(tmp_path / "m.onnx")
    for arguments in (["--help"], ["check", str(file)], ["inspect", str(file)], ["matrix", "--list"]):
        code = f"import sys; from tasnet.cli import main; main({arguments!r}); sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
