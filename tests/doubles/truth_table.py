"""Every way a case can be expected to end x every way it can end x who says so, each on a case of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product

from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Provenance, Stage, Status
from tasnet.suite.cases.profiles import profile_cases
from tests.doubles.outcomes import DFC, REFERENCE, SUPER_DECONV, failure, outcomes

TODAY = date(2026, 6, 1)
MEMORY = failure("memory_units", "Memory units capacity exceeded", "deconv1")
SLOPE = failure("negative_slope", "a slope below 0", "prelu1")
OTHER_WORDS = SUPER_DECONV.model_copy(update={"message": "Super conv is new"})
OTHER_LAYER = SUPER_DECONV.model_copy(update={"layers": ("deconv2",)})

ACTUAL = {
    "passes": ((), Status.PASSED),
    "fails so": ((SUPER_DECONV,), Status.PASSED),
    "other family": ((MEMORY,), Status.PASSED),
    "other words": ((OTHER_WORDS,), Status.PASSED),
    "other layer": ((OTHER_LAYER,), Status.PASSED),
    "other stage": ((SLOPE,), Status.PASSED),
    "two blockers": ((SUPER_DECONV, MEMORY), Status.PASSED),
    "unknown": ((), Status.UNKNOWN),
    "skipped": ((), Status.SKIPPED),
    "unclassified": ((), Status.UNCLASSIFIED),
    "infra": ((), Status.INFRA),
}
"""how a case ends: its blockers, and its status at compile if there are none"""

_COLUMNS = tuple(ACTUAL)
_KINDS = {
    # the kinds in the order of ACTUAL
    "nothing": "expected_pass un un un un un un unknown unknown strange infra",
    "it": "unexpected_pass expected_failure wrong wrong wrong wrong un unconfirmed unknown strange infra",
    "another family": "unexpected_pass wrong expected_failure wrong wrong wrong un unconfirmed unknown strange infra",
    "another stage": "unexpected_pass wrong wrong wrong wrong expected_failure wrong unconfirmed unknown strange infra",
    "it, twice": "unexpected_pass overlap wrong wrong wrong wrong un unconfirmed unknown strange infra",
    "it, past review": "unexpected_pass expired wrong wrong wrong wrong un unconfirmed unknown strange infra",
    "it, flaky": "flaky flaky wrong wrong wrong wrong un unknown unknown strange infra",
    "of another toolchain": "expected_pass un un un un un un unknown unknown strange infra",
    "of another version": "expected_pass un un un un un un unknown unknown strange infra",
    "of another architecture": "expected_pass un un un un un un unknown unknown strange infra",
}
_SHORT = {"un": "unexpected_failure", "wrong": "wrong_failure", "strange": "unclassified"}
EXPECTED = tuple(_KINDS)
"""what the ledger says of a case"""
SPEAKERS: Mapping[str, Provenance] = {"reference": REFERENCE, "dfc": DFC}
"""one that lists every blocker and is held to it, and one that names one of maybe several"""


@dataclass(frozen=True)
class Row:
    """One case of the table."""

    case: Case
    expected: str
    actual: str
    speaker: str

    @property
    def kind(self) -> str:
        """What it must be judged to be."""
        kind = _KINDS[self.expected].split()[_COLUMNS.index(self.actual)]
        # A toolchain that doesn't list every blocker owes no proof of what it can't tell.
        if kind == "unconfirmed" and self.speaker == "dfc":
            return "unknown"
        return _SHORT.get(kind, kind)

    @property
    def verdict(self) -> str:
        """What pytest must make of it."""
        flaky = "xpassed" if self.actual == "passes" else "xfailed"
        ends = {"expected_pass": "passed", "expected_failure": "xfailed", "unknown": "skipped"}
        return {**ends, "flaky": flaky, "infra": "error", "unclassified": "error"}.get(self.kind, "failed")


ROWS = tuple(
    Row(case, *row) for case, row in zip(profile_cases("matrix"), product(EXPECTED, ACTUAL, SPEAKERS), strict=False)
)  # fmt: skip
_BY_ID = {row.case.id: row for row in ROWS}


def tell(case: Case) -> Mapping[Stage, Outcome]:
    """How a case of the table ends."""
    row = _BY_ID[case.id]
    blockers, status = ACTUAL[row.actual]
    return outcomes(*blockers, status=status, by=SPEAKERS[row.speaker], reason="so")


def ledger(*rows: Row) -> str:
    """The ledger that says of each case what its row has; of the cases of these rows alone, if any are given."""
    entries = [text for number, row in enumerate(ROWS) if row in (rows or ROWS) for text in _entries(number, row)]
    return f"schema: 1\nbudget: {len(entries)}\nowner: the team\nentries:\n" + "".join(entries)


def _entries(number: int, row: Row) -> list[str]:
    if row.expected == "nothing":
        return []
    known = {"another family": MEMORY, "another stage": SLOPE}.get(row.expected, SUPER_DECONV)
    scope = {"reference": '"*"', "dfc": '">=3.33,<3.35"'}[row.speaker]
    speaker = row.speaker
    if row.expected == "of another version":
        scope = {"reference": '">=9"', "dfc": '">=3.34"'}[row.speaker]
    elif row.expected == "of another toolchain":
        speaker = next(name for name in SPEAKERS if name != row.speaker)
    axes = {axis: value for axis, value in row.case.axes().items() if axis in _HEAD}
    where = ", ".join(f"{axis}: {value}" for axis, value in axes.items())
    flaky = "    flaky: {rate: 0.5, over: 20}\n" if row.expected == "it, flaky" else ""
    text = f"""\
  - id: row-{number}
    summary: {row.expected}, {row.actual}
    where: {{{where}}}
    stage: {known.stage}
    family: {known.family}
    message: "{known.message}"
    layers: [{known.layers[0]}]
    toolchain: {{{speaker}: {scope}}}
    arch: [{"hailo8l" if row.expected == "of another architecture" else "hailo8"}]
    evidence: a table
    since: 2026-01-01
    review: {"2026-05-31" if row.expected == "it, past review" else "2126-01-01"}
{flaky}"""
    return [text, text.replace(f"row-{number}", f"again-{number}")] if row.expected == "it, twice" else [text]


_HEAD = ("expansion", "mask", "sources", "skip", "decoder", "blocks")
