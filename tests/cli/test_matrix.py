"""`tasnet matrix`: what it hands on to pytest, and the run that it prints as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tasnet.cli import main
from tasnet.suite.cases.profiles import profile_cases
from tests.doubles.dfc_python import dfc_python
from tests.doubles.outcomes import SUPER_DECONV, outcomes
from tests.doubles.stored_runs import ENTRIES, ended_record, store_run


class FakePytest:
    """Takes commands, leaves runs, and ends as it is told to."""

    def __init__(self, code: int, runs: Sequence[Path] = ()) -> None:
        self.code, self.runs = code, runs
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> int:
        self.commands.append(command)
        for run in self.runs:
            ended = (outcomes(SUPER_DECONV), outcomes())
            records = [
                ended_record(case.id, end, ENTRIES) for case, end in zip(profile_cases("notes"), ended, strict=False)
            ]
            store_run(run, records, cases=20)
        return self.code


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePytest:
    made = FakePytest(1)
    monkeypatch.setattr("tasnet.cli.app.subprocess.call", made)
    return made


def test_options_are_handed_on_as_pytest_knows_them_and_paths_as_they_are_meant_here(
    fake: FakePytest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("speech").mkdir()
    Path("tests/compile").mkdir(parents=True)
    for name in ("model.alls", "strict.yaml"):
        Path(name).touch()
    python = dfc_python(tmp_path / "bin")
    arguments = ["matrix", "--profile", "notes", "--toolchain", "dfc", "--dfc-python", "bin/python3", "--quick"]
    arguments += ["--calibration", "speech", "--script", "model.alls", "--store", "kept", "--ledger", "strict.yaml"]
    arguments += ["-k", "project and k1", "-x", "-n", "2"]
    assert main([*arguments, "--limit", "compile.seconds=3600", "--limit", "optimize.memory=8 GiB"]) == 1
    (command,) = fake.commands
    assert {
        "--tasnet-profile=notes",
        f"--tasnet-dfc-python={python}",
        "--tasnet-calibration=speech",
        "--tasnet-script=model.alls",
        "--tasnet-store=kept",
        "--tasnet-ledger=strict.yaml",
        "--tasnet-toolchain=dfc",
        "--tasnet-limit=compile.seconds=3600",
        "--tasnet-limit=optimize.memory=8 GiB",
        "--tasnet-quick",
        "-x",
        # started where one stands, in the suite's own tests
        f"--rootdir={tmp_path}",
        "tests/compile",
    } <= set(command)
    assert command[command.index("-k") + 1] == "project and k1"
    assert command[command.index("-n") + 1] == "2"


def test_without_them_pytest_has_its_own_usual_ones(fake: FakePytest) -> None:
    assert main(["matrix", "--profile", "notes"]) == 1
    (command,) = fake.commands
    assert not {"-k", "-x"} & set(command)
    assert not [each for each in command if each.startswith("--tasnet-ledger")]


def test_json_is_the_run_and_how_its_cases_ended(
    fake: FakePytest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_run(tmp_path / "runs" / "20260601T000000Z", [], cases=20)
    fake.runs = [tmp_path / "runs" / "20260602T000000Z"]
    assert main(["matrix", "--profile", "notes", "--store", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], told["profile"], told["cases"], told["judged"]) == ("20260602T000000Z", "notes", 20, 2)
    blocked, clear = told["cases_judged"]
    assert (blocked["verdict"], blocked["families"], blocked["entries"]) == (
        "blocked",
        ["unsupported_kernel"],
        ["super-deconv"],
    )
    assert (clear["verdict"].split(",")[0], clear["families"], clear["kind"]) == ("clear", [], "unexpected_pass")


def test_of_two_runs_that_began_at_once_neither_is_taken_for_this_one(
    fake: FakePytest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.runs = [tmp_path / "runs" / name for name in ("20260602T000000Z", "20260602T000000Z-2")]
    assert main(["matrix", "--profile", "notes", "--store", str(tmp_path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "2 runs began at once" in err


def test_an_expression_that_chooses_nothing_is_wrong_usage(
    fake: FakePytest, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.code = 5
    assert main(["matrix", "--profile", "notes", "-k", "nonesuch"]) == 2
    assert capsys.readouterr().err.startswith("tasnet: -k nonesuch: no case of notes is named so; ")
    assert main(["matrix", "--list", "-k", "k1"]) == 2
