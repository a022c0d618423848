"""The page's path on a Raspberry Pi starts: its command runs with what its install line brings, and with nothing else.

The environment is empty but for the distributions that `pip install --editable .` asks for, by their own metadata: they
are linked from this one. The CI job `pi` runs the page's very lines on an ARM machine, pip and NumPy 1 included.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.doubles.chips import write
from tests.doubles.hailort import DOUBLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "compiler-and-device.md").read_text(encoding="utf-8")
CASE = "concat-normal-grouped-all+T=403+N=8+B=6+H=10+Sc=6+X=2+R=1"


def brought(name: str) -> set[str]:
    """The names of the distributions that installing `name` brings, itself among them."""
    found: set[str] = set()
    waiting = [canonicalize_name(name)]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        for line in metadata.distribution(one).requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(wanted.name))
    return found


def environment(folder: Path, names: set[str]) -> Path:
    """An environment of these distributions alone; returns its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in names:
        told = metadata.distribution(name)
        for part in {file.parts[0] for file in told.files or ()} - {"..", "__pycache__"}:
            if not (site / part).exists():
                (site / part).symlink_to(Path(str(told.locate_file(part))).resolve())
    return folder / "bin" / "python"


def documented(program: str) -> list[str]:
    """The one line of the page's fourth part that calls the program."""
    part = PAGE.partition("## 4.")[2].partition("## 5.")[0]
    (line,) = re.findall(rf"^\$ \.venv/bin/{program} (.*)$", part, re.MULTILINE)
    return shlex.split(line)


def test_the_pages_command_runs_with_what_its_install_line_brings_and_nothing_else(tmp_path: Path) -> None:
    names = brought("tasnet")
    assert not names & {"hypothesis", "jsonschema", "import-linter", "torchmetrics"}, "no test tool comes with it"
    python = environment(tmp_path / "pi", names)
    absent = subprocess.run([str(python), "-c", "import hypothesis"], capture_output=True, check=False)
    assert absent.returncode == 1
    script = write(tmp_path, [CASE])
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TASNET_"))}
    environ |= {"PYTHONPATH": f"{DOUBLES}:{ROOT}", "HAILO_PLATFORM_SCRIPT": str(script)}
    words = [f"--tasnet-hef={tmp_path / 'hef'}" if word == "hef" else word for word in documented("pytest")]
    words.remove("--tasnet-hef")
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *words, f"--tasnet-store={tmp_path / 'store'}"]
    ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed, 1 skipped" in ran.stdout
    assert "on hailo8: by a test double, nothing was observed: hailort 4.23.0+double" in ran.stdout
    assert re.search(rf"^{re.escape(CASE)} +inf .* agrees$", ran.stdout, re.MULTILINE)


def test_the_pages_install_line_is_the_projects_own_with_the_numpy_that_hailort_takes() -> None:
    assert documented("python -m pip") == ["install", "--editable", ".", "numpy<2"]
    (numpy,) = (each for each in map(Requirement, metadata.requires("tasnet") or ()) if each.name == "numpy")
    assert numpy.specifier.contains("1.26.4")
