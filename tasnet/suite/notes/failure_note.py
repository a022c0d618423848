"""A night run's failure note: `<tag>.failure.txt.json` and `<tag>.failure.txt`, read and written.

The JSON has the notes' keys (exception_type, exception_message, signature, negexp, reshape_layers), and as written
here two more: `failures`, each as this package knows it, and `predicted`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasnet.common import read_bytes
from tasnet.hailo import Failure

_MAX_NOTE_BYTES = 1 << 20
"""bytes; the notes' have a few thousand"""


class NoteError(ValueError):
    """A note that can't be read. One line."""


def read_note(file: Path) -> Mapping[str, Any]:
    """A failure.txt.json, or a failure.txt in its form; empty for anything else. Raises NoteError."""
    text = read_bytes(file, most=_MAX_NOTE_BYTES, what="a failure's note", error=NoteError).decode("utf-8", "replace")
    if file.suffix != ".json":
        return from_text(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("exception_message"), str) else {}


def from_text(text: str) -> Mapping[str, Any]:
    """A `failure.txt` in the form of the JSON: `key: value` lines, a message of any lines, layers one a line."""
    fields: dict[str, list[str]] = {}
    key = ""
    for line in text.splitlines():
        found = re.match(
            r"(exception_type|exception_message|negative_exponent_layer|desired_shift|data_bits|"
            r"reshape_layer_count|reshape_layers_head):\s?(.*)",
            line,
        )
        if found:
            key = found.group(1)
            fields[key] = [found.group(2)]
        elif key:
            fields[key].append(line)
    if "exception_message" not in fields:
        return {}
    joined = {name: "\n".join(lines).strip() for name, lines in fields.items()}
    note: dict[str, Any] = {
        "exception_type": joined.get("exception_type", ""),
        "exception_message": joined["exception_message"],
        "reshape_layers": joined.get("reshape_layers_head", "").split(),
    }
    if layer := joined.get("negative_exponent_layer"):
        figures = {name: joined.get(name, "") for name in ("desired_shift", "data_bits")}
        note["negexp"] = {"layer": layer, **figures}
    return note


def note_of(failures: Sequence[Failure], *, predicted: bool) -> dict[str, Any]:
    """The JSON of a failure, the notes' keys first; of several failures the first gives the exception."""
    first = failures[0]
    reshaped = list(dict.fromkeys(n for f in failures if f.family == "reshape_insertion" for n in f.layers))
    negative = next((f for f in failures if f.family == "negative_slope"), None)
    layer = ",".join(negative.layers[:1]) if negative else ""
    kind = first.exception or "Exception"
    if negative:
        signature = f"{kind}:{layer}" if layer else kind
    elif reshaped:
        signature = f"{kind}:reshape:{len(reshaped)}"
    else:
        signature = f"{kind}:input_shape" if first.family == "calibration_shape" else kind
    figures = negative.figures if negative else {}
    negexp = {"layer": layer, **{k: figures.get(k, "") for k in ("desired_shift", "data_bits")}} if negative else None
    return {
        "exception_type": first.exception,
        "exception_message": first.message,
        "signature": signature,
        "negexp": negexp,
        "reshape_layers": reshaped,
        "failures": [failure.model_dump(mode="json") for failure in failures],
        "predicted": predicted,
    }


def as_text(note: Mapping[str, Any]) -> str:
    """The text of a `failure.txt` for a note, with up to 50 layers."""
    lines = [f"exception_type: {note['exception_type']}", f"exception_message: {note['exception_message']}"]
    if note["negexp"]:
        lines.append(f"negative_exponent_layer: {note['negexp']['layer']}")
        lines += [f"{key}: {note['negexp'][key]}" for key in ("desired_shift", "data_bits")]
    if note["reshape_layers"]:
        lines += [f"reshape_layer_count: {len(note['reshape_layers'])}", "reshape_layers_head:"]
        lines += note["reshape_layers"][:50]
    return "\n".join(lines) + "\n"
