"""The gate from beginning to end: two revisions in, one result out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tasnet.suite.gate.answers import Graphs
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
from tasnet.suite.gate.difference import What
from tasnet.suite.gate.judging import Judging, Order, Pair, Say, judged, judging
from tasnet.suite.gate.lent import own_store, taken_over
from tasnet.suite.gate.regression import Reason, Regression, of_new_case
from tasnet.suite.gate.result import Changed, Distance, Result, gathered
from tasnet.suite.gate.sides import Request, Side, exported, same_sources
from tasnet.suite.run import Pipeline


def gate(order: Order, say: Say) -> Result:
    """The result; `say` is told what is being done. Raises GateError, and what the ledger or the store raises."""
    at = checkout(order.root)
    base = revision(at, order.base)
    here, notes = _this_side(at, base, order.uncommitted)
    # Read before any work is done: a mistake in one of them is told at once.
    by = judging(order)
    toolchain, limits, _ = by.pipeline.toolchain, by.limits, by.entries
    told = Result(
        base=base,
        here=here,
        profile=order.profile,
        arch=order.choice.arch,
        toolchain=f"{toolchain.name} {toolchain.version}",
        known="predicted" if toolchain.predicted else "observed",
        size_share=limits.size_share,
        unchanged=len(by.cases),
        notes=(*notes, *by.pipeline.assumed),
    )
    if same_sources(blobs_of(at, base.commit), blobs_here(at)):
        return replace(told, same_sources=True)
    request = Request(order.profile, order.choice.arch, order.recipe, limits.seconds)
    with terminated_as_interrupted(), own_store(order.store, base.commit) as own:
        with worktree(at, base) as folder:
            sides = Side(folder, "the base", own), Side(order.root, "this side", order.store)
            before, after = exported(*sides, request, say)
        for name in {pair.before for pair in _pairs(before, after)}:
            taken_over(own, name, by.pipeline.store)
        return _compared(told, by, before, after, say)


def _this_side(at: Checkout, base: Revision, allowed: bool) -> tuple[str, list[str]]:
    """This side in a person's words, and what must be known of it. Raises GateError for uncommitted files."""
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


def _compared(told: Result, by: Judging, before: Graphs, after: Graphs, say: Say) -> Result:
    if {*after.graphs} != {*by.cases}:
        raise GateError("the files of this side changed while they were read; run the gate again")
    pairs = _pairs(before, after)
    new = [case for case in after.files if case not in before.files]
    lost = [case for case in after.reasons if case in before.files or case not in before.graphs]
    regressions = [(case, Regression(Reason.EXPORT, "can't be exported", after.reasons[case])) for case in lost]
    changed: list[Changed] = []
    for each, worse in judged(by.order, pairs, say):
        changed.append(each)
        regressions += worse
    for case in new:
        outcomes = by.outcomes(by.cases[case], after.files[case])
        regressions += [(case, each) for each in of_new_case(by.record(case, outcomes))]
    parity = _parity(by, pairs, changed, say)
    for distance in parity:
        for breach in distance.breaches:
            regressions.append((distance.case, Regression(Reason.PARITY, "a stage is beyond its limit", breach)))
    touched = {*new, *lost, *(case for pair in pairs for case in pair.cases)}
    return replace(
        told,
        unchanged=len(after.graphs) - len(touched),
        changed=tuple(changed),
        new=tuple(case for case in after.graphs if case not in before.graphs),
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


def _pairs(before: Graphs, after: Graphs) -> tuple[Pair, ...]:
    """The distinct changes of a file, each with its cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for case, file in after.files.items():
        if case in before.files and before.files[case] != file:
            found.setdefault((before.files[case], file), []).append(case)
    return tuple(Pair(*files, tuple(cases)) for files, cases in found.items())


def _parity(by: Judging, pairs: Sequence[Pair], changed: Sequence[Changed], say: Say) -> tuple[Distance, ...]:
    told = [
        (pair, each.difference)
        for pair, each in zip(pairs, changed, strict=True)
        if each.difference and each.difference.what is not What.NAMES
    ]
    # Of each change the smallest graph is measured first, then the largest: in seconds, and where errors add up.
    told.sort(key=lambda each: each[1].after.macs)
    if not told or not by.limits.parity_graphs:
        return ()
    # Only now: torch takes seconds to import.
    from tasnet.hailo.predict import Reference
    from tasnet.suite.gate import parity
    from tasnet.suite.numerics import THRESHOLDS_FILE, read_thresholds

    store = by.pipeline.store
    graphs = [
        parity.Graph(by.cases[pair.cases[0]], found.cause, store.path(pair.before), store.path(pair.after))
        for pair, found in told
    ]
    file = by.order.root / THRESHOLDS_FILE
    limits = read_thresholds(file) if file.is_file() else None
    own = Pipeline(store, Reference(), by.pipeline.recipe)
    compiler = by.pipeline if by.order.choice.name == "dfc" else None
    return parity.measured(parity.sample(graphs, by.limits.parity_graphs), own, limits, say, compiler)
