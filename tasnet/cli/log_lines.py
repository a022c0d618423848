"""What a log tells of, as JSON and as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tasnet.common import printable
from tasnet.hailo import MACHINE_FAMILIES, SETUP_FAMILIES
from tasnet.hailo.logs import LogEnd, LogSummary, remedy

_WIDTH = 160
_NAMES = 8


def as_json(log: str, summary: LogSummary) -> dict[str, Any]:
    """`{"log", "end", "stage", "failure", "warnings"}`; the failure is null where the log tells of none."""
    failure = summary.failure.model_dump(mode="json") if summary.failure else None
    return {
        "log": log,
        "end": summary.end.value,
        "stage": summary.stage,
        "failure": failure,
        "warnings": summary.warnings,
    }


def lines(log: str, summary: LogSummary) -> Iterator[str]:
    """A line for the log, and one for each thing that is known of how it ends."""
    failure = summary.failure
    if failure is None:
        yield f"{printable(log)}: {_without_failure(summary)}"
        yield from _labelled(
            ("warned", summary.warning), ("last line", summary.last if summary.end is not LogEnd.SUCCEEDED else "")
        )
        return
    yield f"{printable(log)}: {failure.family} at {failure.stage}"
    of_the_network = failure.family not in MACHINE_FAMILIES | SETUP_FAMILIES
    yield from _labelled(
        ("says", failure.message),
        ("exception", failure.exception),
        ("layers", _listed(failure.layers)),
        ("nodes", _listed(failure.nodes)),
        ("figures", ", ".join(f"{name} {value}" for name, value in failure.figures.items())),
        ("cause", failure.first_cause if failure.first_cause != failure.message else ""),
        ("end", failure.terminal_event if failure.terminal_event != failure.message else ""),
        (
            "to do",
            "" if of_the_network else f"{remedy(failure.family, failure.message)}; it says nothing of the network",
        ),
    )


def _without_failure(summary: LogSummary) -> str:
    if summary.end is LogEnd.SUCCEEDED:
        more = f", with {summary.warnings} warning{'s' * (summary.warnings != 1)}" if summary.warnings else ""
        return f"no failure: {summary.stage or 'the last stage'} ended well{more}"
    if summary.end is LogEnd.UNFINISHED:
        return f"ended without a success, and names no failure: {summary.stage} began, and its end is not in the log"
    return "names neither a failure nor a success, nor a stage that began: is it a log of the compiler?"


def _listed(names: Sequence[str]) -> str:
    more = f" … ({len(names)})" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _labelled(*parts: tuple[str, str]) -> Iterator[str]:
    for label, text in parts:
        if text:
            yield f"  {label:11}{printable(' '.join(text.split()), _WIDTH)}"
