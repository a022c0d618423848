"""A plan compiled: its segments one after another, and where one is refused the best plan without it, until one stands.

What was compiled or refused lies in the store, by content: a run that was killed goes on where it was, and a segment
that two plans share is compiled once. Only the compiler's own word about a segment leads to another plan; trouble of
the machine, of the set-up or of our limits ends the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tasnet.common import TasnetError, sha256, unfinished
from tasnet.hailo import UNINFORMATIVE_FAMILIES
from tasnet.hailo.compiler import Dfc
from tasnet.hailo.files import Layer
from tasnet.hailo.predict import PUBLIC_RECORD, Observations
from tasnet.plan import (
    Plan,
    PlanError,
    Refused,
    Segment,
    TrainedFunction,
    check_files,
    check_place,
    move_plan,
    name_hefs,
    network_name,
    plan_without,
    read_plan,
    refused_of,
    segment_inputs,
    trained_of_plan,
    write_plan,
)
from tasnet.suite.cases import Outcome, Stage, Status
from tasnet.suite.run.graph_stages import GraphToCompile, compile_graph, hef_bytes, log_of
from tasnet.suite.run.store import Store

EVIDENCE = "evidence.jsonl"
"""in the folder of HEFs: a line for each segment that was tried, of whatever plan"""

Say = Callable[[str], None]
Keep = Callable[[Plan, Segment, Mapping[Stage, Outcome]], object]
"""hears what the compiler said of a segment, as soon as it did"""
Known = Callable[[], Observations]
"""what compilers are known to have said by now"""


class PlanCompileError(TasnetError, RuntimeError):
    """A plan that couldn't be compiled whole: no plan is left, or nothing was learned. One line."""


@dataclass(frozen=True)
class Tried:
    """What the compiler said of one segment of the plan number `plan` (from 1). `log` is the store's name of it."""

    plan: int
    segment: str
    form: str
    start: int
    stop: int
    phase: int
    width: int
    height: int
    layers: int
    widest_row: int
    stage: str
    status: str
    family: str
    message: str
    told_by: str
    double: bool
    log: str


@dataclass(frozen=True)
class CompiledPlan:
    """The plan that was compiled whole, and all that was tried on the way."""

    plan: Plan
    tried: tuple[Tried, ...]


def compile_plan(
    folder: Path,
    output: Path,
    store: Store,
    dfc: Dfc,
    waves: Sequence[np.ndarray],
    say: Say,
    keep: Keep,
    known: Known = lambda: PUBLIC_RECORD,
) -> CompiledPlan:
    """Compiles the plan in `folder`, or the next best; `output` gets the whole plan with its HEFs, or nothing.

    `waves` are recordings [T] at the network's rate, as long as the plan's clip: each segment is calibrated with what
    it is given for them. The segments that nobody has seen the like of come first. `say` hears a line for each. Each
    plan after the first goes by what is `known` when it is made; the first is compiled as it was planned.

    Raises PlanError for a plan, weights or an output that can't be used, and PlanCompileError.
    """
    plan = read_plan(folder)
    folder = folder if folder.is_dir() else folder.parent
    check_files(plan, folder)
    check_place(output)
    trained = trained_of_plan(plan, folder)
    recordings = sha256(b"".join(np.ascontiguousarray(wave, "<f4").tobytes() for wave in waves))
    tried: list[Tried] = []
    nearest = (0, 1)
    for number in range(1, 1 << 30):
        with unfinished.folder(output.parent, f".{output.name}") as place:
            at = place / "plan"
            plan = write_plan(plan, trained, at, waves, known() if number > 1 else None)
            done, refused = _compiled(number, plan, at, recordings, store, dfc, tried, say, keep)
            nearest = max(nearest, (len(done), len(plan.on_chip)), key=lambda reached: reached[0] / reached[1])
            if refused is None:
                named = name_hefs(plan, at, done, f"{dfc.name} {dfc.version}")
                lines = "".join(json.dumps(asdict(each)) + "\n" for each in tried)
                unfinished.write(at / EVIDENCE, lines.encode())
                move_plan(at, output)
                return CompiledPlan(named, tuple(tried))
        plan = _next(plan, trained, refused, nearest, tried, known())
        say(f"plan {number + 1}: without that, {len(plan.on_chip)} HEFs, {1e3 * plan.seconds.total:.0f} ms modelled")
    raise AssertionError("every plan is without one segment more")


def _compiled(
    number: int,
    plan: Plan,
    at: Path,
    recordings: str,
    store: Store,
    dfc: Dfc,
    tried: list[Tried],
    say: Say,
    keep: Keep,
) -> tuple[Mapping[str, bytes], Refused | None]:
    """The HEFs by segment, up to the first that was refused."""
    done: dict[str, bytes] = {}
    for each in sorted(plan.on_chip, key=lambda segment: (-segment.layers, -segment.widest_row, segment.name)):
        assert each.onnx is not None
        graph = GraphToCompile(network_name(each), at / each.onnx.name, partial(_inputs, each, at), recordings)
        outcomes = compile_graph(store, dfc, plan.arch, graph)
        keep(plan, each, outcomes)
        end = list(outcomes.values())[-1]
        told = _told(number, each, end)
        tried.append(told)
        what = f"plan {number}, {each.name} ({each.layers} layers, {each.height} x {each.width}"
        say(f"{what}): {_said(end)} ({end.seconds:.0f} s)")
        if end.status is Status.PASSED and end.stage is Stage.COMPILE:
            done[each.name] = hef_bytes(store, outcomes)
            continue
        if end.status is not Status.FAILED or {each.family for each in end.failures} & UNINFORMATIVE_FAMILIES:
            where = f"; its log: {store.root / told.log}" if told.log else ""
            raise PlanCompileError(
                f"{each.name}: {_said(end)}: nothing was learned of the segment{where}; mend that and start again: "
                f"what was compiled ({len(done)} of {len(plan.on_chip)}) is kept"
            )
        return done, refused_of(plan, each, end.stage.value, told.family, f"{dfc.name} {dfc.version}")
    return done, None


def _inputs(each: Segment, at: Path, layers: Sequence[Layer]) -> Mapping[str, np.ndarray]:
    """What the segment's input layers are given, by their names."""
    given = segment_inputs(each, at)
    return {layer.name: given[layer.original_names[0]] for layer in layers}


def _next(
    plan: Plan,
    trained: TrainedFunction,
    refused: Refused,
    nearest: tuple[int, int],
    tried: Sequence[Tried],
    known: Observations,
) -> Plan:
    try:
        return plan_without(plan, trained, (*plan.refused, refused), known)
    except PlanError:
        last = tried[-1]
        raise PlanCompileError(
            f"no plan compiles: {len(plan.refused) + 1} segments were refused, the last of {last.layers} layers on "
            f"rows of {last.widest_row:,} ({last.family} at {last.stage}); the nearest plan had {nearest[0]} of its "
            f"{nearest[1]} HEFs; make a plan with other bounds"
        ) from None


def _told(number: int, each: Segment, end: Outcome) -> Tried:
    first = next(iter((*end.failures, *end.doubts)), None)
    return Tried(
        plan=number,
        segment=each.name,
        form=each.form,
        start=each.start,
        stop=each.stop,
        phase=each.phase,
        width=each.width,
        height=each.height,
        layers=each.layers,
        widest_row=each.widest_row,
        stage=end.stage.value,
        status=end.status.value,
        family=first.family if first else "",
        message=" ".join((first.message if first else end.reason).split()),
        told_by=f"{end.provenance.toolchain} {end.provenance.version}",
        double=end.provenance.double,
        log=log_of(end),
    )


def _said(end: Outcome) -> str:
    if end.status is Status.PASSED:
        return "compiled"
    first = next(iter((*end.failures, *end.doubts)), None)
    why = f"{first.family}: {' '.join(first.message.split())[:160]}" if first else end.reason
    return f"{end.status.value} at {end.stage.value}{f', {why}' if why else ''}"
