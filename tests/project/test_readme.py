"""Every command of the README, and of the pages that go on from it, runs and prints what is shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

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
def test_block(block: list[Step], tmp_path: Path) -> None:
    """The commands of a block run one after the other in one folder, and print the lines below them."""
    for name in IN_THE_CHECKOUT:
        (tmp_path / name).symlink_to(ROOT / name)
    store = os.environ.get("TASNET_STORE", str(ROOT / ".tasnet"))
    for command, shown in block:
        program = command.split()[0]
        if program in {"git", "cd"}:
            continue
        if program == "make":
            # CI runs the targets themselves: here it is enough that they are there.
            subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, check=True)
            continue
        # The suite runs in the checkout, and all commands on the store that this run fills too.
        folder = ROOT if command.startswith(("pytest", "tasnet matrix")) else tmp_path
        holds(command, shown, run(command, folder, TASNET_STORE=store))
