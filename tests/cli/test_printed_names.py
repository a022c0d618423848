"""Names that come from a file are data: no command prints a line break, an escape code or a megabyte of them."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasnet.cli import main
from tasnet.hailo.files.hn import dumps
from tasnet.hailo.translate import translate
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.notes.summary_tsv import write_summary
from tasnet.suite.report.failing import failing_lines
from tasnet.suite.report.terminal import summary_text, summary_title
from tests.doubles import hef_writer
from tests.doubles.outcomes import DFC, SUPER_DECONV, outcomes
from tests.doubles.stored_runs import store_profile

FORGED = "\n\x1b[2Kclear on hailo8"
LONG = "n" * (1 << 20)
NAMES = pytest.mark.parametrize("name", [FORGED, LONG, "\u202e8oliah no raelc\r\u2028clear on hailo8"])


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """All that was printed since; fails where it holds more than bounded lines of printable text."""
    told = capsys.readouterr()
    text = told.out + told.err
    assert text.strip(), "nothing was printed"
    assert not any(line.startswith("clear on hailo8") for line in text.splitlines())
    acting = {each for each in text if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}
    assert not acting
    assert max(map(len, text.splitlines())) < 5_000
    assert len(text) < 50_000
    return text


def network(name: str, op: str = "PRelu", **names: str) -> onnx.ModelProto:
    """A convolution and an op on it; `name` is every node's."""
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], name=f"{name}1"),
            helper.make_node(op, ["a", "s"], ["y"], name=f"{name}2"),
        ],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 1, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6, 1, 32])],
        [
            numpy_helper.from_array(np.ones((6, 4, 1, 1), np.float32), "w"),
            numpy_helper.from_array(np.full((6, 1, 1), 0.25, np.float32), "s"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@NAMES
@pytest.mark.parametrize("op", ["PRelu", "Mod", "made up"])
def test_the_names_of_an_onnx_file(tmp_path: Path, name: str, op: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = network(name, name if op == "made up" else op)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())

    for command in (["check"], ["inspect"], ["translate", "--name", "net", "-o", str(tmp_path / "m.har")]):
        main([command[0], str(tmp_path / "m.onnx"), *command[1:]])
        printed(capsys)


@NAMES
def test_the_names_of_values_and_weights(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for change in ("input", "weight", "file"):
        made = network("n")
        if change == "input":
            made.graph.input[0].name = name
            made.graph.node[0].input[0] = name
            made.graph.input[0].type.tensor_type.shape.dim[3].dim_param = name
        else:
            made.graph.initializer[0].name = name
            made.graph.node[0].input[1] = name
            made.graph.initializer[0].raw_data = b"cut"
        if change == "file":
            tensor = made.graph.initializer[0]
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=name)
        (tmp_path / "m.onnx").write_bytes(made.SerializeToString())

        assert main(["check", str(tmp_path / "m.onnx")]) == 2
        assert len(printed(capsys).splitlines()) == 1


@NAMES
def test_the_names_of_an_hn(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = dumps(translate(network("n"), "net"))
    for old in ("conv1", "net", "linear"):
        (tmp_path / "n.hn").write_text(text.replace(old, json.dumps(name.replace("/", ""))[1:-1]))
        for command in ("check", "inspect"):
            main([command, str(tmp_path / "n.hn")])
            printed(capsys)


@NAMES
def test_the_file_s_own_name(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("check", "inspect", "classify"):
        assert main([command, str(tmp_path / name[:200])]) == 2
        assert len(printed(capsys).splitlines()) == 1


@NAMES
def test_the_words_of_a_log(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = name.replace("\n", "")
    log = f"[error] Mapping Failed\nhailo_sdk_client.BackendAllocatorException: Agent infeasible: {said} in {said}\n"
    (tmp_path / "build.log").write_text(log)

    main(["classify", str(tmp_path / "build.log")])
    printed(capsys)


@NAMES
def test_the_cells_of_a_table_of_old_runs(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cell = name.replace("\n", "").replace("\r", "")
    header = "run_tag\thef_success\tfailure_stage\texception_type\texception_head"
    (tmp_path / "summary.tsv").write_text(f"{header}\n{cell}\tFalse\tcompile\t{cell}\t{cell}\n")

    main(["import-runs", str(tmp_path / "summary.tsv"), "--store", str(tmp_path / "store")])
    printed(capsys)


@NAMES
def test_the_names_in_stored_runs(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocker = SUPER_DECONV.model_copy(update={"layers": (name,), "message": f"Super deconv {name}"})
    by = DFC.model_copy(update={"version": name})
    run = store_profile(tmp_path, lambda each: outcomes(blocker, by=by), cases=profile_cases("notes")[:2])
    (tmp_path / "ledger.yaml").write_text("schema: 1\nbudget: 0\nentries: []\n")

    ledger = ["--ledger", str(tmp_path / "ledger.yaml"), "--store", str(tmp_path)]
    for command in (
        ["runs", "--store", str(tmp_path)],
        ["ledger", "check", *ledger],
        ["ledger", "explain", run.records[0].case_id, *ledger],
    ):
        main(command)
        printed(capsys)
    # What pytest prints of a case, and at its end; and the table.
    print("\n".join(failing_lines(run.records[0], ())))
    print(summary_title(run.records))
    print(summary_text(run.records, 100, False, False, []))
    write_summary(run.records[:1], tmp_path / "summary.tsv")
    told = printed(capsys)
    table = (tmp_path / "summary.tsv").read_text()
    assert len(table.splitlines()) == 2
    assert "\x1b" not in table + told
    assert len(table) < 200_000


@NAMES
def test_the_names_in_a_hef(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.hef").write_bytes(hef_writer.sealed(1, name.encode("utf-8")[:60_000], b"", b""))

    main(["inspect", str(tmp_path / "m.hef")])
    printed(capsys)
