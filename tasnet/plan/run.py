"""A plan run on a signal: frames -> segments -> sums -> samples. numpy and the plan's own modules, nothing else.

`execute` runs one invocation of a segment; all rows of a segment are run before the next. Where no norm spans the
signal, the signal is taken in spans that overlap by the network's reach, so memory doesn't grow with its length. A
plan for streams takes it in blocks, and carries what the next block needs of those before.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from tasnet.plan import host, rows
from tasnet.plan.scaled import cumulatively_scaled, globally_scaled

Array = Any

SPAN = 30_000
"""frames that are taken at a time: 30 seconds at 8 kHz and a stride of 8"""


class Execute(Protocol):
    """Runs one invocation: inputs by role, [1, C, height, width] -> the outputs by role. Those in `wanted` are needed;
    others may be there too. One that only starts it gives a function that waits for them, and has as `ahead` how many
    it takes before the first of them is asked for."""

    def __call__(
        self, segment: Any, inputs: Mapping[str, Array], wanted: Collection[str]
    ) -> Mapping[str, Array] | Callable[[], Mapping[str, Array]]: ...


Spent = dict[str, float]
"""seconds by segment, and of the `host`"""


def separate(plan: Any, weights: host.Weights, execute: Execute, wave: Array, spent: Spent | None = None) -> Array:
    """[T] -> [sources, T]: what the uncut network gives, with the samples past the last whole frame as zeros."""

    def read(start: int, count: int) -> Array:
        return wave[start : start + count]

    blocks = list(estimates(plan, weights, execute, read, len(wave), spent))
    return np.concatenate(blocks, axis=1)


def estimates(
    plan: Any,
    weights: host.Weights,
    execute: Execute,
    read: Callable[[int, int], Array],
    samples: int,
    spent: Spent | None = None,
) -> Iterator[Array]:
    """The estimates of a wave of `samples`, a block [sources, some samples] at a time, together [sources, samples].

    `read(start, count)` gives samples of the wave, [count]; it is asked for what lies inside alone.
    """
    if plan.block is not None:
        step = plan.block * plan.function.size.L // 2
        chunks = (read(start, min(step, samples - start)) for start in range(0, samples, step))
        yield from streamed(plan, weights, execute, chunks, spent)
        return
    size, spent = plan.function.size, {} if spent is None else spent
    length, half, sources = samples + 2 * plan.padding, size.L // 2, size.n_src

    def padded(start: int, count: int) -> Array:
        low, high = start - plan.padding, start + count - plan.padding
        inside = read(max(low, 0), min(high, samples) - max(low, 0))
        return np.pad(inside, (max(0, -low), max(0, high - samples)))

    carried = np.zeros((sources, half), np.float32)
    crop, left = plan.padding, samples
    for span in spans(plan, (length - size.L) // half + 1):
        count = plan_width(span)
        begun = time.perf_counter()
        before = sum(spent.values())
        frames = host.frames_of(padded(span[0] * half, (count - 1) * half + size.L), size.L)
        made = _frames(plan, weights, execute, frames, spent)
        block = np.stack([host.overlapped(each[:, span[1] - span[0] : span[2] - span[0]]) for each in made])
        block[:, :half] += carried
        block, carried = block[:, :-half], block[:, -half:]
        spent["host"] = spent.get("host", 0.0) + time.perf_counter() - begun - (sum(spent.values()) - before)
        given = block[:, crop:][:, :left]
        crop, left = max(0, crop - block.shape[1]), left - given.shape[1]
        yield given
    given = carried[:, crop:][:, :left]
    yield np.pad(given, ((0, 0), (0, left - given.shape[1])))


def streamed(
    plan: Any,
    weights: host.Weights,
    execute: Execute,
    chunks: Iterable[Array],
    spent: Spent | None = None,
    past: host.Past | None = None,
) -> Iterator[Array]:
    """The estimates of a stream, [sources, samples] as soon as a block's are known; together as many as came in.

    `chunks` are samples, [count] of any count. `past` is what is carried from block to block.
    """
    size, spent, past = plan.function.size, {} if spent is None else spent, {} if past is None else past
    half, sources = size.L // 2, size.n_src
    samples, carried, behind = np.zeros(0, np.float32), np.zeros((sources, half), np.float32), 0

    def estimate(count: int) -> Array:
        nonlocal samples, carried
        begun, before = time.perf_counter(), sum(spent.values())
        frames = host.frames_of(samples[: (count - 1) * half + size.L], size.L)
        made = _frames(plan, weights, execute, frames, spent, past)
        block = np.stack([host.overlapped(each) for each in made])
        block[:, :half] += carried
        samples, carried = samples[count * half :], block[:, -half:]
        spent["host"] = spent.get("host", 0.0) + time.perf_counter() - begun - (sum(spent.values()) - before)
        return block[:, :-half]

    for chunk in chunks:
        samples, behind = np.concatenate([samples, chunk]), behind + len(chunk)
        while (len(samples) - size.L) // half + 1 >= plan.block:
            block = estimate(plan.block)
            behind -= block.shape[1]
            yield block
    if (rest := (len(samples) - size.L) // half + 1) > 0:
        block = estimate(rest)
        behind -= block.shape[1]
        yield block
    yield np.pad(carried, ((0, 0), (0, behind - half)))


def spans(plan: Any, frames: int) -> list[tuple[int, int, int, int]]:
    """(first frame, first and last valid frame, frame past its end) of what is run at a time: exact where cropped."""
    reach, shortest = plan.reach, max((rows.min_frames(each.width, each.phase) for each in plan.segments), default=1)
    width = max(SPAN, 4 * sum(reach), shortest)
    if not plan.local or frames <= width:
        return [(0, 0, frames, frames)]
    return [(row.start, row.low, row.high, row.start + width) for row in rows.rows_over(frames, width, reach, 1)]


def plan_width(span: tuple[int, int, int, int]) -> int:
    """Frames of a span."""
    return span[3] - span[0]


def too_short(plan: Any, frames: int) -> bool:
    """Whether a signal is shorter than some segment's rows: the host then computes the whole network."""
    on_chip = [each for each in plan.segments if each.place == "chip"]
    return plan.block is None and any(frames < rows.min_frames(each.width, each.phase) for each in on_chip)


def _frames(
    plan: Any, weights: host.Weights, execute: Execute, frames: Array, spent: Spent, past: host.Past | None = None
) -> list[Array]:
    """[L, frames] -> each source's frames, [L, frames], to be overlapped. With `past` they are a stream's block."""
    coded = host.encoded(weights, frames)
    signals = {"frames": frames, "coded": coded, "encoded": coded}
    made = [np.empty((plan.function.size.L, frames.shape[1]), coded.dtype) for _ in range(plan.function.size.n_src)]
    if too_short(plan, frames.shape[1]):
        _host_stages(plan, weights, range(plan.function.blocks), True, True, signals, made, past)
        return made
    if not plan.local or any(segment.form in _PIECES for segment in plan.segments):
        signals["encoded"] = host.apply_norm(weights, "masker.bottleneck.0", coded, plan.function.norm, past)
    # The pieces of one convolution stand together.
    for _, group in groupby(plan.segments, key=lambda each: (each.form, each.start)):
        segment, *others = group
        if segment.start:
            # Behind the head nothing takes it, and it is as large as what it was made of.
            signals["encoded"] = coded
        if segment.form in _PIECES:
            running = [_Running(each, execute, spent, plan.block, past) for each in (segment, *others)]
            _pieces(plan, weights, running, signals, made, past)
            continue
        running_alone = _Running(segment, execute, spent, plan.block, past)
        if segment.place == "host":
            _host_stages(plan, weights, segment.blocks, segment.head, segment.tail, signals, made, past)
        elif segment.form == "scaled":
            scaled = globally_scaled if plan.function.norm == "gln" else cumulatively_scaled
            scaled(plan, weights, running_alone, signals, past)
        else:
            _plain(weights, running_alone, signals, made)
            if segment.form == "pointwise" and segment.start < plan.function.blocks:
                signals["hidden"] = host.block_inner(weights, plan.function, segment.start, signals["hidden"], past)
    return made


class _Running:
    """One segment's invocations over a signal, or over a stream's `block`, of which `past` holds what was before."""

    def __init__(
        self, segment: Any, execute: Execute, spent: Spent, block: int | None = None, past: host.Past | None = None
    ) -> None:
        self.segment, self.execute, self.spent, self.block, self.past = segment, execute, spent, block, past

    def invocations(
        self, signals: Mapping[str, Array], wanted: Collection[str], *, look_back: bool = True
    ) -> Iterator[tuple[list[rows.Row], Mapping[str, Array]]]:
        """Each group of rows, and what the segment makes of it; of a stream's block without what was before it where
        nothing that is wanted needs that."""
        segment = self.segment
        signals, found = self._windows(signals, look_back)
        started: deque[tuple[list[rows.Row], Any]] = deque()
        for group in rows.row_batches(found, segment.height):
            taken, valid = [row for row, _ in group], [row for _, row in group]
            inputs = {
                role: rows.gather(each, taken, segment.width, segment.height, segment.phase)
                for role, each in signals.items()
            }
            begun = time.perf_counter()
            started.append((valid, self.execute(segment, inputs, wanted)))
            self._spend(begun)
            if len(started) > getattr(self.execute, "ahead", 0):
                yield self._ended(*started.popleft())
        while started:
            yield self._ended(*started.popleft())

    def _windows(
        self, signals: Mapping[str, Array], look_back: bool
    ) -> tuple[dict[str, Array], list[tuple[rows.Row, rows.Row]]]:
        """What rows are cut from, by role; the rows in that, and where their valid parts lie in the signal."""
        segment = self.segment
        given = {port.role: signals[port.role] for port in segment.inputs}
        frames = next(iter(given.values())).shape[1]
        if self.past is None or self.block is None:
            return given, [(row, row) for row in rows.rows_over(frames, segment.width, segment.halo, segment.phase)]
        before, known = segment.halo[0], 0
        # What the blocks' convolutions look back at; of the other inputs only the block's own frames count.
        for role in given if before and look_back else ():
            if role in _LOOKED_AT or (segment.head and role in ("encoded", "frames")):
                given[role] = host.remembered(self.past, f"{segment.name} {role}", given[role], before)
                known = given[role].shape[1] - frames
        for role, each in given.items():
            missing = known + frames - each.shape[1]
            given[role] = np.pad(each, ((0, 0), (missing, before + self.block - known - frames)))
        return given, rows.block_rows(known, frames, self.block, segment.width, segment.halo)

    def _ended(self, taken: list[rows.Row], made: Any) -> tuple[list[rows.Row], Mapping[str, Array]]:
        begun = time.perf_counter()
        gave = made() if callable(made) else made
        self._spend(begun)
        return taken, gave

    def _spend(self, begun: float) -> None:
        name = self.segment.name
        self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - begun


def _plain(weights: host.Weights, running: _Running, signals: dict[str, Array], made: list[Array]) -> None:
    """A segment whose outputs are signals. Changes `signals`, and `made` where it is the last."""
    segment = running.segment
    wanted = [port.role for port in segment.outputs]
    frames = signals[segment.inputs[0].role].shape[1]
    dtype = signals["coded"].dtype
    outputs = {port.role: np.empty((port.channels, frames), dtype) for port in segment.outputs if port.role in _KEPT}
    for taken, gave in running.invocations(signals, wanted):
        for role in wanted:
            if role in outputs:
                rows.scatter(gave[role], taken, segment.phase, outputs[role])
            elif role.startswith("estimate"):
                rows.scatter(gave[role], taken, segment.phase, made[_source(role)])
            else:
                _decode(weights, gave[role], taken, segment.phase, signals["coded"], made[_source(role)])
    if "skips" in outputs and "skips" in signals:
        outputs["skips"] += signals["skips"]
    signals |= outputs


_LOOKED_AT = frozenset({"stream", "mean", "scale"})
_KEPT = frozenset({"stream", "skips", "hidden"})


def _source(role: str) -> int:
    return int(role.removeprefix("estimate").removeprefix("mask")) - 1


def _decode(weights: host.Weights, mask: Array, taken: list[rows.Row], phase: int, coded: Array, made: Array) -> None:
    """The product with the encoding and the decoder, row by row: all masks of a long signal would be large."""
    for index, row in enumerate(taken):
        place = rows.frame_slice(row, phase)
        valid = mask[0, :, index, row.low - row.start : row.high - row.start]
        made[:, place] = host.decoded(weights, valid * coded[:, place])


_PIECES = frozenset({"piece-in", "piece-out"})


def _pieces(
    plan: Any,
    weights: host.Weights,
    running: list[_Running],
    signals: dict[str, Array],
    made: list[Array],
    past: host.Past | None,
) -> None:
    """One 1x1 convolution in pieces, and what the host does until the next. Changes `signals` and `made`."""
    function, first = plan.function, running[0].segment
    stage, block, last = first.start, first.start - 1, first.start == plan.function.blocks + 1
    if first.form == "piece-out":
        taken = signals["hidden"]
    elif last:
        taken = host.apply_activation(weights, "masker.mask_net.0", signals["skips"], function.activation)
    else:
        taken = signals["stream"] if stage else signals["encoded"]
    given = np.zeros((max(each.segment.gives[1] for each in running), taken.shape[1]), taken.dtype)
    for each in running:
        part = slice(*each.segment.gives)
        for found, gave in each.invocations({"taken": taken[slice(*each.segment.takes)]}, ("given",)):
            rows.scatter(gave["given"], found, 1, given[part], add=True)
    if first.form == "piece-out":
        if block + 1 < function.blocks:
            signals["stream"] = signals["stream"] + given[: function.size.B]
        skips = given[-function.size.Sc :]
        signals["skips"] = skips if "skips" not in signals else signals["skips"] + skips
    elif last:
        masks = host.activate_masks(given, function.mask_activation)
        for source, frames in enumerate(made):
            part = slice(source * function.size.N, (source + 1) * function.size.N)
            frames[:] = host.decoded(weights, masks[part] * signals["coded"])
    elif stage:
        signals["hidden"] = host.block_inner(weights, function, block, given, past)
    else:
        signals["stream"] = given


def _host_stages(
    plan: Any,
    weights: host.Weights,
    blocks: Collection[int],
    head: bool,
    tail: bool,
    signals: dict[str, Array],
    made: list[Array],
    past: host.Past | None,
) -> None:
    """Stages that the host computes over the whole signal. Changes `signals` and `made`."""
    function = plan.function
    if head:
        given = signals["encoded"]
        if given is signals["coded"]:
            given = host.apply_norm(weights, "masker.bottleneck.0", given, function.norm, past)
        signals["stream"] = host.conv1x1(weights, "masker.bottleneck.1", given)
    for index in blocks:
        signals["stream"], skip = host.block(weights, function, index, signals["stream"], past)
        signals["skips"] = skip if "skips" not in signals else signals["skips"] + skip
    if tail:
        # All masks of a long signal at once would be the most that a run keeps.
        for start in range(0, signals["coded"].shape[1], _MASKED):
            place = slice(start, start + _MASKED)
            masks = host.masks(weights, signals["skips"][:, place], function.activation, function.mask_activation)
            for source, each in enumerate(made):
                part = slice(source * function.size.N, (source + 1) * function.size.N)
                each[:, place] = host.decoded(weights, masks[part] * signals["coded"][:, place])


_MASKED = 4096
"""frames whose masks the host makes at a time"""
