"""A block of a network whose norms span the signal: once through the chip for its first norm's scalars, once with them.

numpy and the plan's own modules, nothing else. `running` runs the block's segment over a signal, or a stream's block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from tasnet.plan import host, rows

Array = Any


def globally_scaled(
    plan: Any, weights: host.Weights, running: Any, signals: dict[str, Array], _: host.Past | None
) -> None:
    """A block of a gLN network, over the whole signal. Changes `signals`."""
    name, frames, dtype = _place(running, signals)
    signals["scalars"] = np.zeros((2, frames), dtype)
    mean, square = _moments(running, running.invocations(signals, ("mean1", "square1")), "1", frames)
    first = host.gln_scalars(mean.mean(), square.mean())
    signals["scalars"] = np.repeat(np.array([[1 / first[0]], [first[1]]], dtype), frames, axis=1)
    kept, mean, square = _computed(running, signals, frames, dtype)
    # What the segment calls y is y / s1 here.
    scale, mean = host.gln_scalars(mean.mean() * first[0], square.mean() * first[0] ** 2)
    gamma, beta = weights[f"{name}.shared_block.5.gamma"], weights[f"{name}.shared_block.5.beta"]
    product = kept.pop("product")
    product *= dtype.type(first[0] * scale)
    product += _linear(plan, weights, running, beta - scale * mean * gamma, bias=True)[:, None].astype(dtype)
    _added(plan, signals | kept, product, signals)


def cumulatively_scaled(
    plan: Any, weights: host.Weights, running: Any, signals: dict[str, Array], past: host.Past | None
) -> None:
    """A block of a cgLN network, whose scalars are others at each frame. Changes `signals`, and `past`."""
    name, frames, dtype = _place(running, signals)
    past = {} if past is None else past
    signals["mean"] = signals["scale"] = np.zeros((1, frames), dtype)
    only = running.invocations(signals, ("mean1", "square1"), look_back=False)
    mean, square = _moments(running, only, "1", frames)
    for role, each in zip(("mean", "scale"), host.cumulated(mean, square, past, f"{name}.shared_block.2"), strict=True):
        signals[role] = each[None].astype(dtype)
    kept, mean, square = _computed(running, signals, frames, dtype)
    mean, scale = host.cumulated(mean, square, past, f"{name}.shared_block.5")
    gamma, beta = weights[f"{name}.shared_block.5.gamma"], weights[f"{name}.shared_block.5.beta"]
    product = kept.pop("product")
    product *= scale.astype(dtype)
    product -= _linear(plan, weights, running, gamma, bias=False)[:, None] * (scale * mean).astype(dtype)
    product += _linear(plan, weights, running, beta, bias=True)[:, None]
    _added(plan, signals | kept, product, signals)


def _place(running: Any, signals: Mapping[str, Array]) -> tuple[str, int, Any]:
    """The block's name, and the signal's frames and type."""
    (index,) = running.segment.blocks
    return f"masker.TCN.{index}", signals["coded"].shape[1], signals["coded"].dtype


def _computed(
    running: Any, signals: Mapping[str, Array], frames: int, dtype: Any
) -> tuple[dict[str, Array], Array, Array]:
    """The segment's signals, and the moments of what its second norm is given."""
    segment = running.segment
    kept = {port.role: np.empty((port.channels, frames), dtype) for port in segment.outputs if port.channels > 1}

    def scattered() -> Iterator[tuple[Collection[rows.Row], Mapping[str, Array]]]:
        for taken, gave in running.invocations(signals, (*kept, "mean2", "square2")):
            for role, signal in kept.items():
                rows.scatter(gave[role], taken, segment.phase, signal)
            yield taken, gave

    mean, square = _moments(running, scattered(), "2", frames)
    return kept, mean, square


def _moments(
    running: Any, invocations: Iterator[tuple[Collection[rows.Row], Mapping[str, Array]]], which: str, frames: int
) -> tuple[Array, Array]:
    """The channels' mean at each frame, and that of their squares, float64."""
    found = np.empty((2, frames))
    for taken, gave in invocations:
        for part, what in zip(found, ("mean", "square"), strict=True):
            rows.scatter(gave[f"{what}{which}"], list(taken), running.segment.phase, part[None])
    return found[0], found[1]


def _linear(plan: Any, weights: host.Weights, running: Any, given: Array, *, bias: bool) -> Array:
    """What the block's res (but for the last block's) and skip convolutions make of a value a channel."""
    (index,) = running.segment.blocks
    parts = ["res_conv", "skip_conv"] if index + 1 < plan.function.blocks else ["skip_conv"]
    names = [f"masker.TCN.{index}.{part}" for part in parts]
    made = [weights[f"{name}.weight"][:, :, 0] @ given for name in names]
    return np.concatenate([each + weights[f"{name}.bias"] * bias for each, name in zip(made, names, strict=True)])


def _added(plan: Any, given: Mapping[str, Array], product: Array, signals: dict[str, Array]) -> None:
    """Adds the product to the stream and the skips. Changes `signals`."""
    size = plan.function.size
    if len(product) > size.Sc:
        signals["stream"] = given["stream"] + product[: size.B]
    skips = product[-size.Sc :]
    signals["skips"] = skips if "skips" not in signals else signals["skips"] + skips
