"""What only a terminal reads is taken out of a text, and nothing else; the sequences are ECMA-48's and xterm's."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tasnet.common import without_ansi

SEQUENCES = {
    "a colour": b"\x1b[1;31m",
    "256 colours, with colons": b"\x1b[38:5:208m",
    "no colour": b"\x1b[m",
    "a line cleared": b"\x1b[2K",
    "a mode": b"\x1b[?25l",
    "a cursor's shape": b"\x1b[2 q",
    "a title": b"\x1b]0;compile: 3 of 20\x07",
    "a link": b"\x1b]8;;https://example.com\x1b\\",
    "a device's answer": b"\x1bP1$r0m\x1b\\",
    "a charset": b"\x1b(B",
    "the cursor kept": b"\x1b7",
    "the keypad": b"\x1b>",
    "a line up": b"\x1bM",
    "a reset": b"\x1bc",
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_each_kind_of_sequence_is_taken_out_whole(sequence: bytes) -> None:
    assert without_ansi(b"[info] " + sequence + b"conv1" + sequence + b"\n") == b"[info] conv1\n"
    assert without_ansi(sequence * 2) == b""


@given(st.binary().filter(lambda data: b"\x1b" not in data), st.sampled_from(sorted(SEQUENCES.values())), st.binary())
def test_what_is_around_it_stays(before: bytes, sequence: bytes, after: bytes) -> None:
    after = after.replace(b"\x1b", b"")
    assert without_ansi(before) == before
    assert without_ansi(before + sequence + after) == before + after


def test_what_rich_draws_is_the_text_that_it_draws_without_colours() -> None:
    """A library that writes them is the reference: the same table in colours and in none."""
    drawn = []
    for coloured in (True, False):
        out = io.StringIO()
        kind = "truecolor" if coloured else None
        console = Console(file=out, width=60, force_terminal=coloured, color_system=kind, legacy_windows=False)
        console.print("[bold red]error[/] in [link=https://example.com]conv1[/link], [on blue]96[/] rows")
        drawn.append(out.getvalue())
    assert "\x1b" in drawn[0]
    assert without_ansi(drawn[0].encode()).decode() == drawn[1]


@pytest.mark.parametrize("start", [b"\x1b[", b"\x1b[" + b"1;" * 40, b"\x1b]0;", b"\x1b("])
def test_one_that_never_ends_takes_no_line_with_it(start: bytes) -> None:
    data = start * 50_000 + b"\nnext line\n"
    assert without_ansi(data).endswith(b"\nnext line\n")
