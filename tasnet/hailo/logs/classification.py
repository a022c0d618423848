"""A log of the compiler, an exception's text, or both -> a Failure, a success, or neither.

`messages.py` has the family of each message, `phases.py` the lines with which a stage begins and ends, `lines.py`
finds the lines, `event.py` parses one; this module combines them. A log is read in one pass and in blocks, whatever
its size, line lengths and encoding, and memory is bounded.
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
from tasnet.hailo.logs.encoding import NotText, utf8_blocks
from tasnet.hailo.logs.event import (
    Event,
    continuations,
    continues,
    event_of,
    exception_name,
    figures_in,
    layer_names,
    layers_in,
    log_level,
    without_progress_bars,
    without_tags,
    wrapped_event,
)
from tasnet.hailo.logs.lines import (
    EXCEPTION_HINTS,
    MAX_LINE_BYTES,
    LogLine,
    blocks,
    hinted_lines,
    line_pieces,
    text_pieces,
    without_escapes,
)
from tasnet.hailo.logs.phases import PhaseMark, Transition, phase_mark
from tasnet.hailo.logs.rule import Rank

_MAX_PARSED_LINES = 30_000
"""lines that are parsed; after so many, only the last few of each block are"""
_LAST_LINES = 32
_MAX_LAYERS = 4096
_MAX_LOG_BYTES = 1 << 40
"""bytes of a log: it is read in blocks"""

_ERRORS = "errors:"
_SOURCE = re.compile(
    r"(?:(?:-{1,9}> ?)?\d{1,6} .{0,200}?\b)?(?:raise|except)\s+\(?[\w.]{1,120}(?:[(:,]|\s+(?:as|from)\b|$)"
)
"""a source line within a traceback, numbered in a notebook: the exception itself is logged at the end"""
_ENDS = frozenset({Rank.MACHINE, Rank.CONSEQUENCE, Rank.INCIDENTAL})
_IGNORED = re.compile(r"\bException ignored in\b|\bError in atexit\.")
_FRAME = re.compile(r"(?:, in |\.)(translate_onnx_model|optimize|compile)(?:\(|$)")
_CALLS: Mapping[str, str] = {"translate_onnx_model": "translate", "optimize": "optimize", "compile": "compile"}
_RAISED_AT: Mapping[str, str] = {
    "BackendAllocatorException": "compile",
    "ParsingWithRecommendationException": "translate",
    "NMSConfigPostprocessException": "optimize",
}
"""exceptions that only one stage raises, as documented"""


class LogError(TasnetError, ValueError):
    """A log that can't be read, is empty, or is no text. The message names the file and what to do."""


class LogEnd(str, Enum):
    """How a log ends."""

    FAILED = "failed"
    """it names a failure"""
    SUCCEEDED = "succeeded"
    """the last stage that began ended well"""
    UNFINISHED = "unfinished"
    """a stage began, and neither failed nor ended well: cut, killed, or still at work"""
    SILENT = "silent"
    """it names no stage that began, failed or ended well"""


@dataclass(frozen=True)
class LogSummary:
    """What a log says. `stage` is the stage that failed, ended well last, or was running; `last` the log's last line.

    `warnings` counts the warnings of the last model's stages, and the errors that were overcome; `warning` is the
    first of them.
    """

    end: LogEnd
    stage: str = ""
    failure: Failure | None = None
    last: str = ""
    warnings: int = 0
    warning: str = ""


def classify_failure(text_or_lines: str | bytes | Iterable[str | bytes] = "", exception: str = "") -> Failure | None:
    """The failure in a log, in an exception's text (`Class: message`, or the message alone), or in both.

    None if the log names none; an exception's text always gives one. Never raises, whatever the text. The certainty is
    `observed`: a caller whose log comes from a test double changes it.
    """
    if isinstance(text_or_lines, str | bytes):
        return _read(text_pieces(text_or_lines), exception).failure
    return _read(line_pieces(text_or_lines), exception).failure


def read_log(path: str | os.PathLike[str], exception: str = "") -> LogSummary:
    """What a log on disk says, read in blocks. Raises LogError if it can't be read, is empty, or is no text."""
    try:
        with open_regular(Path(path), most=_MAX_LOG_BYTES, what="a log", error=LogError) as file:
            return _read(utf8_blocks(file), exception)
    except NotText as error:
        raise LogError(f"log {Path(path).name}: {error}") from None
    except OSError as error:
        raise LogError(f"log {Path(path).name}: can't be read: {error.strerror}; check the path") from None


@dataclass
class _Phase:
    """What is kept of a phase of a log: the first and last event of each rank, and each family's layers, bounded."""

    first: dict[Rank, Event] = field(default_factory=dict)
    last: dict[Rank, Event] = field(default_factory=dict)
    final: Event | None = None
    """the last event that is a cause or a consequence"""
    named: Event | None = None
    """the first consequence of a known family"""
    layers: dict[str, dict[str, None]] = field(default_factory=dict)
    nodes: dict[str, None] = field(default_factory=dict)
    header: str = ""
    """a line `dw66 errors:` whose errors have not been read yet"""
    exception: str = ""
    stage: str = ""
    """the one that runs, or ran last"""
    working: bool = False
    done: bool = False
    ignored: bool = False
    """Python has announced an ignored exception at its exit (no failure), and not yet named it"""
    called_stage: str = ""
    """the stage of the SDK's call in a traceback"""
    warnings: int = 0
    warning: str = ""


def _read(pieces: Iterable[bytes], exception: str) -> LogSummary:
    phase = _Phase()
    parsed = 0
    last = b""
    for block in blocks(pieces):
        last = block.data.rstrip()[-MAX_LINE_BYTES:] or last
        lines = hinted_lines(block)
        if parsed > _MAX_PARSED_LINES:
            lines = lines[-_LAST_LINES:]
        parsed += len(lines)
        phase = _take_lines(phase, lines)
    text = exception[: 4 * MAX_LINE_BYTES]
    for block in blocks(text_pieces(text)):
        phase = _take_lines(phase, hinted_lines(block), marks=False)
    failure = _failure(phase)
    message = " ".join(
        without_tags(without_progress_bars(without_escapes(text.encode(errors="replace")).decode())).split()
    )
    if message and (failure is None or failure.family == "unclassified"):
        failure = _unclassified(phase, message, failure)
    end = (
        LogEnd.FAILED
        if failure
        else LogEnd.UNFINISHED
        if phase.working
        else LogEnd.SUCCEEDED
        if phase.done
        else LogEnd.SILENT
    )
    line = without_tags(without_progress_bars(last.rpartition(b"\n")[2].decode(errors="replace")))
    return LogSummary(end, failure.stage if failure else phase.stage, failure, line, phase.warnings, phase.warning)


def _unclassified(phase: _Phase, message: str, failure: Failure | None) -> Failure:
    """A failure of an exception's text that no rule matches; `failure` is the log's own, if it has one."""
    layers, figures = layers_in(message), figures_in(message)
    return Failure(
        stage=_stage("unclassified", phase),
        family="unclassified",
        message=message,
        exception=phase.exception,
        layers=layers if layers or failure is None else failure.layers,
        figures={**({} if failure is None else failure.figures), **figures},
        first_cause=message if failure is None else failure.first_cause,
        terminal_event=message,
        certainty=Certainty.OBSERVED,
    )


def _take_lines(phase: _Phase, lines: Iterable[LogLine], *, marks: bool = True) -> _Phase:
    taken: set[int] = set()
    for line in lines:
        if line.start not in taken:
            phase, count = _take_line(phase, line, marks=marks)
            taken |= {start for start, _ in line.following[:count]}
    return phase


def _take_line(phase: _Phase, raw: LogLine, *, marks: bool) -> tuple[_Phase, int]:
    """The phase after one more line, and how many of the lines after it continued it."""
    line = without_progress_bars(raw.text)
    if marks and (mark := phase_mark(line)):
        return _at_mark(phase, mark), 0
    following = [text for _, text in raw.following]
    level = log_level(line)
    if level in ("info", "debug"):
        # The compiler's search logs each attempt: that is no cause, and neither is its continuation.
        return phase, len(list(continuations(following))) if continues(line) else 0
    if level:
        phase.warnings += 1
        phase.warning = phase.warning or without_tags(line)
    if _IGNORED.search(line):
        phase.ignored = True
        return phase, 0
    if phase.ignored and exception_name(without_tags(line).partition(":")[0]):
        phase.ignored = False
        return phase, 0
    if any(hint in line for hint in EXCEPTION_HINTS) and level != "warning" and (name := exception_name(line)):
        phase.exception = name
    if frame := _FRAME.search(line):
        phase.called_stage = _CALLS[frame.group(1)]
    if _SOURCE.match(without_tags(line)):
        return phase, 0
    event, count = wrapped_event(line, following)
    if event is None and level in ("error", "critical"):
        # In the one form that the rules know, whichever form this program writes.
        event = event_of(f"[{level}] {without_tags(line)}")
    text = without_tags(line)
    if event is not None and phase.header:
        if text.startswith("Agent infeasible"):
            event = event_of(f"{phase.header} {text}") or event
        elif event.rule.rank is Rank.CAUSE and not event.layers:
            event = replace(event, layers=layer_names(phase.header.split()[-2:-1]))
    if event is not None:
        phase.header = phase.header if event.rule.rank is Rank.LOOSE else ""
        _keep_event(phase, event, final=level != "warning")
    if line.endswith(_ERRORS):
        phase.header = text
    return phase, count


def _at_mark(phase: _Phase, mark: PhaseMark) -> _Phase:
    """The phase after a mark: what was logged before it belongs to another phase, or was overcome."""
    if mark.transition is Transition.CUT and (phase.done or phase.exception or _ENDS & phase.last.keys()):
        # It had ended by itself before it was cut.
        return phase
    new = mark.transition is Transition.BEGAN and mark.stage == "translate"
    warnings, warning = (0, "") if new else (phase.warnings, phase.warning)
    return _Phase(
        stage=mark.stage or phase.stage,
        working=mark.transition is not Transition.ENDED_WELL,
        done=mark.transition is Transition.ENDED_WELL,
        warnings=warnings,
        warning=warning,
    )


def _keep_event(phase: _Phase, event: Event, *, final: bool) -> None:
    """Keep an event. A warning (`final` false) may be the first cause of a failure, and is never its end."""
    rank = event.rule.rank
    if not final and rank is not Rank.CAUSE:
        return
    phase.first.setdefault(rank, event)
    if final:
        phase.last[rank] = event
        if Rank.CAUSE <= rank <= Rank.CONSEQUENCE:
            phase.final = event
            if rank is Rank.CONSEQUENCE and phase.named is None and event.rule.family != "unclassified":
                phase.named = event
    kept = phase.layers.setdefault(event.rule.family, {})
    for layer in event.layers:
        if len(kept) < _MAX_LAYERS:
            kept[layer] = None
    for node in event.nodes:
        if len(phase.nodes) < _MAX_LAYERS:
            phase.nodes[node] = None


def _failure(phase: _Phase) -> Failure | None:
    """The failure of a phase: a fault of the machine, else the last cause, else the first cause of a consequence."""
    broken = phase.last.get(Rank.MACHINE)
    terminal = broken or phase.final or phase.last.get(Rank.INCIDENTAL) or phase.last.get(Rank.LOOSE)
    if terminal is None:
        return None
    rank = terminal.rule.rank
    first = phase.first.get(Rank.CAUSE) if rank is Rank.CONSEQUENCE else phase.first.get(rank)
    if rank is Rank.CONSEQUENCE and first is None:
        first = phase.named or phase.first[Rank.CONSEQUENCE]
    cause = first if rank in (Rank.MACHINE, Rank.CONSEQUENCE) and first is not None else terminal
    family = cause.rule.family
    figures = dict(cause.figures)
    if rank is Rank.CONSEQUENCE:
        figures = {**terminal.figures, **figures}
    return Failure(
        stage=_stage(family, phase),
        family=family,
        message=cause.text,
        exception=terminal.exception or cause.exception or phase.exception,
        layers=tuple(phase.layers.get(family, ())),
        nodes=tuple(phase.nodes) if family == "unsupported_op" else (),
        figures=figures,
        first_cause=cause.text if first is None else first.text,
        terminal_event=terminal.text,
        certainty=Certainty.OBSERVED,
    )


def _stage(family: str, phase: _Phase) -> str:
    stage = FAMILIES[family]
    if stage == "any":
        return _RAISED_AT.get(phase.exception) or phase.stage or phase.called_stage or stage
    # Memory runs out anywhere; a model script is read by the optimization and again by the compilation.
    if family == "out_of_memory" or (family == "model_script" and phase.stage == "compile"):
        return phase.stage or phase.called_stage or stage
    return stage
