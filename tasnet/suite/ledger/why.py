"""Why an entry claims a case or doesn't, and how a failure differs from the one that an entry describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasnet.hailo import Failure
from tasnet.suite.ledger.entry import Entry, claims, covers, differing_fields
from tasnet.suite.ledger.where import (
    NOT,
    SEGMENT,
    Axes,
    Claim,
    Condition,
    Word,
    holds,
    reaches,
    value_of,
    where_matches,
)
from tasnet.suite.ledger.where_yaml import condition_text


def conditions_met(where: Iterable[Claim], axes: Axes) -> list[str]:
    """The conditions of the claim that holds for the case, each with the case's value."""
    for claim in where:
        if reaches(claim, axes) and where_matches([claim], axes):
            return [_condition_line(axis, condition, axes) for axis, condition in claim.items()] or ["every case"]
    return []


def conditions_unmet(entry: Entry, axes: Axes, toolchain: str = "") -> list[str]:
    """The fewest conditions that would have to change for the entry to claim the case; empty if it does claim it."""
    missing = [] if axes["arch"] in entry.arch else [f"arch is {axes['arch']}, not one of {', '.join(entry.arch)}"]
    missing += _unmet(entry.where, axes)
    scope = entry.toolchain.get(toolchain)
    return missing + (_unmet(scope.where, axes) if scope and scope.where is not None else [])


def _unmet(where: Iterable[Claim], axes: Axes) -> list[str]:
    each = [
        [
            _condition_line(axis, condition, axes, "isn't")
            for axis, condition in claim.items()
            if not holds(condition, axis, axes)
        ]
        + ([] if reaches(claim, axes) else [f"{SEGMENT} {axes[SEGMENT]}, and it is about whole networks"])
        for claim in where
    ]
    return min(each, key=len, default=[])


def _condition_line(axis: str, condition: Condition, axes: Axes, word: str = "is") -> str:
    if axis == NOT:
        return f"{'is one of' if word != 'is' else 'is none of'} the cases left out, {condition_text(condition)}"
    same = isinstance(condition, Word) and condition.pattern == value_of(axis, axes)
    text = condition_text(condition).replace('"', "")
    return f"{axis} {value_of(axis, axes)}" + ("" if same else f" {word} {text}")


@dataclass(frozen=True)
class Mismatch:
    """The first field in which a failure differs from an entry: its name, the entry's value, the failure's."""

    entry: Entry
    field: str
    expected: str
    found: str

    def lines(self) -> Iterator[str]:
        """The two values below each other, and a mark under the first character that differs."""
        yield f"{self.field} of entry {self.entry.id}"
        yield f"  entry    {self.expected}"
        yield f"  failure  {self.found}"
        yield f"           {' ' * _first_difference(self.expected, self.found)}^"


def _first_difference(one: str, other: str) -> int:
    """The index of the first character in which two texts differ."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def closest_mismatch(entries: Iterable[Entry], failures: Sequence[Failure]) -> Mismatch | None:
    """The mismatch of the entry and the failure that are most alike but differ; None where no pair differs."""
    pairs = [(differing_fields(entry, failure), entry, failure) for entry in entries for failure in failures]
    pairs = [pair for pair in pairs if pair[0]]
    if not pairs:
        return None
    what, entry, failure = min(pairs, key=lambda pair: len(pair[0]))
    stated = {
        "stage": entry.stage.value,
        "family": entry.family,
        "message": entry.message.pattern,
        "layers": ", ".join(entry.layers),
    }
    found = {
        "stage": failure.stage,
        "family": failure.family,
        "message": " ".join(failure.message.split()),
        "layers": ", ".join(failure.layers),
    }
    return Mismatch(entry, what[0], stated[what[0]], _shortened(found[what[0]]))


def nearest_entries(
    entries: Iterable[Entry], failures: Sequence[Failure], axes: Axes, toolchain: str
) -> Iterator[Entry]:
    """The entries that cover one of the failures but don't claim the case, those with the fewest unmet conditions
    first."""
    missing = [
        (len(conditions_unmet(entry, axes, toolchain)), entry)
        for entry in entries
        if not claims(entry, axes, toolchain) and any(covers(entry, failure) for failure in failures)
    ]
    yield from (entry for _, entry in sorted(missing, key=lambda each: each[0]))


def _shortened(text: str, width: int = 64) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
