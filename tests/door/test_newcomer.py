"""A newcomer's commands: the right exit code, a short answer that helps, no traceback, no file that isn't meant."""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tasnet.cli import main
from tests.door.stories import STORIES, WRONG, Step

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 60
"""lines of the answer to a wrong call"""


def files(folder: Path) -> dict[str, str]:
    """What lies in the folder: path -> digest, of a folder an empty one."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def told(step: Step, code: int, answer: str) -> list[str]:
    """What is wrong with an answer."""
    wrong = []
    if code != step.code:
        wrong.append(f"exit {code}, not {step.code}")
    if "Traceback" in answer:
        wrong.append("a traceback")
    if step.says not in " ".join(answer.split()):
        wrong.append(f"doesn't say {step.says!r}")
    if step.code == WRONG and len(answer.splitlines()) > LONGEST:
        wrong.append(f"{len(answer.splitlines())} lines")
    return wrong


@pytest.mark.parametrize("story", STORIES)
def test_story(story: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("not what was asked for\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in [name for name in os.environ if name.startswith("TASNET_")]:
        monkeypatch.delenv(name)
    for step in STORIES[story]:
        before = files(tmp_path)
        code = main(shlex.split(step.command)[1:])
        answer = "".join(capsys.readouterr())
        wrong = told(step, code, answer)
        after = files(tmp_path)
        new = {Path(name).parts[0] for name in after.keys() - before.keys()}
        if new != {*step.written}:
            wrong.append(f"wrote {sorted(new)}, not {sorted(step.written)}")
        if changed := [name for name in before if after.get(name) != before[name]]:
            wrong.append(f"changed {changed}")
        assert not wrong, f"$ {step.command}\n{'; '.join(wrong)}\n{answer}"


def test_there_are_sixty_commands_and_most_of_them_are_wrong() -> None:
    steps = [step for story in STORIES.values() for step in story]
    assert len(steps) >= 60
    assert len({step.command for step in steps}) >= 60
    assert sum(step.code == WRONG for step in steps) >= 30


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("tasnet check missing.onnx", 2, "tasnet: missing.onnx: no such file"),
        ("pytest -m compile --tasnet-profile nothing", 4, "profile 'nothing' is unknown; one of matrix"),
        ("pytest -m compile --tasnet-case basline", 4, "did you mean baseline?"),
    ],
)
def test_in_a_process_of_its_own(command: str, code: int, says: str) -> None:
    program, *words = shlex.split(command)
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TASNET_"))}
    start = (
        ["-m", "pytest", "-p", "no:cacheprovider"]
        if program == "pytest"
        else ["-c", "import sys; from tasnet.cli import main; sys.exit(main())"]
    )
    ran = subprocess.run(
        [sys.executable, *start, *words], cwd=ROOT, env=outside, capture_output=True, text=True, check=False
    )
    assert told(Step(command, code, says), ran.returncode, ran.stdout + ran.stderr) == []
    assert len((ran.stdout + ran.stderr).splitlines()) <= LONGEST
