"""Texts of ledgers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from tasnet.hailo.failures import Failure
from tasnet.suite.cases.case import Case
from tasnet.suite.ledger import Ledger, parse_ledger
from tests.doubles.outcomes import failure

PATH = Path("ledger.yaml")


def entry_text(
    name: str,
    where: str = "{decoder: grouped}",
    family: str = "unsupported_kernel",
    stage: str = "compile",
    message: str = "Super deconv",
    toolchain: str = '{reference: "*"}',
    review: str = "2127-02-17",
    arch: str = "[hailo8]",
    more: str = "",
) -> str:
    """One entry of a ledger, indented as the shipped ones are."""
    return f"""\
  - id: {name}
    summary: a summary
    where: {where}
    stage: {stage}
    family: {family}
    message: "{message}"
    toolchain: {toolchain}
    arch: {arch}
    evidence: somewhere
    since: 2026-02-17
    review: {review}
{more}"""


def ledger_text(*entries: str, budget: int | None = None, owner: str = "the team") -> str:
    """A whole ledger."""
    owned = f"owner: {owner}\n" if owner else ""
    listed = "entries:\n" + "\n".join(entries) if entries else "entries: []\n"
    return f"schema: 1\nbudget: {len(entries) if budget is None else budget}\n{owned}{listed}"


def ledger(*entries: str, budget: int | None = None, owner: str = "the team") -> Ledger:
    """A whole ledger, read."""
    return parse_ledger(ledger_text(*entries, budget=budget, owner=owner), PATH)


def one_each(cases: Sequence[Case]) -> str:
    """A ledger of one entry for each case, as people write them: keys in any order, comments, empty lines, quotes."""
    rng = random.Random(5)
    parts = [f"# What is expected to fail.\nschema: 1\nbudget: {len(cases)}\nowner: the team\nentries:\n"]
    for number, case in enumerate(cases):
        axes = [f"{axis}: {value}" for axis, value in case.axes().items() if axis in _HEAD]
        rng.shuffle(axes)
        text = entry_text(f"entry-{number}", f"{{{', '.join(axes)}}}", message=f"cause {number} ends")
        stage = rng.choice(["stage: compile", "stage: compile  # late", "stage:   'compile'"])
        comment = rng.choice(["", f"  # number {number}\n", "  # two\n  # lines\n", "\n"])
        parts += [comment, text.replace("stage: compile", stage), rng.choice(["", "\n", "    # more\n"])]
    return "".join(parts)


def cause(number: int) -> Failure:
    """The failure that the entry of this number in `one_each` tells of."""
    return failure("unsupported_kernel", f"cause {number} ends", "deconv1")


_HEAD = ("expansion", "mask", "sources", "skip", "decoder", "blocks")
