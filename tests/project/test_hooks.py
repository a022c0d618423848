"""What a commit is asked is what CI asks: the hooks run the targets that `make lint` is made of."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".pre-commit-config.yaml"


def test_the_hooks_are_what_make_lint_runs() -> None:
    found = re.search(r"^lint: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    (local,) = YAML(typ="safe").load(CONFIG.read_text(encoding="utf-8"))["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == [f"make {target}" for target in found[1].split()]


def test_pre_commit_reads_the_hooks() -> None:
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-config", str(CONFIG)], check=True)


def test_ci_runs_make_lint() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("make ") and "lint" in line.split() for line in lines)
