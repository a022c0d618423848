"""Predicted verdicts against observed ones: how often they agree, and which predictions an observation refutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from tasnet.hailo import UNINFORMATIVE_FAMILIES, Certainty
from tasnet.suite.cases import (
    VERDICT_WORDS,
    Outcome,
    Stage,
    Status,
    Verdict,
    graph_key,
    parse_any_case,
    severity,
    verdict_of,
)
from tasnet.suite.observed.evidence import Evidence

UNINFORMATIVE = frozenset({"mapping_timeout", "partition", "compiler_crash"})
"""Observed families that end a search and name no cause a rule could have found."""


class Agreement(str, Enum):
    """What an observation says of a prediction."""

    AGREES = "agrees"
    REFUTED = "refuted"
    """predicted clear and observed to fail, or the other way round"""
    MISSED = "missed"
    """both fail, but the observed failure is of a family that the prediction, which lists all, doesn't have"""
    SETTLED = "settled"
    """the prediction was `unknown`: the observation is what it lacked"""
    SILENT = "silent"
    """the observation says nothing of the graph: skipped, broken down, set up wrongly, or the message is unknown"""


@dataclass(frozen=True)
class VerdictComparison:
    """One observation beside the prediction for its graph. `families` are predicted, `family` was observed."""

    case_id: str
    predicted: str
    observed: str
    families: tuple[str, ...]
    family: str
    agreement: Agreement
    evidence: str
    """the line to add to the evidence of a rule"""


@dataclass(frozen=True)
class ConfusionTable:
    """All comparisons, in the order of the observations; `unmatched` are observed cases that nobody predicted."""

    compared: tuple[VerdictComparison, ...]
    unmatched: tuple[str, ...] = ()

    @property
    def cells(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """(predicted, observed) verdict -> the ids of the cases."""
        found: dict[tuple[str, str], list[str]] = {}
        for each in self.compared:
            found.setdefault((each.predicted, each.observed), []).append(each.case_id)
        return {key: tuple(ids) for key, ids in found.items()}

    def table(self, source: str = "observed") -> str:
        """The counts as text: predictions in rows, what `source` said in columns."""
        cells = self.cells
        rows = [name for name in VERDICT_WORDS if any(p == name for p, _ in cells)]
        columns = [name for name in VERDICT_WORDS if any(o == name for _, o in cells)]
        lines = [f"predicted \\ {source:<8}" + "".join(f"{name:>10}" for name in columns)]
        lines += [f"{p:<20}" + "".join(f"{len(cells.get((p, o), ())):>10}" for o in columns) for p in rows]
        counts = {each: sum(c.agreement is each for c in self.compared) for each in Agreement}
        lines.append(
            ", ".join(f"{count} {each.value}" for each, count in counts.items() if count) or "nothing observed"
        )
        return "\n".join(lines)


def confusion_table(predicted: Mapping[str, Mapping[Stage, Outcome]], observed: Iterable[Evidence]) -> ConfusionTable:
    """Compares each observation with the prediction for the same graph on the same architecture.

    `predicted` is outcomes by case id. Raises ValueError where they weren't predicted (an export is always real).
    """
    by_graph: dict[tuple[str, str], Mapping[Stage, Outcome]] = {}
    for case_id, outcomes in predicted.items():
        for outcome in outcomes.values():
            if outcome.stage is not Stage.EXPORT and not outcome.provenance.predicted:
                raise ValueError(f"{case_id}: {outcome.stage.value} was observed; give predictions on this side")
        by_graph[_graph(case_id)] = outcomes
    compared: list[VerdictComparison] = []
    unmatched: dict[str, None] = {}
    for evidence in observed:
        outcomes_of_graph = by_graph.get(_graph(evidence.case_id))
        if outcomes_of_graph is None:
            unmatched[evidence.case_id] = None
        else:
            compared.append(_compare(outcomes_of_graph, evidence))
    return ConfusionTable(tuple(compared), tuple(unmatched))


def refuted_predictions(found: ConfusionTable) -> tuple[VerdictComparison, ...]:
    """The comparisons in which an observation contradicts the prediction: a rule is wrong, or one is missing."""
    return tuple(each for each in found.compared if each.agreement in (Agreement.REFUTED, Agreement.MISSED))


def refutation_text(compared: VerdictComparison, source: str = "observed") -> str:
    """A refuted prediction as a message of three lines; the third is the evidence to add. `source` says who refutes."""
    prediction = f"blocked ({', '.join(compared.families)})" if compared.families else compared.predicted
    observation = f"{compared.observed} ({compared.family})" if compared.family else compared.observed
    return (
        f"{compared.case_id}: predicted {prediction}, {source} {observation}\n"
        f"to do     mend the rule in tasnet/hailo/predict/constraints.py, or add one, with this evidence:\n"
        f"evidence  {compared.evidence}"
    )


def _compare(predicted: Mapping[Stage, Outcome], evidence: Evidence) -> VerdictComparison:
    observed = [_of_the_compile(outcome) for outcome in evidence.outcomes]
    verdict, seen = verdict_of(predicted.values()), verdict_of(observed)
    families = tuple(dict.fromkeys(f.family for outcome in predicted.values() for f in outcome.failures))
    family = next((failure.family for each in observed for failure in each.failures), "")
    return VerdictComparison(
        evidence.case_id,
        verdict.word,
        seen.word,
        families,
        family,
        _agreement(verdict, seen, families, family),
        evidence.line,
    )


def _of_the_compile(outcome: Outcome) -> Outcome:
    """What ran on a chip was compiled, whatever its sound is like; a chip that broke down says nothing."""
    if outcome.stage is Stage.INFER and outcome.status is Status.FAILED:
        seen = {"status": Status.PASSED, "failures": (), "certainty": Certainty.OBSERVED}
        return outcome.model_copy(update=seen)
    return outcome


def _agreement(predicted: Verdict, observed: Verdict, families: tuple[str, ...], family: str) -> Agreement:
    ranks = severity(predicted), severity(observed)
    if None in ranks or observed is Verdict.UNKNOWN or family in UNINFORMATIVE_FAMILIES:
        return Agreement.SILENT
    if predicted is Verdict.UNKNOWN:
        return Agreement.SETTLED
    if ranks[0] != ranks[1]:
        return Agreement.REFUTED
    if predicted is Verdict.BLOCKED and family not in families and family and family not in UNINFORMATIVE:
        return Agreement.MISSED
    return Agreement.AGREES


def _graph(case_id: str) -> tuple[str, str]:
    case = parse_any_case(case_id)
    return graph_key(case), case.arch
