"""What the host does beside the network: numpy's arrays and torch's tensors go the same way."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.network.convtasnet import input_shape, output_shapes
from tasnet.network.host_side import deinterleave, interleave, to_host_input, to_waveform
from tasnet.network.variant import Variant
from tests.network.sizes import SMALL


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.integers(0, 4))
@settings(max_examples=40)
def test_interleave_undoes_deinterleave(batch: int, phases: int, columns: int, rest: int) -> None:
    wave = np.arange(batch * (phases * columns + rest % phases)).reshape(batch, -1)
    back = interleave(deinterleave(wave, phases), 1)[:, 0]
    assert np.array_equal(back, wave[:, : phases * columns])
    tensor = interleave(deinterleave(torch.from_numpy(wave), phases), 1)
    assert np.array_equal(tensor[:, 0].numpy(), back)


@given(
    st.sampled_from(["strided", "polyphase"]),
    st.sampled_from(["horizontal", "vertical"]),
    st.sampled_from(["grouped", "polyphase"]),
    st.sampled_from(["concat", "split"]),
    st.integers(1, 3),
    st.integers(SMALL.L, 60),
)
@settings(max_examples=40)
def test_an_array_becomes_bit_for_bit_what_a_tensor_becomes(
    encoder: str, layout: str, decoder: str, expansion: str, batch: int, length: int
) -> None:
    variant = Variant(expansion, encoder=encoder, layout=layout, decoder=decoder)
    draw = np.random.default_rng(length)
    wave = draw.standard_normal((batch, length)).astype(np.float32)
    planes = to_host_input(variant, SMALL, wave)
    assert planes.shape == (batch, *input_shape(variant, SMALL, length)[1:])
    assert planes.tobytes() == to_host_input(variant, SMALL, torch.from_numpy(wave)).numpy().tobytes()
    outputs = [
        draw.standard_normal((batch, *shape[1:])).astype(np.float32) for shape in output_shapes(variant, SMALL, length)
    ]
    found = to_waveform(variant, SMALL, outputs)
    assert found.tobytes() == to_waveform(variant, SMALL, [*map(torch.from_numpy, outputs)]).numpy().tobytes()
