"""A plan drawn: its segments down the depth of the network, their windows along time. For a terminal, and as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape

from tasnet.common import counted
from tasnet.plan.cut import CHIP, PIECE_OUT, PIECES
from tasnet.plan.cuts import Plan, Segment
from tasnet.plan.rows import Row, block_rows, rows_over

COLUMNS = 60
"""of time in a terminal"""


def stages_of(plan: Plan, each: Segment) -> str:
    """A segment's stages in words: `head, blocks 1-3`."""
    if each.form == "pointwise":
        return f"1x1s before block {each.start + 1}" if each.start < plan.function.blocks else "1x1 of the last skip"
    if each.form in PIECES:
        what = {0: "head", plan.function.blocks + 1: "masks"}.get(each.start, f"block {each.start}")
        side = "out" if each.form == PIECE_OUT else "in"
        return f"1x1 {side} of {what}, {each.takes[0]}-{each.takes[1]} to {each.gives[0]}-{each.gives[1]}"
    blocks = [f"block {each.blocks[0] + 1}"] if len(each.blocks) == 1 else []
    blocks = [f"blocks {each.blocks[0] + 1}-{each.blocks[-1] + 1}"] if len(each.blocks) > 1 else blocks
    return ", ".join(["head"] * each.head + blocks + ["masks"] * each.tail)


def drawing_lines(plan: Plan) -> Iterator[str]:
    """A line a segment: `█` frames that are computed once, `▒` those in the windows' halos, computed again."""
    names = [f"{each.name} {stages_of(plan, each)}" for each in plan.segments]
    width = max(map(len, names))
    for each, name in zip(plan.segments, names, strict=True):
        line = "·" * COLUMNS if each.place != CHIP else "".join(_cells(plan, each))
        yield f"{name.ljust(width)}  {line}  {_rows(each)}"
    seconds = f", {plan.length / plan.sample_rate:g} s" if plan.sample_rate else ""
    first = f"{-_looked_at(plan)}" if plan.block is not None else "0"
    yield f"{''.ljust(width)}  {first.ljust(COLUMNS - 8)}{plan.frames:>8}  frames{seconds}; █ once, ▒ again, · host"


def _looked_at(plan: Plan) -> int:
    """Frames before a stream's block that some segment is given again."""
    return max(each.halo[0] for each in plan.segments)


def _rows(each: Segment) -> str:
    if each.place != CHIP:
        return "on the host"
    phase = f", one frame in {each.phase}" if each.phase > 1 else ""
    return f"{counted(each.count, 'row')} of {each.width}{phase}, {each.height} at a time"


def _cells(plan: Plan, each: Segment) -> Iterator[str]:
    """How often each part of the first sequence is computed; of a stream what is given again before the block."""
    if plan.block is not None:
        before = _looked_at(plan)
        for column in range(COLUMNS):
            place = (column + 0.5) * (before + plan.block) / COLUMNS - before
            yield "█" if place >= 0 else "▒" if place >= -each.halo[0] else " "
        return
    found = [row for row in _windows(plan, each) if row.sequence == 0]
    length = -(-plan.frames // each.phase)
    for column in range(COLUMNS):
        place = (column + 0.5) * length / COLUMNS
        yield "█" if sum(row.start <= place < row.start + each.width for row in found) == 1 else "▒"


def _windows(plan: Plan, each: Segment) -> list[Row]:
    """In a stream those of a block and what is given again, moved so that the longest begins at 0."""
    if plan.block is None:
        return rows_over(plan.frames, each.width, each.halo, each.phase)
    moved, found = (
        _looked_at(plan) - each.halo[0],
        block_rows(each.halo[0], plan.block, plan.block, each.width, each.halo),
    )
    return [
        Row(0, row.start + moved, row.low + moved, row.high + moved)
        for row in (replace(row, low=row.start + valid.low - valid.start) for row, valid in found)
    ]


_WIDE, _STAGE, _LEFT, _GAP = 900, 14, 190, 6


def drawing_svg(plan: Plan) -> str:
    """The same as SVG: a band a segment, as high as it is deep; halos lighter, the host grey."""
    parts, top = [], 10.0
    for each in plan.segments:
        height = _STAGE * max(1, each.stop - each.start)
        label = escape(f"{each.name}  {stages_of(plan, each)}")
        parts.append(f"<g><title>{label}: {escape(_rows(each))}</title>")
        parts.append(f'<text x="4" y="{top + height / 2 + 4:g}">{label}</text>')
        parts += [*_band(plan, each, top, height), "</g>"]
        top += height + _GAP
    first = -_looked_at(plan) if plan.block is not None else 0
    axis = f'<text x="{_LEFT}" y="{top + 12:g}">{first}</text>'
    axis += f'<text x="{_LEFT + _WIDE}" y="{top + 12:g}" text-anchor="end">{plan.frames:,} frames</text>'
    size = f'width="{_LEFT + _WIDE + 10}" height="{top + 22:g}"'
    style = "text{font:12px sans-serif;fill:#333}.v{fill:#2b6cb0}.h{fill:#90cdf4;fill-opacity:.6}.o{fill:#bbb}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        f"<style>{style}</style>{''.join(parts)}{axis}</svg>\n"
    )


def _band(plan: Plan, each: Segment, top: float, height: float) -> Iterator[str]:
    """A segment's windows: all sequences of a phase lie over one another, their rows below each other."""
    if each.place != CHIP:
        yield f'<rect class="o" x="{_LEFT}" y="{top:g}" width="{_WIDE}" height="{height:g}"/>'
        return
    found = [row for row in _windows(plan, each) if row.sequence == 0]
    whole = plan.frames + _looked_at(plan) if plan.block is not None else -(-plan.frames // each.phase)
    scale, lane = _WIDE / whole, height / len(found)
    for index, row in enumerate(found):
        for kind, low, high in (("h", row.start, row.start + each.width), ("v", row.low, row.high)):
            place = f'x="{_LEFT + low * scale:.1f}" width="{(high - low) * scale:.1f}"'
            yield f'<rect class="{kind}" {place} y="{top + index * lane:.1f}" height="{lane:.1f}"/>'
