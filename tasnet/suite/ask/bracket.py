"""The rows' bracket as answers move it, and what else verdicts rest on of them."""

from __future__ import annotations

from tasnet.hailo.predict import PUBLIC_BRACKET, Bracket, Observations
from tasnet.suite.ask.knowledge import Knowledge

ROW_FAMILIES = frozenset({"reshape_insertion", "agent_infeasible"})
"""what a compiler says of rows that it can't place"""


def moved_bracket(known: Knowledge, bracket: Bracket) -> Bracket:
    """The bracket after the answers.

    What compiled had no row that is too wide. What failed has one if the compiler says so of a graph whose widest row
    lies inside the bracket. A row that compiled past the end of the bracket leaves no end but a wider row that failed.
    """
    passes = max((each.demands.widest_row for each in known.uncontested if each.compiled), default=0)
    passes = max(passes, bracket.passes)
    failed = [
        each.demands.widest_row for each in known.uncontested if not each.compiled and each.family in ROW_FAMILIES
    ]
    ends = [row for row in (*failed, bracket.fails) if row is not None and row > passes]
    return Bracket(passes, min(ends, default=None))


def observations_of(known: Knowledge) -> Observations:
    """What the answers add to the public record.

    Of contradicting ones nothing is taken, and of a kind of layer of which a larger one compiled where a smaller
    failed nothing beside the bracket.
    """
    bracket = moved_bracket(known, PUBLIC_BRACKET)
    compiled = [one.demands for one in known.uncontested if one.compiled]
    layers = {each for one in compiled for each in one.layers if each.kind not in known.refuted_kinds}
    largest = (each for each in layers if not any(other != each and other.covers(each) for other in layers))
    failed = [each for each in known.uncontested if not each.compiled and each.demands.layers_at_work == 1]
    alone = {(each.family, layer) for each in failed for layer in each.demands.layers}
    return Observations(bracket, tuple(sorted(largest)), tuple(sorted(alone)))
