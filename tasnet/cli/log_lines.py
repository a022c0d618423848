"""What a log tells of, as JSON and as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tasnet.common import printable
from tasnet.hailo import MACHINE_FAMILIES, SETUP_FAMILIES
from tasnet.hailo.logs import LogEnd, LogSummary, remedy

_WIDTH = 160
_NAMES = 8


def as_json(log: str, told: LogSummary) -> dict[str, Any]:
    """`{"log", "end", "stage", "failure", "warnings"}`; the failure is null where the log tells of none."""
    failure = told.failure.model_dump(mode="json") if told.failure else None
    return {"log": log, "end": told.end.value, "stage": told.stage, "failure": failure, "warnings": told.warnings}


def lines(log: str, told: LogSummary) -> Iterator[str]:
    """A line for the log, and one for each thing that is known of how it ends."""
    failure = told.failure
    if failure is None:
        yield f"{printable(log)}: {_without_failure(told)}"
        yield from _labelled(
            ("warned", told.warning), ("last line", told.last if told.end is not LogEnd.SUCCEEDED else "")
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


def _without_failure(told: LogSummary) -> str:
    if told.end is LogEnd.SUCCEEDED:
        more = f", with {told.warnings} warning{'s' * (told.warnings != 1)}" if told.warnings else ""
        return f"no failure: {told.stage or 'the last stage'} ended well{more}"
    if told.end is LogEnd.UNFINISHED:
        return f"ended without a success, and names no failure: {told.stage} began, and its end is not in the log"
    return "names neither a failure nor a success, nor a stage that began: is it a log of the compiler?"


def _listed(names: Sequence[str]) -> str:
    more = f" … ({len(names)})" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _labelled(*told: tuple[str, str]) -> Iterator[str]:
    for label, text in told:
        if text:
            yield f"  {label:11}{printable(' '.join(text.split()), _WIDTH)}"
