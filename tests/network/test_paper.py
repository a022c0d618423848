"""Parameters, receptive field and multiply-adds of the rows of the paper's table II (Luo & Mesgarani 2019, 8 kHz).

None is taken from a formula of our own: parameters are counted, the receptive field is where a gradient isn't 0, and
torch counts the operations of the network as it runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tasnet.network.convtasnet import build_network
from tasnet.network.host_side import to_host_input
from tasnet.network.variant import Size
from tasnet.network.weights import asteroid_shapes, seeded_weights
from tests.network.sizes import FAITHFUL, wave

RATE = 8000


@dataclass(frozen=True)
class PaperRow:
    """One row of the table; None where the facts at hand don't hold its figure."""

    size: Size
    parameters: float
    seconds: float
    macs_per_second: float | None


ROWS = [
    PaperRow(Size(), 5.05e6, 1.53, 4.98e9),
    PaperRow(Size(N=128, L=40, H=256, X=7, R=2), 1.472e6, 1.28, 0.58e9),
    PaperRow(Size(L=40, X=4, R=6), 5.075e6, 0.46, None),
]
IDS = ["L16 X8 R3", "L40 X7 R2", "L40 X4 R6"]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_parameters(row: PaperRow) -> None:
    drawn = seeded_weights(row.size)
    counted = sum(drawn[key].numel() for key in asteroid_shapes(row.size))
    assert counted == sum(math.prod(shape) for shape in asteroid_shapes(row.size).values())
    assert counted == pytest.approx(row.parameters, rel=5e-4 if row.parameters > 5.06e6 else 2e-3)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_receptive_field(row: PaperRow) -> None:
    """The samples that one sample in the middle depends on, by its gradient, which doesn't round away."""
    # a norm over all of time would see everything; a few channels see as far as many
    narrow = replace(row.size, N=6, B=4, H=5, Sc=4, n_src=1)
    variant = replace(FAITHFUL, norm="affine")
    mix = wave(round(3 * row.seconds * RATE / narrow.L) * narrow.L).double().requires_grad_()
    network = build_network(variant, narrow, seeded_weights(narrow, 3), mask_activation="sigmoid").double()
    out = network(to_host_input(variant, narrow, mix))[0].flatten()
    (gradient,) = torch.autograd.grad(out[out.numel() // 2], mix)
    seen = torch.nonzero(gradient.flatten()).flatten()
    reach = int(seen[-1] - seen[0]) + 1
    # a sample of the wave is made of two frames, a stride apart; the paper counts what one sees
    assert (reach - narrow.stride) / RATE == pytest.approx(row.seconds, abs=0.0051)
    assert reach == (1 + row.size.R * (row.size.P - 1) * (2**row.size.X - 1)) * narrow.stride + narrow.L


@pytest.mark.parametrize("row", [row for row in ROWS if row.macs_per_second], ids=IDS[:2])
def test_multiply_adds_of_a_second(row: PaperRow) -> None:
    variant, size = FAITHFUL, row.size
    network = build_network(variant, size, seeded_weights(size))
    planes = to_host_input(variant, size, wave(RATE))
    with FlopCounterMode(display=False) as counter:
        network(planes)
    # a multiply-add is two operations; the last residual convolution, which has no effect, isn't run here
    dead = size.H * size.B * size.frames(RATE)
    macs = counter.get_total_flops() / 2 + dead
    assert macs == pytest.approx(row.macs_per_second, rel=6e-3)
