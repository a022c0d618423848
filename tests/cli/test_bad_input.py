"""What bad input gets from the command line: one line, exit code 2, no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasnet.cli import main
from tests.cli.small_files import model
from tests.doubles import hef_writer

BAD = {
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
    "garbage.hef": ["inspect", "garbage.hef"],
    "a HEF cut short": ["inspect", "short"],
    "no log": ["classify", "none.log"],
    "a directory of logs": ["classify", "."],
    "no runs": ["import-runs", "none", "--store", "s"],
    "no table in it": ["import-runs", "runs", "--store", "s"],
    "another table": ["import-runs", "runs/table.tsv", "--store", "s"],
    "unknown arch of runs": ["import-runs", "runs/table.tsv", "--arch", "hailo9"],
    "unknown toolchain": ["sweep", "--toolchain", "gcc"],
    "unknown toolchain of a matrix": ["matrix", "--toolchain", "gcc"],
    "a matrix without a compiler": ["matrix", "--toolchain", "dfc", "--dfc-python", "none"],
    "a matrix's limit for nobody": ["matrix", "--quick"],
    "no compiler": ["sweep", "--toolchain", "dfc", "--dfc-python", "none"],
    "no workers": ["sweep", "-n", "0"],
    "a sweep of nothing": ["sweep", "--profile", "all"],
    "a limit for nobody": ["sweep", "--limit", "compile.seconds=3"],
    "a store that is a file": ["runs", "--store", "garbage"],
    "a store below a file": ["trend", "baseline", "--store", "garbage/s"],
    "a store that is a link to itself": ["compare", "last", "last", "--store", "circle"],
    "a store with an evil name": ["report", "-o", "r.html", "--store", "garbage\nclear on hailo8\x1b[31m"],
    "a pipe": ["inspect", "pipe"],
    "a pipe checked": ["check", "pipe"],
    "a plan onto a folder with something in it": ["plan", "make", "baseline", "-o", "runs"],
    "a plan for no hardware": ["plan", "make", "baseline", "-o", "out", "--hardware", "none.toml"],
    "a plan calibrated with nothing": ["plan", "make", "baseline", "-o", "out", "--calibration", "none"],
    "a page of no limits": ["parity", "--case", "baseline", "-o", "p.html"],
    "no limits to check": ["thresholds", "check", "--case", "baseline"],
    "a store that can't be made": ["listen", "-o", "out", "--store", "/proc/none"],
    "a sweep to nowhere": ["sweep", "--profile", "notes", "--store", "/proc/none"],
    "a gate of no profile": ["gate", "--base", "HEAD", "--profile", "none", "--uncommitted"],
    "a ledger that is none": ["evidence", "show", "--ledger", "none.yaml"],
    "old runs and no ledger": ["import-runs", "runs", "--ledger", "none.yaml"],
    "a report of no ledger": ["report", "-o", "r.html", "--ledger", "none.yaml"],
    "no model script": ["sweep", "--toolchain", "dfc", "--script", "none"],
    "no calibration folder": ["matrix", "--toolchain", "dfc", "--calibration", "none"],
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
    Path("garbage.hef").write_bytes(b"garbage")
    Path("short").write_bytes(hef_writer.sealed(2, hef_writer.small())[:-1])
    os.mkfifo("pipe")
    Path("circle").symlink_to("circle")
    Path("garbage\nclear on hailo8\x1b[31m").touch()
    Path("runs").mkdir()
    Path("runs/table.tsv").write_text("a\tb\n1\t2\n")
    model(Path("good.onnx"))
    before = sorted(Path().iterdir())
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tasnet: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert sorted(Path().iterdir()) == before


def test_an_existing_file_survives_a_failed_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("old")
    (tmp_path / "garbage").write_bytes(b"garbage")
    assert main(["translate", str(tmp_path / "garbage"), "--name", "net", "-o", str(out)]) == 2
    assert out.read_text() == "old"
