"""What the evidence in a store says of the cases of a run: observed, inferred, or nothing, which leaves the prediction.

In go a run's records, out they come with what is known of their graphs. The graphs are read from the HARs that the run
left: nothing is exported or compiled for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tasnet.hailo.predict import Observations
from tasnet.suite.ask.graphs import graph_of_har, read_graph
from tasnet.suite.ask.question import Question, Source
from tasnet.suite.ask.replies import stored_replies
from tasnet.suite.ask.survey import Survey, survey
from tasnet.suite.cases import AnyCase, Stage
from tasnet.suite.history import ByEvidence, CaseRecord, EvidenceWord
from tasnet.suite.run import Pipeline, Store, StoreError


def survey_of_run(store: Store, arch: str, records: Iterable[CaseRecord]) -> Survey | None:
    """The survey of a run's predicted cases, a question for each graph, named by it; None where nobody observed any."""
    said = stored_replies(store, arch)
    if not said.told:
        return None
    found: dict[str, Question] = {}
    for each in records:
        exported, translated = (each.by_stage.get(stage) for stage in (Stage.EXPORT, Stage.TRANSLATE))
        if not each.predicted or each.arch != arch or not exported or not translated or not translated.artifact:
            continue
        known = found.get(each.graph)
        if known is None:
            try:
                graph = graph_of_har(store, translated.artifact, arch, said.observations, exported.artifact)
            except StoreError:
                continue
            known = Question(each.case_id, graph.demands, graph.predicted, Source.CASE, weight=0.0, onnx=graph.onnx)
        stands_for = (*known.stands_for, each.case_id)
        found[each.graph] = replace(known, stands_for=stands_for, weight=float(len(stands_for)))
    total = sum(each.weight for each in found.values()) or 1.0
    shared = [replace(each, weight=each.weight / total) for each in found.values()]
    return survey(shared, said.told, arch) if shared else None


def by_case(found: Survey | None) -> Mapping[str, ByEvidence]:
    """What the evidence says, by the case's id."""
    said: dict[str, ByEvidence] = {}
    for index, question in enumerate(found.questions if found else ()):
        known = _known(found, index) if found else None
        said |= dict.fromkeys(question.stands_for, known) if known else {}
    return said


def with_evidence(records: Iterable[CaseRecord], said: Mapping[str, ByEvidence]) -> tuple[CaseRecord, ...]:
    """The records, each predicted one with what the evidence says of its case."""
    return tuple(
        each.model_copy(update={"by_evidence": said[each.case_id]}) if each.predicted and each.case_id in said else each
        for each in records
    )


def evidence_on_case(pipeline: Pipeline, case: AnyCase) -> ByEvidence | None:
    """What the store's evidence says of one case; None where it says nothing, or its graph can't be read here.

    `pipeline` is the embedded toolchain's.
    """
    said = stored_replies(pipeline.store, case.arch)
    graph = read_graph(pipeline, case, Observations()) if said.told else ""
    if isinstance(graph, str):
        return None
    return _known(survey([Question(case.id, graph.demands, graph.predicted)], said.told, case.arch), 0)


def _known(found: Survey, index: int) -> ByEvidence | None:
    if found.answered(index):
        replies = found.replies(index)
        compiled = {each.compiled for each in replies}
        word = EvidenceWord.OBSERVED if len(compiled) == 1 else EvidenceWord.DISPUTED
        return ByEvidence(
            word=word, clear=compiled == {True}, text="; ".join(each.said or each.name for each in replies)
        )
    inferred = found.inferred(index)
    if inferred is None:
        return None
    return ByEvidence(word=EvidenceWord.INFERRED, clear=inferred.compiled, text=inferred.text)
