"""Text that comes from outside, as one line that can be printed: names, keys, versions, messages of other programs.

A node's name may hold line breaks and escape codes (and print a verdict of its own on a line of its own), or be a
megabyte long. Whoever prints such text, to a terminal, a TSV or markdown, prints what `line` makes of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

MAX_NAME_CHARS = 200
"""characters of a name that are shown"""
MAX_LINE_CHARS = 2_000
"""characters of a line that is made of several names"""


def printable(text: str, most: int = MAX_NAME_CHARS) -> str:
    """`text` on one line of at most `most` characters (16 or more).

    What isn't printable (control characters, line breaks, tabs, bidi and other format characters, lone surrogates,
    blanks but the plain one) is shown as Python's escape of it. Of a longer text the beginning and the end are shown;
    between them `…+N…` says that N characters were left out. A backslash stands for itself.
    """
    if len(text) <= most and text.isprintable():
        return text
    whole = _shown(text, most)
    if len(whole) == len(text):
        return "".join(whole)
    # N takes no more digits than the text's length.
    room = most - len(f"…+{len(text)}…")
    end = _shown(reversed(text), room // 3)
    start = _shown(text, room - sum(map(len, end)))
    return f"{''.join(start)}…+{len(text) - len(start) - len(end)}…{''.join(reversed(end))}"


def print_line(text: str, *, error: bool = False) -> None:
    """Prints one line, at once; to stderr with `error`."""
    print(printable(text, MAX_LINE_CHARS), file=sys.stderr if error else sys.stdout, flush=True)


def _shown(text: Iterable[str], room: int) -> list[str]:
    """As many of the characters as have room, each as it is shown; never half an escape."""
    shown: list[str] = []
    for character in text:
        each = character if character.isprintable() else ascii(character)[1:-1]
        room -= len(each)
        if room < 0:
            break
        shown.append(each)
    return shown
