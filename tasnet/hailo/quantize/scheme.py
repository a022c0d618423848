"""What a simulated quantization does: bits and clipping; and the grid of one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasnet.common import TasnetError

Clipping = Literal["minmax", "percentile", "mse"]
"""How an activation's range is taken from what calibration saw of it:

- `minmax`: all of it. Nothing of the calibration set is clipped; one spike costs everybody resolution.
- `percentile`: `PERCENTILE` % of the values, half of the rest cut off at each end.
- `mse`: the whole range shrunk by the factor that leaves the least squared error on the calibration's histogram.
"""

PERCENTILE = 99.99


class QuantizeError(TasnetError, ValueError):
    """A scheme or a calibration set that can't be used. One line: which, what is wrong, what to do."""


@dataclass(frozen=True)
class Scheme:
    """The choices of one quantization. The defaults are the vendor's a8_w8 with nothing switched on.

    `sixteen` names the layers at a16_w16: their weights and their result. `floating` names layers left in float,
    which no chip does: it lays the blame for an error on the others. The simulation leaves the parameters of
    activations (slopes, epsilon) in float. Raises QuantizeError for a layer in both sets.
    """

    sixteen: frozenset[str] = frozenset()
    floating: frozenset[str] = frozenset()
    clipping: Clipping = "minmax"

    def __post_init__(self) -> None:
        if both := sorted(self.sixteen & self.floating):
            raise QuantizeError(f"layer {both[0]}: at 16 bits and in float at once; choose one")
        if self.clipping not in ("minmax", "percentile", "mse"):
            raise QuantizeError(f"clipping {self.clipping}: one of minmax, percentile, mse")

    def bits(self, layer: str) -> int | None:
        """8 or 16, or None for a layer left in float."""
        if layer in self.floating:
            return None
        return 16 if layer in self.sixteen else 8


@dataclass(frozen=True)
class Grid:
    """An activation's integers: q in [0, 2^bits - 1] means (q - zero) * step. Zero is always on it."""

    step: float
    zero: int
    bits: int

    @property
    def low(self) -> float:
        """The smallest value on the grid."""
        return -self.zero * self.step

    @property
    def high(self) -> float:
        """The largest value on the grid."""
        return float((1 << self.bits) - 1 - self.zero) * self.step


def grid_over(low: float, high: float, bits: int) -> Grid:
    """The asymmetric grid over [low, high], widened to hold zero. A range of nothing gets the step 1."""
    low, high = min(low, 0.0), max(high, 0.0)
    levels = (1 << bits) - 1
    step = (high - low) / levels
    # below the smallest normal float32 the quotients are no numbers any more
    if step < 1e-37:
        return Grid(1.0, 0, bits)
    return Grid(step, round(-low / step), bits)
