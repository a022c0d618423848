"""Asked until decided, on a compiler with hidden rules: few compiles, right verdicts, nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.hailo.predict import PUBLIC_BRACKET, Bracket, Reference
from tasnet.suite.ask.deciding import (
    TRIES,
    Ask,
    Asked,
    Outcomes,
    SweepOutcome,
    ask_here,
    ask_on_workers,
    asked_of,
    decide,
)
from tasnet.suite.ask.question import Question, Source
from tasnet.suite.ask.replies import stored_replies
from tasnet.suite.ask.single_layers import layers_in_bracket
from tasnet.suite.ask.survey_maker import SurveyMaker, sweep_lines
from tasnet.suite.cases import Stage, parse_case
from tasnet.suite.observed import SharedEvidence, all_evidence, everything_observed, open_workers
from tasnet.suite.run import Pipeline, Store, open_store
from tasnet.suite.run.store import DamageWarning
from tests.doubles.outcomes import DFC, failure, outcomes
from tests.doubles.ruled_toolchain import RuledToolchain
from tests.forked import start_module
from tests.suite.ask.layer_limit import IDS, too_many

ROOT = Path(__file__).parents[3]
SWEEPING = "tests.suite.ask.sweeping"


@pytest.fixture(scope="module")
def survey_maker(tmp_path_factory: pytest.TempPathFactory) -> SurveyMaker:
    """Six cases of five graphs."""
    store = open_store(tmp_path_factory.mktemp("store"))
    return SurveyMaker(Pipeline(store, Reference()), tuple(map(parse_case, IDS)), (), "hailo8", evidence=False)


def asked_with(survey_maker: SurveyMaker, tool: RuledToolchain, **options: object) -> SweepOutcome:
    """What a sweep with this compiler decides; its own store is the survey maker's."""
    return decide(survey_maker.now, ask_here(Pipeline(survey_maker.pipeline.store, tool), "hailo8"), **options)  # type: ignore[arg-type]


def verdicts(found: SweepOutcome) -> dict[str, bool | None]:
    """Whether each graph of a case compiles, as answered or inferred."""
    told = {each.demands: each.compiled for each in found.survey.known.replies}
    said = {}
    for place, each in enumerate(found.survey.questions):
        if each.source is Source.CASE:
            inferred = found.survey.inferred(place)
            said[each.name] = told.get(each.demands, inferred.compiled if inferred else None)
    return said


@pytest.mark.parametrize("most", [1, 8, 100])
def test_all_verdicts_are_right_and_what_follows_is_not_compiled(survey_maker: SurveyMaker, most: int) -> None:
    tool = replace(too_many(most), fingerprint=f"most {most}")
    found = asked_with(survey_maker, tool, checked=0)
    graphs = {each.name: each.demands.layers_at_work for each in found.survey.questions if each.source is Source.CASE}
    assert found.left_open == ""
    assert verdicts(found) == {name: count <= most for name, count in graphs.items()}
    assert sum(each.question.source is Source.CASE for each in found.asked) < len(graphs)
    lines = [*sweep_lines(found, "observed with dfc 3.33.0")]
    assert any("inferred" in line for line in lines)
    assert lines[-1] == "decided: nothing is open"


def scripted(said: dict[str, bool], broken: Sequence[str] = ()) -> tuple[Ask, list[str]]:
    """A compiler that says this of graphs (of others that they compile), and a list of what it was asked."""
    asked: list[str] = []

    def ask(questions: Sequence[Question]) -> Iterator[tuple[Question, Outcomes | str]]:
        for each in questions:
            asked.append(each.name)
            if each.name in broken:
                yield each, "MemoryError: out of memory"
            else:
                blockers = () if said.get(each.name, True) else (failure("agent_infeasible"),)
                yield each, {s: o for s, o in outcomes(*blockers, by=DFC).items() if s is not Stage.EXPORT}

    return ask, asked


def test_a_check_that_does_not_agree_opens_what_rested_on_it(survey_maker: SurveyMaker) -> None:
    names = [each.name for each in survey_maker.now().questions if each.source is Source.CASE]
    smallest = min(
        (each for each in survey_maker.now().questions if each.name in names),
        key=lambda each: each.demands.layers_at_work,
    )
    # the smallest fails and all others compile: nothing that is monotone
    ask, _ = scripted({smallest.name: False})
    found = decide(survey_maker.now, ask, checked=len(names))
    assert found.left_open == ""
    assert found.survey.known.refuted_kinds
    assert found.refuted
    assert verdicts(found) == {name: name != smallest.name for name in names}


def test_what_breaks_down_is_asked_again_and_then_left_open(survey_maker: SurveyMaker) -> None:
    every = [each.name for each in survey_maker.now().questions]
    ask, asked = scripted({}, broken=every)
    found = decide(survey_maker.now, ask)
    assert set(map(asked.count, asked)) == {TRIES}
    assert found.left_open.endswith(f"nothing was learned of {len(set(asked))} ({min(asked)}, …)")
    assert found.survey.known.replies == ()


def test_hours_are_kept_and_the_rest_is_said_to_be_open(survey_maker: SurveyMaker) -> None:
    now = [0.0]
    ask, asked = scripted({})

    def slow(questions: Sequence[Question]) -> Iterator[tuple[Question, Outcomes | str]]:
        now[0] += 3600
        yield from ask(questions)

    found = decide(survey_maker.now, slow, hours=1.5, clock=lambda: now[0])
    assert len(asked) in (1, 2)
    assert "no compile fits into the hours that are left" in found.left_open
    assert decide(survey_maker.now, slow, hours=1e-9, clock=lambda: now[0]).asked == ()


def test_several_are_asked_at_a_time(survey_maker: SurveyMaker) -> None:
    sizes: list[int] = []
    ask, _ = scripted({})

    def counted(questions: Sequence[Question]) -> Iterator[tuple[Question, Outcomes | str]]:
        sizes.append(len(questions))
        yield from ask(questions)

    assert decide(survey_maker.now, counted, at_once=3, checked=2).left_open == ""
    assert max(sizes) in (2, 3)


def test_a_sweep_that_was_killed_compiles_nothing_twice(survey_maker: SurveyMaker, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    own = SurveyMaker(Pipeline(store, Reference()), survey_maker.cases, (), "hailo8")
    tool = too_many(8)

    class Killed(Exception):
        """As good as a signal."""

    def until(asked: Asked, survey: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        asked_with(own, tool, on_answer=until)
    before = list(tool.calls)
    again = SurveyMaker(Pipeline(Store(store.root), Reference()), survey_maker.cases, (), "hailo8")
    assert asked_with(again, tool).left_open == ""
    assert len(tool.calls) == len(set(tool.calls))
    assert tool.calls[: len(before)] == before
    assert {each.end.provenance.version for each in all_evidence(store)} <= {"3.33.0"}


def test_the_command_decides_with_the_embedded_toolchain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasnet.suite.cases.profiles.PROFILES", {"notes": lambda: tuple(map(parse_case, IDS))})
    words = ["sweep", "--profile", "notes", "--store", str(tmp_path / "store")]
    assert main([*words, "--hours", "1"]) == 2
    assert "--until decided" in capsys.readouterr().err
    assert main([*words, "--until", "tomorrow"]) == 2
    assert main([*words, "--until", "decided", "--hours", "0"]) == 2
    capsys.readouterr()
    assert main([*words, "--until", "decided"]) in (0, 1)
    told = capsys.readouterr().out
    assert "predicted by reference" in told
    assert "inferred" in told


def test_what_a_sweep_was_told_of_a_single_layer_is_known_to_the_next_and_moves_the_bracket(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    question = layers_in_bracket(PUBLIC_BRACKET, "hailo8")[3]
    row = question.demands.widest_row
    for version, kept in (("3.33.0+double", 0), ("3.33.0", 1)):
        tool = RuledToolchain(lambda network: (network.layers[1].name,), version=version, fingerprint=version)
        asked_of(Pipeline(store, tool), "hailo8", question)
        asked_of(Pipeline(store, tool), "hailo8", question)
        assert len(stored_replies(store, "hailo8").told) == kept
    (told,) = stored_replies(store, "hailo8").told
    assert (told.reply.compiled, told.reply.demands, told.reply.family) == (False, question.demands, "agent_infeasible")
    assert "3.33.0" in told.reply.said
    assert stored_replies(store, "hailo8").bracket == Bracket(384_000, row)
    assert stored_replies(store, "hailo8l").told == stored_replies(store, "hailo8", SharedEvidence(())).told == ()
    (file,) = (store.root / "replies").iterdir()
    file.write_text("{}")
    with pytest.warns(DamageWarning):
        assert stored_replies(store, "hailo8").told == ()


def test_workers_decide_what_one_process_does(survey_maker: SurveyMaker) -> None:
    pytest.importorskip("distributed", reason="dask.distributed isn't installed: pip install 'tasnet[cluster]'")
    tool = Reference()
    alone = decide(survey_maker.now, ask_here(Pipeline(survey_maker.pipeline.store, tool), "hailo8"), checked=1)
    with open_workers(Pipeline(survey_maker.pipeline.store, tool), workers=2) as over:
        together = decide(survey_maker.now, ask_on_workers(over, "hailo8"), at_once=2, checked=1)
        broken = [*over(_fails, ["a question"])]
    assert verdicts(together) == verdicts(alone)
    assert together.left_open == alone.left_open
    ((place, text, why),) = broken
    assert (place, text) == (0, "")
    assert "ValueError" in why


def _fails(pipeline: Pipeline, given: str) -> str:
    raise ValueError(given)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_killed_in_the_middle_of_a_sweep_has_lost_nothing(
    survey_maker: SurveyMaker, tmp_path: Path, workers: int
) -> None:
    if workers > 1:
        pytest.importorskip("distributed", reason="dask.distributed isn't installed: pip install 'tasnet[cluster]'")
    shutil.copytree(
        survey_maker.pipeline.store.root, tmp_path / "store", ignore=shutil.ignore_patterns("evidence", "replies")
    )
    words = [str(tmp_path / "store"), str(workers)]
    reading, writing = os.pipe()
    if workers == 1:
        process = start_module(SWEEPING, words, ROOT, os.environ, (writing, writing))
    else:
        # With threads of its own; in a session of its own, whose processes end with it.
        command = [sys.executable, "-m", SWEEPING, *words]
        process = subprocess.Popen(command, cwd=ROOT, stdout=writing, start_new_session=True).pid
    os.close(writing)
    try:
        with open(reading) as said:
            first = said.readline().strip()
    finally:
        (os.kill if workers == 1 else os.killpg)(process, signal.SIGKILL)
        os.waitpid(process, 0)
    store = Store(tmp_path / "store")
    kept = everything_observed(store)
    assert first in [*(each.case_id for each in kept.cases), *(each.name for each in kept.graphs)]
    again, tool = (
        SurveyMaker(Pipeline(store, Reference()), survey_maker.cases, (), "hailo8"),
        too_many(8),
    )
    found = asked_with(again, tool)
    assert found.left_open == ""
    assert first not in [each.question.name for each in found.asked if each.inferred is None]
