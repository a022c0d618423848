"""From one line of a log to an Event: the rule that knows it, and the layers and figures in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasnet.hailo.failures import base_layers
from tasnet.hailo.messages import INT, RULES, TIME, Rule

_LAYER_GROUPS = ("layers", "layer", "layer_from", "layer_to")
_EXCEPTION = re.compile(r"(?<!\w)[A-Z]\w{1,80}?(?:Exception|Error|NonFixable|InputsShape)(?=:|\s*$| wrapping)")
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
_BAR = re.compile(r"\d{1,3}%\|[^|]{0,300}\|[^\[\n]{0,60}\[[^\]]{0,80}\]")
_TAG = re.compile(r"^\s*(?:\[(?:debug|info|warning|error|critical)\]\s*)+")


@dataclass(frozen=True)
class Event:
    """A line that a rule knows: its text, layers of the graph, figures, and the exception that it names."""

    rule: Rule
    text: str
    layers: tuple[str, ...]
    figures: Mapping[str, int | float | str]
    exception: str


def clean(line: str) -> str:
    """A line without progress bars."""
    return _BAR.sub("", line).strip()


def untagged(line: str) -> str:
    """A line without `[info]` and the like before it."""
    return _TAG.sub("", line)


def event_of(line: str) -> Event | None:
    """What the first rule that matches makes of a line."""
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
            figures |= figures_in(line)
        layers = layer_names(names) or layers_in(line)
        return Event(rule, untagged(line), layers, figures, exception_of(line))
    return None


def exception_of(line: str) -> str:
    """The name of an exception in a line, or an empty text."""
    found = _EXCEPTION.search(line)
    return found.group() if found else ""


def layer_names(names: Iterable[str]) -> tuple[str, ...]:
    """Graph layers of the names; every layer's name ends in its number, so words without one are none."""
    bases = (base for name in names for base in base_layers(name.strip(".;")))
    return tuple(dict.fromkeys(base for base in bases if any(c.isdigit() for c in base)))


def layers_in(line: str) -> tuple[str, ...]:
    """Whatever looks like a layer's name in a text."""
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
    """`name: number` and `name=number` in a text nobody knows, at most 16, times in seconds."""
    figures: dict[str, int | float | str] = {}
    for name, text in _FIGURE.findall(line)[:16]:
        key = "_".join(name.lower().split())
        timed = text.endswith("s")
        key = f"{key.removesuffix('_time')}_seconds" if timed else key
        figures[key] = _figure(key, text)
    return figures
