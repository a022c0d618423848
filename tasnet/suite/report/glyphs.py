"""One sign per way a case can end, with its colour and meaning; the same in every map and legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasnet.hailo.failures import Certainty
from tasnet.suite.judge import Kind
from tasnet.suite.report.record import Record


@dataclass(frozen=True)
class Glyph:
    """A sign of one column, its stand-in where the terminal has ASCII only, its rich style, its meaning."""

    sign: str
    ascii: str
    style: str
    meaning: str


CLEAR = Glyph("●", "o", "green", "clear")
CLEAR_EXTRAPOLATED = Glyph("○", "c", "green", "clear (extrapolated)")
GLYPHS: dict[Kind, Glyph] = {
    Kind.EXPECTED_FAILURE: Glyph("·", ".", "dim", "blocked as expected"),
    Kind.UNKNOWN: Glyph("?", "?", "yellow", "unknown"),
    Kind.UNEXPECTED_FAILURE: Glyph("F", "F", "bold red", "unexpected failure"),
    Kind.WRONG_FAILURE: Glyph("W", "W", "bold red", "wrong failure"),
    Kind.UNEXPECTED_PASS: Glyph("P", "P", "bold red", "unexpected pass"),
    Kind.UNCONFIRMED: Glyph("U", "U", "bold red", "entry unconfirmed"),
    Kind.OVERLAP: Glyph("O", "O", "bold red", "entries overlap"),
    Kind.EXPIRED: Glyph("E", "E", "bold red", "entry past review"),
    Kind.INFRA: Glyph("!", "!", "bold magenta", "tool broke down"),
}


def glyph(record: Record) -> Glyph:
    """The sign of a record."""
    if record.kind is not Kind.EXPECTED_PASS:
        return GLYPHS[record.kind]
    return CLEAR_EXTRAPOLATED if record.certainty is Certainty.EXTRAPOLATED else CLEAR


def used(records: Sequence[Record]) -> list[Glyph]:
    """The signs that occur in the records, in the order of the legend."""
    seen = {glyph(record) for record in records}
    return [each for each in (CLEAR, CLEAR_EXTRAPOLATED, *GLYPHS.values()) if each in seen]
