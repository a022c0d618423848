"""The gate from beginning to end: two revisions in, one result out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from pathlib import Path

from tasnet.hailo import har
from tasnet.hailo.hn import Network
from tasnet.suite.case import Case, profile
from tasnet.suite.gate.checkout import (
    Checkout,
    GateError,
    Revision,
    blobs_here,
    blobs_of,
    checkout,
    missing_commits,
    revision,
    uncommitted,
    worktree,
)
from tasnet.suite.gate.difference import Difference, What, difference
from tasnet.suite.gate.regression import Reason, Regression, of_new_case, of_size, of_verdict
from tasnet.suite.gate.result import Changed, Distance, Result, gathered
from tasnet.suite.gate.settings import Settings, settings
from tasnet.suite.gate.sides import Graphs, Request, exported, same_sources
from tasnet.suite.judge import judge
from tasnet.suite.ledger import Entry, read
from tasnet.suite.pipeline import Pipeline, Recipe, onnx_bytes
from tasnet.suite.report.record import Record, record
from tasnet.suite.stage import Outcome, Provenance, Stage, Status
from tasnet.suite.store import open_store
from tasnet.suite.toolchains import Calibrated, Choice, opened

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What the gate is asked. `root` is the folder of this side: its package, ledger, thresholds and settings."""

    root: Path
    base: str
    profile: str
    choice: Choice
    store: Path
    checkpoint: Path | None = None
    uncommitted: bool = False
    """judge files that differ from the last commit too"""


def gate(order: Order, say: Say) -> Result:
    """The result; `say` is told what is being done. Raises GateError, and what the ledger or the store raises."""
    at = checkout(order.root)
    base = revision(at, order.base)
    limits = settings(order.root / "pyproject.toml")
    here, notes = _this_side(at, base, order.uncommitted)
    entries = read(order.root / "expected_failures.yaml").entries
    cases = {case.id: case for case in profile(order.profile, order.choice.arch)}
    toolchain = opened(order.choice)
    told = Result(
        base=base,
        here=here,
        profile=order.profile,
        arch=order.choice.arch,
        toolchain=f"{toolchain.name} {toolchain.version}",
        known="predicted" if toolchain.predicted else "observed",
        size_share=limits.size_share,
        unchanged=len(cases),
        notes=tuple(notes),
    )
    if same_sources(blobs_of(at, base.commit), blobs_here(at)):
        return replace(told, same_sources=True)
    store = open_store(order.store)
    request = Request(order.profile, order.choice.arch, order.store, order.checkpoint)
    with worktree(at, base) as folder:
        before, after = exported(folder, order.root, request, say)
    recordings = order.choice.calibration
    fit = Calibrated(recordings, order.store) if recordings else None
    pipeline = Pipeline(store, toolchain, Recipe(checkpoint=order.checkpoint), fit=fit)
    judging = _Judging(pipeline, order.profile, entries, datetime.now(timezone.utc).date(), limits)
    return _compared(told, judging, cases, before, after, order, say)


def _this_side(at: Checkout, base: Revision, allowed: bool) -> tuple[str, list[str]]:
    """This side in a person's words, and what must be known of it. Raises GateError for files that aren't committed."""
    head = revision(at, "HEAD").commit[:9]
    changed = uncommitted(at)
    notes = []
    if changed:
        some = ", ".join(changed[:3]) + (" …" if len(changed) > 3 else "")
        if not allowed:
            raise GateError(
                f"{len(changed)} files aren't committed ({some}); commit them, or judge them with --uncommitted"
            )
        notes.append(f"{len(changed)} files aren't committed: {some}")
    if count := missing_commits(at, base):
        notes.append(f"the base has {count} commits that this side doesn't: their changes show the wrong way round")
    return f"{head}{' with uncommitted files' if changed else ''}", notes


@dataclass(frozen=True)
class _Judging:
    """All that judging a graph needs."""

    pipeline: Pipeline
    profile: str
    entries: Sequence[Entry]
    today: date
    limits: Settings

    def outcomes(self, case: Case, onnx: str, until: Stage) -> Mapping[Stage, Outcome]:
        """What this side's toolchain says of an ONNX file of the store, whichever side wrote it."""
        provenance = Provenance(toolchain=Stage.EXPORT.value, version="", predicted=False, exhaustive=True)
        size = onnx_bytes(self.pipeline.store.path(onnx))
        export = Outcome(
            stage=Stage.EXPORT,
            status=Status.PASSED,
            provenance=provenance,
            artifact=onnx,
            figures={"onnx_bytes": size},
        )
        return self.pipeline.run(case, until, exported=export)

    def record(self, name: str, case: Case, outcomes: Mapping[Stage, Outcome]) -> Record:
        """The outcomes against this side's ledger."""
        sized = self.pipeline.resolve(case)
        judgement = judge(sized.axes(), outcomes, self.entries, self.today)
        return record(name, sized, self.profile, Stage.COMPILE, outcomes, judgement)


@dataclass(frozen=True)
class _Pair:
    """Two ONNX files of the store, and the cases that export the one there and the other here."""

    before: str
    after: str
    cases: tuple[str, ...]


def _compared(
    told: Result,
    judging: _Judging,
    cases: Mapping[str, Case],
    before: Graphs,
    after: Graphs,
    order: Order,
    say: Say,
) -> Result:
    if {*after.graphs} != {*cases}:
        raise GateError("this side's graphs are of other cases than this process has; run the gate again")
    regressions: list[tuple[str, Regression]] = []
    pairs = _pairs(before, after)
    new = [case for case in after.graphs if case not in before.files]
    for case in after.graphs:
        if case in after.reasons and case not in before.reasons:
            regressions.append((case, Regression(Reason.EXPORT, "can't be exported any more", after.reasons[case])))
    changed = []
    for index, pair in enumerate(pairs, 1):
        each, worse = _judged(judging, cases, pair)
        changed.append(each)
        regressions += worse
        if index % 20 == 0 or index == len(pairs):
            say(f"judged {index} of {len(pairs)} changed graphs")
    for case in new:
        if case in after.files:
            outcomes = judging.outcomes(cases[case], after.files[case], Stage.COMPILE)
            regressions += [(case, each) for each in of_new_case(judging.record(case, cases[case], outcomes))]
    parity = _parity(judging, cases, pairs, changed, order, say)
    for distance in parity:
        found = [Regression(Reason.PARITY, "a stage is beyond its limit", breach) for breach in distance.breaches]
        regressions += [(distance.case, each) for each in found]
    touched = {case for pair in pairs for case in pair.cases} | {*new}
    return replace(
        told,
        unchanged=len(after.graphs)
        - len(touched)
        - sum(case in after.reasons and case not in new for case in after.graphs),
        changed=tuple(changed),
        new=tuple(case for case in new if case not in before.graphs),
        gone=tuple(case for case in before.graphs if case not in after.graphs),
        found=gathered(regressions),
        parity=parity,
        notes=(*told.notes, *_told_of_exports(before, after)),
    )


def _told_of_exports(before: Graphs, after: Graphs) -> Iterator[str]:
    if both := [case for case in before.reasons if case in after.reasons]:
        yield f"{len(both)} cases have no graph on either side ({both[0]}: {after.reasons[both[0]]})"
    if mended := [case for case in before.reasons if case in after.files]:
        yield f"{len(mended)} cases had no graph at the base, and are judged as new ones ({mended[0]})"


def _pairs(before: Graphs, after: Graphs) -> tuple[_Pair, ...]:
    """The distinct changes of a file, each with its cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for case, file in after.files.items():
        if case in before.files and before.files[case] != file:
            found.setdefault((before.files[case], file), []).append(case)
    return tuple(_Pair(*files, tuple(cases)) for files, cases in found.items())


def _judged(judging: _Judging, cases: Mapping[str, Case], pair: _Pair) -> tuple[Changed, list[tuple[str, Regression]]]:
    """A changed graph, and what is worse about it in which of its cases."""
    first = cases[pair.cases[0]]
    parsed = [judging.outcomes(first, file, Stage.TRANSLATE) for file in (pair.before, pair.after)]
    found = _difference(judging.pipeline, *parsed)
    if found and found.what is What.NAMES:
        return Changed(pair.cases, found), []
    ended = [judging.outcomes(first, file, Stage.COMPILE) for file in (pair.before, pair.after)]
    regressions: list[tuple[str, Regression]] = []
    records = []
    for name in pair.cases:
        before, after = (judging.record(name, cases[name], outcomes) for outcomes in ended)
        records.append((before, after))
        regressions += [(name, each) for each in of_verdict(before, after)]
        if found:
            regressions += [(name, each) for each in of_size(found, judging.limits.size_share)]
    return Changed(pair.cases, found, *records[0]), regressions


def _difference(
    pipeline: Pipeline, before: Mapping[Stage, Outcome], after: Mapping[Stage, Outcome]
) -> Difference | None:
    """None where a side has no HAR: its translation failed."""
    hars = [outcomes[Stage.TRANSLATE].artifact for outcomes in (before, after)]
    if not all(hars):
        return None
    old, new = (_network(pipeline, name) for name in hars)
    sizes = [int(outcomes[Stage.EXPORT].figures["onnx_bytes"]) for outcomes in (before, after)]
    return difference(old, new, (sizes[0], sizes[1]))


def _network(pipeline: Pipeline, name: str) -> Network:
    with tempfile.TemporaryDirectory(prefix="tasnet-har-") as folder:
        return har.read(pipeline.store.get_har(name, Path(folder) / "net.har"))


def _parity(
    judging: _Judging,
    cases: Mapping[str, Case],
    pairs: Sequence[_Pair],
    changed: Sequence[Changed],
    order: Order,
    say: Say,
) -> tuple[Distance, ...]:
    told = [
        (pair, each.difference.cause)
        for pair, each in zip(pairs, changed, strict=True)
        if each.difference and each.difference.what is not What.NAMES
    ]
    if not told or not judging.limits.parity_graphs:
        return ()
    # Only now: torch takes seconds to import.
    from tasnet.hailo.reference import Reference
    from tasnet.suite import thresholds
    from tasnet.suite.gate.parity import Pair, measured, sample

    store = judging.pipeline.store
    all_pairs = [Pair(cases[p.cases[0]], why, store.path(p.before), store.path(p.after)) for p, why in told]
    file = order.root / thresholds.FILE
    limits = thresholds.read(file) if file.is_file() else None
    own = Pipeline(store, Reference(), judging.pipeline.recipe)
    compiler = judging.pipeline if order.choice.name == "dfc" else None
    return measured(sample(all_pairs, judging.limits.parity_graphs), own, limits, say, compiler)
