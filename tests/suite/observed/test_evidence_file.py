"""Evidence as one file: the same runs elsewhere, and nothing that its own record doesn't carry."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasnet.cli import main
from tasnet.hailo import Certainty
from tasnet.hailo.predict import Bracket, PredictionKind, demands_of
from tasnet.suite.ask import known_observations
from tasnet.suite.cases import Stage, parse_case, verdict_of
from tasnet.suite.observed.evidence import Evidence, EvidenceError, all_evidence, keep_evidence
from tasnet.suite.observed.evidence_file import export_evidence, import_evidence, read_evidence
from tasnet.suite.observed.graph_evidence import GraphEvidence, all_graph_evidence, keep_graph_answer
from tasnet.suite.run import Store, open_store
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.suite.ask.layers import conv

SMALL = "+T=400+N=16+L=16+B=8+H=8+Sc=8+X=2+R=1"
FAILED = parse_case(f"concat-normal-grouped-all{SMALL}")
COMPILED = parse_case(f"project-normal-conv1x1_head-all{SMALL}")


def said(case: Any, *failures: Any) -> Evidence:
    """A run of the compiler on a case."""
    told = tuple(outcomes(*failures, by=DFC).values())[1:]
    return Evidence(case_id=case.id, tag=case.id, run="20260217_101500", source="summary.tsv:3", outcomes=told)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one run that compiled and one that didn't."""
    store = open_store(tmp_path / "store")
    keep_evidence(store, said(FAILED, SUPER_DECONV))
    keep_evidence(store, said(COMPILED))
    return store


def told_of(store: Store, name: str, *failures: Any) -> None:
    """A compiler's word on a single layer."""
    told = {each.stage: each for each in list(outcomes(*failures, by=DFC).values())[1:]}
    demands = demands_of([conv(1750, 256, 256)])
    assert keep_graph_answer(store, "hailo8", name, demands, (PredictionKind.UNKNOWN, Certainty.EXTRAPOLATED), told)


def test_what_is_exported_is_the_same_evidence_elsewhere(store: Store, tmp_path: Path) -> None:
    assert export_evidence(store, tmp_path / "evidence.json") == 2
    other = open_store(tmp_path / "other")
    found = read_evidence(tmp_path / "evidence.json")
    assert found.cases == all_evidence(store)
    assert import_evidence(other, found) == found
    assert not import_evidence(other, found)
    assert all_evidence(other) == all_evidence(store)


def test_the_file_says_who_said_what_of_which_graph_and_where(store: Store, tmp_path: Path) -> None:
    export_evidence(store, tmp_path / "evidence.json")
    content = json.loads((tmp_path / "evidence.json").read_text())
    assert (content["schema"], len(content["evidence"]), content["graphs"]) == (2, 2, [])
    for record in content["evidence"]:
        evidence = said(parse_case(record["case_id"]), *([SUPER_DECONV] if record["verdict"] == "blocked" else []))
        assert record["verdict"] == verdict_of(evidence.outcomes).value
        assert record["key"] == evidence.key
        assert (record["run"], record["source"]) == ("20260217_101500", "summary.tsv:3")
        assert {each["provenance"]["toolchain"] for each in record["outcomes"]} == {"dfc"}
        assert {each["provenance"]["version"] for each in record["outcomes"]} == {"3.33.1"}


def test_what_was_said_of_single_layers_and_segments_goes_with_it(store: Store, tmp_path: Path) -> None:
    told_of(store, "conv 1 x 1750 x 256", failure("agent_infeasible"))
    assert export_evidence(store, tmp_path / "evidence.json") == 3
    content = json.loads((tmp_path / "evidence.json").read_text())
    (record,) = content["graphs"]
    assert (record["name"], record["verdict"], record["arch"]) == ("conv 1 x 1750 x 256", "blocked", "hailo8")
    assert record["demands"]["layers"][0]["row_elements"] == 1750 * 256
    assert not re.search(r"onnx|har/|files/", json.dumps(record))
    other = open_store(tmp_path / "other")
    found = read_evidence(tmp_path / "evidence.json")
    assert len(import_evidence(other, found)) == 3
    assert [*all_graph_evidence(other)] == [*all_graph_evidence(store)] == list(found.graphs)
    assert known_observations(other, "hailo8").bracket == Bracket(384_000, 448_000)
    # What was exported before there were graphs in it is read as it was.
    content["schema"] = 1
    del content["graphs"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    assert read_evidence(tmp_path / "old.json").cases == found.cases


def test_nothing_is_overwritten_and_nothing_is_no_file(store: Store, tmp_path: Path) -> None:
    at = tmp_path / "evidence.json"
    at.write_text("mine")
    with pytest.raises(EvidenceError, match="nothing is overwritten"):
        export_evidence(store, at)
    assert at.read_text() == "mine"
    with pytest.raises(EvidenceError, match="no evidence is stored"):
        export_evidence(open_store(tmp_path / "empty"), tmp_path / "none.json")
    with pytest.raises(EvidenceError, match="no directory"):
        export_evidence(store, tmp_path / "no" / "evidence.json")
    assert not (tmp_path / "none.json").exists()


def compile_of(record: dict[str, Any]) -> dict[str, Any]:
    """The record's compile."""
    return next(each for each in record["outcomes"] if each["stage"] == "compile")


def sealed_again(record: dict[str, Any]) -> None:
    """A forger who knows how keys and verdicts are made."""
    kind = Evidence if "case_id" in record else GraphEvidence
    evidence = kind.model_validate_json(
        json.dumps({name: value for name, value in record.items() if name not in ("verdict", "key")})
    )
    record |= {"verdict": verdict_of(evidence.outcomes).value, "key": evidence.key}


def of_the_embedded(record: dict[str, Any]) -> None:
    """A prediction that says it was observed."""
    for each in record["outcomes"]:
        each["provenance"] |= {"toolchain": "reference", "version": "0.1.0"}
    sealed_again(record)


def predicted(record: dict[str, Any]) -> None:
    """A prediction."""
    compile_of(record)["provenance"]["predicted"] = True
    sealed_again(record)


def by_a_double(record: dict[str, Any]) -> None:
    """What a test double said."""
    compile_of(record)["provenance"]["version"] = "3.33.1+double"
    sealed_again(record)


def extrapolated(record: dict[str, Any]) -> None:
    """A compile that says it was extrapolated."""
    compile_of(record)["certainty"] = Certainty.EXTRAPOLATED.value
    sealed_again(record)


def without_certainty(record: dict[str, Any]) -> None:
    """A compile that doesn't say how it is known."""
    compile_of(record)["certainty"] = None
    sealed_again(record)


def claimed(record: dict[str, Any]) -> None:
    """A verdict that the outcomes don't have."""
    record["verdict"] = "clear, extrapolated"


def failed_before(record: dict[str, Any]) -> None:
    """A compile behind a translation that failed."""
    record["outcomes"][0] |= {"status": "failed", "failures": [json.loads(SUPER_DECONV.model_dump_json())]}
    sealed_again(record)


def failed_without_words(record: dict[str, Any]) -> None:
    """A failure that nothing says anything of."""
    compile_of(record)["status"] = "failed"
    sealed_again(record)


def of_another_chip(record: dict[str, Any]) -> None:
    """A run for one chip as one of another's."""
    compile_of(record)["provenance"]["arch"] = "hailo8l"
    sealed_again(record)


def edited(record: dict[str, Any]) -> None:
    """A longer run than was exported."""
    compile_of(record)["seconds"] = 3.5


def twice(record: dict[str, Any]) -> None:
    """A stage that is told twice."""
    record["outcomes"].append(compile_of(record))
    sealed_again(record)


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (of_the_embedded, "only predicts"),
        (predicted, "observed runs only"),
        (by_a_double, "observed runs only"),
        (extrapolated, "a certainty that no observation has"),
        (without_certainty, "doesn't say that this was observed"),
        (claimed, "claims 'clear, extrapolated', and its own outcomes say 'clear, observed'"),
        (failed_before, "passed after translate had not"),
        (failed_without_words, "failed without a failure"),
        (of_another_chip, "for hailo8l"),
        (edited, "its key is another's"),
        (twice, "each once"),
        (lambda record: record.update(more=1), "more"),
        (lambda record: record.pop("outcomes"), "outcomes"),
        (lambda record: record.update(outcomes=[]), "without outcomes"),
    ],
)
@pytest.mark.parametrize("part", ["evidence", "graphs"])
def test_a_record_that_claims_more_than_it_carries_is_refused_with_the_whole_file(
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    forge: Callable[[dict[str, Any]], None],
    why: str,
    part: str,
) -> None:
    told_of(store, COMPILED.id)
    at = tmp_path / "evidence.json"
    export_evidence(store, at)
    content = json.loads(at.read_text())
    record = next(each for each in content[part] if COMPILED.id in (each.get("case_id"), each.get("name")))
    forge(record)
    at.write_text(json.dumps(content))
    assert main(["evidence", "import", str(at), "--store", str(tmp_path / "other")]) == 2
    told = capsys.readouterr().err
    assert why in told
    assert f"{'record' if part == 'evidence' else 'graph'} {content[part].index(record) + 1}" in told
    assert told.count("\n") == 1
    assert all_evidence(Store(tmp_path / "other")) == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"arch": "hailo9"}, "no architecture"),
        ({"demands": {"layers_at_work": 1, "layers": [{"type": "conv"}]}}, "not the demands of a graph"),
        ({"demands": {}}, "not the demands of a graph"),
        ({"kind": "certain"}, "kind"),
        ({"certainty": "sure"}, "certainty"),
    ],
)
def test_a_graph_that_no_export_would_give_is_refused(
    store: Store, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    told_of(store, "a layer")
    export_evidence(store, tmp_path / "evidence.json")
    content = json.loads((tmp_path / "evidence.json").read_text())
    content["graphs"][0] |= change
    (tmp_path / "forged.json").write_text(json.dumps(content))
    with pytest.raises(EvidenceError, match=why):
        read_evidence(tmp_path / "forged.json")


def test_a_case_that_there_is_not_is_refused(store: Store, tmp_path: Path) -> None:
    export_evidence(store, tmp_path / "evidence.json")
    content = json.loads((tmp_path / "evidence.json").read_text())
    content["evidence"][0]["case_id"] = "nosuch"
    (tmp_path / "forged.json").write_text(json.dumps(content))
    with pytest.raises(EvidenceError, match="nosuch"):
        read_evidence(tmp_path / "forged.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "no schema"),
        ('{"schema": true, "evidence": []}', "no schema"),
        ('{"schema": 3, "evidence": []}', "schema 3, and this version reads 1 and 2"),
        ('{"schema": 2, "evidence": []}', "no list of graphs"),
        ('{"schema": 1}', "no list"),
        ('{"schema": 1, "evidence": [3]}', "no record"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_another_schema_is_refused_in_a_line(tmp_path: Path, text: str, why: str) -> None:
    at = tmp_path / "evidence.json"
    at.write_text(text)
    with pytest.raises(EvidenceError, match=why) as caught:
        read_evidence(at)
    assert "\n" not in str(caught.value)


def test_an_import_says_what_it_changes(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at, other = str(tmp_path / "evidence.json"), str(tmp_path / "other")
    ledger = tmp_path / "ledger.yaml"
    ledger.write_text("schema: 1\nbudget: 0\nentries: []\n")
    assert main(["evidence", "export", at, "--store", str(store.root)]) == 0
    assert main(["evidence", "import", at, "--store", other, "--ledger", str(ledger)]) == 0
    told = capsys.readouterr().out
    assert "kept 2, known 0" in told
    assert "rules: of 1 graphs predicted" in told
    assert main(["evidence", "import", at, "--store", other, "--ledger", str(ledger)]) == 0
    assert "kept 0, known 2" in capsys.readouterr().out
    assert [each.outcomes[-1].stage for each in all_evidence(Store(Path(other)))] == [Stage.COMPILE] * 2
