"""Words as a person reads them: layers in short, labels, prose of a width, columns, names in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from tasnet.common.printable import LONGEST, line
from tasnet.common.printable import line as cleaned


def short_layers(layers: Sequence[str], shown: int = 2) -> str:
    """`conv2, conv3 … (24)`: the first few layers and how many there are."""
    head = ", ".join(line(name) for name in layers[:shown])
    return head if len(layers) <= shown else f"{head} … ({len(layers)})"


WIDTH = 80
"""Prose is folded here. What is copied from a terminal, an id, a place or a command, never is."""


_LABEL = 10


def labelled(label: str, text: str) -> str:
    """A line under its label, unfolded."""
    return f"{label:{_LABEL}}{cleaned(text, LONGEST)}"


def prose(label: str, text: str) -> list[str]:
    """A sentence under its label, folded."""
    folded = wrap(
        cleaned(" ".join(text.split()), LONGEST), WIDTH - _LABEL, break_long_words=False, break_on_hyphens=False
    ) or [""]
    return [labelled(label if not index else "", part) for index, part in enumerate(folded)]


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows with their cells below each other, two spaces between; each cell is one line of bounded length."""
    rows = [[cleaned(cell) for cell in cells] for cells in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Sorts conv2 before conv10."""
    return tuple((word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", name))
