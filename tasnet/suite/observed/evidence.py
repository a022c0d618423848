"""Evidence: what a real compiler or chip said of a case, kept in the store's `evidence/` beside its own outcomes.

Night runs (`tasnet import-runs`), a device (`on_device.py`) and the compiler (`keep_run_evidence`) bring it; of a
plan's segments `tasnet plan compile` does (`segment_evidence.py`).

    evidence/<sha256 of the case's id>/<sha256 of what was said>.json

One file per run of a case, named after its content: the same evidence is one file, whoever writes it. A file whose
content doesn't fit its name or its folder is damaged: it is set aside, and no evidence. Predictions and the words of a
test double are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, ValidationError

from tasnet.common import TasnetError, short_layers, unsealed
from tasnet.hailo import UNINFORMATIVE_FAMILIES
from tasnet.suite.cases import (
    LEARNED_NOTHING,
    AnyCase,
    Case,
    CaseError,
    Outcome,
    Provenance,
    Stage,
    Status,
    graph_key,
    parse_any_case,
)
from tasnet.suite.ledger import Entry, claims, covers, in_scope
from tasnet.suite.run import Store, content_key

_OWN_LIMIT = "time limit of "
"""How a failure ends that versions up to 0.1 made of a cut by their own limit: evidence of theirs lies in stores."""
_STAGES = (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)
"""an export is this project's own work, and no word of a compiler"""


class EvidenceError(TasnetError, ValueError):
    """Something that is no evidence. One line."""


class Evidence(BaseModel):
    """One observed run of a case. `source` is `file:line` (or the HEF's name) below what was imported.

    `tag` is the run's own name for the case, `run` the run's name, such as `20260217_101500`. `source` says where it
    was read, and is no part of what was said: a longer table or another folder makes no second evidence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    tag: str
    run: str = ""
    source: str = ""
    outcomes: tuple[Outcome, ...]

    @property
    def stages(self) -> dict[Stage, Outcome]:
        """The outcomes by stage, as the ledger's `judge` takes them."""
        return {outcome.stage: outcome for outcome in self.outcomes}

    @property
    def end(self) -> Outcome:
        """The outcome that the run ended with: the first that isn't a pass, else the last."""
        return end_of(self.outcomes)

    @property
    def key(self) -> str:
        """sha256 of what was said, wherever it was read."""
        return content_key(self.model_dump(mode="json", exclude={"source"}))

    @property
    def line(self) -> str:
        """What was said, of what, by whom and where it stands: the evidence for a rule or an entry."""
        end, by = self.end, self.end.provenance
        where = ", ".join(part for part in (self.source, self.run) if part)
        head = f"{self.tag} ({self.case_id})" if self.tag != self.case_id else self.case_id
        what = f"{end.stage.value} {end.status.value}"
        for failure in end.failures[:1]:
            layers = f" [{short_layers(failure.layers)}]" if failure.layers else ""
            what = f"{failure.family} at {failure.stage}{layers}: {' '.join(failure.message.split())[:160]}"
        return ", ".join(part for part in (f"{head}: {what}; {by.toolchain} {by.version}", by.arch, where) if part)


def check_evidence(evidence: Evidence) -> None:
    """Raises EvidenceError for what wasn't observed, taught nothing, or is of an unknown case."""
    check_outcomes(evidence.tag, evidence.outcomes)
    try:
        parse_any_case(evidence.case_id)
    except CaseError as error:
        raise EvidenceError(str(error)) from None


def check_outcomes(tag: str, outcomes: Sequence[Outcome]) -> None:
    """Raises EvidenceError for outcomes that weren't observed, or taught nothing."""
    if not outcomes:
        raise EvidenceError(f"{tag}: a run without outcomes is no evidence")
    end = end_of(outcomes)
    if end.status in LEARNED_NOTHING:
        raise EvidenceError(f"{tag}: {end.status.value}, so nothing was learned; it is no evidence")
    unseen = _not_observed(outcomes)
    if unseen is not None:
        by = f"{unseen.toolchain} {unseen.version}"
        raise EvidenceError(f"{tag}: predicted by {by}; keep observed runs only")


def end_of(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome that a run ended with: the first that isn't a pass, else the last."""
    return next((each for each in outcomes if each.status is not Status.PASSED), outcomes[-1])


def keep_evidence(store: Store, evidence: Evidence) -> bool:
    """Writes it to the store; False if it was there. Raises EvidenceError as `check_evidence` does."""
    check_evidence(evidence)
    target = _folder(store, evidence.case_id) / f"{evidence.key}.json"
    if _readable(store, target) is not None:
        return False
    store.seal(target, evidence.key, evidence.model_dump_json().encode())
    return True


def keep_run_evidence(store: Store, case: Case, outcomes: Mapping[Stage, Outcome]) -> bool:
    """Writes what the compiler said of a case to the store; False where it is there already, or is no evidence.

    No evidence are predictions, what a test double says, failures of the machine or the set-up, and a checkpoint's
    graph whose masks end in another activation than the case's. Outcomes that come from the store are the same
    evidence again.
    """
    if Stage.EXPORT in outcomes and "mask_activation" in outcomes[Stage.EXPORT].figures:
        return False
    return Stage.COMPILE in outcomes and keep_compiled(store, case, outcomes)


def keep_compiled(store: Store, case: AnyCase, outcomes: Mapping[Stage, Outcome]) -> bool:
    """The same for stages that end with the first that didn't pass."""
    compiled = tuple(outcomes[stage] for stage in _STAGES if stage in outcomes)
    evidence = Evidence(case_id=case.id, tag=case.id, outcomes=compiled)
    if not compiled or _not_observed(compiled) or not is_of_the_network(evidence):
        return False
    return keep_evidence(store, evidence)


def all_evidence(store: Store) -> tuple[Evidence, ...]:
    """All evidence in the store, by case, then by run."""
    files = sorted((store.root / "evidence").glob("*/*.json"))
    return _in_order(evidence for file in files if (evidence := _readable(store, file)) is not None)


def evidence_of_cases(store: Store, cases: Iterable[AnyCase]) -> tuple[Evidence, ...]:
    """The evidence of the cases' graphs, of each graph and toolchain by its newest version alone.

    A later compiler may place what an earlier one could not: a prediction is held against the later.
    """
    wanted = {(graph_key(case), case.arch) for case in cases}
    newest: dict[tuple[str, str, str], list[Evidence]] = {}
    for evidence in all_evidence(store):
        case, by = parse_any_case(evidence.case_id), evidence.end.provenance
        key = (graph_key(case), case.arch, by.toolchain)
        if key[:2] not in wanted or not is_of_the_network(evidence):
            continue
        best = newest.setdefault(key, [])
        if best and _version(best[0]) < _version(evidence):
            best.clear()
        if not best or _version(best[0]) == _version(evidence):
            best.append(evidence)
    return _in_order(each for best in newest.values() for each in best)


def evidence_by_entry(entries: Iterable[Entry], evidence: Iterable[Evidence]) -> Mapping[str, tuple[str, ...]]:
    """Entry's id -> the lines of evidence in whose case, toolchain and version the entry's failure was observed."""
    known = tuple(evidence)
    return {entry.id: tuple(each.line for each in known if _supports(entry, each)) for entry in entries}


def _supports(entry: Entry, evidence: Evidence) -> bool:
    axes = parse_any_case(evidence.case_id).axes()
    return any(
        claims(entry, axes, outcome.provenance.toolchain)
        and in_scope(entry, outcome.provenance.toolchain, outcome.provenance.version)
        and covers(entry, failure)
        for outcome in evidence.outcomes
        for failure in outcome.failures
    )


def is_of_the_network(evidence: Evidence) -> bool:
    """Whether a run says something about the network, and not about the machine, the set-up or nothing known."""
    # What ran on a chip was compiled, however it sounds.
    compiled = [outcome for outcome in evidence.outcomes if outcome.stage is not Stage.INFER]
    failures = [failure for outcome in compiled for failure in outcome.failures]
    if any(failure.terminal_event.startswith(_OWN_LIMIT) for failure in failures):
        return False
    families = {failure.family for failure in failures}
    return evidence.end.status in (Status.PASSED, Status.FAILED) and not families & UNINFORMATIVE_FAMILIES


def _version(evidence: Evidence) -> Version:
    """The toolchain's version; one that isn't known is older than any."""
    try:
        return Version(evidence.end.provenance.version)
    except InvalidVersion:
        return Version("0")


def _not_observed(outcomes: Iterable[Outcome]) -> Provenance | None:
    """The source of a prediction or a test double's outcome among these; None if everything was observed."""
    said = (outcome.provenance for outcome in outcomes)
    return next((each for each in said if each.predicted or each.double), None)


def _folder(store: Store, case_id: str) -> Path:
    return store.root / "evidence" / _case_key(case_id)


def _case_key(case_id: str) -> str:
    return hashlib.sha256(case_id.encode()).hexdigest()


def _in_order(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(sorted(evidence, key=lambda each: (each.case_id, each.run, each.key)))


def _readable(store: Store, file: Path) -> Evidence | None:
    """The evidence in a file; None where there is none, or none that this version can read."""
    try:
        text = _text(store, file)
        if text is None:
            return None
        evidence = Evidence.model_validate_json(text)
        seen = evidence.outcomes and _not_observed(evidence.outcomes) is None
        return evidence if seen and parse_any_case(evidence.case_id) else None
    except (OSError, ValidationError, CaseError):
        return None


def _text(store: Store, file: Path) -> bytes | None:
    """What was kept in a file; None for one that isn't what its name and folder say, which is set aside."""
    data = store.bytes_at(file)
    if data is None:
        return None
    text = unsealed(file.stem, data[:-1]) if data.endswith(b"\n") else data
    try:
        # The text's own key and not that of the Evidence made of it: a later version may know more fields. Evidence
        # from before there were seals has its name alone.
        told = json.loads(text or b"")
        key = content_key({name: value for name, value in told.items() if name != "source"})
        if (key, _case_key(told["case_id"])) == (file.stem, file.parent.name):
            return text
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        pass
    store.set_aside(file)
    return None
