"""The next compiles, in order: their files, what each is expected to take, and what a yes and a no would decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasnet.common import counted
from tasnet.hailo.predict import Bracket
from tasnet.suite.ask.monotonicity import ASSUMED
from tasnet.suite.ask.order import LAYERS, RefutedKinds
from tasnet.suite.ask.question import Question, Source
from tasnet.suite.ask.survey import Survey
from tasnet.suite.ask.times import Expected
from tasnet.suite.run import Store


@dataclass(frozen=True)
class Settles:
    """What an answer would decide beside itself: ids of cases, segments as `plan/s1`, single layers; the bracket."""

    cases: tuple[str, ...]
    segments: tuple[str, ...]
    single_layers: tuple[str, ...]
    bracket: Bracket | None = None
    """as the answer would leave it; None where it wouldn't move"""

    @property
    def text(self) -> str:
        """`12 cases (a, b, …), 2 segments (plan/s3, plan/s4), rows up to 448,000 compile`."""
        parts = [_counted(self.cases, "case"), _counted(self.segments, "segment")]
        if self.single_layers:
            parts.append(
                "1 single layer" if len(self.single_layers) == 1 else f"{len(self.single_layers)} single layers"
            )
        if self.bracket:
            end = f" to {self.bracket.fails:,}" if self.bracket.fails else ""
            parts.append(f"the row's limit in {self.bracket.passes:,}{end}")
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class Suggestion:
    """One compile: the question, the chance of a yes, its time, what the answers decide, its worth an hour.

    `settled` is the share of all that is asked about which its answer settles, in expectation.
    """

    question: Question
    chance: float
    expected: Expected
    by_yes: Settles
    by_no: Settles
    settled: float


@dataclass(frozen=True)
class Suggested:
    """The next compiles within the hours, and how many questions were open."""

    survey: Survey
    next: tuple[Suggestion, ...]
    left_out: bool
    """whether the hours ended the list"""


def suggest(survey: Survey, *, most: int = 8, hours: float | None = None) -> Suggested:
    """The next compiles; with `hours` as many of the best as are expected to fit into them."""
    total = sum(each.weight for each in survey.questions) or 1.0
    budget, left_out, found = (hours or 0.0) * 3600, False, list[Suggestion]()
    for each in survey.next(most):
        question, expected = survey.questions[each.index], survey.times[each.index]
        if hours is not None and expected.seconds > budget:
            left_out = True
            continue
        budget -= expected.seconds
        row, bracket = question.demands.widest_row, survey.bracket
        inside = bracket.open_at(row) and question.source is Source.SINGLE_LAYER
        found.append(
            Suggestion(
                question,
                each.chance,
                expected,
                _decided(survey, each.by_yes, Bracket(row, bracket.fails) if inside else None),
                _decided(survey, each.by_no, Bracket(bracket.passes, row) if inside else None),
                each.settled / total,
            )
        )
    return Suggested(survey, tuple(found), left_out)


def file_of(question: Question, store: Store) -> Path:
    """The question's ONNX file; a single layer's is written to the store."""
    if question.source is Source.SINGLE_LAYER:
        return store.root / store.put_file(question.model, ".onnx")
    return Path(question.onnx) if question.source is Source.SEGMENT else store.root / question.onnx


def _decided(survey: Survey, indices: Sequence[int], bracket: Bracket | None) -> Settles:
    names: dict[Source, list[str]] = {each: [] for each in Source}
    for index in indices:
        each = survey.questions[index]
        plan = each.name.rpartition("/")[0]
        names[each.source] += [f"{plan}/{name}" if plan else name for name in each.stands_for]
    cases, segments, layers = (tuple(names[each]) for each in (Source.CASE, Source.SEGMENT, Source.SINGLE_LAYER))
    return Settles(cases, segments, layers, bracket)


# --- shown


def suggested_lines(found: Suggested, store: Store) -> Iterator[str]:
    """What is open, what is assumed, and each compile with its answers."""
    survey = found.survey
    asked = [each for each in survey.questions if each.source is not Source.SINGLE_LAYER]
    indices = range(len(asked))
    inferred = sum(survey.inferred(index) is not None for index in indices)
    answered = sum(map(survey.answered, indices))
    left = sum(index in survey.open for index in indices)
    yield f"{len(asked)} distinct graphs: {answered} observed, {inferred} inferred, {left} open"
    yield ASSUMED
    yield from refuted_lines(survey.known.refuted_kinds)
    for those in survey.known.contradictions:
        yield "contradicting observations, nothing is inferred from them:"
        yield from (f"  {each.said or each.name}" for each in those)
    for number, each in enumerate(found.next, 1):
        seconds = each.expected.seconds
        yield ""
        yield f"{number}. {each.question.source.value} {each.question.name}".replace(
            "single layer single layer", "single layer"
        )
        yield f"   file  {file_of(each.question, store)}"
        yield f"   time  about {time_text(seconds)}, {each.expected.source}; predicted {each.question.predicted.text}"
        yield f"   yes   ({each.chance:.0%}) decides {each.by_yes.text}"
        yield f"   no    ({1 - each.chance:.0%}) decides {each.by_no.text}"
    yield ""
    if found.next:
        together = sum(each.expected.seconds for each in found.next)
        more = "; others take longer than is left" if found.left_out else ""
        yield f"{counted(len(found.next), 'compile')}, about {time_text(together)} together{more}"
    else:
        yield "no compile fits into these hours" if found.left_out else "nothing is open"


def refuted_lines(refuted_kinds: RefutedKinds) -> Iterator[str]:
    """What answers have refuted of the assumption."""
    for each in sorted(refuted_kinds, key=str):
        if each == LAYERS:
            yield "refuted: a graph with more layers compiled where one with fewer failed: counts say nothing any more"
        elif not isinstance(each, str):
            yield f"refuted: a larger {each.text} compiled where a smaller failed: its sizes say nothing any more"


def suggested_json(found: Suggested, store: Store) -> dict[str, Any]:
    """The same as JSON."""
    survey = found.survey
    return {
        "assumed": ASSUMED,
        "refuted": [*refuted_lines(survey.known.refuted_kinds)],
        "contradictions": [[each.said or each.name for each in those] for those in survey.known.contradictions],
        "bracket": [survey.bracket.passes, survey.bracket.fails],
        "open": [survey.questions[index].name for index in survey.open],
        "next": [
            {
                "name": each.question.name,
                "source": each.question.source.value,
                "file": str(file_of(each.question, store)),
                "chance": each.chance,
                "predicted": each.question.predicted.text,
                "seconds": each.expected.seconds,
                "seconds_from": each.expected.source,
                "settles": each.settled,
                "yes": _decided_json(each.by_yes),
                "no": _decided_json(each.by_no),
            }
            for each in found.next
        ],
    }


def _decided_json(decided: Settles) -> dict[str, Any]:
    moved = decided.bracket
    return {
        "cases": list(decided.cases),
        "segments": list(decided.segments),
        "single_layers": list(decided.single_layers),
        "bracket": [moved.passes, moved.fails] if moved else None,
    }


SHOWN = 3
"""names shown of what an answer decides; JSON has them all"""


def _counted(names: Sequence[str], what: str) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return f"{len(names)} {what}{'s' * (len(names) != 1)} ({shown})"


def time_text(seconds: float) -> str:
    """`40 s`, `32 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
