"""Which case a file says that it is: as long as it is what was written, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tasnet.cli import main
from tasnet.network.export import to_onnx, write_onnx
from tasnet.network.variant import TrainedForm
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.names import parse_case
from tasnet.suite.run.case_in_onnx import function_of_file, note_case

NAME = "split-normal-polyphase-all+activation=prelu+norm=gln+T=200+N=8+L=8+B=6+H=9+Sc=6+X=2+R=1"


@pytest.fixture
def model() -> onnx.ModelProto:
    case = parse_case(NAME)
    made = to_onnx(case.variant, case.size, seeded_weights(case.size), case.length)
    note_case(made, case, si_sdr_db=139.4, of="best.pth")
    return made


def test_a_file_says_its_case_its_function_and_how_far_it_is(model: onnx.ModelProto, tmp_path: Path) -> None:
    found = function_of_file(write_onnx(model, tmp_path / "m.onnx"))
    assert found.case == parse_case(NAME)
    assert found.text == "exact; SI-SDR 139.4 dB to best.pth as it was trained, on tasnet's own voices"


def test_the_function_is_that_of_the_network_it_was_exported_of(tmp_path: Path) -> None:
    case = parse_case(NAME.replace("norm=gln", "norm=cln+causal=pad"))
    made = to_onnx(case.variant, case.size, seeded_weights(case.size), case.length)
    note_case(made, case, TrainedForm("cln", causal=True))
    assert function_of_file(write_onnx(made, tmp_path / "m.onnx")).text == "exact"


def changed_weight(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.01), tensor.name))


def changed_node(model: onnx.ModelProto) -> None:
    node = next(each for each in model.graph.node if each.op_type == "PRelu")
    node.op_type = "Mul"


def changed_note(model: onnx.ModelProto) -> None:
    said = next(each for each in model.metadata_props if each.key == "tasnet.case")
    said.value = said.value.replace("norm=gln", "norm=cln")


@pytest.mark.parametrize("change", [changed_weight, changed_node, changed_note])
def test_a_file_that_was_changed_is_unknown(change: object, model: onnx.ModelProto, tmp_path: Path) -> None:
    change(model)  # type: ignore[operator]
    found = function_of_file(write_onnx(model, tmp_path / "m.onnx"))
    assert found.text == "unknown: the file was changed since tasnet wrote it"
    assert found.case is None


def test_a_file_of_another_hand_is_unknown_whatever_its_name(model: onnx.ModelProto, tmp_path: Path) -> None:
    del model.metadata_props[:]
    model.metadata_props.add(key="author", value="someone")
    found = function_of_file(write_onnx(model, tmp_path / f"{NAME}.onnx"))
    assert found.text.startswith("unknown: the file doesn't say which case it is")


def test_other_metadata_changes_nothing(model: onnx.ModelProto, tmp_path: Path) -> None:
    model.metadata_props.add(key="author", value="someone")
    assert function_of_file(write_onnx(model, tmp_path / "m.onnx")).case == parse_case(NAME)


def test_export_check_and_translate_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, har = tmp_path / "m.onnx", tmp_path / "m.har"
    assert main(["export", "split-normal-polyphase-k1+norm=cln+T=1600+N=32", "-o", str(file)]) == 0
    told = "another function: 1 of 24 blocks, ReLU for PReLU, norms by frame (cLN)"
    assert f"  function  {told} (these weights were drawn)\n" in capsys.readouterr().out
    main(["check", str(file)])
    assert f"  function  {told}\n" in capsys.readouterr().out
    assert main(["translate", str(file), "--name", "net", "-o", str(har)]) == 0
    assert f"  function  {told}\n" in capsys.readouterr().out
    main(["check", str(file), "--json"])
    said = json.loads(capsys.readouterr().out)["function"]
    assert said["word"] == "another function"
    assert ", ".join(said["departures"]) == told.partition(": ")[2]
    assert said["case"] == "split-normal-polyphase-k1+norm=cln+T=1600+N=32"
    main(["check", str(har)])
    assert "  function  unknown: a HAR doesn't say which case it is\n" in capsys.readouterr().out


def test_export_of_a_checkpoint_says_how_far_the_form_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The distance of a form whose norms are dropped can't be near; that of an exact one is float rounding."""
    found = {}
    for form in ("activation=prelu+norm=gln", "activation=prelu+norm=identity"):
        words = ["export", f"concat-normal-grouped-all+{form}+T=1600", "--checkpoint", "tasnet:small"]
        assert main([*words, "-o", str(tmp_path / "m.onnx")]) == 0
        line = capsys.readouterr().out.splitlines()[-1]
        assert "to tasnet:small as it was trained" in line
        found[line.split()[1].rstrip(";:")] = float(line.partition("SI-SDR ")[2].split()[0])
    assert found["exact"] > 100
    assert found["another"] < 10
