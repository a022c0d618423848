"""Evidence as one file to review and to share: JSON, a record a run, with who said what of which graph, when and where.

    {"schema": 2, "made_by": "tasnet 0.1.0",
     "evidence": [{"verdict": "blocked", "key": "…", "case_id": "…", …}, …],
     "graphs": [{"verdict": "blocked", "key": "…", "name": "…", "demands": {…}, …}, …]}

`evidence` are runs of cases, `graphs` those of single layers, pieces and segments, each by what it demands of the chip.
It holds no weights, no recordings and no compiled file: of those only the content's name. A record is what the store
keeps; its `verdict` is what its outcomes say, and its `key` the sha256 of what was said. Reading believes neither: a
record that claims more than its own outcomes carry is refused, and with it the file. Schema 1 had no `graphs`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tasnet import __version__
from tasnet.common import printable, read_text, write_whole
from tasnet.hailo import ARCHITECTURES, TOOLCHAINS, Certainty
from tasnet.suite.cases import STAGES, Outcome, Stage, Status, parse_any_case, verdict_of
from tasnet.suite.observed.evidence import (
    Evidence,
    EvidenceError,
    all_evidence,
    check_evidence,
    check_outcomes,
    keep_evidence,
)
from tasnet.suite.observed.graph_evidence import GraphEvidence, all_graph_evidence, keep_graph_evidence
from tasnet.suite.run import Store

SCHEMA = 2
MAX_BYTES = 256 * 1024 * 1024

_Record = TypeVar("_Record", Evidence, GraphEvidence)


@dataclass(frozen=True)
class SharedEvidence:
    """What is shared: runs of cases, and runs of other graphs."""

    cases: tuple[Evidence, ...]
    graphs: tuple[GraphEvidence, ...] = ()

    def __len__(self) -> int:
        return len(self.cases) + len(self.graphs)


def everything_observed(store: Store) -> SharedEvidence:
    """All evidence in a store."""
    return SharedEvidence(all_evidence(store), tuple(all_graph_evidence(store)))


def export_evidence(store: Store, path: Path) -> int:
    """Writes all evidence of the store; returns how many runs it is. Raises EvidenceError, with nothing written."""
    if path.exists() or path.is_symlink():
        raise EvidenceError(f"{path}: there already; nothing is overwritten, name another file")
    if not path.parent.is_dir():
        raise EvidenceError(f"{path}: no directory {path.parent}; make it first")
    found = everything_observed(store)
    if not found:
        raise EvidenceError(f"{store.root}: no evidence is stored there; name another --store")
    content = {
        "schema": SCHEMA,
        "made_by": f"tasnet {__version__}",
        "evidence": [_record(each) for each in found.cases],
        "graphs": [_record(each) for each in found.graphs],
    }
    write_whole(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    return len(found)


def read_evidence(path: Path) -> SharedEvidence:
    """The evidence in a file. Raises EvidenceError, one line, for anything that no export with its seals would give."""
    text = read_text(path, most=MAX_BYTES, what="exported evidence", error=EvidenceError)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: not JSON ({printable(str(error), 120)}); export it again") from None
    if not isinstance(content, dict) or type(content.get("schema")) is not int:
        raise EvidenceError(f"{path}: no schema, so no exported evidence; make it with tasnet evidence export")
    if content["schema"] not in (1, SCHEMA):
        raise EvidenceError(
            f"{path}: schema {content['schema']}, and this version reads 1 and {SCHEMA}; "
            "read it with the tasnet that wrote it, or export it again"
        )
    cases = _listed(path, content, "evidence")
    graphs = _listed(path, content, "graphs") if content["schema"] == SCHEMA else []
    return SharedEvidence(
        tuple(_checked(f"{path}: record {number}", each, Evidence) for number, each in enumerate(cases, 1)),
        tuple(_checked(f"{path}: graph {number}", each, GraphEvidence) for number, each in enumerate(graphs, 1)),
    )


def _listed(path: Path, content: dict[str, Any], name: str) -> list[Any]:
    found = content.get(name)
    if not isinstance(found, list):
        raise EvidenceError(f"{path}: no list of {name}; export it again")
    return found


def import_evidence(store: Store, found: SharedEvidence) -> SharedEvidence:
    """Keeps what was read; returns what is new in the store. What is there already stays as it is."""
    return SharedEvidence(
        tuple(each for each in found.cases if keep_evidence(store, each)),
        tuple(each for each in found.graphs if keep_graph_evidence(store, each)),
    )


def _record(evidence: Evidence | GraphEvidence) -> dict[str, Any]:
    verdict = verdict_of(evidence.outcomes).value
    return {"verdict": verdict, "key": evidence.key, **evidence.model_dump(mode="json")}


def _checked(where: str, record: Any, kind: type[_Record]) -> _Record:
    if not isinstance(record, dict):
        raise EvidenceError(f"{where}: no record; export it again")
    told = {name: value for name, value in record.items() if name not in ("verdict", "key")}
    try:
        evidence = kind.model_validate_json(json.dumps(told))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EvidenceError(
            f"{where}: {printable(place, 80)}: {printable(first['msg'], 120)}; export it again"
        ) from None
    where = f"{where} ({printable(evidence.tag, 80)})"
    try:
        arch = _checked_arch(evidence)
    except EvidenceError as error:
        raise EvidenceError(f"{where}: {printable(str(error), 200)}") from None
    if why := unfounded(evidence.outcomes, arch):
        raise EvidenceError(f"{where}: {why}; it is no evidence")
    verdict = verdict_of(evidence.outcomes).value
    if record.get("verdict") != verdict:
        claimed = printable(str(record.get("verdict")), 40)
        raise EvidenceError(f"{where}: claims '{claimed}', and its own outcomes say '{verdict}'; export it again")
    if record.get("key") != evidence.key:
        raise EvidenceError(f"{where}: not as it was exported: its key is another's; export it again")
    return evidence


def _checked_arch(evidence: Evidence | GraphEvidence) -> str:
    """The architecture that it is of. Raises EvidenceError for what is no evidence."""
    if isinstance(evidence, Evidence):
        check_evidence(evidence)
        return parse_any_case(evidence.case_id).arch
    check_outcomes(evidence.name, evidence.outcomes)
    if evidence.arch not in ARCHITECTURES:
        raise EvidenceError(f"{evidence.name}: for {evidence.arch}, which is no architecture")
    return evidence.arch


def unfounded(outcomes: Sequence[Outcome], arch: str) -> str:
    """What a record claims and its own outcomes don't carry; empty where they carry it all."""
    stages = [STAGES.index(each.stage) for each in outcomes]
    if stages != sorted(set(stages)):
        return "its stages are not in their order, each once"
    ended = None
    for each in outcomes:
        by, what = each.provenance, each.stage.value
        if by.toolchain == TOOLCHAINS[0]:
            return f"{what} is the word of {by.toolchain}, which only predicts, and claims to be observed"
        if by.arch not in ("", arch):
            return f"{what} was for {by.arch}, and the graph is for {arch}"
        certainties = {each.certainty, *(failure.certainty for failure in (*each.failures, *each.doubts))} - {None}
        if certainties - {Certainty.OBSERVED}:
            return f"{what} has a certainty that no observation has"
        if ended and each.status is Status.PASSED:
            return f"{what} passed after {ended} had not"
        if each.stage is Stage.COMPILE and each.status is Status.PASSED and each.certainty is not Certainty.OBSERVED:
            return "it compiled, and doesn't say that this was observed"
        if each.status is Status.FAILED and not each.failures and each.stage is not Stage.INFER:
            return f"{what} failed without a failure"
        if each.status is Status.PASSED and each.failures:
            return f"{what} passed with a failure"
        ended = ended or (what if each.status is not Status.PASSED else None)
    return ""
