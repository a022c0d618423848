"""From any folder of a suite, commands and pytest find the same ledger, store and limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tasnet.cli import main
from tests.doubles.repository import run_pytest
from tests.doubles.stored_runs import FIRST, store_run

ROOT = Path(__file__).parents[2]
FILES = ("expected_failures.yaml", "thresholds.yaml", "SUPPORT.md", "conftest.py")


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite with one stored run and a folder in it, in which one stands."""
    monkeypatch.delenv("TASNET_STORE", raising=False)
    made = tmp_path / "suite"
    (made / "tests" / "compile").mkdir(parents=True)
    for name in FILES:
        (made / name).write_bytes((ROOT / name).read_bytes())
    (made / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.chdir(made / "tests")
    return made


def says(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    assert err.count("\n") <= 1
    return code, out + err


FOUND: dict[str, tuple[list[str], Callable[[Path], str]]] = {
    "runs": (["runs"], lambda root: f"{root}/.tasnet: no run is stored there; run tasnet matrix first"),
    "compare": (["compare"], lambda root: f"{root}/.tasnet: no run is stored there"),
    "trend": (["trend", "baseline"], lambda root: f"{root}/.tasnet: no run is stored there"),
    "report": (["report"], lambda root: f"{root}/.tasnet: no run is stored there"),
    "ledger check": (["ledger", "check"], lambda root: "../expected_failures.yaml: 5 entries"),
    "ledger explain": (["ledger", "explain", "baseline"], lambda root: " at ../expected_failures.yaml:"),
    "ledger update": (["ledger", "update"], lambda root: f"{root}/.tasnet: no run is stored there"),
    "support": (["support", "--check"], lambda root: f"{root}/.tasnet: no whole run of matrix"),
    "evidence": (["evidence", "export", "e.json"], lambda root: f"{root}/.tasnet: no evidence is stored there"),
    "thresholds": (["thresholds", "check"], lambda root: f"{root}/.tasnet: no runs of this code are kept"),
}


@pytest.mark.parametrize(("command", "told"), FOUND.values(), ids=FOUND)
def test_a_command_in_a_folder_of_a_suite_finds_what_the_suite_has(
    command: list[str], told: Callable[[Path], str], suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(suite) in says(command, capsys)[1]


@pytest.mark.parametrize(("command", "told"), FOUND.values(), ids=FOUND)
def test_from_elsewhere_the_suite_is_named(
    command: list[str],
    told: Callable[[Path], str],
    suite: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert told(suite).replace("../", f"{suite}/") in says([*command, "--root", str(suite)], capsys)[1]
    assert list(Path().iterdir()) == []


def test_runs_are_those_of_the_nearest_suite(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = store_run(suite / ".tasnet" / "runs" / FIRST, [])
    assert [each["id"] for each in json.loads(says(["runs", "--json"], capsys)[1])] == [run.id]


def test_the_gate_is_of_the_nearest_suite(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = says(["gate", "--base", "HEAD"], capsys)
    assert (code, f"tasnet: {suite}: not a git checkout" in told) == (2, True)


def test_without_a_suite_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASNET_STORE", raising=False)
    assert says(["runs"], capsys)[1] == (
        f"{tmp_path}/.tasnet: no run is stored there, and neither {tmp_path} nor a folder above it has an "
        "expected_failures.yaml; stand in a suite's folder, name it with --root, or make one: tasnet init\n"
    )
    for command, told in (
        (["matrix"], f"{tmp_path}: no suite there, nor in a folder above"),
        (["ledger", "check"], "expected_failures.yaml: no such file; name a ledger, or make"),
        (["thresholds", "check"], "thresholds.yaml: no such file"),
        (["runs", "--root", "none"], "--root none: no such folder"),
    ):
        code, text = says(command, capsys)
        assert (code, told in text) == (2, True), text
    assert list(tmp_path.iterdir()) == []


STARTED = {
    "in a folder of the suite": ("tests", []),
    "in the suite": (".", []),
    "with a rootdir of its own": ("tests", ["--rootdir=compile", "compile"]),
    "with a suite that is named": ("..", ["--tasnet-root=suite", "suite/tests"]),
    "elsewhere, with tests that are named": ("..", ["suite/tests"]),
}


@pytest.mark.parametrize(("folder", "options"), STARTED.values(), ids=STARTED)
def test_pytest_agrees_with_the_commands(folder: str, options: list[str], suite: Path) -> None:
    (suite / "tests" / "compile" / "test_it.py").write_text(
        "from tasnet.suite.plugin.setup import SETUP\n"
        "def test_it(pytestconfig):\n"
        "    setup = pytestconfig.stash[SETUP]\n"
        "    print('FOUND', setup.root, setup.store, setup.ledger.path.resolve())\n"
    )
    words = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    ran = run_pytest(*words, folder=suite / folder, PYTHONPATH=str(ROOT))
    assert f"FOUND {suite} {suite}/.tasnet {suite}/expected_failures.yaml\n" in ran.stdout, ran.stdout + ran.stderr
