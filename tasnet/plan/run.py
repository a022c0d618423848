"""A plan run on a signal: frames -> segments -> sums -> samples. numpy and the plan's own modules, nothing else.

`execute` runs one invocation of a segment; all rows of a segment are run before the next. Where no norm spans the
signal, the signal is taken in spans that overlap by the network's reach, so memory doesn't grow with its length.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from tasnet.plan import host, rows

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


def spans(plan: Any, frames: int) -> list[tuple[int, int, int, int]]:
    """(first frame, first and last valid frame, frame past its end) of what is run at a time: exact where cropped."""
    reach, shortest = plan.reach, max((rows.shortest(each.width, each.phase) for each in plan.segments), default=1)
    width = max(SPAN, 8 * reach, shortest)
    if not plan.local or frames <= width:
        return [(0, 0, frames, frames)]
    return [(row.start, row.low, row.high, row.start + width) for row in rows.rows(frames, width, reach, 1)]


def plan_width(span: tuple[int, int, int, int]) -> int:
    """Frames of a span."""
    return span[3] - span[0]


def too_short(plan: Any, frames: int) -> bool:
    """Whether a signal is shorter than some segment's rows: the host then computes the whole network."""
    return any(frames < rows.shortest(each.width, each.phase) for each in plan.segments if each.place == "chip")


def _frames(plan: Any, weights: host.Weights, execute: Execute, frames: Array, spent: Spent) -> list[Array]:
    """[L, frames] -> each source's frames, [L, frames], to be overlapped."""
    coded = host.encoded(weights, frames)
    signals = {"frames": frames, "coded": coded, "encoded": coded}
    made = [np.empty((plan.function.size.L, frames.shape[1]), coded.dtype) for _ in range(plan.function.size.n_src)]
    if too_short(plan, frames.shape[1]):
        _host_stages(plan, weights, range(plan.function.blocks), True, True, signals, made)
        return made
    if not plan.local or any(segment.form in _PIECES for segment in plan.segments):
        signals["encoded"] = host.normed(weights, "masker.bottleneck.0", coded, plan.function.norm)
    # The pieces of one convolution stand together.
    for _, group in groupby(plan.segments, key=lambda each: (each.form, each.start)):
        segment, *others = group
        if segment.form in _PIECES:
            running = [_Running(each, execute, spent) for each in (segment, *others)]
            _pieces(plan, weights, running, signals, made)
            continue
        if segment.place == "host":
            _host_stages(plan, weights, segment.blocks, segment.head, segment.tail, signals, made)
        elif segment.form == "scaled":
            _scaled(plan, weights, _Running(segment, execute, spent), signals)
        else:
            _plain(weights, _Running(segment, execute, spent), signals, made)
            if segment.form == "pointwise" and segment.start < plan.function.blocks:
                function, index = plan.function, segment.start
                signals["hidden"] = host.between(
                    weights, index, signals["hidden"], _dilation(plan, index), function.norm, function.activation
                )
    return made


class _Running:
    """One segment's invocations over a signal."""

    def __init__(self, segment: Any, execute: Execute, spent: Spent) -> None:
        self.segment, self.execute, self.spent = segment, execute, spent

    def invocations(
        self, signals: Mapping[str, Array], wanted: Collection[str]
    ) -> Iterator[tuple[list[rows.Row], Mapping[str, Array]]]:
        """Each group of rows, and what the segment makes of it."""
        segment = self.segment
        roles = [port.role for port in segment.inputs]
        frames = signals[roles[0]].shape[1]
        found = rows.rows(frames, segment.width, segment.halo, segment.phase)
        started: deque[tuple[list[rows.Row], Any]] = deque()
        for taken in rows.groups(found, segment.height):
            inputs = {
                role: rows.gather(signals[role], taken, segment.width, segment.height, segment.phase) for role in roles
            }
            begun = time.perf_counter()
            started.append((taken, self.execute(segment, inputs, wanted)))
            self._spend(begun)
            if len(started) > getattr(self.execute, "ahead", 0):
                yield self._ended(*started.popleft())
        while started:
            yield self._ended(*started.popleft())

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


_KEPT = frozenset({"stream", "skips", "hidden"})


def _source(role: str) -> int:
    return int(role.removeprefix("estimate").removeprefix("mask")) - 1


def _decode(weights: host.Weights, mask: Array, taken: list[rows.Row], phase: int, coded: Array, made: Array) -> None:
    """The product with the encoding and the decoder, row by row: all masks of a long signal would be large."""
    for index, row in enumerate(taken):
        place = rows.place_of(row, phase)
        valid = mask[0, :, index, row.low - row.start : row.high - row.start]
        made[:, place] = host.decoded(weights, valid * coded[:, place])


def _scaled(plan: Any, weights: host.Weights, running: _Running, signals: dict[str, Array]) -> None:
    """A block of a gLN network: once for the first norm's scalars, once with them. Changes `signals`."""
    segment, size = running.segment, plan.function.size
    (index,) = segment.blocks
    name, frames, dtype = f"masker.TCN.{index}", signals["coded"].shape[1], signals["coded"].dtype
    signals["scalars"] = np.zeros((2, frames), dtype)
    first = host.gln_scalars(*_moments(running.invocations(signals, ("mean1", "square1")), "1", frames))
    signals["scalars"] = np.repeat(np.array([[1 / first[0]], [first[1]]], dtype), frames, axis=1)
    kept = {port.role: np.empty((port.channels, frames), dtype) for port in segment.outputs if port.channels > 1}
    moments = np.zeros(2)
    for taken, gave in running.invocations(signals, (*kept, "mean2", "square2")):
        for role, signal in kept.items():
            rows.scatter(gave[role], taken, segment.phase, signal)
        moments += _sums(gave, taken, "2")
    # What the segment calls y is y / s1 here.
    mean, square = moments / frames * (first[0], first[0] ** 2)
    scale, mean = host.gln_scalars(mean, square)
    gamma, beta = weights[f"{name}.shared_block.5.gamma"], weights[f"{name}.shared_block.5.beta"]
    shift = beta - scale * mean * gamma
    product = kept.pop("product")
    product *= dtype.type(first[0] * scale)
    signals |= kept
    parts = ["skip_conv"] if len(product) == size.Sc else ["res_conv", "skip_conv"]
    shifts = [weights[f"{name}.{part}.weight"][:, :, 0] @ shift + weights[f"{name}.{part}.bias"] for part in parts]
    product += np.concatenate(shifts)[:, None].astype(dtype)
    if len(parts) == 2:
        signals["stream"] = signals["stream"] + product[: size.B]
    skips = product[-size.Sc :]
    signals["skips"] = skips if "skips" not in signals else signals["skips"] + skips


def _moments(invocations: Iterator[tuple[list[rows.Row], Mapping[str, Array]]], which: str, frames: int) -> Array:
    """The mean and the mean square over all frames."""
    return sum((_sums(gave, taken, which) for taken, gave in invocations), np.zeros(2)) / frames


def _sums(gave: Mapping[str, Array], taken: list[rows.Row], which: str) -> Array:
    """The valid frames' means and mean squares, summed."""
    found = np.zeros(2)
    for index, row in enumerate(taken):
        valid = slice(row.low - row.start, row.high - row.start)
        found += [gave[f"{what}{which}"][0, 0, index, valid].sum(dtype=np.float64) for what in ("mean", "square")]
    return found


_PIECES = frozenset({"piece-in", "piece-out"})


def _pieces(
    plan: Any, weights: host.Weights, running: list[_Running], signals: dict[str, Array], made: list[Array]
) -> None:
    """One 1x1 convolution in pieces, and what the host does until the next. Changes `signals` and `made`."""
    function, first = plan.function, running[0].segment
    stage, block, last = first.start, first.start - 1, first.start == plan.function.blocks + 1
    if first.form == "piece-out":
        taken = signals["hidden"]
    elif last:
        taken = host.activated(weights, "masker.mask_net.0", signals["skips"], function.activation)
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
        masks = host.masked_by(given, function.mask_activation)
        for source, frames in enumerate(made):
            part = slice(source * function.size.N, (source + 1) * function.size.N)
            frames[:] = host.decoded(weights, masks[part] * signals["coded"])
    elif stage:
        dilation = _dilation(plan, block)
        signals["hidden"] = host.between(weights, block, given, dilation, function.norm, function.activation)
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
) -> None:
    """Stages that the host computes over the whole signal. Changes `signals` and `made`."""
    function = plan.function
    if head:
        given = signals["encoded"]
        if given is signals["coded"]:
            given = host.normed(weights, "masker.bottleneck.0", given, function.norm)
        signals["stream"] = host.conv1x1(weights, "masker.bottleneck.1", given)
    for index in blocks:
        res = index + 1 < function.blocks
        dilation = _dilation(plan, index)
        signals["stream"], skip = host.block(
            weights, index, signals["stream"], dilation, function.norm, function.activation, res=res
        )
        signals["skips"] = skip if "skips" not in signals else signals["skips"] + skip
    if tail:
        masks = host.masks(weights, signals["skips"], function.activation, function.mask_activation)
        for source, each in enumerate(made):
            part = slice(source * function.size.N, (source + 1) * function.size.N)
            each[:] = host.decoded(weights, masks[part] * signals["coded"])


def _dilation(plan: Any, block: int) -> int:
    return int(2 ** (block % plan.function.size.X))
