"""The workflow is one that GitHub takes, its commands exist, and no stranger's code is run on machines of one's own."""

from __future__ import annotations

import importlib.resources
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.doubles.repository import environment
from tests.forked import run_module

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


def jobs() -> dict[str, dict[str, Any]]:
    return {name: job for file in FILES for name, job in read(file)["jobs"].items()}


def read(file: Path) -> dict[str, Any]:
    # YAML 1.2, as GitHub reads it: `on` is no truth value.
    told: dict[str, Any] = YAML(typ="safe").load(file)
    return told


def commands() -> Iterator[tuple[str, str]]:
    """Job and command line, of every `run:`."""
    for name, job in jobs().items():
        for step in job["steps"]:
            for line in str(step.get("run", "")).splitlines():
                yield name, line


COMMANDS = sorted(set(commands()))


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.name)
def test_githubs_schema_takes_it(file: Path) -> None:
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    jsonschema.Draft7Validator(json.loads(vendored.read_text(encoding="utf-8"))).validate(read(file))


def test_there_are_the_jobs_that_are_promised() -> None:
    assert {"lint", "gate", "tests", "matrix", "compiler", "device"} <= jobs().keys()


@pytest.mark.parametrize(("job", "line"), COMMANDS, ids=[f"{job}-{line[:40]}" for job, line in COMMANDS])
def test_a_command_and_its_options_exist(job: str, line: str) -> None:
    for part in line.split("&&"):
        words = shlex.split(part)
        if words[0] == "make":
            subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True)
            continue
        if words[0] in {"sudo", "cat", "python3"} or words[1:3] == ["-m", "pip"]:
            continue
        assert words[0] in {".venv/bin/python", ".venv/bin/tasnet"}, f"{job}: {line}: no such command"
        tasnet = words[0].endswith("tasnet")
        known = help_of(*(["tasnet", words[1]] if tasnet else ["pytest"]))
        for word in words[2:]:
            if word.startswith("-") and not word.startswith(("-m", "-n")):
                assert re.search(rf"(?<![\w-]){re.escape(word.partition('=')[0])}(?![\w-])", known), f"{job}: {word}"


@cache
def help_of(*module: str) -> str:
    done = run_module(module[0], [*module[1:], "--help"], ROOT, environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shards_are_as_many_as_they_are_counted() -> None:
    job = jobs()["tests"]
    (line,) = (step["run"] for step in job["steps"] if "--splits" in str(step.get("run")))
    count = int(re.search(r"--splits (\d+)", line).group(1))  # type: ignore[union-attr]
    assert job["strategy"]["matrix"]["shard"] == [*range(1, count + 1)]


def test_machines_of_ones_own_run_no_pull_request() -> None:
    own = {name: job for name, job in jobs().items() if "self-hosted" in job["runs-on"]}
    assert own.keys() == {"compiler", "device"}
    for job in own.values():
        events = set(re.findall(r"github\.event_name == '(\w+)'", job["if"]))
        assert events == {"push", "workflow_dispatch"}
        assert re.search(r"vars\.TASNET_\w+ == 'true'", job["if"])


def test_what_an_event_says_reaches_no_shell() -> None:
    """A branch's name can be a command: values come as variables of the environment."""
    assert not [line for _, line in commands() if "${{" in line]


def test_it_may_read_and_nothing_else() -> None:
    assert [read(file)["permissions"] for file in FILES] == [{"contents": "read"}] * len(FILES)
