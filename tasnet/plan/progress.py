"""How far a run of a plan is: invocations done, of those that a signal takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tasnet.plan import rows
from tasnet.plan.run import Execute, plan_width, spans, too_short

Array = Any

Tell = Callable[[str, int, int], None]
"""the segment at work, its invocations that ended since the last call, and those of the whole run"""


def invocations(plan: Any, frames: int) -> int:
    """What a run on a signal of `frames` takes, of all segments."""
    if plan.block is not None:
        starts = range(0, frames, plan.block)
        return sum(
            _of_block(each, plan.block, at, frames) for at in starts for each in plan.segments if each.place == "chip"
        )
    widths = [width for width in map(plan_width, spans(plan, frames)) if not too_short(plan, width)]
    return sum(_of_segment(each, width) for width in widths for each in plan.segments if each.place == "chip")


def _of_block(segment: Any, block: int, start: int, frames: int) -> int:
    new, known = min(block, frames - start), min(segment.halo[0], start)
    # where scalars are fetched first, without what was before
    times = [rows.block_rows(each, new, block, segment.width, segment.halo) for each in _runs(segment, known)]
    return sum(len(list(rows.row_batches(each, segment.height))) for each in times)


def _runs(segment: Any, known: int) -> tuple[int, ...]:
    return (0, known) if segment.form == "scaled" else (known,)


def _of_segment(segment: Any, frames: int) -> int:
    found = rows.rows_over(frames, segment.width, segment.halo, segment.phase)
    # twice where scalars are fetched first
    return len(list(rows.row_batches(found, segment.height))) * (2 if segment.form == "scaled" else 1)


class Told:
    """Runs invocations by `run`, and tells of each that ended."""

    def __init__(self, run: Execute, total: int, tell: Tell) -> None:
        self.run, self.total, self.tell = run, total, tell

    @property
    def ahead(self) -> int:
        """As `run` has it."""
        return int(getattr(self.run, "ahead", 0))

    def __call__(
        self, segment: Any, inputs: Mapping[str, Array], wanted: Collection[str]
    ) -> Mapping[str, Array] | Callable[[], Mapping[str, Array]]:
        self.tell(segment.name, 0, self.total)
        made = self.run(segment, inputs, wanted)
        if not callable(made):
            self.tell(segment.name, 1, self.total)
            return made

        def wait() -> Mapping[str, Array]:
            gave = made()
            self.tell(segment.name, 1, self.total)
            return gave

        return wait
