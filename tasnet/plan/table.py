"""A plan as lines: its segments, what it costs by the model, the evidence for it, and the host alone beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasnet.common import counted, table_lines
from tasnet.plan.cut import CHIP, PIECES, POINTWISE
from tasnet.plan.cuts import Plan, Segment
from tasnet.plan.drawing import stages_of
from tasnet.plan.latency import StreamRoute, block_seconds
from tasnet.plan.search import Route
from tasnet.plan.sensitivity import SensitivityRow

_UNITS = {"switch_seconds": (1e3, "ms"), "invocation_seconds": (1e3, "ms")}

_HEAD = (
    *("segment", "stages", "rows", "invocations", "layers", "MMACs", "weights", "widest row", "ms"),
    *("verdict", "evidence"),
)


def plan_lines(plan: Plan) -> Iterator[str]:
    """The segments, then the totals."""
    yield from table_lines([_HEAD, *(_cells(plan, each) for each in plan.segments)])
    yield ""
    yield from totals(plan)


def _cells(plan: Plan, each: Segment) -> tuple[str, ...]:
    spent = f"{1e3 * each.seconds.total:.1f}"
    if each.place != CHIP:
        return (each.name, stages_of(plan, each), "host", "", "", "", "", "", spent, "", "")
    phase = f" /{each.phase}" if each.phase > 1 else ""
    runs = 2 if each.form == "scaled" else 1
    return (
        each.name,
        stages_of(plan, each),
        f"{each.count} x {each.width}{phase}",
        str(each.invocations * runs),
        str(each.layers),
        f"{each.macs * each.invocations * runs / 1e6:.0f}",
        f"{each.weights:,}",
        f"{each.widest_row:,}",
        spent,
        f"compiled by {each.compiled_by}" if each.compiled_by else f"{each.verdict}, {each.certainty}",
        "" if each.compiled_by and not _by_double(each) else ", ".join(each.evidence),
    )


def _by_double(each: Segment) -> bool:
    return each.compiled_by.endswith("+double")


def totals(plan: Plan) -> Iterator[str]:
    """What the whole plan is and costs."""
    seconds, spent = plan.seconds, plan.seconds.total
    length = f"{plan.length:,} samples"
    if plan.sample_rate:
        length += f" ({plan.length / plan.sample_rate:g} s)"
    if plan.block is not None:
        length = f"a block of {plan.block:,} frames, {length}"
    share = f"{plan.macs / plan.uncut_macs:.2f} times the network's MACs"
    counts = f"{counted(len(plan.on_chip), 'HEF')}, {counted(plan.invocations, 'invocation')}"
    yield f"plan      {counts}, {share} for {length}"
    parts = ", ".join(f"{name} {1e3 * getattr(seconds, name):.1f}" for name in type(seconds).model_fields)
    yield f"modelled  {1e3 * spent:.0f} ms{_share(plan, spent)} on {plan.profile.name}: {parts} (nothing was measured)"
    than = f"{plan.null_seconds / spent:.1f} times the plan's" if spent else ""
    alone = f"{1e3 * plan.null_seconds:.0f} ms{_share(plan, plan.null_seconds)}"
    yield f"null plan {alone}: the host's CPU alone, {than} time"
    yield f"evidence  {weakest_evidence(plan)}"
    if plan.block is not None:
        yield from _stream_lines(plan)
    elif not plan.local:
        kept = f"about {kept_bytes(plan):.0f} bytes a sample"
        yield f"memory    {plan.function.norm} spans the whole signal: the host keeps {kept}"


def _stream_lines(plan: Plan) -> Iterator[str]:
    """How late a stream's estimates are by the model, and what the host keeps of it."""
    if plan.sample_rate:
        block, rate = plan.frames, plan.sample_rate
        lasts, stride = (1e3 * block_seconds(plan.function, frames, rate) for frames in (block, 1))
        spent = 1e3 * plan.seconds.total
        late = lasts + stride + spent
        whole = f"latency {late:.0f} ms: {lasts:g} + {stride:g} to hear a block, {spent:.1f} to compute it"
        fails = f"doesn't keep up: a block of {lasts:g} ms takes {spent:.1f} ms; make it longer"
        yield f"stream    {fails if spent > lasts else whole} (modelled)"
    else:
        yield "stream    nothing says the network's sample rate: whether it keeps up isn't known"
    yield f"state     {plan.state:,} elements, which the host keeps from block to block"


def option_lines(options: Sequence[StreamRoute]) -> Iterator[str]:
    """A stream's blocks and paths that nothing beats in all."""
    if options:
        yield "blocks    frames, HEFs, real-time factor, MMACs a frame, latency in ms (modelled); none is beaten in all"
    for each in options:
        macs = each.route.macs / each.block / 1e6
        yield (
            f"          {each.block:>5}  {each.route.hefs:>3}  {each.load:.3f}  {macs:.1f}  "
            f"{1e3 * each.latency_seconds:.0f}"
        )


def kept_bytes(plan: Plan) -> float:
    """Bytes a sample that a run keeps at most where norms span the signal, float32.

    The encoding and what the first norm makes of it, the estimates' frames, and the first block's part: what it takes
    and gives; or, where the host computes it, its inner signal, which a convolution needs four times.
    """
    size = plan.function.size
    inner = any(each.form in (POINTWISE, *PIECES) or (each.place != CHIP and each.blocks) for each in plan.segments)
    block = max(3 * size.B + size.Sc, size.B + 4 * size.H if inner else 0)
    return 4 * (2 * size.N + size.n_src * size.L + block) / size.stride


def _share(plan: Plan, spent: float) -> str:
    return f", real-time factor {spent * plan.sample_rate / plan.length:.3f}" if plan.sample_rate else ""


def weakest_evidence(plan: Plan) -> str:
    """What of the plan nobody has seen compile, the weakest of it; each segment says its own."""
    makers = sorted({each.compiled_by for each in plan.on_chip})
    if all(makers):
        double = any(map(_by_double, plan.on_chip))
        said = "a test double compiled the segments, nothing was observed" if double else "every segment compiled"
        return f"{said}: {', '.join(makers)}"
    if all(each.evidence == ("observed piece",) for each in plan.on_chip):
        return "observed pieces alone"
    row = max(each.widest_row for each in plan.on_chip)
    told = [f"rows up to {row:,} elements"]
    layers, height = max(each.layers for each in plan.on_chip), max(each.height for each in plan.on_chip)
    told += [f"up to {layers} layers in one HEF"] if layers > 1 else []
    told += [f"up to {height} rows side by side"] if height > 1 else []
    return f"extrapolated, nobody has compiled such a segment: {', '.join(told)}"


def front_lines(plan: Plan, front: Sequence[Route]) -> Iterator[str]:
    """The quickest plan and the one of the fewest MACs for each count of HEFs, if no other beats it in all three."""
    around = plan.host_seconds.total
    yield "front     HEFs, times the network's MACs, modelled ms: for each count the quickest and the fewest MACs"
    for path in front:
        yield f"          {path.hefs:>3}  {path.macs / plan.uncut_macs:.2f}  {1e3 * (path.seconds + around):.0f}"


def sensitivity_lines(plan: Plan, sensitivities: Sequence[SensitivityRow]) -> Iterator[str]:
    """How the choice hangs on the profile's figures."""
    yield "if        a figure were another: this plan, the best plan there, the host alone (modelled ms)"
    for each in sensitivities:
        scale, unit = _UNITS.get(each.figure, (1e-9, "G"))
        best = "the same" if each.same else f"{1e3 * each.best_seconds:.0f} with {each.best_hefs} HEFs"
        name = each.figure.replace("_", " ")
        yield (
            f"          {name} {each.value * scale:g} {unit}: {1e3 * each.kept_seconds:.0f}, {best}, "
            f"{1e3 * each.null_seconds:.0f}"
        )
