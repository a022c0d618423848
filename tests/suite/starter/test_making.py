"""`tasnet init`: a folder gets what it lacks of a suite, nothing is written over, and what to do next is said."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.hailo.compiler.limits import CompilerLimits, read_limits
from tasnet.suite.gate.regression import GateSettings, gate_settings
from tasnet.suite.starter.making import PATTERNS, shipped_files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[3]


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out + err


def test_a_folder_gets_the_checkouts_own_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(["init", str(tmp_path / "mine")], capsys)
    assert code == 0
    assert "wrote     conftest.py, expected_failures.yaml, thresholds.yaml, pyproject.toml, " in text
    assert f"next      cd {tmp_path / 'mine'}\n" in text
    assert "tasnet matrix --profile notes" in text
    written = {path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*.*")}
    assert written == {*shipped_files()}
    for name in written - {"pyproject.toml"}:
        assert (tmp_path / "mine" / name).read_bytes() == (ROOT / name).read_bytes()


def test_its_settings_are_the_suites_alone_and_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(shipped_files()["pyproject.toml"])
    own, ours = (tomllib.loads((at / "pyproject.toml").read_text()) for at in (tmp_path, ROOT))
    assert own == {"tool": {"pytest": ours["tool"]["pytest"], "tasnet": ours["tool"]["tasnet"]}}
    assert read_limits(tmp_path / "pyproject.toml") == CompilerLimits()
    assert gate_settings(tmp_path / "pyproject.toml") == GateSettings()
    # what a setting is for is said beside it
    assert "# What a stage of the compiler may take" in (tmp_path / "pyproject.toml").read_text()


def test_nothing_is_written_over_and_what_is_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conftest.py").write_text("mine = 1\n")
    Path("thresholds.yaml").symlink_to("nowhere")
    code, text = told(["init"], capsys)
    assert code == 0
    assert Path("conftest.py").read_text() == "mine = 1\n"
    assert Path("thresholds.yaml").is_symlink()
    assert not Path("nowhere").exists()
    assert "yours     conftest.py, thresholds.yaml: not what tasnet " in text
    assert 'add       pytest_plugins = ["tasnet.suite.plugin"] to conftest.py' in text
    before = {path: path.lstat().st_mtime_ns for path in Path().rglob("*")}
    code, text = told(["init"], capsys)
    assert (code, "wrote" in text) == (0, False)
    assert f"there     {len(shipped_files()) - 2} of {len(shipped_files())} files already" in text
    assert {path: path.lstat().st_mtime_ns for path in Path().rglob("*")} == before


def test_what_is_in_the_way_is_one_line_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "tests").touch()
    for folder, why in (
        ("file", "not a directory"),
        ("half", "half/tests: no folder can be made there"),
        ("file/in", "file is"),
    ):
        code, text = told(["init", str(tmp_path / folder)], capsys)
        assert (code, text.count("\n"), why in text) == (2, 1, True), text
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["file", "half", "tests"]


def test_a_suite_within_another_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "expected_failures.yaml").touch()
    assert f"note      it lies in the suite {tmp_path}" in told(["init", str(tmp_path / "inner")], capsys)[1]


def test_what_ships_needs_nothing_of_the_tests_that_does_not() -> None:
    shipped = {name.removesuffix(".py").replace("/", ".") for name in shipped_files() if name.endswith(".py")}
    for name, content in shipped_files().items():
        nodes = ast.walk(ast.parse(content)) if name.endswith(".py") else ()
        used = {each.module or "" for each in nodes if isinstance(each, ast.ImportFrom)}
        assert {each for each in used if each.split(".")[0] in ("tests", "benchmarks")} <= shipped, name


def test_every_test_of_a_mark_ships() -> None:
    """A test that `-m compile`, `-m numerics` or `-m device` runs in the checkout is one of a suite of one's own."""
    marked = {path for path in (ROOT / "tests").rglob("test_*.py") if b"pytestmark = pytest.mark." in path.read_bytes()}
    shipped = {ROOT / name for name in shipped_files()}
    of_suite = {path for path in marked if path.relative_to(ROOT).parts[1] in ("compile", "numerics", "device")}
    assert of_suite
    assert of_suite <= shipped
    assert all(any(ROOT.glob(pattern)) for pattern in PATTERNS)
