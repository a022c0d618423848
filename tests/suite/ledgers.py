"""Texts of ledgers for tests."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.ledger import Ledger, parse

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
    return parse(ledger_text(*entries, budget=budget, owner=owner), PATH)
