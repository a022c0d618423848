"""The pipeline: stages in order, each distinct piece of work once, nothing finished ever lost."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import onnx
import pytest

import tasnet.network.export as export_module
from tasnet.hailo.failures import Certainty, Failure
from tasnet.hailo.predict.reference import Reference
from tasnet.hailo.toolchain import StageEnd, StageReport, Toolchain
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import STAGES, Stage, Status
from tasnet.suite.ledger.judgement import JudgementKind, judge
from tasnet.suite.run.pipeline import Pipeline, PipelineError
from tasnet.suite.run.recipe import Recipe
from tasnet.suite.run.store import Store, StoreError
from tests.doubles.scripted_toolchain import ScriptedToolchain
from tests.suite.run.scripted_cases import ALL_PASSED, checkpoint_file, done, statuses
from tests.suite.run.small_cases import TINY

BLOCKER = Failure(
    stage="compile", family="unsupported_kernel", message="Super deconv", certainty=Certainty.EXTRAPOLATED
)


def tiny(*axes, length=160, **named):
    return Case(Variant(*axes, **named), size=TINY, length=length)


def test_the_double_keeps_the_contract(calls):
    assert isinstance(ScriptedToolchain(calls), Toolchain)


def test_a_case_passes_all_stages_and_is_read_back_without_work(store, calls):
    pipeline = Pipeline(store, ScriptedToolchain(calls))
    first = pipeline.run(tiny())
    assert statuses(first) == ALL_PASSED
    assert list(first) == list(STAGES[:4])
    assert Pipeline(store, ScriptedToolchain(calls)).run(tiny()) == first
    assert done(calls) == {"translate": 1, "optimize": 1, "compile": 1}


def test_outcomes_say_who_says_so_and_what_was_measured(store, calls):
    outcomes = Pipeline(store, ScriptedToolchain(calls)).run(tiny())
    export, translate, compiled = (outcomes[s] for s in (Stage.EXPORT, Stage.TRANSLATE, Stage.COMPILE))
    assert export.provenance.toolchain == "export"
    assert not export.provenance.predicted
    assert compiled.provenance.model_dump() == {
        "toolchain": "scripted",
        "version": "1.0",
        "predicted": True,
        "exhaustive": True,
        "arch": "hailo8",
        "inputs": translate.artifact.removeprefix("har/").removesuffix(".parts"),
    }
    assert translate.provenance.arch == ""
    model = onnx.load(str(store.path(export.artifact)))
    assert abs(model.ByteSize() - export.figures["onnx_bytes"]) < 0.2 * model.ByteSize()
    har = store.get_har(translate.artifact, store.root / "network.har")
    assert har.stat().st_size == translate.figures["har_bytes"]


def test_until_ends_the_run_early(store, calls):
    pipeline = Pipeline(store, ScriptedToolchain(calls))
    assert list(pipeline.run(tiny(), Stage.TRANSLATE)) == [Stage.EXPORT, Stage.TRANSLATE]
    with pytest.raises(PipelineError, match="ends at compile"):
        pipeline.run(tiny(), Stage.INFER)


def test_cases_of_one_graph_share_every_stage_but_architectures_are_judged_apart(store, calls):
    pipeline = Pipeline(store, ScriptedToolchain(calls))
    for skip in ("on", "off"):
        for blocks in (0, 1, 2):
            pipeline.run(tiny(mask="bypass", skip=skip, blocks=blocks))
    pipeline.run(replace(tiny(mask="bypass"), arch="hailo8l"))
    assert done(calls) == {"translate": 1, "optimize": 2, "compile": 2}


def test_a_failed_stage_blocks_the_later_ones(store, calls):
    failed = StageReport(StageEnd.FAILED, failures=(BLOCKER,))
    pipeline = Pipeline(store, ScriptedToolchain(calls, {"translate": failed}))
    outcomes = pipeline.run(tiny())
    assert [o.status for o in outcomes.values()] == [
        Status.PASSED,
        Status.FAILED,
        Status.BLOCKED,
        Status.BLOCKED,
    ]
    assert outcomes[Stage.TRANSLATE].failures == (BLOCKER,)
    assert outcomes[Stage.COMPILE].blocked_by is Stage.TRANSLATE
    assert pipeline.run(tiny()) == outcomes
    assert done(calls) == {"translate": 1}


def test_an_unknown_optimize_lets_compile_be_judged(store, calls):
    script = {"optimize": StageReport(StageEnd.UNKNOWN, doubts=(BLOCKER,)), "compile": StageReport(StageEnd.PASSED)}
    outcomes = Pipeline(store, ScriptedToolchain(calls, script)).run(tiny())
    assert statuses(outcomes) == {**ALL_PASSED, "optimize": "unknown"}
    assert outcomes[Stage.OPTIMIZE].doubts == (BLOCKER,)


def test_a_translation_that_cant_be_told_leaves_the_later_stages_unasked_and_says_so(store, calls):
    unread = StageReport(StageEnd.UNKNOWN, doubts=(BLOCKER,), detail="node odd (Sinh): no rule")
    outcomes = Pipeline(store, ScriptedToolchain(calls, {"translate": unread})).run(tiny())
    later = [outcomes[stage] for stage in (Stage.OPTIMIZE, Stage.COMPILE)]
    assert list(statuses(outcomes).values()) == ["passed", "unknown", "unknown", "unknown"]
    assert [(each.blocked_by, each.judged, each.failures) for each in later] == [(Stage.TRANSLATE, False, ())] * 2
    assert {each.reason for each in later} == {"translate ended unknown: node odd (Sinh): no rule"}
    assert outcomes[Stage.TRANSLATE].judged
    assert done(calls) == {"translate": 1}
    judgement = judge(tiny().axes(), outcomes, (), date(2026, 6, 1))
    assert (judgement.kind, judgement.blockers) == (JudgementKind.UNKNOWN, ())
    assert judgement.happened == "predicted unknown at translate: node odd (Sinh): no rule"


def test_a_quantized_har_is_what_gets_compiled(store, calls):
    outcomes = Pipeline(store, ScriptedToolchain(calls, leaves_quantized=True)).run(tiny())
    quantized = outcomes[Stage.OPTIMIZE].artifact
    assert quantized != outcomes[Stage.TRANSLATE].artifact
    assert outcomes[Stage.COMPILE].provenance.inputs in quantized
    assert store.path(outcomes[Stage.COMPILE].artifact).read_bytes().startswith(b"hef")


@pytest.mark.parametrize(
    "trouble", [OSError(28, "No space left on device"), MemoryError(), StageReport(StageEnd.INFRA, detail="killed")]
)
def test_broken_tools_are_never_the_networks_fault_and_are_tried_again(store, calls, trouble):
    outcomes = Pipeline(store, ScriptedToolchain(calls, {"optimize": trouble})).run(tiny())
    assert statuses(outcomes) == {**ALL_PASSED, "optimize": "infra", "compile": "infra"}
    assert outcomes[Stage.COMPILE].blocked_by is Stage.OPTIMIZE
    assert outcomes[Stage.OPTIMIZE].reason in outcomes[Stage.COMPILE].reason
    again = Pipeline(store, ScriptedToolchain(calls)).run(tiny())
    assert statuses(again) == ALL_PASSED
    assert done(calls) == {"translate": 1, "optimize": 2, "compile": 1}


def test_an_exhausted_memory_in_torch_is_infra_and_its_bugs_are_not(store, calls, monkeypatch):
    def raises(error):
        def to_onnx(*_args, **_named):
            raise error

        return to_onnx

    pipeline = Pipeline(store, ScriptedToolchain(calls))
    exhausted = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    monkeypatch.setattr("tasnet.network.to_onnx", raises(exhausted))
    assert set(statuses(pipeline.run(tiny())).values()) == {"infra"}
    monkeypatch.setattr("tasnet.network.to_onnx", raises(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        pipeline.run(tiny())


def test_bugs_of_a_toolchain_propagate_and_leave_no_outcome(store, calls):
    with pytest.raises(KeyError):
        Pipeline(store, ScriptedToolchain(calls, {"translate": KeyError("bug")})).run(tiny())
    with pytest.raises(PipelineError, match="left no HAR"):
        Pipeline(store, ScriptedToolchain(calls, {"translate": StageReport(StageEnd.PASSED)})).run(tiny())
    assert statuses(Pipeline(store, ScriptedToolchain(calls)).run(tiny())) == ALL_PASSED
    assert list((store.root / "tmp").iterdir()) == []


def test_a_graph_that_cant_be_built_fails_at_export(store, calls):
    outcomes = Pipeline(store, ScriptedToolchain(calls), Recipe(opset=9)).run(tiny())
    assert outcomes[Stage.EXPORT].status is Status.FAILED
    assert "opset 9" in outcomes[Stage.EXPORT].failures[0].message
    assert outcomes[Stage.COMPILE].blocked_by is Stage.EXPORT


def test_logs_are_kept(store, calls, tmp_path):
    log = tmp_path / "tool.log"
    log.write_text("why")
    script = {"compile": StageReport(StageEnd.FAILED, failures=(BLOCKER,), log=log)}
    outcome = Pipeline(store, ScriptedToolchain(calls, script)).run(tiny())[Stage.COMPILE]
    assert store.path(outcome.figures["log"]).read_text() == "why"


# --- keys


def test_another_toolchain_version_or_fingerprint_is_asked_anew_and_the_export_is_not(store, calls):
    tool = ScriptedToolchain(calls)
    for other in (tool, replace(tool, version="2.0"), replace(tool, fingerprint="b"), replace(tool, name="x")):
        Pipeline(store, other).run(tiny())
    assert done(calls) == {"translate": 4, "optimize": 4, "compile": 4}
    assert len(list((store.root / "onnx").glob("*.onnx"))) == 1


def test_other_weights_are_another_graph_and_changed_sources_are_exported_anew(store, calls, monkeypatch, tmp_path):
    pipeline = Pipeline(store, ScriptedToolchain(calls))
    pipeline.run(tiny())
    Pipeline(store, ScriptedToolchain(calls), Recipe(seed=1)).run(tiny())
    assert done(calls)["translate"] == 2
    counted = []
    real = export_module.to_onnx
    monkeypatch.setattr("tasnet.network.to_onnx", lambda *a, **k: counted.append(1) or real(*a, **k))
    monkeypatch.setattr("tasnet.suite.run.pipeline.source_digest", lambda *rooms: "of changed sources")
    Pipeline(store, ScriptedToolchain(calls)).run(tiny())
    # exported again, but the bytes are the same, and so nothing after the export is done again
    assert counted == [1]
    assert done(calls)["translate"] == 2


def test_an_artifact_that_is_gone_is_made_again(store, calls):
    pipeline = Pipeline(store, ScriptedToolchain(calls))
    first = pipeline.run(tiny())
    (store.root / first[Stage.TRANSLATE].artifact).unlink()
    store.path(first[Stage.EXPORT].artifact).unlink()
    assert {s: o.artifact for s, o in pipeline.run(tiny()).items()} == {s: o.artifact for s, o in first.items()}
    assert done(calls) == {"translate": 2, "optimize": 1, "compile": 1}


def test_a_store_that_cant_be_used_says_so(tmp_path, calls):
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="choose another folder"):
        Pipeline(Store(tmp_path / "store"), ScriptedToolchain(calls)).run(tiny())


# --- checkpoints


def test_a_checkpoint_gives_the_size_and_the_weights(store, calls, tmp_path):
    file = checkpoint_file(tmp_path / "best.pth")
    recipe = Recipe(checkpoint=file, blocks_per_repeat=2)
    pipeline = Pipeline(store, ScriptedToolchain(calls), recipe)
    case = Case(Variant(), length=160)
    assert pipeline.resolve(case) == tiny()
    assert statuses(pipeline.run(case)) == ALL_PASSED
    # the same weights by another way are the same ONNX
    Pipeline(store, ScriptedToolchain(calls), Recipe(seed=3)).run(tiny())
    assert done(calls)["translate"] == 1


def test_a_missing_checkpoint_is_said_in_one_line(store, calls, tmp_path):
    pipeline = Pipeline(store, ScriptedToolchain(calls), Recipe(checkpoint=tmp_path / "none.pth"))
    with pytest.raises(PipelineError, match=r"none\.pth: No such file"):
        pipeline.run(tiny())


def test_a_run_reads_what_it_needs_without_making_a_workspace(store, calls, monkeypatch):
    case = tiny()
    first = Pipeline(store, ScriptedToolchain(calls)).run(case)
    monkeypatch.setattr(Store, "workspace", None)
    monkeypatch.setattr(Store, "lock", None)
    monkeypatch.setattr(Store, "get_har", None)
    assert Pipeline(store, ScriptedToolchain(calls)).run(case) == first


def test_a_har_is_put_together_once_for_both_judgements_and_never_after_its_translation(store, calls, monkeypatch):
    joined = []
    real = Store.get_har
    monkeypatch.setattr(Store, "get_har", lambda *a: joined.append(1) or real(*a))
    pipeline = Pipeline(store, ScriptedToolchain(calls))
    pipeline.run(tiny())
    assert joined == []
    pipeline.run(replace(tiny(), arch="hailo8l"))
    assert joined == [1]


@pytest.mark.parametrize(
    ("variant", "ends"),
    [
        (Variant(), "failed"),
        (Variant("split", decoder="polyphase"), "passed"),
        (Variant("project", decoder="ungrouped_blockdiag", layout="vertical"), "passed"),
    ],
    ids=lambda value: getattr(value, "expansion", value),
)
def test_the_embedded_toolchain_takes_a_small_network_all_the_way(store, variant, ends):
    case = Case(variant, size=TINY, length=1600)
    outcomes = Pipeline(store, Reference()).run(case)
    assert statuses(outcomes) == {**ALL_PASSED, "compile": ends}
    assert outcomes[Stage.COMPILE].provenance.predicted
    assert outcomes[Stage.OPTIMIZE].artifact in ("", outcomes[Stage.TRANSLATE].artifact)
    assert Pipeline(Store(store.root), Reference()).run(case) == outcomes


def test_paths_with_spaces_and_umlauts_work(tmp_path):
    root = tmp_path / "ein Ordner für alles"
    root.mkdir()
    assert statuses(Pipeline(Store(root), ScriptedToolchain(Path(root / "calls"))).run(tiny())) == ALL_PASSED


@pytest.mark.parametrize(
    "cut",
    [
        StageReport(StageEnd.INFRA, detail="compile exceeded its limit", figures={"limit_seconds": 1.0}),
        StageReport(
            StageEnd.UNCLASSIFIED, doubts=(BLOCKER.model_copy(update={"family": "unclassified"}),), detail="NewError: ?"
        ),
    ],
    ids=["a limit", "words that nobody knows"],
)
def test_what_taught_nothing_never_answers_later(store, calls, cut):
    """The limits are no part of an outcome's key: a cut that was kept would answer for every other limit."""
    first = Pipeline(store, ScriptedToolchain(calls, {"compile": cut})).run(tiny())[Stage.COMPILE]
    assert first.status.value == cut.ended.value
    assert (first.failures, first.doubts) == ((), cut.doubts)
    assert dict(first.figures) == dict(cut.figures)
    again = Pipeline(store, ScriptedToolchain(calls)).run(tiny())
    assert again[Stage.COMPILE].status is Status.PASSED
    assert done(calls) == {"translate": 1, "optimize": 1, "compile": 2}
