"""tasnet from a wheel, with no checkout anywhere: `tasnet init` in an empty folder makes a suite that works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import soundfile
import uv

from tasnet.suite.starter.making import shipped_files
from tests.doubles.repository import commit, environment, git
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).parents[3]
TOP = ("MANIFEST.in", "README.md", "conftest.py", "expected_failures.yaml", "pyproject.toml", "setup.py")

COMMANDS = {
    "matrix --profile notes": 0,
    "ledger check": 0,
    "gate --base HEAD": 0,
    "report": 0,
    "listen split-normal-polyphase-all+norm=gln+activation=prelu+T=4000 --mix ../mix.wav -o heard": 0,
    "plan make --checkpoint tasnet:small --seconds 0.5 -o plan": 0,
}
"""beside `init` and pytest itself; exit codes"""

PROGRAM = """
import json, sys, tasnet
from tasnet.cli import main
codes = {command: main(command.split()) for command in json.load(sys.stdin)}
print(json.dumps([tasnet.__file__, codes]), file=sys.stderr)
"""


def built_wheel(folder: Path) -> Path:
    """The wheel of this checkout's files, built in a copy."""
    source = folder / "source"
    for name in ("tasnet", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*TOP, "thresholds.yaml"):
        if (ROOT / name).exists():
            shutil.copyfile(ROOT / name, source / name)
    program = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    ran(source, sys.executable, "-c", program)
    (made,) = source.glob("*.whl")
    target = folder / made.name
    made.rename(target)
    shutil.rmtree(source)
    return target


def fresh_environment(folder: Path, wheel: Path) -> Path:
    """A virtual environment's bin, with the wheel; what that asks for is read where this interpreter has it."""
    venv.EnvBuilder(symlinks=True).create(folder)
    bin_ = folder / "bin"
    options = ["--quiet", "--offline", "--no-deps", "--no-index", "--cache-dir", str(folder / "cache")]
    ran(folder, uv.find_uv_bin(), "pip", "install", *options, "--python", bin_ / "python", wheel)
    (site,) = folder.glob("lib/python3*/site-packages")
    others = [each for each in sys.path if Path(each).name in ("site-packages", "dist-packages")]
    (site / "overlay.pth").write_text("\n".join(others))
    # pytest's own command, as it would be there
    shutil.copy(bin_ / "tasnet", bin_ / "pytest")
    own, theirs = "from tasnet.cli import main", "from pytest import main"
    text = (bin_ / "pytest").read_text().replace(own, theirs)
    (bin_ / "pytest").write_text(text)
    return bin_


def ran(folder: Path, *command: str | Path, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environ, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
    # What another package says of how tasnet calls it is nobody's here to read.
    assert "Warning" not in done.stderr, done.stderr
    return done


def test_a_wheel_is_enough_for_a_suite_of_ones_own(tmp_path: Path, notes_store: Path) -> None:
    wheel = built_wheel(tmp_path)
    inside = {name.partition("/starter/files/")[2] for name in zipfile.ZipFile(wheel).namelist()} - {""}
    assert inside == {*shipped_files()}
    bin_ = fresh_environment(tmp_path / "venv", wheel)
    soundfile.write(tmp_path / "mix.wav", np.sin(np.arange(8000) / 5) * np.sin(np.arange(8000) / 900), 8000)
    mine = tmp_path / "mine"
    mine.mkdir()

    # what is missing is said, and how to get it
    assert "or make a folder one: tasnet init" in ran(mine, bin_ / "tasnet", "matrix", code=2).stderr
    told = ran(mine, bin_ / "tasnet", "init").stdout
    assert told.startswith("wrote     conftest.py, expected_failures.yaml, thresholds.yaml, pyproject.toml, ")
    (mine / ".gitignore").write_text(".tasnet/\n__pycache__/\n")
    git(mine, "init", "--quiet")
    commit(mine, "a suite")

    # graphs that this code exported before needn't be exported again
    copy_store(notes_store, mine / ".tasnet")
    done = ran(mine, bin_ / "python", "-c", PROGRAM, stdin=json.dumps([*COMMANDS]))
    file, codes = json.loads(done.stderr.splitlines()[-1])
    assert Path(file).is_relative_to(tmp_path / "venv")
    assert codes == COMMANDS, done.stdout + done.stderr
    assert "all as the ledger says" in done.stdout
    assert "is installed, and no part of this repository" in done.stdout
    assert {"report.html", "heard", "plan"} <= {*os.listdir(mine)}

    words = ["-m", "compile", "--profile", "notes", "--case", "truncate-k-1-project"]
    suite = ran(mine / "tests", bin_ / "pytest", *words)
    assert "1 xfailed" in suite.stdout
    assert str(ROOT) not in done.stdout + done.stderr + suite.stdout
    assert git(mine, "status", "--porcelain", "--", "*.py", "*.yaml", "*.toml") == ""
