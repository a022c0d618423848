"""Compiler text -> Failure: a log, an exception's text, or both.

`messages.py` says which message belongs to which family, `log_lines.py` finds the lines, `log_event.py` takes one
apart; here is what they come to. A log is read in one pass and in blocks, whatever its size, its line lengths and its
encoding, and what is kept is bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tasnet.hailo.failures import FAMILIES, Certainty, Failure
from tasnet.hailo.log_event import Event, clean, event_of, exception_of, figures_in, layer_names, layers_in, untagged
from tasnet.hailo.log_lines import BLOCK, EXCEPTION_HINTS, LONGEST, blocks, joined, pieces_of, plain, telling_lines
from tasnet.hailo.messages import Rank

_BUDGET = 30_000
"""lines looked at in full; after so many, only the last few of each block can still tell how it ended"""
_LAST = 32

_ERRORS = "errors:"
_SUCCESS = re.compile(r"\bStep [34] Success\b")
_START = re.compile(r"\bStarting (Translation|Optimization|Compilation)\b")
_STARTS: Mapping[str, str] = {
    "Translation": "translate",
    "Optimization": "optimize",
    "Compilation": "compile",
}


class LogError(ValueError):
    """A log that can't be read. The message names the file and the reason."""


def classify(text_or_lines: str | bytes | Iterable[str | bytes] = "", exception: str = "") -> Failure | None:
    """The failure that a log, an exception's text (`Class: message`, or the message alone), or both tell of.

    None where neither tells of one; an exception's text always does. Never raises on any text. Its certainty is that
    of a log: observed. Whoever knows that the log is a double's says otherwise.
    """
    if isinstance(text_or_lines, str | bytes):
        return _classify(pieces_of(text_or_lines), exception)
    return _classify(joined(text_or_lines), exception)


def classify_file(path: str | os.PathLike[str], exception: str = "") -> Failure | None:
    """`classify` of a log on disk, of any size, in blocks. Raises LogError where it can't be read."""
    try:
        with open(path, "rb") as file:
            return _classify(iter(lambda: file.read(BLOCK), b""), exception)
    except OSError as error:
        raise LogError(f"log {Path(path).name}: can't be read: {error.strerror}; check the path") from None


@dataclass
class _Run:
    """What is kept of a run: the first and last event of each rank, and each family's layers, bounded."""

    first: dict[Rank, Event] = field(default_factory=dict)
    last: dict[Rank, Event] = field(default_factory=dict)
    final: Event | None = None
    """the last event that is a cause or a consequence"""
    named: Event | None = None
    """the first consequence of a known family"""
    layers: dict[str, dict[str, None]] = field(default_factory=dict)
    header: str = ""
    """a line `dw66 errors:` whose errors have not come yet"""
    exception: str = ""
    stage: str = ""


_MOST_LAYERS = 4096


def _classify(pieces: Iterable[bytes], exception: str) -> Failure | None:
    run = _Run()
    looked = 0
    for block in blocks(pieces):
        lines = telling_lines(block)
        if looked > _BUDGET:
            lines = lines[-_LAST:]
        looked += len(lines)
        for line in lines:
            run = _after(run, line)
    said = exception[: 4 * LONGEST]
    for block in blocks(pieces_of(said)):
        for line in telling_lines(block):
            run = _after(run, line, marks=False)
    failure = _failure(run)
    message = " ".join(untagged(clean(plain(said.encode(errors="replace")).decode())).split())
    if not message or (failure is not None and failure.family != "unclassified"):
        return failure
    layers, figures = layers_in(message), figures_in(message)
    return Failure(
        stage=run.stage or "any",
        family="unclassified",
        message=message,
        exception=run.exception,
        layers=layers if layers or failure is None else failure.layers,
        figures={**({} if failure is None else failure.figures), **figures},
        first_cause=message if failure is None else failure.first_cause,
        terminal_event=message,
        certainty=Certainty.OBSERVED,
    )


def _after(run: _Run, raw: str, *, marks: bool = True) -> _Run:
    """The run after one more line."""
    line = clean(raw)
    if marks and (start := _START.search(line)):
        stage = _STARTS[start.group(1)]
        # A new flow in the same file: what failed before it is another run's.
        return _Run(stage=stage) if stage == "translate" else _at(run, stage)
    if marks and _SUCCESS.search(line):
        # The step went through: what looked like a failure in it was overcome.
        return _Run(stage=run.stage)
    if any(hint in line for hint in EXCEPTION_HINTS) and (name := exception_of(line)):
        run.exception = name
    event = event_of(line)
    text = untagged(line)
    if event is not None and run.header:
        if text.startswith("Agent infeasible"):
            event = event_of(f"{run.header} {text}") or event
        elif event.rule.rank is Rank.CAUSE and not event.layers:
            event = replace(event, layers=layer_names(run.header.split()[-2:-1]))
    if event is not None:
        run.header = run.header if event.rule.rank is Rank.LOOSE else ""
        _keep(run, event)
    if line.endswith(_ERRORS):
        run.header = text
    return run


def _at(run: _Run, stage: str) -> _Run:
    run.stage, run.exception = stage, ""
    return run


def _keep(run: _Run, event: Event) -> None:
    rank = event.rule.rank
    run.first.setdefault(rank, event)
    run.last[rank] = event
    if rank <= Rank.CONSEQUENCE:
        run.final = event
        if rank is Rank.CONSEQUENCE and run.named is None and event.rule.family != "unclassified":
            run.named = event
    kept = run.layers.setdefault(event.rule.family, {})
    for layer in event.layers:
        if len(kept) < _MOST_LAYERS:
            kept[layer] = None


def _failure(run: _Run) -> Failure | None:
    """What the events come to: the last cause, or where the run ended in a consequence, the first cause."""
    terminal = run.final or run.last.get(Rank.INCIDENTAL) or run.last.get(Rank.LOOSE)
    if terminal is None:
        return None
    rank = terminal.rule.rank
    first = run.first.get(Rank.CAUSE) if rank is Rank.CONSEQUENCE else run.first.get(rank)
    if rank is Rank.CONSEQUENCE and first is None:
        first = run.named or run.first[Rank.CONSEQUENCE]
    cause = first if rank is Rank.CONSEQUENCE and first is not None else terminal
    family = cause.rule.family
    figures = dict(cause.figures)
    if rank is Rank.CONSEQUENCE:
        figures = {**terminal.figures, **figures}
    return Failure(
        stage=_stage(family, run.stage),
        family=family,
        message=cause.text,
        exception=terminal.exception or cause.exception or run.exception,
        layers=tuple(run.layers.get(family, ())),
        figures=figures,
        first_cause=cause.text if first is None else first.text,
        terminal_event=terminal.text,
        certainty=Certainty.OBSERVED,
    )


def _stage(family: str, marked: str) -> str:
    stage = FAMILIES[family]
    # A model script is read by the optimization and again by the compilation.
    if stage == "any" or (family == "model_script" and marked == "compile"):
        return marked or stage
    return stage
