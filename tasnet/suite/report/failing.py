"""A failing case for a person: what was expected, what happened, the entry, the first difference, how to repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasnet.common import labelled_line, labelled_paragraph
from tasnet.suite.history import CaseRecord
from tasnet.suite.ledger import Entry, JudgementKind, closest_mismatch, conditions_unmet, nearest_entries


def failing_lines(told: CaseRecord, entries: Sequence[Entry]) -> Iterator[str]:
    """The case's text; `entries` are the ledger's."""
    known = {entry.id: entry for entry in entries}
    yield f"{told.kind.value.replace('_', ' ')}: {told.case_id}"
    for index, part in enumerate(told.expected.split("; ")):
        yield from labelled_paragraph("expected" if not index else "", part)
    yield from labelled_paragraph("happened", told.happened)
    for name in told.entries:
        entry = known.get(name)
        yield labelled_line("entry", f"{name} at {entry.place}" if entry else name)
        if entry and told.kind in (JudgementKind.EXPIRED, JudgementKind.OFF_RATE) and entry.owner:
            yield labelled_line("owner", entry.owner)
    if told.kind in (JudgementKind.WRONG_FAILURE, JudgementKind.UNCONFIRMED, JudgementKind.UNEXPECTED_FAILURE):
        yield from _differs(told, entries)
    yield from labelled_paragraph("to do", told.hint)
    yield labelled_line("repeat", told.repeat)


def _differs(told: CaseRecord, entries: Sequence[Entry]) -> Iterator[str]:
    """The first difference to an entry that claims the case; for a failure that none covers, the nearest entry."""
    if told.kind is JudgementKind.UNEXPECTED_FAILURE:
        bare = [blocker.failure for blocker in told.blockers if not blocker.entries]
        for entry in list(nearest_entries(entries, bare, told.axes, told.toolchain))[:1]:
            yield labelled_line("near", f"{entry.id} at {entry.place}")
            yield from labelled_paragraph(
                "", f"tells of this failure, but not here: {'; '.join(conditions_unmet(entry, told.axes))}"
            )
        return
    about = [entry for entry in entries if entry.id in told.entries]
    found = closest_mismatch(about, [blocker.failure for blocker in told.blockers])
    for index, line in enumerate(found.lines() if found else ()):
        yield labelled_line("differs" if not index else "", line)
