"""Words as a person reads them: layers in short, labels, prose of a width, columns, names in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from tasnet.common.printing import MAX_LINE_CHARS, printable


def short_layers(layers: Sequence[str], shown: int = 2) -> str:
    """`conv2, conv3 … (24)`: the first few layers and how many there are."""
    head = ", ".join(printable(name) for name in layers[:shown])
    return head if len(layers) <= shown else f"{head} … ({len(layers)})"


WIDTH = 80
"""Prose is folded here. What is copied from a terminal, an id, a place or a command, never is."""


_LABEL = 10


def labelled_line(label: str, text: str) -> str:
    """A line under its label, unfolded."""
    return f"{label:{_LABEL}}{printable(text, MAX_LINE_CHARS)}"


def labelled_paragraph(label: str, text: str) -> list[str]:
    """A sentence under its label, folded."""
    folded = wrap(
        printable(" ".join(text.split()), MAX_LINE_CHARS),
        WIDTH - _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
    return [labelled_line(label if not index else "", part) for index, part in enumerate(folded)]


def folded_name(name: str, width: int) -> list[str]:
    """A name in lines of at most `width`: broken behind `-`, `_` and blanks and before `+`, further lines indented.

    Only a part that is longer than a line is broken in itself.
    """
    indent = len(name) - len(name.lstrip())
    lines = [""]
    for part in re.split(r"(?<=[-_ ])(?=[^-_ ])|(?=\+)", name):
        if lines[-1].strip() and len(lines[-1]) + len(part.rstrip()) > width:
            lines.append(" " * min(indent + 2, width // 2))
        lines[-1] += part
        while len(lines[-1].rstrip()) > width:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return [line.rstrip() for line in lines]


def table_lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows with their cells below each other, two spaces between; each cell is one line of bounded length."""
    rows = [[printable(cell) for cell in cells] for cells in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 case`, `12 cases`; `nouns` is for a noun that takes more than an s."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def natural_order(name: str) -> tuple[tuple[str, int], ...]:
    """Sorts conv2 before conv10."""
    return tuple((word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", name))
