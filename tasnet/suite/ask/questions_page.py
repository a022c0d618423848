"""The page of open questions, ranked, and of every graph: observed, inferred and predicted look unlike each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasnet.common import render_page, write_whole
from tasnet.suite.ask.monotonicity import ASSUMED
from tasnet.suite.ask.question import Source
from tasnet.suite.ask.suggesting import Suggested, refuted_lines, time_text
from tasnet.suite.ask.survey import Survey

TITLE = "Open questions to the compiler"


@dataclass(frozen=True)
class GraphRow:
    """A graph: its word (observed, inferred, predicted; disputed where observations contradict), its verdict."""

    name: str
    count: int
    word: str
    verdict: str
    source: str

    @property
    def blocked(self) -> bool:
        """Whether it is known not to compile."""
        return self.verdict == "blocked"


def write_questions_page(path: Path, found: Suggested) -> Path:
    """Writes the page, whole or not at all. Raises OSError."""
    write_whole(path, questions_html(found).encode())
    return path


def questions_html(found: Suggested) -> str:
    """The page as HTML."""
    survey = found.survey
    rows = list(graph_rows(survey))
    counts = Counter(each.word for each in rows)
    bracket = survey.bracket
    return render_page(
        Path(__file__).with_suffix(".html"),
        title=TITLE,
        assumed=ASSUMED,
        bracket=f"between {bracket.passes:,} and {bracket.fails:,} elements" if bracket.fails else "at no known end",
        refuted=[*refuted_lines(survey.known.refuted_kinds)],
        contradictions=[[each.said or each.name for each in those] for those in survey.known.contradictions],
        next=next_rows(found),
        counts=", ".join(f"{count} {word}" for word, count in counts.items()),
        graphs=rows,
    )


def next_rows(found: Suggested) -> list[dict[str, Any]]:
    """What is asked next, the best first, in words."""
    return [
        {
            "name": each.question.name,
            "predicted": each.question.predicted.text,
            "time": time_text(each.expected.seconds),
            "time_from": each.expected.source,
            "chance": each.chance,
            "yes": each.by_yes.text,
            "no": each.by_no.text,
        }
        for each in found.next
    ]


def graph_rows(survey: Survey) -> Iterator[GraphRow]:
    """A row for each graph of a case or a plan, the observed first, then the inferred, then the predicted."""
    words = ("disputed", "observed", "inferred", "predicted")
    found = [
        _row(survey, index) for index, each in enumerate(survey.questions) if each.source is not Source.SINGLE_LAYER
    ]
    yield from sorted(found, key=lambda each: words.index(each.word))


def _row(survey: Survey, index: int) -> GraphRow:
    question = survey.questions[index]
    named = (question.name, len(question.stands_for))
    if survey.answered(index):
        replies = survey.replies(index)
        said = "; ".join(each.said or each.name for each in replies)
        compiled = {each.compiled for each in replies}
        if len(compiled) > 1:
            return GraphRow(*named, "disputed", "compiled and failed", said)
        return GraphRow(*named, "observed", "clear" if compiled == {True} else "blocked", said)
    if (inferred := survey.inferred(index)) is not None:
        return GraphRow(*named, "inferred", "clear" if inferred.compiled else "blocked", inferred.text)
    return GraphRow(*named, "predicted", question.predicted.text, "the rules")
