"""docs/isolate.md: every command runs and prints what the page shows, the compiler's with its double."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.network import write_onnx
from tests.doubles.dfc_python import dfc_python
from tests.doubles.forked_compiler import forked_compiler
from tests.project.shown import console_blocks, holds
from tests.suite.ask.graphs import network

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "isolate.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_runs_and_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_onnx(network(), tmp_path / "m.onnx")
    compiler = dfc_python(tmp_path / "sdk", {"graph": "read", "rows": 900})
    ran = []
    for command, shown in (step for block in console_blocks(PAGE) for step in block):
        program, *words = shlex.split(command)
        assert program == "tasnet"
        if "--dfc-python" in words:
            words[words.index("--dfc-python") + 1] = str(compiler)
            # a compile takes a process for each stage
            words[words.index("--compiles") + 1] = "2"
        with forked_compiler():
            assert main(words) == (1 if words[0] == "check" else 0), command
        holds(command, shown, capsys.readouterr().out.splitlines())
        ran.append(words[0])
    assert ran == ["isolate", "check", "isolate"]
    assert (tmp_path / "sent" / "reshape_insertion" / "repeat.py").is_file()
