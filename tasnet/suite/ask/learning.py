"""What observations changed: the bracket, what follows, verdicts, hypotheses, and which ledger entries to look at.

Nothing is written for it: what is known is worked out from the evidence in the store, each time anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasnet.hailo.predict import Bracket
from tasnet.suite.ask.chances import RuleRecord, rule_record
from tasnet.suite.ask.hypotheses import refuted_hypotheses
from tasnet.suite.ask.knowledge import Knowledge, Reply, known_from
from tasnet.suite.ask.question import Question
from tasnet.suite.ask.replies import StoredReplies
from tasnet.suite.ask.suggesting import refuted_lines
from tasnet.suite.cases import parse_any_case
from tasnet.suite.ledger import Entry, claims, covers, in_scope
from tasnet.suite.observed import Evidence

SHOWN = 10
"""changed verdicts that are shown one by one"""


@dataclass(frozen=True)
class Changed:
    """A graph whose standing changed, in words: `predicted …`, `inferred from …`, `observed …`."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Learned:
    """What new observations changed."""

    brackets: tuple[Bracket, Bracket]
    refuted: tuple[str, ...]
    """hypotheses and assumptions, each with the observation"""
    contradictions: tuple[tuple[Reply, ...], ...]
    """all there are, with versions: new or not, nobody has resolved them"""
    changed: tuple[Changed, ...]
    entries: tuple[str, ...]
    """of the ledger, each with why it is to be looked at"""
    record: RuleRecord


def learned(
    before: StoredReplies,
    after: StoredReplies,
    questions: tuple[Sequence[Question], Sequence[Question]] = ((), ()),
    new: Iterable[Evidence] = (),
    entries: Iterable[Entry] = (),
) -> Learned:
    """What changed from one state of a store's evidence to another; `questions` as predicted in each of the two."""
    was, now = (
        known_from([each.demands for each in asked], [each.reply for each in stored_replies.told])
        for stored_replies, asked in zip((before, after), questions, strict=True)
    )
    old, refuted = refuted_hypotheses(was.replies), refuted_hypotheses(now.replies)
    lines = [f"refuted: {text}: {reply.said or reply.name}" for text, reply in refuted.items() if text not in old]
    lines += [line for line in refuted_lines(now.refuted_kinds) if line not in [*refuted_lines(was.refuted_kinds)]]
    changed = [
        Changed(one.name, *standings)
        for index, (one, other) in enumerate(zip(*questions, strict=True))
        if (standings := (standing(was, index, one), standing(now, index, other)))[0] != standings[1]
    ]
    return Learned(
        (before.bracket, after.bracket),
        tuple(lines),
        now.contradictions,
        tuple(changed),
        tuple(_to_look_at(tuple(entries), new)),
        rule_record((each.predicted, each.reply.compiled) for each in after.told),
    )


def standing(known: Knowledge, index: int, question: Question) -> str:
    """How the verdict on a question is known, and what it is: observed, inferred or predicted, never two of them."""
    if index in known.answered:
        same = known.order.firsts[index]
        said = {each.compiled for each in known.replies if known.order.indices[each.demands] == same}
        return "observed: " + " and ".join({True: "compiled", False: "failed"}[each] for each in sorted(said))
    if (found := known.inferred[index]) is not None:
        return f"{found.text}: {'clear' if found.compiled else 'blocked'}"
    return f"predicted: {question.predicted.text}"


def _to_look_at(entries: Sequence[Entry], new: Iterable[Evidence]) -> Iterator[str]:
    """The entries that claim a newly observed case and don't fit what was observed."""
    for evidence in new:
        axes, by = parse_any_case(evidence.case_id).axes(), evidence.end.provenance
        for entry in entries:
            if not claims(entry, axes, by.toolchain) or not in_scope(entry, by.toolchain, by.version):
                continue
            failures = [failure for each in evidence.outcomes for failure in each.failures]
            if not any(covers(entry, failure) for failure in failures):
                what = f"{failures[0].family} at {failures[0].stage}" if failures else "compiled"
                yield f"{entry.id}: claims {evidence.case_id}, observed otherwise ({what}); {entry.place}"


def learned_lines(found: Learned) -> Iterator[str]:
    """What changed, a line each; that nothing did is a line, too."""
    before, after = found.brackets
    told = False
    if before != after:
        yield f"rows: the limit was in {_span(before)}, now {_span(after)}"
        told = True
    for line in found.refuted:
        yield line
        told = True
    for change in found.changed[:SHOWN]:
        yield f"changed {change.name}: {change.before} -> {change.after}"
    if len(found.changed) > SHOWN:
        yield f"changed {len(found.changed) - SHOWN} more"
    for line in found.entries:
        yield f"look at ledger entry {line}"
    for those in found.contradictions:
        yield "contradicting observations, side by side; nothing is inferred from them:"
        yield from (f"  {'compiled' if each.compiled else 'failed  '}  {each.said or each.name}" for each in those)
    for (kind, certainty), (good, bad) in sorted(found.record.counts.items()):
        yield f"rules: of {good + bad} graphs predicted {kind.value}, {certainty.value}, {good} compiled, {bad} failed"
        told = True
    if not (told or found.changed or found.entries or found.contradictions):
        yield "nothing changed"


def _span(bracket: Bracket) -> str:
    return f"{bracket.passes:,} to {bracket.fails:,}" if bracket.fails else f"{bracket.passes:,} to no known end"
