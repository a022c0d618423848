"""What a log tells of, as JSON and as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasnet.hailo.failures import Failure

_WIDTH = 160
_LAYERS = 8


def as_json(log: str, failure: Failure | None) -> dict[str, Any]:
    """`{"log", "failure"}`; the failure is null where the log tells of none."""
    return {"log": log, "failure": failure.model_dump(mode="json") if failure else None}


def lines(log: str, failure: Failure | None) -> Iterator[str]:
    """A line for the log, and one for each thing that is known of its failure."""
    if failure is None:
        yield f"{log}: no failure"
        return
    yield f"{log}: {failure.family} at {failure.stage}"
    more = f" … ({len(failure.layers)})" if len(failure.layers) > _LAYERS else ""
    for label, text in (
        ("says", failure.message),
        ("exception", failure.exception),
        ("layers", ", ".join(failure.layers[:_LAYERS]) + more),
        ("figures", ", ".join(f"{name} {value}" for name, value in failure.figures.items())),
        ("cause", failure.first_cause if failure.first_cause != failure.message else ""),
        ("end", failure.terminal_event if failure.terminal_event != failure.message else ""),
    ):
        if text:
            flat = " ".join(text.split())
            yield f"  {label:11}{flat if len(flat) <= _WIDTH else flat[: _WIDTH - 1] + '…'}"
