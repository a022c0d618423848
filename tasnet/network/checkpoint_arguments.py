"""What a checkpoint says beside its tensors, and what is assumed where it is silent: masks' activation, norm, rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasnet.common import printable
from tasnet.network.torch_file import fail, value_text
from tasnet.network.variant import MASK_ACTIVATIONS, Size


def said_activation(path: Path, args: Mapping[str, Any], asked: str | None) -> str:
    """Relu or sigmoid. Raises CheckpointError for another, and where the file says another than is asked for."""
    said = args.get("mask_act")
    if said is not None and asked is not None and said != asked:
        fail(path, f"says mask_act={value_text(said)}, not {asked!r}", "leave out --mask-activation")
    value = said or asked or "relu"
    if value not in MASK_ACTIVATIONS:
        fail(path, f"its mask activation is {value_text(value)}", f"only {' and '.join(MASK_ACTIVATIONS)} are known")
    return str(value)


def assumed_lines(
    args: Mapping[str, Any], source: str, size: Size, activation: str, per_repeat: int | None
) -> list[str]:
    """A line for each thing that the file doesn't say and nobody asked for."""
    lines = []
    if activation and args.get("mask_act") is None:
        lines.append(
            f"the file doesn't say the masks' activation: {activation} is assumed, as in Asteroid's and torchaudio's "
            "published models (a network made with either library's defaults has sigmoid); --mask-activation names it"
        )
    if per_repeat is None and args.get("n_blocks") is None:
        lines.append(
            f"the file doesn't say how many blocks a repeat has: {size.X} of its {size.total_blocks} are assumed, as "
            "in published models; --blocks-per-repeat names it"
        )
    if source == "torchaudio":
        lines.append(
            f"torchaudio pads the wave with {size.stride} zeros at both ends and crops as much of the output; this "
            "network is what lies between"
        )
    return lines


def unread_lines(refused: tuple[str, ...]) -> list[str]:
    """A line about the classes and functions that the file asks for."""
    if not refused:
        return []
    names = ", ".join(printable(name, 80) for name in refused[:3])
    more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
    return [f"the file names {names}{more}: none of it was imported or called"]


def said_norm(path: Path, args: Mapping[str, Any], source: str, causal: bool) -> tuple[str, list[str]]:
    """The norm, and a line where the file doesn't say it. In a causal network Asteroid makes cLN of all but cgLN."""
    said = args.get("norm_type")
    norms = {"gLN": "gln", "cgLN": "cgln", "cLN": "cln"}
    meant = said if said is not None and not (causal and said == "gLN") else "cLN" if causal else "gLN"
    if meant not in norms:
        fail(path, f"its norm is {value_text(said)}", f"known are {', '.join(norms)}")
    if causal and meant != said:
        told = "says gLN" if said else "doesn't say its norm"
        line = f"the file {told}, and Asteroid makes cLN of that in a causal network: cLN is assumed (not cgLN)"
    else:
        line = "the file doesn't say its norm: gLN is assumed (cLN and cgLN have the same names)"
    return norms[meant], [line] if meant != said and source == "asteroid" else []


def said_number(path: Path, args: Mapping[str, Any], name: str) -> float | None:
    """A number above 0, or None where the file doesn't say it. Raises CheckpointError for anything else."""
    value = args.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        fail(path, f"its {name} is {value_text(value)}", "it should be a number above 0")
    return float(value)
