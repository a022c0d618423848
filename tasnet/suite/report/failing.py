"""A failing case for a person: what was expected, what happened, the entry, the first difference, how to repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasnet.common import labelled_line, labelled_paragraph
from tasnet.suite.history import CaseRecord
from tasnet.suite.ledger import Entry, JudgementKind, closest_mismatch, conditions_unmet, nearest_entries


def failing_lines(record: CaseRecord, entries: Sequence[Entry]) -> Iterator[str]:
    """The case's text; `entries` are the ledger's."""
    known = {entry.id: entry for entry in entries}
    yield f"{record.kind.value.replace('_', ' ')}: {record.case_id}"
    yield from labelled_paragraph("function", record.function.text)
    for index, part in enumerate(record.expected.split("; ")):
        yield from labelled_paragraph("expected" if not index else "", part)
    yield from labelled_paragraph("happened", record.happened)
    for name in record.entries:
        entry = known.get(name)
        yield labelled_line("entry", f"{name} at {entry.place}" if entry else name)
        if entry and record.kind in (JudgementKind.EXPIRED, JudgementKind.OFF_RATE) and entry.owner:
            yield labelled_line("owner", entry.owner)
    if record.kind in (JudgementKind.WRONG_FAILURE, JudgementKind.UNCONFIRMED, JudgementKind.UNEXPECTED_FAILURE):
        yield from _differs(record, entries)
    yield from labelled_paragraph("to do", record.hint)
    yield labelled_line("repeat", record.repeat)


def _differs(record: CaseRecord, entries: Sequence[Entry]) -> Iterator[str]:
    """The first difference to an entry that claims the case; for a failure that none covers, the nearest entry."""
    if record.kind is JudgementKind.UNEXPECTED_FAILURE:
        bare = [blocker.failure for blocker in record.blockers if not blocker.entries]
        for entry in list(nearest_entries(entries, bare, record.axes, record.toolchain))[:1]:
            yield labelled_line("near", f"{entry.id} at {entry.place}")
            yield from labelled_paragraph(
                "", f"tells of this failure, but not here: {'; '.join(conditions_unmet(entry, record.axes))}"
            )
        return
    about = [entry for entry in entries if entry.id in record.entries]
    found = closest_mismatch(about, [blocker.failure for blocker in record.blockers])
    for index, line in enumerate(found.lines() if found else ()):
        yield labelled_line("differs" if not index else "", line)
