"""The steps of the gate: two revisions in, one result out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tasnet import __version__
from tasnet.common import Notify
from tasnet.suite.cases import Case
from tasnet.suite.gate.answers import SideGraphs
from tasnet.suite.gate.base_store import base_store_folder, copy_graph
from tasnet.suite.gate.checkout import (
    Checkout,
    GateError,
    Revision,
    blobs_here,
    blobs_of,
    checkout,
    missing_commits,
    revision,
    terminated_as_interrupted,
    uncommitted,
    worktree,
)
from tasnet.suite.gate.difference import GraphChangeKind
from tasnet.suite.gate.judging import GateContext, GateRequest, GraphPair, gate_context, judge_pairs
from tasnet.suite.gate.regression import Reason, Regression, new_case_regressions, plan_changes
from tasnet.suite.gate.result import ChangedGraph, GateResult, GraphParity, group_regressions
from tasnet.suite.gate.sides import ExportRequest, Side, export_both, same_sources
from tasnet.suite.run import Pipeline

_INSTALLED = (
    f"tasnet {__version__} is installed, and no part of this repository: one code reads both revisions, so that no "
    "graph can differ; what the ledger gained"
)


def run_gate(request: GateRequest, say: Notify) -> GateResult:
    """The result; `say` is called with the progress. Raises GateError, and what the ledger or the store raises."""
    at = checkout(request.root)
    base = revision(at, request.base)
    here, notes = _this_side(at, base, request.uncommitted)
    # Read before any work is done: a mistake in one of them is reported at once.
    context = gate_context(request)
    _, limits, _ = context.cases, context.limits, context.entries
    # Only then: this makes the store.
    toolchain = context.pipeline.toolchain
    result = GateResult(
        base=base,
        here=here,
        profile=request.profile,
        arch=request.choice.arch,
        toolchain=f"{toolchain.name} {toolchain.version}",
        known="predicted" if toolchain.predicted else "observed",
        size_share=limits.size_share,
        unchanged=len(context.cases),
        notes=(*notes, *context.pipeline.assumed),
    )
    then, now = blobs_of(at, base.commit), blobs_here(at)
    if not then and not now:
        ledger = f"tasnet ledger check --base {base.commit[:9]}"
        return replace(result, same_sources=True, notes=(*result.notes, f"{_INSTALLED}: {ledger}"))
    if same_sources(then, now, request.profile):
        return replace(result, same_sources=True)
    export = ExportRequest(request.profile, request.choice.arch, request.recipe, limits.seconds)
    with terminated_as_interrupted(), base_store_folder(request.store, base.commit) as own:
        with worktree(at, base) as folder:
            sides = Side(folder, "the base", own), Side(request.root, "this side", request.store)
            before, after = export_both(*sides, export, say)
        for name in {pair.before for pair in _pairs(before, after)}:
            copy_graph(own, name, context.pipeline.store)
        return _compared(result, context, before, after, say)


def _this_side(at: Checkout, base: Revision, allowed: bool) -> tuple[str, list[str]]:
    """A name for this side, and notes about it. Raises GateError for uncommitted files unless `allowed`."""
    head = revision(at, "HEAD").commit[:9]
    changed = uncommitted(at)
    notes = []
    if changed:
        files = "1 file isn't" if len(changed) == 1 else f"{len(changed)} files aren't"
        some = ", ".join(changed[:3]) + (" …" if len(changed) > 3 else "")
        if not allowed:
            raise GateError(f"{files} committed ({some}); commit first, or judge them as they are with --uncommitted")
        notes.append(f"{files} committed: {some}")
    if count := missing_commits(at, base):
        notes.append(f"this side lacks {count} of the base's commits: what they changed shows the wrong way round")
    return f"{head}{' with uncommitted files' if changed else ''}", notes


def _compared(
    result: GateResult, context: GateContext, before: SideGraphs, after: SideGraphs, say: Notify
) -> GateResult:
    if {*after.graphs} != {*context.cases}:
        raise GateError("the files of this side changed while they were read; run the gate again")
    pairs = _pairs(before, after)
    new = [case for case in after.files if case not in before.files]
    lost = [case for case in after.reasons if case in before.files or case not in before.graphs]
    regressions = [(case, Regression(Reason.EXPORT, "can't be exported", after.reasons[case])) for case in lost]
    changed: list[ChangedGraph] = []
    for each, worse in judge_pairs(context.request, pairs, say):
        changed.append(each)
        regressions += worse
    for case in new:
        outcomes = context.outcomes(context.cases[case], after.files[case])
        regressions += [(case, each) for each in new_case_regressions(context.record(case, outcomes))]
    parity = _parity(context, pairs, changed, say)
    for distance in parity:
        for breach in distance.breaches:
            regressions.append((distance.case, Regression(Reason.PARITY, "a stage is beyond its limit", breach)))
    plans = tuple(plan_changes(before.plans, after.plans))
    regressions += [
        (each.network, Regression(Reason.PLAN, f"{each.name}: {each.what}")) for each in plans if each.worse
    ]
    touched = {*new, *lost, *(case for pair in pairs for case in pair.cases)}
    return replace(
        result,
        unchanged=len(after.graphs) - len(touched),
        changed=tuple(changed),
        new=tuple(case for case in after.graphs if case not in before.graphs),
        gone=tuple(case for case in before.graphs if case not in after.graphs),
        found=group_regressions(regressions),
        parity=parity,
        plans=plans,
        notes=(*result.notes, *_export_notes(before, after)),
    )


def _export_notes(before: SideGraphs, after: SideGraphs) -> Iterator[str]:
    if after.plans and not before.plans:
        yield "the base has no plans: what they cost is not compared, and all their cases are new"
    elif gone := [plan.name for network, plan in before.plans.items() if network not in after.plans]:
        yield f"planned no more: {', '.join(gone)}"
    if both := [case for case in before.reasons if case in after.reasons]:
        yield f"{len(both)} cases have no graph on either side ({both[0]}: {after.reasons[both[0]]})"
    if mended := [case for case in before.reasons if case in after.files]:
        yield f"{len(mended)} cases had no graph at the base, and are judged as new ones ({mended[0]})"


def _pairs(before: SideGraphs, after: SideGraphs) -> tuple[GraphPair, ...]:
    """The distinct pairs of different files, each with its cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for case, file in after.files.items():
        if case in before.files and before.files[case] != file:
            found.setdefault((before.files[case], file), []).append(case)
    return tuple(GraphPair(*files, tuple(cases)) for files, cases in found.items())


def _parity(
    context: GateContext, pairs: Sequence[GraphPair], changed: Sequence[ChangedGraph], say: Notify
) -> tuple[GraphParity, ...]:
    # A segment alone makes no sound: `-m numerics --profile plans` runs a plan as the network that it is.
    different = [
        (case, pair, each.difference)
        for pair, each in zip(pairs, changed, strict=True)
        if each.difference and each.difference.kind is not GraphChangeKind.NAMES
        if isinstance(case := context.cases[pair.cases[0]], Case)
    ]
    # Of each change the smallest graph is measured first, then the largest: in seconds, and where errors add up.
    different.sort(key=lambda each: each[2].after.macs)
    if not different or not context.limits.parity_graphs:
        return ()
    # Only now: torch takes seconds to import.
    from tasnet.hailo.predict import Reference
    from tasnet.suite.gate.stage_parity import ParityPair, measure_parity, sample_pairs
    from tasnet.suite.numerics import THRESHOLDS_FILE, read_thresholds

    store = context.pipeline.store
    graphs = [
        ParityPair(case, found.cause, store.path(pair.before), store.path(pair.after))
        for case, pair, found in different
    ]
    file = context.request.root / THRESHOLDS_FILE
    limits = read_thresholds(file) if file.is_file() else None
    own = Pipeline(store, Reference(), context.pipeline.recipe)
    compiler = context.pipeline if context.request.choice.name == "dfc" else None
    return measure_parity(sample_pairs(graphs, context.limits.parity_graphs), own, limits, say, compiler)
