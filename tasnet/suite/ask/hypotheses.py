"""The readings that rules rest on and nobody confirmed, each with the observation that refutes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isqrt

from tasnet.hailo.predict import PUBLIC_BRACKET
from tasnet.suite.ask.bracket import ROW_FAMILIES
from tasnet.suite.ask.knowledge import Reply

MEMORY_UNITS = 128
"""of a cluster"""


@dataclass(frozen=True)
class Hypothesis:
    """A reading, in words that its rule's docstring has at length, and whether a reply refutes it."""

    text: str
    refuted_by: Callable[[Reply], bool]


def _prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, isqrt(number) + 1))


def _wide(reply: Reply) -> list[int]:
    """The widths of the layers whose rows are not known to compile."""
    wide = [each for each in reply.demands.layers if each.size("row_elements") > PUBLIC_BRACKET.passes]
    return [each.size("width") for each in wide]


def _narrow_row_failed(reply: Reply) -> bool:
    return not reply.compiled and reply.family in ROW_FAMILIES and reply.demands.widest_row <= PUBLIC_BRACKET.passes


def _unfolded_composite(reply: Reply) -> bool:
    wide = _wide(reply)
    return not reply.compiled and reply.family == "reshape_insertion" and bool(wide) and not any(map(_prime, wide))


def _folded_prime(reply: Reply) -> bool:
    wide = _wide(reply)
    return reply.compiled and any(map(_prime, wide))


def _many_units(reply: Reply) -> bool:
    return reply.compiled and any(each.size("memory_units") > MEMORY_UNITS for each in reply.demands.layers)


HYPOTHESES: tuple[Hypothesis, ...] = (
    Hypothesis(
        f"no row of {PUBLIC_BRACKET.fails:,} elements or more compiles",
        lambda reply: reply.compiled and PUBLIC_BRACKET.fails_at(reply.demands.widest_row),
    ),
    Hypothesis(f"rows up to {PUBLIC_BRACKET.passes:,} elements compile", _narrow_row_failed),
    Hypothesis("a wide row is folded where its width is composite: a reshape fails at prime ones", _unfolded_composite),
    Hypothesis("a wide row of prime width can't be folded", _folded_prime),
    Hypothesis(f"memory units hold 16 KiB, and no layer takes more than {MEMORY_UNITS}", _many_units),
)
"""what `tasnet.hailo.predict.constraints` says of rows and memory"""


def refuted_hypotheses(replies: Iterable[Reply]) -> dict[str, Reply]:
    """The text of each hypothesis that a reply refutes, with the first that does."""
    known = tuple(replies)
    first = {each.text: next(filter(each.refuted_by, known), None) for each in HYPOTHESES}
    return {text: reply for text, reply in first.items() if reply is not None}
