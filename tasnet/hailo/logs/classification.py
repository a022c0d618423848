"""Compiler text -> what it tells of: a Failure, a success, or neither; from a log, an exception's text, or both.

`messages.py` says which message belongs to which family, `phases.py` where a stage begins and ends well,
`lines.py` finds the lines, `event.py` takes one apart; here is what they come to. A log is read in one pass and
in blocks, whatever its size, its line lengths and its encoding, and what is kept is bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from tasnet.common import TasnetError, open_regular
from tasnet.hailo import FAMILIES, Certainty, Failure
from tasnet.hailo.logs.event import (
    Event,
    clean,
    event_of,
    event_over,
    exception_of,
    figures_in,
    is_open,
    layer_names,
    layers_in,
    level,
    rest_of,
    untagged,
)
from tasnet.hailo.logs.lines import EXCEPTION_HINTS, LONGEST, Line, blocks, joined, pieces_of, plain, telling_lines
from tasnet.hailo.logs.phases import Turn, mark_of
from tasnet.hailo.logs.rule import Rank
from tasnet.hailo.logs.text import NotText, utf8

_BUDGET = 30_000
"""lines looked at in full; after so many, only the last few of each block can still tell how it ended"""
_LAST = 32
_MOST_LAYERS = 4096
_LARGEST = 1 << 40
"""bytes of a log: it is read in blocks"""

_ERRORS = "errors:"
_SOURCE = re.compile(
    r"(?:(?:-{1,9}> ?)?\d{1,6} .{0,200}?\b)?(?:raise|except)\s+\(?[\w.]{1,120}(?:[(:,]|\s+(?:as|from)\b|$)"
)
"""a line of a program that a traceback shows, numbered where a notebook does: what it raises stands at the end"""
_ENDS = frozenset({Rank.MACHINE, Rank.CONSEQUENCE, Rank.INCIDENTAL})
_IGNORED = re.compile(r"\bException ignored in\b|\bError in atexit\.")
_FRAME = re.compile(r"(?:, in |\.)(translate_onnx_model|optimize|compile)(?:\(|$)")
_CALLS: Mapping[str, str] = {"translate_onnx_model": "translate", "optimize": "optimize", "compile": "compile"}
_RAISED_AT: Mapping[str, str] = {
    "BackendAllocatorException": "compile",
    "ParsingWithRecommendationException": "translate",
    "NMSConfigPostprocessException": "optimize",
}
"""exceptions that a stage alone raises, as documented"""


class LogError(TasnetError, ValueError):
    """A log that can't be read, is empty, or is no text. The message names the file and what to do."""


class End(str, Enum):
    """How a log ends."""

    FAILED = "failed"
    """it names a failure"""
    SUCCEEDED = "succeeded"
    """the last stage that began ended well"""
    UNFINISHED = "unfinished"
    """a stage began, and neither failed nor ended well: cut, killed, or still at work"""
    SILENT = "silent"
    """it says of no stage that it began, failed or ended well"""


@dataclass(frozen=True)
class Told:
    """What a log tells. `stage` is the one that failed, ended well last, or was at work; `last` its last line.

    `warnings` counts the lines of the last model's stages that warn, or that look like errors and were overcome;
    `warning` is the first of them.
    """

    end: End
    stage: str = ""
    failure: Failure | None = None
    last: str = ""
    warnings: int = 0
    warning: str = ""


def classify(text_or_lines: str | bytes | Iterable[str | bytes] = "", exception: str = "") -> Failure | None:
    """The failure that a log, an exception's text (`Class: message`, or the message alone), or both tell of.

    None where neither tells of one; an exception's text always does. Never raises on any text. Its certainty is that
    of a log: observed. Whoever knows that the log is a double's says otherwise.
    """
    if isinstance(text_or_lines, str | bytes):
        return _read(pieces_of(text_or_lines), exception).failure
    return _read(joined(text_or_lines), exception).failure


def classify_file(path: str | os.PathLike[str], exception: str = "") -> Failure | None:
    """`classify` of a log on disk, of any size, in blocks. Raises LogError as `read_log` does."""
    return read_log(path, exception).failure


def read_log(path: str | os.PathLike[str], exception: str = "") -> Told:
    """What a log on disk tells. Raises LogError where it can't be read, is empty, or is no text."""
    try:
        with open_regular(Path(path), most=_LARGEST, what="a log", error=LogError) as file:
            return _read(utf8(file), exception)
    except NotText as error:
        raise LogError(f"log {Path(path).name}: {error}") from None
    except OSError as error:
        raise LogError(f"log {Path(path).name}: can't be read: {error.strerror}; check the path") from None


@dataclass
class _Run:
    """What is kept of a phase: the first and last event of each rank, and each family's layers, bounded."""

    first: dict[Rank, Event] = field(default_factory=dict)
    last: dict[Rank, Event] = field(default_factory=dict)
    final: Event | None = None
    """the last event that is a cause or a consequence"""
    named: Event | None = None
    """the first consequence of a known family"""
    layers: dict[str, dict[str, None]] = field(default_factory=dict)
    nodes: dict[str, None] = field(default_factory=dict)
    header: str = ""
    """a line `dw66 errors:` whose errors have not come yet"""
    exception: str = ""
    stage: str = ""
    """the one at work, or the last one that was"""
    working: bool = False
    done: bool = False
    ignored: bool = False
    """Python tells of an exception on its way out, which ends nothing, and hasn't named it yet"""
    frame: str = ""
    """the SDK's call in a traceback"""
    warnings: int = 0
    warning: str = ""


def _read(pieces: Iterable[bytes], exception: str) -> Told:
    run = _Run()
    looked = 0
    last = b""
    for block in blocks(pieces):
        last = block.data.rstrip()[-LONGEST:] or last
        lines = telling_lines(block)
        if looked > _BUDGET:
            lines = lines[-_LAST:]
        looked += len(lines)
        run = _after_all(run, lines)
    said = exception[: 4 * LONGEST]
    for block in blocks(pieces_of(said)):
        run = _after_all(run, telling_lines(block), marks=False)
    failure = _failure(run)
    message = " ".join(untagged(clean(plain(said.encode(errors="replace")).decode())).split())
    if message and (failure is None or failure.family == "unclassified"):
        failure = _unknown(run, message, failure)
    end = End.FAILED if failure else End.UNFINISHED if run.working else End.SUCCEEDED if run.done else End.SILENT
    line = untagged(clean(last.rpartition(b"\n")[2].decode(errors="replace")))
    return Told(end, failure.stage if failure else run.stage, failure, line, run.warnings, run.warning)


def _unknown(run: _Run, message: str, failure: Failure | None) -> Failure:
    """An exception's text that nobody knows; `failure` is what the log says beside it."""
    layers, figures = layers_in(message), figures_in(message)
    return Failure(
        stage=_stage("unclassified", run),
        family="unclassified",
        message=message,
        exception=run.exception,
        layers=layers if layers or failure is None else failure.layers,
        figures={**({} if failure is None else failure.figures), **figures},
        first_cause=message if failure is None else failure.first_cause,
        terminal_event=message,
        certainty=Certainty.OBSERVED,
    )


def _after_all(run: _Run, lines: Iterable[Line], *, marks: bool = True) -> _Run:
    taken: set[int] = set()
    for line in lines:
        if line.start not in taken:
            run, count = _after(run, line, marks=marks)
            taken |= {start for start, _ in line.following[:count]}
    return run


def _after(run: _Run, raw: Line, *, marks: bool) -> tuple[_Run, int]:
    """The run after one more line, and how many of the lines that follow were its rest."""
    line = clean(raw.text)
    if marks and (mark := mark_of(line)):
        return _turned(run, mark.turn, mark.stage), 0
    following = [text for _, text in raw.following]
    said = level(line)
    if said in ("info", "debug"):
        # A search tells of what it tries: alone that is no cause, and neither is its rest.
        return run, len(list(rest_of(following))) if is_open(line) else 0
    if said:
        run.warnings += 1
        run.warning = run.warning or untagged(line)
    if _IGNORED.search(line):
        run.ignored = True
        return run, 0
    if run.ignored and exception_of(untagged(line).partition(":")[0]):
        run.ignored = False
        return run, 0
    if any(hint in line for hint in EXCEPTION_HINTS) and said != "warning" and (name := exception_of(line)):
        run.exception = name
    if frame := _FRAME.search(line):
        run.frame = _CALLS[frame.group(1)]
    if _SOURCE.match(untagged(line)):
        return run, 0
    event, count = event_over(line, following)
    if event is None and said in ("error", "critical"):
        # Whatever a program writes for it.
        event = event_of(f"[{said}] {untagged(line)}")
    text = untagged(line)
    if event is not None and run.header:
        if text.startswith("Agent infeasible"):
            event = event_of(f"{run.header} {text}") or event
        elif event.rule.rank is Rank.CAUSE and not event.layers:
            event = replace(event, layers=layer_names(run.header.split()[-2:-1]))
    if event is not None:
        run.header = run.header if event.rule.rank is Rank.LOOSE else ""
        _keep(run, event, final=said != "warning")
    if line.endswith(_ERRORS):
        run.header = text
    return run, count


def _turned(run: _Run, turn: Turn, stage: str) -> _Run:
    """The run after a mark: what was said before it is another phase's, or was overcome."""
    if turn is Turn.CUT and (run.done or run.exception or _ENDS & run.last.keys()):
        # It had ended by itself before.
        return run
    new = turn is Turn.BEGAN and stage == "translate"
    warnings, warning = (0, "") if new else (run.warnings, run.warning)
    return _Run(
        stage=stage or run.stage,
        working=turn is not Turn.ENDED_WELL,
        done=turn is Turn.ENDED_WELL,
        warnings=warnings,
        warning=warning,
    )


def _keep(run: _Run, event: Event, *, final: bool) -> None:
    """A warning may be the first cause of what ended the run, and ends none."""
    rank = event.rule.rank
    if not final and rank is not Rank.CAUSE:
        return
    run.first.setdefault(rank, event)
    if final:
        run.last[rank] = event
        if Rank.CAUSE <= rank <= Rank.CONSEQUENCE:
            run.final = event
            if rank is Rank.CONSEQUENCE and run.named is None and event.rule.family != "unclassified":
                run.named = event
    kept = run.layers.setdefault(event.rule.family, {})
    for layer in event.layers:
        if len(kept) < _MOST_LAYERS:
            kept[layer] = None
    for node in event.nodes:
        if len(run.nodes) < _MOST_LAYERS:
            run.nodes[node] = None


def _failure(run: _Run) -> Failure | None:
    """What the events come to: a fault of the machine, the last cause, or of a consequence the first cause."""
    broken = run.last.get(Rank.MACHINE)
    terminal = broken or run.final or run.last.get(Rank.INCIDENTAL) or run.last.get(Rank.LOOSE)
    if terminal is None:
        return None
    rank = terminal.rule.rank
    first = run.first.get(Rank.CAUSE) if rank is Rank.CONSEQUENCE else run.first.get(rank)
    if rank is Rank.CONSEQUENCE and first is None:
        first = run.named or run.first[Rank.CONSEQUENCE]
    cause = first if rank in (Rank.MACHINE, Rank.CONSEQUENCE) and first is not None else terminal
    family = cause.rule.family
    figures = dict(cause.figures)
    if rank is Rank.CONSEQUENCE:
        figures = {**terminal.figures, **figures}
    return Failure(
        stage=_stage(family, run),
        family=family,
        message=cause.text,
        exception=terminal.exception or cause.exception or run.exception,
        layers=tuple(run.layers.get(family, ())),
        nodes=tuple(run.nodes) if family == "unsupported_op" else (),
        figures=figures,
        first_cause=cause.text if first is None else first.text,
        terminal_event=terminal.text,
        certainty=Certainty.OBSERVED,
    )


def _stage(family: str, run: _Run) -> str:
    stage = FAMILIES[family]
    if stage == "any":
        return _RAISED_AT.get(run.exception) or run.stage or run.frame or stage
    # Memory runs out anywhere; a model script is read by the optimization and again by the compilation.
    if family == "out_of_memory" or (family == "model_script" and run.stage == "compile"):
        return run.stage or run.frame or stage
    return stage
