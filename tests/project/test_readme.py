"""Every command of the README, and of the pages that go on from it, runs and prints what is shown."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from tasnet.common import sha256
from tests.project.shown import Step, console_blocks, holds, run

ROOT = Path(__file__).resolve().parents[2]
IN_THE_CHECKOUT = ("expected_failures.yaml", "SUPPORT.md")
"""what the commands find where they are typed"""
PAGES = ("README.md", "docs/suite.md", "docs/by-hand.md", "docs/ledger.md")
BLOCKS = [(page, block) for page in PAGES for block in console_blocks((ROOT / page).read_text(encoding="utf-8"))]
SCREENS = 3 * 50
"""lines of three screens"""


def test_the_readme_shows_the_commands_that_it_is_about() -> None:
    typed = {command.split()[0] for page, block in BLOCKS if page == "README.md" for command, _ in block}
    assert typed == {"make", "tasnet", "pytest"}


def test_the_readme_fits_three_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= SCREENS


@pytest.mark.parametrize(
    "block", [block for _, block in BLOCKS], ids=[f"{page}: {block[0][0]}" for page, block in BLOCKS]
)
def test_block(block: list[Step], tmp_path: Path, shared_folder: Path) -> None:
    """The commands of a block run one after the other in one folder, and print the lines below them."""
    for name in IN_THE_CHECKOUT:
        (tmp_path / name).symlink_to(ROOT / name)
    for command, shown in block:
        program = command.split()[0]
        if program in {"git", "cd"}:
            continue
        if program == "make":
            # CI runs the targets themselves: here it is enough that they are there.
            subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, check=True)
        elif command.startswith(("pytest", "tasnet matrix")):
            holds(command, shown, in_the_checkout(command, shared_folder))
        else:
            holds(command, shown, on_the_store(command, tmp_path))


def in_the_checkout(command: str, shared_folder: Path) -> list[str]:
    """What a run of the suite prints. Two pages may show it: it runs once."""
    printed = shared_folder / f"printed-{sha256(command.encode())}.json"
    with FileLock(f"{printed}.lock"):
        if not printed.exists():
            printed.write_text(json.dumps(on_the_store(command, ROOT)), encoding="utf-8")
    lines: list[str] = json.loads(printed.read_text(encoding="utf-8"))
    return lines


def on_the_store(command: str, folder: Path) -> list[str]:
    """What a command prints, on the store that this run fills too."""
    return run(command, folder, TASNET_STORE=os.environ.get("TASNET_STORE", str(ROOT / ".tasnet")))
