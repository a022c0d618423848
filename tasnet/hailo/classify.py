"""Compiler text -> Failure: a log, an exception's text, or both.

One table of rules says which message belongs to which family and which figures stand in it. The messages are
those of the Dataflow Compiler 3.33 as documented in public notes, forum posts and issue texts.
A log is read in one pass and in blocks, whatever its size, its line lengths and its encoding: literal hints
pick the few lines worth a regular expression, and what is kept is bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

from tasnet.hailo.failures import FAMILIES, Certainty, Failure, base_layers


class LogError(ValueError):
    """A log that can't be read. The message names the file and the reason."""


class Rank(IntEnum):
    """How much a message says about why the run failed; of two, the lower one speaks."""

    CAUSE = 0
    CONSEQUENCE = 1
    """an end that some cause before it led to: a timeout"""
    INCIDENTAL = 2
    """telling only where nothing better is known: a missing module may be a mere warning"""
    LOOSE = 3
    """says that something failed, and not what"""


@dataclass(frozen=True)
class Rule:
    """One message. `hint` is a literal that stands in it whenever `pattern` does; many rules share one,
    since each distinct hint costs a search over the whole log.

    The pattern's groups `layers`, `layer`, `layer_from` and `layer_to` hold names of layers; any other is a
    figure of that name, in seconds where the name ends so.
    """

    family: str
    hint: str
    pattern: re.Pattern[str]
    rank: Rank = Rank.CAUSE


_NAME = r"(?<![^\s,:'\"\[(])[^\s,:'\"\[()\]]{1,256}"
_INT = r"\d{1,18}"
_TIME = r"(?:\d{1,6}\s?h\s?)?(?:\d{1,6}\s?m\s?)?\d{1,9}(?:\.\d{1,6})?\s?s"
_ROOM = rf"\(available: (?P<available>{_INT}), required: (?P<required>{_INT})\)"
_ARCH = r"hailo(?:8[lr]?|1[05]\w)\b"
_REFUSED = r"(?:[Uu]nsupported|[Uu]nknown|[Ii]nvalid|not supported|not a valid)"
_OTHER_ARCH = rf"{_REFUSED}.{{0,80}}(?P<arch>{_ARCH})|{_ARCH}.{{0,80}}{_REFUSED}"


def _rule(family: str, hint: str, pattern: str, rank: Rank = Rank.CAUSE) -> Rule:
    return Rule(family, hint, re.compile(pattern), rank)


RULES: tuple[Rule, ...] = (
    _rule("reshape_insertion", "Reshape is needed", r"Reshape is needed for layers: (?P<layers>.*?)(?:,? but |\.?$)"),
    _rule("reshape_insertion", "ailed", r"Failed to add spatial reshapes"),
    # A conversion that is infeasible is a matter of formats, not of the layer it was put in for.
    _rule(
        "format",
        "Agent infeasible",
        r"(?<![\w/])(?P<layer>[\w/]{0,200}format_conversion\d+\w*)(?: errors:)?(?: with)? Agent infeasible",
    ),
    _rule("format", "No format for", rf"No format for (?P<layer_from>{_NAME}) -> (?P<layer_to>{_NAME})"),
    _rule("format", "not aligned to", rf"features not aligned to (?P<alignment>{_INT})"),
    _rule(
        "agent_infeasible",
        "No successful assignments",
        rf"No successful assignments(?:: (?P<layer>{_NAME}) errors)?",
        Rank.CONSEQUENCE,
    ),
    _rule(
        "agent_infeasible",
        "Agent infeasible",
        rf"Validator failed on node: (?P<layer>{_NAME}) with Agent infeasible",
    ),
    _rule("agent_infeasible", "Agent infeasible", rf"(?:(?P<layer>{_NAME}):? )?(?:errors: )?Agent infeasible"),
    _rule(
        "mapping_timeout",
        "ailed",
        rf"(?:Mapping|Allocation) Failed \(Timeout(?:, (?:allocation time: (?P<allocation_seconds>{_TIME})"
        rf"|Processing time: (?P<processing_seconds>{_TIME})))?",
        Rank.CONSEQUENCE,
    ),
    _rule(
        "unclassified",
        "ailed",
        rf"Mapping Failed(?: \(allocation time: (?P<allocation_seconds>{_TIME}))?",
        Rank.CONSEQUENCE,
    ),
    _rule(
        "unclassified",
        "exceeded",
        rf"\[TIMEOUT\] {_NAME} exceeded (?P<limit_seconds>{_INT})s",
        Rank.CONSEQUENCE,
    ),
    _rule("unsupported_kernel", "upported", r"Super deconv is not supported"),
    _rule("unsupported_kernel", "upported", r"Unsupported kernel type"),
    _rule("memory_units", "Memory units", rf"Memory units capacity exceeded(?: {_ROOM})?"),
    _rule(
        "memory_units",
        "Memory units",
        rf"Memory units required (?P<required>{_INT}) and (?P<available>{_INT}) are available",
    ),
    _rule("resource_presolve", "ailed", r"Resources presolve failed"),
    _rule("resource_presolve", "ailed", r"Failed to save enough resources"),
    _rule(
        "resource_presolve",
        "oo many ",
        # The compiler's own spelling, and the one it may come to.
        rf"uses too many res?ources(?:: (?P<required>{_INT}) (?P<resource>[\w-]{{1,40}}))?",
    ),
    _rule(
        "resource_presolve",
        "oo many ",
        rf"Too many (?P<resource>\w{{1,40}}) \((?P<required>{_INT}) > (?P<available>{_INT})\)",
    ),
    _rule("partition", "a valid partition", r"could not find a valid partition"),
    _rule("partition", "oo many ", r"finished with too many resources on (?P<context>\w{1,60}?)\b"),
    _rule("partition", "ailed", r"Splitter failed to find a possible solution"),
    _rule("kernel_validation", "ailed", rf"(?P<layer>{_NAME}) failed on kernel validation"),
    _rule(
        "kernel_validation",
        "max allowed",
        rf"(?P<layer>{_NAME}) has (?P<required>{_INT}) APUs but max allowed is (?P<available>{_INT})",
    ),
    _rule("inter_context_stream", "exceeded", rf"shmifo (?P<direction>in|out) capacity exceeded(?: {_ROOM})?"),
    _rule("inter_context_stream", "rror", r"Context-Partition topology error"),
    _rule("missing_buffer", "doesn", rf"buffers key (?P<layer>{_NAME}) doesn"),
    _rule(
        "microcode",
        "exceeded",
        rf"microcode exceeded size for (?P<layer>{_NAME})"
        rf"(?: \(cluster_index=(?P<cluster_index>{_INT}), layer_index=(?P<layer_index>{_INT})\))?",
    ),
    _rule("compiler_crash", "ailed", r"Assertion\b.{0,2000}?\bfailed"),
    _rule("compiler_crash", "unexpected crash", r"unexpected crash"),
    _rule("compiler_crash", "Segmentation fault", r"Segmentation fault"),
    _rule("compiler_crash", "SIG", r"\b(?P<signal>SIGSEGV|SIGABRT|SIGBUS|SIGFPE|SIGILL)\b"),
    _rule("not_quantized", "forget to quantize", r"Did you forget to quantize"),
    _rule(
        "negative_slope",
        "ailed",
        rf"Quantization failed in layer (?P<layer>{_NAME}) due to unsupported required slope"
        rf"(?:\. Desired shift is (?P<desired_shift>-?\d{{1,9}}(?:\.\d{{1,9}})?), but op has only "
        rf"(?P<data_bits>{_INT}) data bits)?",
    ),
    _rule("negative_slope", "NonFixable", r"NegativeSlopeExponentNonFixable"),
    _rule(
        "calibration_shape",
        "doesn",
        rf"Data shape (?P<data_shape>\([\d, ]{{0,80}}\)) for layer (?P<layer>{_NAME}) doesn.t match network.s "
        r"input shape (?P<network_shape>\([\d, ]{0,80}\))",
    ),
    _rule("calibration_shape", "CalibrationDataType", r"Couldn.t detect CalibrationDataType"),
    _rule("calibration_shape", "rror", r"\bKeyError: ['\"]?(?P<layer>[\w./-]{0,200}input_layer\d{1,9})\b"),
    _rule("calibration_shape", "InputsShape", r"\bBadInputsShape\b"),
    _rule(
        "unsupported_dimensions",
        "upported",
        r"Unsupported dimensions(?:.{0,300}?(?P<shape>\[-?\d[\d, -]{0,80}\]))?",
    ),
    _rule(
        "shape_mismatch",
        "Inference input shapes",
        rf"Inference input shapes (?P<input_shape>\[[\d\[\], -]{{0,200}}\]) for layer (?P<layer>{_NAME}) "
        r"does not match HN shapes (?P<hn_shape>\[[\d\[\], -]{0,200}\])",
    ),
    _rule("out_of_memory", "GPU memory has", r"GPU memory has been exhausted"),
    _rule("out_of_memory", "rror", r"\bAccelerasResourceError\b"),
    _rule("model_script", "not found in model", rf"Layer (?P<layer>{_NAME}) not found in model"),
    _rule("model_script", "ception", r"\bAllocatorScriptParserException\b"),
    _rule("node_name", "rror", r"\bMisspellNodeError\b"),
    _rule("export_model", "upported", rf"Target opset version (?P<opset>{_INT}) is not supported"),
    _rule("export_model", "upported", rf"1D form is not supported(?: in layer (?P<layer>{_NAME}))?"),
    _rule("export_model", "rank", r"\brank[- ]3\b.{0,80}\binputs?\b|\binputs?\b.{0,80}\brank[- ]3\b"),
    _rule(
        "unsupported_op",
        "rror",
        rf"\b(?P<error>Unsupported\w{{1,60}}Error|UnexpectedNodeError) in op (?P<node>{_NAME})",
    ),
    _rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>UnexpectedNodeError"
        r"|Unsupported(?:Operation|\w{1,40}Layer|Conv3D)Error)\b",
    ),
    # The wrapper alone: what it wraps stands in the lines after it.
    _rule("unsupported_op", "ception", r"\bParsingWithRecommendationException\b", Rank.INCIDENTAL),
    _rule("environment", "rror", r"symbol lookup error", Rank.INCIDENTAL),
    _rule("environment", "No module named", r"No module named '?(?P<module>[\w.]{1,100})", Rank.INCIDENTAL),
    _rule("environment", "rror", r"\b(?:ImportError|ModuleNotFoundError|OSError): ", Rank.INCIDENTAL),
    _rule("environment", "hw_arch", _OTHER_ARCH, Rank.INCIDENTAL),
    _rule("environment", "upported", _OTHER_ARCH, Rank.INCIDENTAL),
    _rule(
        "unclassified",
        "rror",
        r"(?<!\w)[A-Z]\w{1,80}?Error(?=:)",
        Rank.INCIDENTAL,
    ),
    _rule("unclassified", "ception", r"(?<!\w)[A-Z]\w{1,80}?Exception(?=:)", Rank.INCIDENTAL),
    _rule("unclassified", "rror", r"\[error\]", Rank.LOOSE),
    _rule("unclassified", "ailed", r"\b[Cc]ompilation failed", Rank.LOOSE),
    _rule("unclassified", "ailed", r"\bStep [34] Failed\b", Rank.LOOSE),
)
"""in the order of their priority: the first that matches a line has it"""


def classify(text_or_lines: str | bytes | Iterable[str | bytes] = "", exception: str = "") -> Failure | None:
    """The failure that a log, an exception's text (`Class: message`, or the message alone), or both tell of.

    None where neither tells of one; an exception's text always does. Never raises on any text. Its certainty is that
    of a log: observed. Whoever knows that the log is a double's says otherwise.
    """
    if isinstance(text_or_lines, str | bytes):
        return _classify(_pieces(text_or_lines), exception)
    return _classify(_joined(text_or_lines), exception)


def classify_file(path: str | os.PathLike[str], exception: str = "") -> Failure | None:
    """`classify` of a log on disk, of any size, in blocks. Raises LogError where it can't be read."""
    try:
        with open(path, "rb") as file:
            return _classify(iter(lambda: file.read(_BLOCK), b""), exception)
    except OSError as error:
        raise LogError(f"log {Path(path).name}: can't be read: {error.strerror}; check the path") from None


# From bytes to the few lines that matter

_BLOCK = 1 << 18
_BEFORE = 1 << 12
_AFTER = 1 << 14
"""characters kept of a line before and after the hint in it"""
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
_EXCEPTION_HINTS = ("rror", "ception", "NonFixable", "InputsShape")
_HINTS = tuple(
    hint.encode()
    for hint in dict.fromkeys((*(rule.hint for rule in RULES), " Success", "Starting ", *_EXCEPTION_HINTS))
)
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\)|[@-Z\\^_])")
_BAR = re.compile(r"\d{1,3}%\|[^|]{0,300}\|[^\[\n]{0,60}\[[^\]]{0,80}\]")
_TAG = re.compile(r"^\s*(?:\[(?:debug|info|warning|error|critical)\]\s*)+")


def _pieces(text: str | bytes) -> Iterator[bytes]:
    for start in range(0, len(text), _BLOCK):
        piece = text[start : start + _BLOCK]
        yield piece if isinstance(piece, bytes) else piece.encode(errors="replace")


def _joined(lines: Iterable[str | bytes]) -> Iterator[bytes]:
    """Lines as blocks: a search over a block costs little more than one over a line."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        for piece in _pieces(line):
            held.append(piece)
            size += len(piece) + 1
        held.append(b"\n")
        if size >= _BLOCK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, without escapes; a carriage return ends a line too. Endless lines are cut, with an overlap."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if end == 0 and len(data) > 2 * _AFTER:
            yield _plain(data)
            rest = data[-_BEFORE:]
            continue
        if end:
            yield _plain(data[:end])
        rest = data[end:]
    if rest:
        yield _plain(rest)


def _plain(data: bytes) -> bytes:
    if b"\x1b" in data:
        data = _ESCAPE.sub(b"", data)
    return data.replace(b"\r", b"\n")


def _telling(block: bytes) -> list[str]:
    """The block's lines with a hint in them, in their order, each bounded."""
    spans: dict[int, int] = {}
    for hint in _HINTS:
        at = block.find(hint)
        while at >= 0:
            floor = max(0, at - _BEFORE)
            start = block.rfind(b"\n", floor, at) + 1 or floor
            stop = block.find(b"\n", at, at + _AFTER)
            stop = min(at + _AFTER, len(block)) if stop < 0 else stop
            spans[start] = max(stop, spans.get(start, 0))
            at = block.find(hint, stop)
    return [block[start:stop].decode(errors="replace") for start, stop in sorted(spans.items())]


# From lines to a failure


@dataclass(frozen=True)
class _Event:
    rule: Rule
    text: str
    layers: tuple[str, ...]
    figures: Mapping[str, int | float | str]
    exception: str


@dataclass
class _Run:
    """What is kept of a run: the first and last event of each rank, and each family's layers, bounded."""

    first: dict[Rank, _Event] = field(default_factory=dict)
    last: dict[Rank, _Event] = field(default_factory=dict)
    final: _Event | None = None
    """the last event that is a cause or a consequence"""
    named: _Event | None = None
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
    for block in _blocks(pieces):
        lines = _telling(block)
        if looked > _BUDGET:
            lines = lines[-_LAST:]
        looked += len(lines)
        for line in lines:
            run = _after(run, line)
    said = exception[: 4 * _AFTER]
    for block in _blocks(_pieces(said)):
        for line in _telling(block):
            run = _after(run, line, marks=False)
    failure = _failure(run)
    message = " ".join(_TAG.sub("", _clean(_plain(said.encode(errors="replace")).decode())).split())
    if not message or (failure is not None and failure.family != "unclassified"):
        return failure
    layers, figures = _tokens(message), _generic_figures(message)
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


def _clean(line: str) -> str:
    return _BAR.sub("", line).strip()


def _after(run: _Run, raw: str, *, marks: bool = True) -> _Run:
    """The run after one more line."""
    line = _clean(raw)
    if marks and (start := _START.search(line)):
        stage = _STARTS[start.group(1)]
        # A new flow in the same file: what failed before it is another run's.
        return _Run(stage=stage) if stage == "translate" else _at(run, stage)
    if marks and _SUCCESS.search(line):
        # The step went through: what looked like a failure in it was overcome.
        return _Run(stage=run.stage)
    if any(hint in line for hint in _EXCEPTION_HINTS) and (name := _exception(line)):
        run.exception = name
    event = _event(line)
    text = _TAG.sub("", line)
    if event is not None and run.header:
        if text.startswith("Agent infeasible"):
            event = _event(f"{run.header} {text}") or event
        elif event.rule.rank is Rank.CAUSE and not event.layers:
            event = replace(event, layers=_layer_names(run.header.split()[-2:-1]))
    if event is not None:
        run.header = run.header if event.rule.rank is Rank.LOOSE else ""
        _keep(run, event)
    if line.endswith(_ERRORS):
        run.header = text
    return run


def _at(run: _Run, stage: str) -> _Run:
    run.stage, run.exception = stage, ""
    return run


def _keep(run: _Run, event: _Event) -> None:
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


# From one line to an event

_LAYER_GROUPS = ("layers", "layer", "layer_from", "layer_to")
_EXCEPTION = re.compile(r"(?<!\w)[A-Z]\w{1,80}?(?:Exception|Error|NonFixable|InputsShape)(?=:|\s*$| wrapping)")
_PAIR = re.compile(rf"\b([A-Za-z]\w{{0,40}})=\(({_INT})/({_INT})\)")
_FIGURE = re.compile(rf"([A-Za-z][\w ]{{0,40}}?) ?[:=] ?({_TIME}\b|-?\d{{1,15}}(?:\.\d{{1,9}})?\b)")
_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s?([hms])")
_SECONDS: Mapping[str, int] = {"h": 3600, "m": 60, "s": 1}
_KINDS = (
    "conv|dw|deconv|concat|ew_mult|ew_add|ew_sub|ew_div|shortcut|slice|activation|avgpool|maxpool|fc|dense"
    "|normalization|batch_norm|splitter|multiplier|shuffle|resize|reduce_[a-z]+|softmax|argmax|matmul|pad"
    "|format_conversion|precision_change|space_to_depth|depth_to_space|input_layer|output_layer|const_input"
)
_TOKEN = re.compile(r"(?<![\w./-])[\w./-]{1,256}")
_LAYER = re.compile(rf"(?:[\w.-]{{1,100}}/)?(?:[a-z_]{{0,100}}_)?(?:{_KINDS})\d{{1,9}}(?:_\w{{1,150}})?")


def _event(line: str) -> _Event | None:
    for rule in RULES:
        if rule.hint not in line:
            continue
        found = rule.pattern.search(line)
        if found is None:
            continue
        groups = {name: text for name, text in found.groupdict().items() if text}
        names = [t for n in _LAYER_GROUPS for t in re.split(r"[\s,]+", groups.get(n, "")) if t]
        figures = {n: _figure(n, text) for n, text in groups.items() if n not in _LAYER_GROUPS}
        for name, required, available in _PAIR.findall(line):
            figures |= {f"{name}_required": int(required), f"{name}_available": int(available)}
        if rule.family == "unclassified":
            figures |= _generic_figures(line)
        layers = _layer_names(names) or _tokens(line)
        return _Event(rule, _TAG.sub("", line), layers, figures, _exception(line))
    return None


def _exception(line: str) -> str:
    found = _EXCEPTION.search(line)
    return found.group() if found else ""


def _layer_names(names: Iterable[str]) -> tuple[str, ...]:
    """Graph layers of the names; every layer's name ends in its number, so words without one are none."""
    bases = (base for name in names for base in base_layers(name.strip(".;")))
    return tuple(dict.fromkeys(base for base in bases if any(c.isdigit() for c in base)))


def _tokens(line: str) -> tuple[str, ...]:
    """Whatever looks like a layer's name in a text."""
    return _layer_names(t for t in (m.rstrip(".-") for m in _TOKEN.findall(line)) if _LAYER.fullmatch(t))


def _figure(name: str, text: str) -> int | float | str:
    if name.endswith("_seconds") and (units := _UNIT.findall(text)):
        seconds = sum((float(number) * _SECONDS[unit] for number, unit in units), 0.0)
        return int(seconds) if seconds.is_integer() else seconds
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _generic_figures(line: str) -> dict[str, int | float | str]:
    """`name: number` and `name=number` in a text nobody knows, at most 16, times in seconds."""
    figures: dict[str, int | float | str] = {}
    for name, text in _FIGURE.findall(line)[:16]:
        key = "_".join(name.lower().split())
        timed = text.endswith("s")
        key = f"{key.removesuffix('_time')}_seconds" if timed else key
        figures[key] = _figure(key, text)
    return figures
