"""The command line: what each command prints and leaves, and what bad input gets: one line, exit code 2, no file."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from tasnet.cli import main
from tasnet.suite.cases.function import case_function
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.cases.verdict import Verdict
from tasnet.suite.observed.sweeping import SweepResult, SweptGraph
from tests.cli.small_files import har, model
from tests.doubles import hef_writer


def test_matrix_lists_ids_and_behind_a_tab_the_function_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{case.id}\t{case_function(case).text}" for case in profile_cases("matrix")
    ]
    assert main(["matrix", "--list", "--profile", "notes", "--arch", "hailo8l"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == [case.id for case in profile_cases("notes", "hailo8l")]
    assert lines[0].endswith("\tanother function: ReLU for PReLU, no norms")
    assert main(["matrix", "--list", "--case", "baseline", "--case", "project-normal-grouped-k?"]) == 0
    lines = capsys.readouterr().out.splitlines()
    known = [f"project-normal-grouped-k{count}" for count in (1, 2, 4, 8)]
    assert [line.partition("\t")[0] for line in lines] == ["concat-normal-grouped-all", *known]


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
    # A HAR doesn't say which case it is.
    assert [each.pop("function")["word"] for each in told] == ["another function", "unknown"]
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
    assert list(told) == [*keys, "doubts", "assumptions", "function", "bracket"]
    assert told["function"]["word"] == "unknown"
    assert bool(told["doubts"]) is (verdict == "unknown")
    assert told["verdict"] == verdict
    assert told["predicted"] is True
    assert told["certainty"] in ("observed", "extrapolated")
    assert set(told["toolchain"]) == {"name", "version"}
    assert bool(told["blockers"]) is (verdict == "blocked")
    for failure in told["blockers"] + told["doubts"]:
        assert set(failure) == {"family", "layers", "message", "figures", "evidence", "certainty"}


def test_check_says_predicted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(har(tmp_path / "m.har", 1999)), "--arch", "hailo8r"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("blocked on hailo8r: predicted by the embedded toolchain, not observed\n")
    assert "predicted blocker: reshape_insertion at compile" in text


def test_check_of_a_node_without_a_rule_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(model(tmp_path / "m.onnx", "Sinh"))
    assert main(["check", file, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["blockers"]) == ("unknown", [])
    assert "Sinh" in told["doubts"][0]["message"]
    assert main(["check", file]) == 1
    text = capsys.readouterr().out
    assert text.startswith("unknown on hailo8: predicted")
    assert "predicted doubt: unsupported_op at translate" in text
    # nothing was judged, so that nothing is extrapolated from what compiled
    assert "rests on  nothing: " in text
    assert "or ask the compiler's own parser, which may take it\n" in text
    assert "a reading of what was observed" not in text
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


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_inspect_tells_a_hef_by_its_content(version: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "compiled"
    file.write_bytes(hef_writer.sealed(version, hef_writer.small()))
    assert main(["inspect", str(file)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"HEF version {version}, ")
    assert "for hailo8p by SDK 3.33.0, 2026-02-17 00:00 UTC" in text
    assert "net: 2 contexts, estimated 12.5 frames/s" in text
    assert "input   net/input_layer1  1x16000x1 (HxWxC), NHWC uint8, scale 0.0078125, zero point 128" in text
    assert "output  net/deconv1  1x16000x2 (HxWxC), NHWC uint16, scale 0.1, zero point 3" in text
    assert main(["inspect", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["version"], told["sdk_version"]) == ("hef", version, "3.33.0")
    assert [edge["shape"] for edge in told["groups"][0]["outputs"]] == [[1, 16000, 2], [1, 1999, 2]]


LOG = """\
\x1b[32m[info]\x1b[0m Starting Compilation...
[error] net/dw66_sd0 errors:
\tAgent infeasible
[error] Mapping Failed (Timeout, allocation time: 31m 42s)
hailo_sdk_client.allocator.BackendAllocatorException: Mapping Failed (Timeout, allocation time: 31m 42s)
"""


def test_classify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed, clean = tmp_path / "failed.log", tmp_path / "clean.log"
    failed.write_text(LOG)
    clean.write_text("[info] Step 4 Success\n")
    assert main(["classify", str(clean)]) == 0
    assert capsys.readouterr().out == f"{clean}: no failure: compile ended well\n"
    assert main(["classify", str(clean), str(failed)]) == 1
    text = capsys.readouterr().out
    assert f"{failed}: agent_infeasible at compile" in text
    assert "  layers     dw66\n" in text
    assert "Mapping Failed (Timeout, allocation time: 31m 42s)" in text
    assert main(["classify", str(failed), str(clean), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["log"] for each in told] == [str(failed), str(clean)]
    assert told[0]["failure"]["family"] == "agent_infeasible"
    assert (told[1]["failure"], told[1]["end"], told[1]["stage"]) == (None, "succeeded", "compile")


def test_a_log_that_neither_failed_nor_succeeded_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed, other, model = tmp_path / "killed.log", tmp_path / "other.log", tmp_path / "model.onnx"
    killed.write_text("[info] Starting Model Optimization\nKilled\n")
    other.write_text("a shopping list\n")
    assert main(["classify", str(killed), str(other)]) == 1
    text = capsys.readouterr().out
    assert f"{killed}: ended without a success, and names no failure: optimize began" in text
    assert "  last line  Killed\n" in text
    assert f"{other}: names neither a failure nor a success" in text
    model.write_bytes(bytes(range(256)) * 8)
    assert main(["classify", str(model)]) == 2
    assert "is no text, and no log" in capsys.readouterr().err


def test_import_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "summary.tsv"
    head = "run_tag\thar_success\thef_success\tfailure_stage\texception_type\texception_head"
    message = "Super deconv is not supported with groups"
    rows = [
        f"truncate-k-1-project-mask-bypass\ttrue\tfalse\tcompile\tBackendAllocatorException\t{message}",
        "nobody-knows\ttrue\tfalse\tcompile\tBackendAllocatorException\tx",
    ]
    table.write_text("\n".join([head, *rows]) + "\n")
    ledger = Path(__file__).parents[2] / "expected_failures.yaml"
    arguments = ["import-runs", str(table), "--store", "kept", "--dfc-version", "3.33.0", "--ledger", str(ledger)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "kept 1, known 0, left out 1" in text
    assert "left out summary.tsv:3 nobody-knows: " in text
    assert "entry grouped-super-deconv: observed in 1 run" in text
    assert main(arguments) == 0
    assert "kept 0, known 1, left out 1" in capsys.readouterr().out
    table.write_text("\n".join([head, rows[1]]) + "\n")
    assert main(arguments) == 1


def test_sweep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed; the sweep itself has tests of its own."""
    ends = {0: Verdict.BLOCKED, 1: Verdict.CLEAR_EXTRAPOLATED}

    def swept(
        cases: list[Any], pipeline: Any, *, scheduler: str, workers: int, tell: Callable[[SweptGraph], None]
    ) -> SweepResult:
        assert (scheduler, workers, pipeline.store.root) == ("", 2, tmp_path / "kept")
        done = tuple(SweptGraph((case,), ends.get(i, Verdict.UNKNOWN), "killed") for i, case in enumerate(cases))
        for each in done:
            tell(each)
        return SweepResult(done)

    monkeypatch.setattr("tasnet.suite.observed.sweep", swept)
    arguments = ["sweep", "--profile", "notes", "-n", "2", "--store", str(tmp_path / "kept")]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "20 distinct graphs in 20 cases, predicted by reference 0.1.0, on 2 processes of this machine\n"
    )
    assert "predicted 1 blocked, 1 clear, extrapolated, 18 unknown\n" in out
    assert "cases 20/20: 1 clear 1 blocked 18 unknown" in err
    ends[0] = Verdict.BROKE_DOWN
    assert main(arguments) == 1
    assert "  broke down concat-normal-grouped-all: killed\n" in capsys.readouterr().out


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    ran = subprocess.run(
        f"{sys.executable} -m tasnet.cli matrix --list | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.partition("\t")[0] == "concat-normal-grouped-all"
    assert ran.stderr == ""


def test_open_sizes_are_given_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = model(tmp_path / "m.onnx", width=100)
    proto = onnx.load(file)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
        value.type.tensor_type.shape.dim[3].dim_param = "time"
    onnx.save(proto, file)
    out = tmp_path / "m.har"
    assert main(["check", str(file)]) == 2
    assert "--shape x=" in capsys.readouterr().err
    assert main(["check", str(file), "--shape", "x=1,8,1,64"]) == 0
    assert main(["inspect", str(file), "--shape", "x=1,8,1,64", "--json"]) == 0
    assert main(["translate", str(file), "--shape", "x=1,8,1,64", "--name", "net", "-o", str(out)]) == 0
    capsys.readouterr()
    for shapes, says in [
        (["y=1,8,1,64"], "no such input; it has x"),
        (["x=8,1,64"], "4 are needed"),
        (["x=1,9,1,64"], "the file fixes it at 8"),
        (["1,8,1,64"], "write an input's name and its sizes"),
        (["x=1,8,1,-4"], "write an input's name and its sizes"),
        (["x=1,8,1,64", "x=1,8,1,32"], "given twice"),
    ]:
        told = [part for shape in shapes for part in ("--shape", shape)]
        assert main(["check", str(file), *told]) == 2
        assert says in capsys.readouterr().err
    assert main(["check", str(out), "--shape", "x=1,8,1,64"]) == 2
    assert "--shape is for an .onnx" in capsys.readouterr().err


def test_a_bare_hn_is_checked_and_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = har(tmp_path / "m.har", 1999)
    bare = tmp_path / "graph.json"
    with tarfile.open(archive) as members:
        member = members.extractfile("net.hn")
        assert member is not None
        bare.write_bytes(member.read())
    told = []
    for file in (archive, bare):
        assert main(["check", str(file), "--json"]) == 1
        told.append(capsys.readouterr().out)
        assert main(["inspect", str(file)]) == 0
        told.append(capsys.readouterr().out)
    assert told[:2] == told[2:]


def test_check_and_help_need_no_torch(tmp_path: Path) -> None:
    file = model(tmp_path / "m.onnx")
    calls = (["--help"], ["check", str(file)], ["inspect", str(file)], ["matrix", "--list"])
    code = f"""
import sys
from tasnet.cli import main

for arguments in {calls!r}:
    main(arguments)
    if "torch" in sys.modules:
        sys.exit(f"{{arguments}} loads torch")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_translated_network_is_named_as_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = model(tmp_path / "conv_tasnet.onnx"), tmp_path / "m.har"
    assert main(["translate", str(file), "-o", str(out)]) == 0
    assert "m.har: conv_tasnet, 3 layers" in capsys.readouterr().out
    with tarfile.open(out) as members:
        assert "conv_tasnet.hn" in members.getnames()
