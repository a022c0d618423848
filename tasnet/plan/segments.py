"""A cut -> the segment of a plan: its ports, rows, figures, verdict and the evidence for it."""

from __future__ import annotations

from tasnet.hailo.predict import ROW_PASS, Bracket, Observations, Prediction
from tasnet.plan.cost import on_host, seconds
from tasnet.plan.cut import CHAIN, CHIP, HOST, Cut, ports
from tasnet.plan.cuts import Plan, Segment, cut_from_segment
from tasnet.plan.function import Function
from tasnet.plan.hardware import Hardware
from tasnet.plan.layers import Facts, facts, verdict
from tasnet.plan.rows import rows_over
from tasnet.plan.search import PlanProblem

OBSERVED_ROW = 262_144
"""elements: the widest row of any small piece that is known to have compiled"""


def segment(search: PlanProblem, cut: Cut, name: str) -> Segment:
    """The segment on the chip, for the search's signal or block. Raises ValueError where its rows don't cover that."""
    function, frames = search.function, search.frames
    given, made = ports(function, cut)
    halo = cut.halo(function)
    count = len(rows_over(frames + halo[0] if search.bounds.stream else frames, cut.width, halo, cut.phase))
    found, judged = facts(function, cut), verdict(function, cut, search.arch, search.bounds.known)
    return Segment(
        name=name,
        place=CHIP,
        form=cut.form,
        start=cut.start,
        stop=cut.stop,
        blocks=tuple(cut.blocks(function)),
        head=cut.has_head(),
        tail=cut.has_tail(function),
        phase=cut.phase,
        width=cut.width,
        height=cut.height,
        halo=halo,
        takes=cut.takes,
        gives=cut.gives,
        inputs=given,
        outputs=made,
        count=count,
        invocations=-(-count // cut.height),
        layers=found.layers,
        macs=found.macs,
        weights=found.weights,
        widest_row=found.widest_row,
        verdict=judged.kind.value,
        certainty=judged.certainty.value,
        evidence=evidence(cut, found, judged, search.bounds.known.bracket),
        seconds=seconds(function, cut, found, -(-count // cut.height), frames, search.hardware),
    )


def on_the_host(function: Function, start: int, stop: int, frames: int, hardware: Hardware, name: str) -> Segment:
    """Stages that the host computes over the whole signal: no rows, no graph, nothing that needs a verdict."""
    cut = Cut(CHAIN, start, stop, 1, 1, 1)
    return Segment(
        name=name,
        place=HOST,
        form=CHAIN,
        start=start,
        stop=stop,
        blocks=tuple(cut.blocks(function)),
        head=cut.has_head(),
        tail=cut.has_tail(function),
        phase=1,
        width=1,
        height=1,
        halo=(0, 0),
        takes=(0, 0),
        gives=(0, 0),
        inputs=(),
        outputs=(),
        count=0,
        invocations=0,
        layers=0,
        macs=0,
        weights=0,
        widest_row=0,
        verdict="",
        certainty="",
        evidence=(),
        seconds=on_host(function, start, stop, frames, hardware),
    )


def evidence(cut: Cut, found: Facts, judged: Prediction, bracket: Bracket) -> tuple[str, ...]:
    """The evidence for a segment: an observed piece, or the rows of pieces that compiled; then what nobody has seen."""
    if judged.certainty.value == "observed" and judged.kind.value == "clear" and found.layers == 1:
        return ("observed piece",)
    seen = next((most for most in (OBSERVED_ROW, ROW_PASS) if found.widest_row <= most), None)
    told = [f"rows up to {seen:,}" if seen else f"rows of {found.widest_row:,}, never seen to compile"]
    if not seen and found.widest_row <= bracket.passes:
        told = [f"rows up to {bracket.passes:,}, by this store's evidence"]
    if found.layers > 1:
        told.append(f"{found.layers} layers together")
    if cut.height > 1:
        told.append(f"{cut.height} rows side by side")
    return tuple(told)


def verdict_of_segment(plan: Plan, each: Segment, known: Observations) -> Prediction:
    """What the constraints say of a plan's segment by what is known now."""
    return verdict(plan.function, cut_from_segment(plan, each), plan.arch, known)
