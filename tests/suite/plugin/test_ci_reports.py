"""What a CI reads: shards that together run every test once; JUnit and CTRF that say what is predicted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from filelock import FileLock

from tasnet.suite.cases.profiles import profile_cases
from tests.doubles.repository import run_pytest
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).parents[3]
SHARDS = 2

TEXT, COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
CTRF = {
    "type": "object",
    "required": ["reportFormat", "specVersion", "results"],
    "properties": {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "results": {
            "type": "object",
            "required": ["tool", "summary", "tests"],
            "properties": {
                "tool": {"type": "object", "required": ["name"], "properties": {"name": TEXT, "version": TEXT}},
                "summary": {
                    "type": "object",
                    "required": ["tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"],
                    "additionalProperties": COUNT,
                },
                "tests": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name", "status", "duration"],
                        "properties": {
                            "name": TEXT,
                            "status": {"enum": ["passed", "failed", "skipped", "pending", "other"]},
                            "duration": COUNT,
                            "tags": {"type": "array", "items": TEXT},
                            "message": TEXT,
                            "filePath": TEXT,
                        },
                    },
                },
            },
        },
    },
}
"""What the Common Test Report Format 1.0 asks of a report, as far as a reader of it needs."""


@pytest.fixture(scope="module")
def shards(shared_folder: Path, notes_store: Path) -> list[Path]:
    """A folder a shard, with junit.xml and ctrf.json, of the profile's cases: on two workers, and without.

    Made by the first worker that asks.
    """
    root = shared_folder / "shards"
    folders = [root / str(shard) for shard in range(1, SHARDS + 1)]
    with FileLock(f"{root}.lock"):
        if not (root / "done").exists():
            copy_store(notes_store, root / "store")
            for shard, folder in enumerate(folders, start=1):
                folder.mkdir()
                words = ["-n", "2" if shard == 1 else "0", "--splits", str(SHARDS), "--group", str(shard)]
                words += ["--tasnet-store", str(root / "store")]
                run(*words, "--junit-xml", str(folder / "junit.xml"), "--ctrf", str(folder / "ctrf.json"))
            (root / "done").touch()
    return folders


def run(*words: str) -> str:
    done = run_pytest("-m", "compile", "tests/compile", "--tasnet-profile", "notes", "-q", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ctrf(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "ctrf.json").read_text(encoding="utf-8"))
    return told


def junit(folders: list[Path]) -> dict[str, dict[str, str]]:
    """Test -> its properties."""
    found = {}
    for folder in folders:
        for test in ElementTree.parse(folder / "junit.xml").iter("testcase"):
            named = {each.attrib["name"]: each.attrib["value"] for each in test.iter("property")}
            found[f"{test.attrib['classname'].replace('.', '/')}.py::{test.attrib['name']}"] = named
    return found


def test_shards_together_run_every_test_once(shards: list[Path]) -> None:
    ran = Counter(test["name"] for folder in shards for test in ctrf(folder)["results"]["tests"])
    collected = [line for line in run("--collect-only").splitlines() if "::" in line]
    assert ran == Counter(collected)
    assert all(ctrf(folder)["results"]["tests"] for folder in shards), "a shard without tests shares no work"


def test_a_shard_is_cut_by_the_durations_that_are_committed() -> None:
    durations = json.loads((ROOT / ".test_durations").read_text(encoding="utf-8"))
    ids = {f"tests/compile/test_compile.py::test_compile[{case.id}]" for case in profile_cases("matrix")}
    # A case more has none yet, and is shared out all the same; so many more would be shared out badly.
    assert len(ids & durations.keys()) > 0.8 * len(ids), "make durations"
    assert all(seconds >= 0 for seconds in durations.values())


def test_ctrf_is_ctrf_and_says_what_is_predicted(shards: list[Path]) -> None:
    for folder in shards:
        told = ctrf(folder)
        jsonschema.validate(told, CTRF)
        summary, tests = told["results"]["summary"], told["results"]["tests"]
        assert summary["tests"] == len(tests) == sum(summary[each] for each in ("passed", "failed", "skipped"))
        for test in tests:
            if "test_compile[" in test["name"]:
                assert test["rawStatus"] == "xfailed"
                assert {"predicted", "verdict:blocked", "judgement:expected_failure"} <= {*test["tags"]}
                assert any(tag.startswith("entry:") for tag in test["tags"])
                assert test["message"].startswith("predicted: ")


def test_junit_says_verdict_entries_and_what_is_predicted(shards: list[Path]) -> None:
    found = {name: told for name, told in junit(shards).items() if "test_compile[" in name}
    assert len(found) == len(profile_cases("notes"))
    baseline = next(told for name, told in found.items() if "[concat-normal-grouped-all]" in name)
    assert baseline["tasnet.known"] == "predicted"
    assert baseline["tasnet.toolchain"].startswith("reference ")
    assert baseline["tasnet.verdict"] == "blocked"
    assert "wide-row-agent" in baseline["tasnet.entries"].split(", ")
    assert all(name.startswith("tasnet.") for told in found.values() for name in told)
    assert all(len(value) < 1000 for told in found.values() for value in told.values()), "no record as a whole"
