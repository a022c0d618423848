"""Finding the compiler's interpreter: where it is looked for, and what is said where there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tasnet.hailo.compiler.find import VARIABLE, DfcNotFound, find_compiler
from tests.doubles.dfc_python import dfc_python

# Finding it


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a PATH with nothing in them."""
    for name in ("home", "bin"):
        (tmp_path / "world" / name).mkdir(parents=True)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "world" / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "world" / "bin"))
    return tmp_path / "world"


def test_nothing_found_says_where_it_looked_and_what_to_do(nowhere: Path) -> None:
    (nowhere / "bin" / "python3").symlink_to(sys.executable)
    with pytest.raises(DfcNotFound) as missing:
        find_compiler(here=nowhere)
    assert str(nowhere / "bin" / "python3") in str(missing.value)
    assert "without hailo_sdk_client" in str(missing.value)
    assert "--dfc-python" in str(missing.value)


@pytest.mark.parametrize("where", ["here/hailo_env", "home/hailo/venv", "home/.virtualenvs/hailo", "here/.venv-dfc"])
def test_an_environment_in_a_usual_place_is_found(nowhere: Path, where: str) -> None:
    (nowhere / "here").mkdir()
    (nowhere / where / "lib/python3.10/site-packages/hailo_sdk_client").mkdir(parents=True)
    python = dfc_python(nowhere / where / "bin")
    assert find_compiler(here=nowhere / "here").python == python


def test_an_interpreter_on_path_is_found_and_the_variable_goes_before(nowhere: Path) -> None:
    python = dfc_python(nowhere / "bin", name="python3.9")
    assert find_compiler(here=nowhere).python == python
    other = dfc_python(nowhere / "other")
    assert find_compiler(environ={**os.environ, VARIABLE: str(other)}, here=nowhere).python == other
    assert find_compiler(python, {**os.environ, VARIABLE: str(other)}, nowhere).python == python


def test_the_version_of_a_wheel_needs_no_import_of_the_sdk(nowhere: Path) -> None:
    site = nowhere / "site"
    (site / "hailo_sdk_client").mkdir(parents=True)
    (site / "hailo_sdk_client" / "__init__.py").write_text("raise SystemExit('imported')")
    (site / "hailo_dataflow_compiler-3.33.1.dist-info").mkdir()
    (site / "hailo_dataflow_compiler-3.33.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: hailo_dataflow_compiler\nVersion: 3.33.1\n"
    )
    python = nowhere / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert find_compiler(here=nowhere).sdk == "3.33.1"


def test_what_another_program_says_is_not_passed_on(nowhere: Path) -> None:
    """A version manager's shim says where it has looked, over several lines."""
    path = nowhere / "python"
    path.write_text("#!/bin/sh\necho '( Python versions to be found' >&2\nexit 127\n")
    path.chmod(0o755)
    with pytest.raises(DfcNotFound) as raised:
        find_compiler(path)
    assert "not a Python from 3.8 on (exit code 127); " in str(raised.value)
    assert "to be found" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        ("#!/bin/sh\necho hello\n", "not a Python from 3.8 on"),
        ("#!/nowhere/python\n", "can't be run"),
        ("#!/bin/sh\necho 'tasnet-dfc-about {'\n", "an answer that can't be read"),
        ("#!/bin/sh\necho 'tasnet-dfc-about {\"protocol\": 99}'\n", "speaks protocol 99"),
    ],
)
def test_a_named_interpreter_that_is_none_is_an_error(nowhere: Path, content: str | None, said: str) -> None:
    path = nowhere / "python"
    if content is not None:
        path.write_text(content)
        path.chmod(0o755)
    with pytest.raises(DfcNotFound, match=said):
        find_compiler(path)
