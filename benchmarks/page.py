"""A part of a page of docs/ that a benchmark writes: between two marks, the rest is by hand."""

from __future__ import annotations

from pathlib import Path

from tasnet.common import write_whole

BEGIN, END = "<!-- figures, by a benchmark -->\n", "<!-- end of the figures -->\n"


def write_figures(page: Path, text: str) -> None:
    """Puts `text` between the marks. Raises ValueError for a page without them."""
    before, begun, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"{page}: {BEGIN.strip()} and {END.strip()} are needed")
    write_whole(page, f"{before}{BEGIN}{text}{END}{after}".encode())
