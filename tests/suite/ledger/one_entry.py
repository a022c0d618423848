"""A ledger of one entry, whose lines can be changed, and the axes of every shipped case."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.cases.profiles import PROFILES, profile_cases

PATH = Path("ledger.yaml")
HEAD = "schema: 1\nbudget: 2\nentries:\n"
ENTRY = """\
  - id: one
    summary: a summary
    where: {decoder: grouped}
    stage: compile
    family: unsupported_kernel
    message: "Super deconv"
    layers: [deconv1, "deconv*"]
    toolchain: {reference: "*", dfc: ">=3.33,<3.35"}
    arch: [hailo8]
    evidence: somewhere
    since: 2026-02-17
    review: 2027-02-17
    issue: https://example.org/issues/1
"""
CASES = [case.axes() for name in PROFILES for case in profile_cases(name)]


def changed(key: str, text: str) -> str:
    """ENTRY with the line of `key` replaced."""
    lines = [text if line.strip(" -").startswith(f"{key}:") else line for line in ENTRY.splitlines()]
    return HEAD + "\n".join(lines) + "\n"
