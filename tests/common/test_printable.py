"""Printed text is data: whatever a name holds, what is printed of it is one bounded line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.common.printing import printable

# Unicode's own categories: other (control, format, surrogate, private, unassigned), line and paragraph separators.
_UNPRINTED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters(codec=None), max_size=600), st.integers(16, 300))
def test_any_text_is_one_line_of_at_most_what_is_asked_without_a_character_that_acts(text: str, most: int) -> None:
    shown = printable(text, most)

    assert len(shown) <= most
    assert not {unicodedata.category(each) for each in shown} & _UNPRINTED
    assert len(shown.splitlines()) <= 1
    shown.encode()  # lone surrogates can't be


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")), max_size=200))
def test_plain_text_stands_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\n\x1b[2Kclear on hailo8", r"\n\x1b[2Kclear on hailo8"),
        ("a\tb\rc\x9b2Jd", r"a\tb\rc\x9b2Jd"),
        ("a\u202eb\u2066c\u2028d\ufeff", r"a\u202eb\u2066c\u2028d\ufeff"),
        ("\udcff", r"\udcff"),
        ("Schicht_ß 層 é", "Schicht_ß 層 é"),
    ],
)
def test_what_acts_on_a_terminal_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_megabyte_is_cut_in_its_middle_and_says_by_how_much() -> None:
    shown = printable("a" * 1_000_000 + "end")

    assert 190 < len(shown) <= 200
    head, left_out, tail = shown.replace("…+", "…").split("…")
    assert int(left_out) + len(head) + len(tail) == 1_000_003
    assert tail.endswith("end")


def test_no_escape_is_cut_in_half() -> None:
    head = printable("\x1b" * 500, 60).partition("…")[0]

    assert head.count("\\x1b") * 4 == len(head)
