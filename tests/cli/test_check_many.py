"""`tasnet check` of several files, and of what is piped in."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tasnet.cli import main
from tests.cli.small_files import har, model


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    har(Path("clear.har"), 100)
    har(Path("blocked.har"), 1999)
    Path("garbage.onnx").write_bytes(b"\x08\xff garbage")


def test_each_file_is_named_before_its_verdict_and_the_worst_one_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "clear.har", "clear.har"]) == 0
    capsys.readouterr()
    assert main(["check", "clear.har", "blocked.har"]) == 1
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if "predicted by the embedded" in line]
    assert [line.partition(" on ")[0] for line in said] == ["clear.har: clear", "blocked.har: blocked"]


def test_a_file_that_cannot_be_read_is_said_and_the_others_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "garbage.onnx", "none.har", "blocked.har"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("blocked.har: blocked on hailo8")
    assert [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()] == ["garbage.onnx", "none.har"]


def test_json_of_several_is_a_list_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "blocked.har", "garbage.onnx", "--json"]) == 2
    first, second = json.loads(capsys.readouterr().out)
    assert main(["check", "blocked.har", "--json"]) == 1
    assert first == {"file": "blocked.har", **json.loads(capsys.readouterr().out)}
    assert set(second) == {"file", "error"}


@pytest.mark.parametrize("name", ["clear.har", "clear.onnx", "blocked.har"])
def test_what_is_piped_in_is_judged_as_its_file_is(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model(Path("clear.onnx"), width=100)
    of_the_file = main(["check", name]), *capsys.readouterr()
    with open(name, encoding="latin-1") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert (main(["check", "-"]), *capsys.readouterr()) == of_the_file
    assert of_the_file[2] == ""


def test_a_process_reads_its_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "blocked.har"])
    piped = subprocess.run(
        [sys.executable, "-m", "tasnet.cli", "check", "-"],
        input=Path("blocked.har").read_bytes(),
        capture_output=True,
        check=False,
    )
    assert (piped.returncode, piped.stdout.decode(), piped.stderr) == (code, capsys.readouterr().out, b"")


def test_wrong_stdin_is_one_line_that_names_no_copy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in (b"", b"garbage"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert main(["check", "-"]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith("tasnet: -: ")
        assert "/tmp" not in err
    assert main(["check", "-", "-"]) == 2
    assert capsys.readouterr().err == "tasnet: -: stdin can be read once; name it once\n"
