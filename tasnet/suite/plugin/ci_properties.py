"""A case's record in the words of JUnit's properties and of CTRF's tags: what a CI shows beside a test."""

from __future__ import annotations

from collections.abc import Iterator

from tasnet.suite.history import CaseRecord

PREFIX = "tasnet."


def properties(record: CaseRecord) -> Iterator[tuple[str, str]]:
    """Names and values, in the order in which they are read; `tasnet.known` is `predicted` or `observed`."""
    values = {
        "case": record.case_id,
        "verdict": record.verdict.word,
        "known": "predicted" if record.predicted else "observed",
        "toolchain": f"{record.toolchain} {record.version}",
        "certainty": record.certainty.value if record.certainty else "",
        "function": record.function.text,
        "judgement": record.kind.value,
        "entries": ", ".join(record.entries),
        "families": ", ".join(dict.fromkeys(blocker.failure.family for blocker in record.blockers)),
        "graph": record.graph,
        "repeat": record.repeat,
    }
    yield from ((f"{PREFIX}{name}", value) for name, value in values.items() if value)


def tags(record: CaseRecord) -> Iterator[str]:
    """What a test can be filtered by: `predicted`, `verdict:blocked`, `entry:wide-row-agent`."""
    yield "predicted" if record.predicted else "observed"
    yield f"verdict:{record.verdict.word}"
    yield f"function:{record.function.same.value}"
    yield f"judgement:{record.kind.value}"
    yield from (f"entry:{entry}" for entry in record.entries)
