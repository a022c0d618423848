"""What evidence that arrives changes, as lines: from what was known of a store's evidence to all that there is now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tasnet.hailo.predict import Reference
from tasnet.suite.ask.graphs import case_questions
from tasnet.suite.ask.learning import learned, learned_lines
from tasnet.suite.ask.replies import stored_replies
from tasnet.suite.cases import Case
from tasnet.suite.ledger import Entry
from tasnet.suite.observed import SharedEvidence, everything_observed
from tasnet.suite.run import Pipeline, Store

NOTHING = SharedEvidence(())
"""no evidence: the public record alone"""


def news_lines(
    store: Store, cases: Sequence[Case], arch: str, entries: Iterable[Entry], known: SharedEvidence = NOTHING
) -> Iterator[str]:
    """What the store's evidence changes against what was `known` of it, or against the public record.

    Of `cases` the verdicts that change are said, of the ledger's `entries` those to look at.
    """
    now = everything_observed(store)
    before, after = stored_replies(store, arch, known), stored_replies(store, arch, now)
    # Whatever toolchain was asked, graphs are read by the embedded one.
    reader = Pipeline(store, Reference())
    questions = tuple(case_questions(reader, cases, each.observations)[0] for each in (before, after))
    there = {each.key for each in known.cases}
    new = [each for each in now.cases if each.key not in there]
    yield from learned_lines(learned(before, after, (questions[0], questions[1]), new, entries))
