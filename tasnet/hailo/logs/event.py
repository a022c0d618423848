"""One line of a log -> Event: the rule that matches it, and the layers, nodes and figures in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from tasnet.hailo.logs.messages import RULES
from tasnet.hailo.logs.phases import phase_mark
from tasnet.hailo.logs.rule import INT, TIME, Rule

_LAYER_GROUPS = ("layers", "layer", "layer_from", "layer_to")
_EXCEPTION = re.compile(r"(?<!\w)[A-Z]\w{1,80}?(?:Exception|Error|Failure|NonFixable|InputsShape)(?=:|\s*$| wrapping)")
_PAIR = re.compile(rf"\b([A-Za-z]\w{{0,40}})=\(({INT})/({INT})\)")
_FIGURE = re.compile(rf"([A-Za-z][\w ]{{0,40}}?) ?[:=] ?({TIME}\b|-?\d{{1,15}}(?:\.\d{{1,9}})?\b)")
_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s?([hms])")
_SECONDS: Mapping[str, int] = {"h": 3600, "m": 60, "s": 1}
_KINDS = (
    "conv|dw|deconv|concat|ew_mult|ew_add|ew_sub|ew_div|shortcut|slice|activation|avgpool|maxpool|fc|dense"
    "|normalization|batch_norm|splitter|multiplier|shuffle|resize|reduce_[a-z]+|softmax|argmax|matmul|pad"
    "|format_conversion|precision_change|space_to_depth|depth_to_space|input_layer|output_layer|const_input"
)
_TOKEN = re.compile(r"(?<![\w./-])[\w./-]{1,256}")
_LAYER = re.compile(rf"(?:[\w.-]{{1,100}}/)?(?:[a-z_]{{0,100}}_)?(?:{_KINDS})\d{{1,9}}(?:_\w{{1,150}})?")
_BAR = re.compile(r"(?:\b[\w ()-]{1,40}: {1,4})?\d{1,3}%\|[^|]{0,300}\|[^\[\n]{0,60}\[[^\]]{0,80}\]")
_LEVELS = "debug|info|warning|error|critical"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_PARTS = (
    rf"\[?(?:(?:\d{{4}}-\d\d-\d\d|\d\d/\d\d/\d{{2,4}})[T ])?{_CLOCK}\]?",
    # syslog, journalctl and ts
    rf"[A-Z][a-z]{{2}} [ \d]\d {_CLOCK}(?: [\w.-]{{1,60}} [\w./-]{{1,60}}(?:\[\d{{1,9}}\])?:)?",
    r"[\w.-]{1,60} {1,20}\|",  # docker compose
    r"#\d{1,5} \d{1,7}\.\d{1,3}(?!\S)",  # docker build
    r"std(?:out|err) [FP](?!\S)",  # containerd
    r"\[pod/[\w./-]{1,120}\]",  # kubectl
    r"\d\d[OE]\+?(?!\S)",  # GitLab
    r"\[\d{1,6},\d{1,6}\]<std(?:out|err)>:",  # mpirun
    r"\d{1,6}:(?= )",  # srun
    r"\((?:[\w.-]{1,60} )?pid=\d{1,9}[^()]{0,60}\)",  # Ray
    r">(?= )",
    r"\[[\w.-]{1,60}\]",
    rf"\[?(?:{_LEVELS.upper()})\b(?:/[\w-]{{1,40}})?\]?(?::[\w.]{{0,60}}:|\s{{0,4}}[-|:]\s|\s{{1,20}}|$)",
)
_PREFIX = re.compile(rf"\s{{0,99}}(?:(?:{'|'.join(_PARTS)})\s{{0,9}}(?:[-:|]\s)?\s{{0,9}}){{0,8}}")
_LEVEL = re.compile(rf"\[({_LEVELS})\]|\b({_LEVELS})\b", re.IGNORECASE)
_LEVEL_WITHIN = re.compile(
    rf"(.{{0,160}}?)(?:\[({_LEVELS}|{_LEVELS.upper()})\]|(?<![\w/.])({_LEVELS.upper()})(?=/[\w-]{{1,40}}\]|\s{{0,4}}[-|]\s))"
    r"(?:/[\w-]{1,40}\])?"
)
"""a level after whatever a program has put before its lines"""
_NEW_MESSAGE = re.compile(
    r"Traceback \(|\s*File \"|(?:\w{1,60}\.){0,12}[A-Z]\w{0,80}?(?:Error|Exception|Failure)\b|.{0,300}\berrors:$"
    r"|.{0,200}\d%\||\[(?:\w{0,20}\]|\.\.\.|\d{4}-)|(?:at )?0x"
)
_OPEN = re.compile(r"[-:,]$")
"""the end of a line whose message continues on the next"""
_OPERATION = re.compile(r"/\w{1,100}_op$")
_MAX_IN_A_LINE = 256
_OWN_LAYERS = "format_conversion"
"""layers that the compiler inserts itself"""
_PART_SUFFIX = re.compile(r"(?<=.)_(?:sd\d+|d\d+|dc\d*|ws\d*|fs\d*)$")
_RESHAPE_PREFIX = "auto_spatial_reshape_from_"
_LAYER_AT_START = re.compile(r"[a-z]+(?:_[a-z]+)*\d+(?=_|\W|$)")
_MAX_NAME_CHARS = 256


@dataclass(frozen=True)
class Event:
    """A line that a rule matches: its text, layers of the HN, nodes of the ONNX graph, figures, the exception named."""

    rule: Rule
    text: str
    layers: tuple[str, ...]
    nodes: tuple[str, ...]
    figures: Mapping[str, int | float | str]
    exception: str


def without_progress_bars(line: str) -> str:
    """A line without progress bars."""
    return _BAR.sub("", line).strip()


def without_tags(line: str) -> str:
    """A line without the tags before its text: `[info]`, a time, the name of a service."""
    return line[_tags(line)[1] :]


def log_level(line: str) -> str:
    """The log level before a line's text, in lower case (`info`, `error`, ...); empty if the line has none."""
    return _tags(line)[0]


def _tags(line: str) -> tuple[str, int]:
    """The log level before a line's text (empty if none), and the index at which the text begins."""
    found = _PREFIX.match(line)
    end = found.end() if found else 0
    words = _LEVEL.findall(line[:end])
    within = None if words else _LEVEL_WITHIN.match(line, end)
    # Programs that run others put words of their own before each line; a message that quotes a line is another's.
    if within and not _EXCEPTION.search(within[1]) and _matched(within[1]) is None:
        rest = _PREFIX.match(line, within.end())
        return (within[2] or within[3]).lower(), rest.end() if rest else within.end()
    return ((words[-1][0] or words[-1][1]).lower() if words else ""), end


def event_of(line: str) -> Event | None:
    """The event of the first rule that matches a line; None if no rule does."""
    found = _matched(line)
    return _event(found[0], found[1], line) if found else None


def wrapped_event(line: str, following: Iterable[str]) -> tuple[Event | None, int]:
    """The event of a line whose message may be wrapped over the lines after it, and how many of those it takes."""
    found, taken = _matched(line), 0
    text = whole = line
    if not line.endswith("errors:"):
        for count, more in enumerate(continuations(following), 1):
            # A name is broken at its slash, a sentence at its blanks.
            text += more if text.endswith(("/", "_")) else f" {more}"
            longer = _matched(text)
            if longer and longer[1].start() < len(line) and longer[1].end() > len(whole):
                found, taken, whole = longer, count, text
    return (_event(found[0], found[1], whole) if found else None), taken


def continuations(following: Iterable[str]) -> Iterable[str]:
    """The lines that may continue a message: all before the next message, traceback or level, without their tags."""
    for line in following:
        more = without_progress_bars(line)
        if not more or starts_message(more):
            return
        yield without_tags(more)


def starts_message(line: str) -> bool:
    """Whether a line starts a message of its own: it has a level, a phase mark, a traceback or an exception."""
    return bool(log_level(line) or phase_mark(line) or _NEW_MESSAGE.match(line))


def continues(line: str) -> bool:
    """Whether a line's end says that its message continues on the next line."""
    return _OPEN.search(line) is not None


def _matched(line: str) -> tuple[Rule, re.Match[str]] | None:
    for rule in RULES:
        if rule.hint in line and (found := rule.pattern.search(line)):
            return rule, found
    return None


def _event(rule: Rule, found: re.Match[str], line: str) -> Event:
    groups = {name: text for name, text in found.groupdict().items() if text}
    # A table's cell has a message's lines in one: each of them counts.
    every = [each.groupdict() for each in islice(rule.pattern.finditer(line), _MAX_IN_A_LINE)]
    names = [t for each in every for n in _LAYER_GROUPS for t in re.split(r"[\s,]+", each.get(n) or "") if t]
    figures = {n: _figure(n, text) for n, text in groups.items() if n not in _LAYER_GROUPS}
    for name, required, available in _PAIR.findall(line):
        figures |= {f"{name}_required": int(required), f"{name}_available": int(available)}
    if rule.family == "unclassified":
        figures |= figures_in(line)
    layers = layer_names(names) or layers_in(line)
    ours = tuple(name for name in layers if not name.startswith(_OWN_LAYERS))
    nodes = tuple(dict.fromkeys(each["node"] for each in every if each.get("node")))
    return Event(rule, without_tags(line), ours or layers, nodes, figures, exception_name(line))


def exception_name(line: str) -> str:
    """The class name of an exception in a line; empty if there is none."""
    found = _EXCEPTION.search(line)
    return found.group() if found else ""


def layer_names(names: Iterable[str]) -> tuple[str, ...]:
    """Graph layers of the names; every layer's name ends in its number, so words without one are none."""
    # An operation within a layer: `net/avgpool2/avgpool_op`.
    bases = (base for name in names for base in base_layers(_OPERATION.sub("", name.strip(".;"))))
    return tuple(dict.fromkeys(base for base in bases if any(c.isdigit() for c in base)))


def base_layers(name: str) -> tuple[str, ...]:
    """The graph's layers behind a name in a message, without scope and the compiler's own suffixes and prefixes.

    `net/conv3_sd0` is conv3, `ne_activation_avgpool6` avgpool6, `auto_spatial_reshape_from_dw66_to_conv69_1`
    dw66 and conv69. Any other name is its own base; an empty one has none.
    """
    found: dict[str, None] = {}
    todo = [name]
    while todo:
        current = todo.pop()
        parts = _without_one_affix(current)
        if parts == (current,):
            found[current] = None
        else:
            todo.extend(reversed(parts))
    return tuple(found)


def _without_one_affix(name: str) -> tuple[str, ...]:
    """The name without one prefix or suffix, or unchanged. Each result is shorter, so the loop above ends."""
    bare = name.rpartition("/")[2]
    if not bare:
        return ()
    # No layer has so long a name; taking it apart would only cost time.
    if bare != name or len(bare) > _MAX_NAME_CHARS:
        return (bare,)
    short = _PART_SUFFIX.sub("", bare)
    if short != bare:
        return (short,)
    if bare.startswith("ne_activation_") and bare != "ne_activation_":
        return (bare.removeprefix("ne_activation_"),)
    source, middle, target = bare.removeprefix(_RESHAPE_PREFIX).partition("_to_")
    if bare.startswith(_RESHAPE_PREFIX) and source and middle and target:
        # The target is followed by the compiler's own running text.
        known = _LAYER_AT_START.match(target)
        return (source, known.group() if known else target)
    return (bare,)


def layers_in(line: str) -> tuple[str, ...]:
    """Everything in a text that has the form of a layer's name, as layers of the HN."""
    return layer_names(t for t in (m.rstrip(".-") for m in _TOKEN.findall(line)) if _LAYER.fullmatch(t))


def _figure(name: str, text: str) -> int | float | str:
    if name.endswith("_seconds") and (units := _UNIT.findall(text)):
        seconds = sum((float(number) * _SECONDS[unit] for number, unit in units), 0.0)
        return int(seconds) if seconds.is_integer() else seconds
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def figures_in(line: str) -> dict[str, int | float | str]:
    """`name: number` and `name=number` in a text that no rule matches: at most 16, times in seconds."""
    figures: dict[str, int | float | str] = {}
    for name, text in _FIGURE.findall(line)[:16]:
        key = "_".join(name.lower().split())
        timed = text.endswith("s")
        key = f"{key.removesuffix('_time')}_seconds" if timed else key
        figures[key] = _figure(key, text)
    return figures
