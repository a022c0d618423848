"""Why a case is judged as it is: the entries that claim it, the blockers they cover, and the entries that almost do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tasnet.common import labelled_paragraph, short_layers
from tasnet.hailo import Failure
from tasnet.network import FunctionKept
from tasnet.suite.cases import AnyCase, case_function
from tasnet.suite.history import CaseRecord, StoredRun
from tasnet.suite.ledger import (
    Entry,
    Judgement,
    Ledger,
    claims,
    closest_mismatch,
    conditions_met,
    conditions_unmet,
    in_scope,
    judge,
    nearest_entries,
)
from tasnet.suite.upkeep.rejudging import FlakyHistory, history_of_case

_NEAR = 1
"""An entry with at most this many unmet conditions is listed as near."""


@dataclass(frozen=True)
class Explanation:
    """What the ledger says of a case, and what a run that has the case showed, with its judgement."""

    case: AnyCase
    toolchain: str
    version: str
    claiming: tuple[tuple[Entry, tuple[str, ...]], ...]
    """each with the conditions that hold"""
    near: tuple[tuple[Entry, tuple[str, ...]], ...]
    """each with the conditions that don't"""
    run: str = ""
    record: CaseRecord | None = None
    judgement: Judgement | None = None

    @property
    def function(self) -> FunctionKept:
        """Whether the case keeps the trained network's function; in a run with a checkpoint that one's."""
        return self.record.function if self.record else case_function(self.case)


def explain_case(ledger: Ledger, case: AnyCase, run: StoredRun | None, past: FlakyHistory, today: date) -> Explanation:
    """What the ledger says of a case, and what the run shows of it if the case is in it."""
    record = _record(case, run)
    # A checkpoint may bring another size: what was run is what is judged.
    axes = record.axes if record else case.axes()
    toolchain, version = (record.toolchain, record.version) if record else ("", "")
    spoken = [entry for entry in ledger.entries if not record or in_scope(entry, toolchain, version)]
    claiming = [entry for entry in spoken if claims(entry, axes, toolchain)]
    judgement = None
    close: dict[str, Entry] = {}
    if record:
        seen = history_of_case(past, record.case_id, ledger.entries)
        judgement = judge(axes, record.by_stage, ledger.entries, today, seen)
        failures = [blocker.failure for blocker in judgement.blockers]
        close = {entry.id: entry for entry in nearest_entries(spoken, failures, axes, toolchain)}
    for entry in ledger.entries:
        if entry not in claiming and len(_why_not(entry, axes, toolchain, version)) <= _NEAR:
            close.setdefault(entry.id, entry)
    return Explanation(
        case,
        toolchain,
        version,
        tuple((entry, tuple(_why(entry, axes, toolchain))) for entry in claiming),
        tuple((entry, tuple(_why_not(entry, axes, toolchain, version))) for entry in close.values()),
        run.id if run and record else "",
        record,
        judgement,
    )


def _record(case: AnyCase, run: StoredRun | None) -> CaseRecord | None:
    return next((record for record in run.records if record.case_id == case.id), None) if run else None


def _why(entry: Entry, axes: dict[str, str | int], toolchain: str) -> Iterator[str]:
    yield from conditions_met(entry.where, axes)
    scope = entry.toolchain.get(toolchain)
    if scope and scope.where is not None:
        yield from (f"{condition} (of {toolchain})" for condition in conditions_met(scope.where, axes))


def _why_not(entry: Entry, axes: dict[str, str | int], toolchain: str, version: str) -> list[str]:
    scope = [] if not toolchain or in_scope(entry, toolchain, version) else [f"it isn't of {toolchain} {version}"]
    return scope + conditions_unmet(entry, axes, toolchain)


# --- shown -------------------------------------------------------------------------------------------------


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for a person."""
    yield explanation.case.id
    yield f"function  {explanation.function.text}"
    record, judgement = explanation.record, explanation.judgement
    if record and judgement:
        word = "predicted" if record.predicted else "observed"
        yield f"run       {explanation.run}: {word} by {explanation.toolchain} {explanation.version} on {record.arch}"
        yield f"judged    {judgement.kind.value.replace('_', ' ')}" + (f": {judgement.hint}" if judgement.hint else "")
        for index, part in enumerate(judgement.expected.split("; ")):
            yield from labelled_paragraph("expected" if not index else "", part)
        yield from labelled_paragraph("happened", judgement.happened)
    else:
        text = (
            "; ".join(f"failure at {entry.stage.value}, {entry.family}" for entry, _ in explanation.claiming) or "pass"
        )
        yield "run       none has it: this is what is expected"
        yield f"expected  {text}"
    for entry, why in explanation.claiming:
        yield ""
        yield f"claimed by {entry.id} at {entry.place}"
        yield f"  because   {', '.join(why)}"
        yield f"  says      {entry.stage.value}, {entry.family}: {entry.message.pattern}"
        if entry.flaky:
            yield f"  flaky     {entry.flaky.rate:g} of the last {entry.flaky.over} runs"
        if judgement and record:
            covered = [blocker.failure for blocker in judgement.blockers if entry.id in blocker.entries]
            yield from (f"  covers    {_blocker(failure, record.predicted)}" for failure in covered)
            if not covered:
                yield from _covers_nothing(entry, judgement)
    if record and judgement:
        for blocker in judgement.blockers:
            if not blocker.entries:
                yield ""
                yield f"no entry covers  {_blocker(blocker.failure, record.predicted)}"
    for entry, why in explanation.near:
        yield ""
        yield f"not by {entry.id} at {entry.place}"
        yield f"  because   {', '.join(why)}"


def _covers_nothing(entry: Entry, judgement: Judgement) -> Iterator[str]:
    blocked = next((each for each in judgement.upstream if each.stage is entry.stage), None)
    yield f"  covers    nothing{f': {blocked}' if blocked else ''}"
    found = closest_mismatch([entry], [blocker.failure for blocker in judgement.blockers])
    if found and not blocked:
        yield from (f"    {line}" for line in found.lines())


def _blocker(failure: Failure, predicted: bool) -> str:
    layers = f" [{short_layers(failure.layers)}]" if failure.layers else ""
    word = "predicted" if predicted else "observed"
    return f"{word} {failure.family} at {failure.stage}{layers}: {' '.join(failure.message.split())[:100]}"


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as one object; its keys are stable."""
    record, judgement = explanation.record, explanation.judgement
    blockers: Sequence[dict[str, Any]] = [
        {
            "stage": blocker.failure.stage,
            "family": blocker.failure.family,
            "layers": list(blocker.failure.layers),
            "message": blocker.failure.message,
            "entries": list(blocker.entries),
        }
        for blocker in (judgement.blockers if judgement else ())
    ]
    return {
        "case": explanation.case.id,
        "function": explanation.function.same.value,
        "departures": list(explanation.function.departures),
        "run": explanation.run or None,
        "toolchain": {"name": explanation.toolchain, "version": explanation.version} if record else None,
        "predicted": record.predicted if record else None,
        "judged": judgement.kind.value if judgement else None,
        "expected": judgement.expected if judgement else None,
        "happened": judgement.happened if judgement else None,
        "hint": judgement.hint if judgement else None,
        "claimed_by": [
            {"entry": entry.id, "place": entry.place, "because": list(why)} for entry, why in explanation.claiming
        ],
        "not_by": [{"entry": entry.id, "place": entry.place, "because": list(why)} for entry, why in explanation.near],
        "blockers": blockers,
    }
