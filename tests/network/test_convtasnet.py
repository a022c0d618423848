"""The network against Asteroid's and torchaudio's, and its variants against each other."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from tasnet.network.convtasnet import TcnBlock, build_network, input_shape, output_names, output_shapes
from tasnet.network.host_side import to_host_input, to_waveform
from tasnet.network.variant import AXES, Size, Variant, VariantError
from tasnet.network.weights import asteroid_shapes, seeded_weights
from tests.network.oracles import asteroid_convtasnet, peak_error, torchaudio_convtasnet
from tests.network.sizes import FAITHFUL, SMALL, separate, wave

SIZES = [
    Size(N=10, L=8, B=6, H=9, Sc=5, P=3, X=2, R=2, n_src=1),
    Size(N=12, L=16, B=5, H=8, Sc=7, P=3, X=3, R=1, n_src=2),
    Size(N=8, L=4, B=4, H=6, Sc=4, P=5, X=2, R=2, n_src=3),
]
NORMS = {"gln": "gLN", "cgln": "cgLN", "cln": "cLN"}


def _asteroid(size: Size, norm: str, mask_activation: str, seed: int = 1, *, causal: bool = False) -> torch.nn.Module:
    model: torch.nn.Module = asteroid_convtasnet()(
        n_src=size.n_src,
        n_blocks=size.X,
        n_repeats=size.R,
        bn_chan=size.B,
        hid_chan=size.H,
        skip_chan=size.Sc,
        conv_kernel_size=size.P,
        norm_type=NORMS[norm],
        mask_act=mask_activation,
        n_filters=size.N,
        kernel_size=size.L,
        stride=size.stride,
        causal=causal,
    )
    drawn = seeded_weights(size, seed)
    # A causal depthwise convolution is the first of a Sequential.
    state = {key: drawn[key] for key in asteroid_shapes(size)}
    model.load_state_dict({_causal_name(key) if causal else key: tensor for key, tensor in state.items()})
    return model.eval()


def _causal_name(key: str) -> str:
    return key.replace("shared_block.3.", "shared_block.3.0.")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size.n_src}src")
@pytest.mark.parametrize(
    ("norm", "activation"), [("gln", "relu"), ("gln", "sigmoid"), ("cgln", "relu"), ("cln", "relu")]
)
def test_the_faithful_network_is_asteroids(size: Size, norm: str, activation: str) -> None:
    model = _asteroid(size, norm, activation)
    for length in (160, 163, 331):
        mix = wave(length, batch=2)
        with torch.no_grad():
            expected = model(mix.unsqueeze(1))
        found = separate(replace(FAITHFUL, norm=norm), size, mix, mask_activation=activation)
        # Ours ends with the last whole frame; Asteroid pads with zeros to the length of the mix.
        assert found.shape[-1] == length // size.stride * size.stride
        assert peak_error(F.pad(found, (0, length - found.shape[-1])), expected) < 2e-6


# torchaudio pads its depthwise convolutions for a kernel of 3, whatever the kernel.
@pytest.mark.parametrize("size", [replace(s, P=3) for s in SIZES], ids=lambda size: f"{size.n_src}src")
def test_the_faithful_network_is_torchaudios_on_a_padded_wave(size: Size) -> None:
    model = torchaudio_convtasnet()(
        size.n_src, size.L, size.N, size.P, size.B, size.H, size.X, size.R, msk_activate="sigmoid"
    ).eval()
    size = replace(size, Sc=size.B)
    mix = wave(40 * size.stride)
    state = _torchaudio_state(size)
    model.load_state_dict(state)
    with torch.no_grad():
        expected = model(mix.unsqueeze(1))
    padded = F.pad(mix, (size.stride, size.stride))
    found = separate(FAITHFUL, size, padded, mask_activation="sigmoid")[..., size.stride : -size.stride]
    assert peak_error(found, expected) < 2e-6


@st.composite
def sizes(draw: st.DrawFn, kernels: tuple[int, ...] = (1, 3, 5)) -> Size:
    few = st.integers(2, 9)
    return Size(
        N=draw(few),
        L=2 * draw(st.integers(1, 8)),
        B=draw(few),
        H=draw(few),
        Sc=draw(few),
        P=draw(st.sampled_from(kernels)),
        X=draw(st.integers(1, 3)),
        R=draw(st.integers(1, 3)),
        n_src=draw(st.integers(1, 3)),
    )


@given(sizes(), st.sampled_from(list(NORMS)), st.integers(0, 400), st.integers(0, 2**32))
@settings(max_examples=40)
def test_any_size_length_and_weights_are_asteroids(size: Size, norm: str, more: int, seed: int) -> None:
    """In float64, where nothing but another function is further off than 1e-9."""
    length = size.L + more
    mix = wave(length, batch=2, seed=seed % 1000).double()
    with torch.no_grad():
        expected = _asteroid(size, norm, "sigmoid", seed).double()(mix.unsqueeze(1))
    variant = replace(FAITHFUL, norm=norm)
    network = build_network(variant, size, seeded_weights(size, seed), mask_activation="sigmoid").double()
    found = to_waveform(variant, size, network(to_host_input(variant, size, mix)))
    assert peak_error(F.pad(found, (0, length - found.shape[-1])), expected) < 1e-9


@given(
    sizes(kernels=(2, 3, 4, 5)),
    st.sampled_from(["cgln", "cln"]),
    st.sampled_from(["pad", "taps"]),
    st.sampled_from(["horizontal", "vertical"]),
    st.integers(0, 400),
    st.integers(0, 2**32),
)
@settings(max_examples=40)
def test_any_causal_size_length_and_weights_are_asteroids(
    size: Size, norm: str, form: str, layout: str, more: int, seed: int
) -> None:
    """Even kernels as well: they have no middle, and a causal network needs none."""
    length = size.L + more
    mix = wave(length, batch=2, seed=seed % 1000).double()
    with torch.no_grad():
        expected = _asteroid(size, norm, "sigmoid", seed, causal=True).double()(mix.unsqueeze(1))
    variant = replace(FAITHFUL, norm=norm, causal=form, layout=layout)
    network = build_network(variant, size, seeded_weights(size, seed), mask_activation="sigmoid").double()
    found = to_waveform(variant, size, network(to_host_input(variant, size, mix)))
    assert peak_error(F.pad(found, (0, length - found.shape[-1])), expected) < 1e-9


@pytest.mark.parametrize("form", ["pad", "taps"])
def test_a_causal_convolution_is_its_formula(form: str) -> None:
    """y[c, t] = bias[c] + the sum over k of w[c, k] x[c, t - (P - 1 - k) d], x = 0 before the first frame."""
    size = Size(N=4, L=4, B=3, H=5, Sc=3, P=3, X=3, R=1, n_src=1)
    weights = seeded_weights(size, 2)
    block = TcnBlock(Variant(causal=form), size, weights, 2, res=True).double()
    x = wave(5 * 23).reshape(5, 23).double()
    taps, bias = (weights[f"masker.TCN.2.shared_block.3.{part}"].double() for part in ("weight", "bias"))
    expected = torch.zeros(5, 23, dtype=torch.float64)
    for channel, frame in product(range(5), range(23)):
        expected[channel, frame] = bias[channel] + sum(
            taps[channel, 0, tap] * x[channel, frame - (2 - tap) * 4] for tap in range(3) if frame >= (2 - tap) * 4
        )
    padded = block.dw_pad(x[None, :, None]) if block.dw_pad else x[None, :, None]
    assert peak_error(block.dw_conv(padded)[0, :, 0], expected) < 1e-12


@given(sizes(kernels=(2, 3, 4, 5)), st.integers(1, 40), st.integers(0, 39), st.integers(0, 2**32))
@settings(max_examples=25)
def test_what_a_causal_network_gives_never_hangs_on_what_comes_later(
    size: Size, frames: int, after: int, seed: int
) -> None:
    variant = replace(FAITHFUL, norm=("cgln", "cln", "affine", "identity")[seed % 4], causal=("pad", "taps")[seed % 2])
    mix = wave((frames + after + 1) * size.stride, seed=seed % 1000).double()
    network = build_network(variant, size, seeded_weights(size, seed)).double()
    whole = to_waveform(variant, size, network(to_host_input(variant, size, mix)))
    cut = mix[:, : (frames + 1) * size.stride]
    first = to_waveform(variant, size, network(to_host_input(variant, size, cut)))
    # The last stride of the cut one lacks the next frame's half.
    assert torch.allclose(first[..., : -size.stride], whole[..., : frames * size.stride], rtol=0, atol=1e-9)


def test_an_even_kernel_is_for_causal_networks_alone() -> None:
    size = replace(SMALL, P=2)
    with pytest.raises(VariantError, match="'same' padding needs an odd kernel; a causal network has any"):
        build_network(FAITHFUL, size, seeded_weights(size))
    build_network(replace(FAITHFUL, causal="pad"), size, seeded_weights(size))


@given(sizes(kernels=(3,)), st.integers(1, 60), st.integers(0, 2**32))
@settings(max_examples=40)
def test_any_size_length_and_weights_are_torchaudios(size: Size, frames: int, seed: int) -> None:
    size = replace(size, Sc=size.B)
    model = torchaudio_convtasnet()(
        size.n_src, size.L, size.N, size.P, size.B, size.H, size.X, size.R, msk_activate="sigmoid"
    )
    model.load_state_dict(_torchaudio_state(size, seed))
    mix = wave(frames * size.stride, seed=seed % 1000).double()
    with torch.no_grad():
        expected = model.eval().double()(mix.unsqueeze(1))
    padded = F.pad(mix, (size.stride, size.stride))
    network = build_network(FAITHFUL, size, seeded_weights(size, seed), mask_activation="sigmoid").double()
    found = to_waveform(FAITHFUL, size, network(to_host_input(FAITHFUL, size, padded)))
    assert peak_error(found[..., size.stride : -size.stride], expected) < 1e-9


def _torchaudio_state(size: Size, seed: int = 1) -> dict[str, torch.Tensor]:
    """Our weights under torchaudio's names, spelled out here on their own."""
    drawn, state = seeded_weights(size, seed), {}
    for ours, theirs in {"encoder": "encoder.weight", "decoder": "decoder.weight"}.items():
        state[theirs] = drawn[f"{ours}.filterbank._filters"]
    pairs = {
        "bottleneck.0.gamma": "input_norm.weight",
        "bottleneck.0.beta": "input_norm.bias",
        "bottleneck.1.weight": "input_conv.weight",
        "bottleneck.1.bias": "input_conv.bias",
        "mask_net.0.weight": "output_prelu.weight",
        "mask_net.1.weight": "output_conv.weight",
        "mask_net.1.bias": "output_conv.bias",
    }
    for block in range(size.total_blocks):
        for layer, part in product(range(6), ("weight", "bias", "gamma", "beta")):
            name = f"TCN.{block}.shared_block.{layer}.{part}"
            if f"masker.{name}" in drawn:
                role = {"gamma": "weight", "beta": "bias"}.get(part, part)
                pairs[name] = f"conv_layers.{block}.conv_layers.{layer}.{role}"
        for part in ("weight", "bias"):
            if block + 1 < size.total_blocks:
                pairs[f"TCN.{block}.res_conv.{part}"] = f"conv_layers.{block}.res_out.{part}"
            pairs[f"TCN.{block}.skip_conv.{part}"] = f"conv_layers.{block}.skip_out.{part}"
    return state | {f"mask_generator.{theirs}": drawn[f"masker.{ours}"] for ours, theirs in pairs.items()}


def _others(axis: str) -> list[str]:
    return [value for value in AXES[axis] if value != getattr(FAITHFUL, axis)]


EXACT = [
    Variant(**{**FAITHFUL.__dict__, axis: value})
    for axis in ("expansion", "decoder", "encoder", "activation", "norm", "layout", "causal")
    for value in _others(axis)
    if Variant(**{**FAITHFUL.__dict__, axis: value}).keeps_function(SMALL)
]


@pytest.mark.parametrize("variant", EXACT, ids=str)
@pytest.mark.parametrize("n_src", [1, 2, 3])
def test_exact_rewrites_keep_the_function(variant: Variant, n_src: int) -> None:
    size, mix = replace(SMALL, n_src=n_src), wave(203, batch=2)
    assert peak_error(separate(variant, size, mix), separate(FAITHFUL, size, mix)) < 2e-6


CHANGING = [
    replace(FAITHFUL, mask="bypass"),
    replace(FAITHFUL, skip="off"),
    replace(FAITHFUL, blocks=1),
    replace(FAITHFUL, blocks=3),
    replace(FAITHFUL, activation="relu"),
    *(replace(FAITHFUL, norm=norm) for norm in ("cgln", "cln", "channel", "affine", "identity")),
    *(replace(FAITHFUL, decoder=f"reduced_deconv_{width}") for width in (128, 64)),
    *(replace(FAITHFUL, causal=form) for form in ("pad", "taps")),
]


@pytest.mark.parametrize("variant", CHANGING, ids=str)
def test_other_functions_differ(variant: Variant) -> None:
    mix = wave(203)
    assert not variant.keeps_function(SMALL)
    assert peak_error(separate(variant, SMALL, mix), separate(FAITHFUL, SMALL, mix)) > 0.01


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    values = {axis: draw(st.sampled_from(options)) for axis, options in AXES.items() if axis != "blocks"}
    return Variant(**values, blocks=draw(st.integers(0, 6)))


@given(variants(), st.integers(1, 3), st.integers(8, 60))
@settings(max_examples=30)
def test_every_variant_has_the_function_of_its_canonical_form(variant: Variant, n_src: int, length: int) -> None:
    size, mix = replace(SMALL, n_src=n_src), wave(length, batch=2)
    weights = seeded_weights(size, 1)
    found = build_network(variant, size, weights)(to_host_input(variant, size, mix))
    assert [(1, *output.shape[1:]) for output in found] == list(output_shapes(variant, size, length))
    assert len(found) == len(output_names(variant, size))
    canonical = variant.canonical(size)
    expected = build_network(canonical, size, weights)(to_host_input(canonical, size, mix))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@given(variants(), st.integers(2, 3))
@settings(max_examples=30)
def test_every_combination_of_exact_axes_is_one_function(variant: Variant, n_src: int) -> None:
    """Expansion, encoder, layout and the exact decoders change nothing, whatever the other axes are."""
    size, mix = replace(SMALL, n_src=n_src), wave(93)
    plain = replace(variant, expansion="concat", encoder="strided", layout="horizontal")
    if variant.decoder in ("ungrouped_blockdiag", "polyphase"):
        plain = replace(plain, decoder="grouped")
    weights = seeded_weights(size, 1)
    outputs = build_network(variant, size, weights)(to_host_input(variant, size, mix))
    expected = build_network(plain, size, weights)(to_host_input(plain, size, mix))
    if variant.decoder == "conv1x1_head":
        assert peak_error(outputs[0].flatten(2), expected[0].flatten(2)) < 1e-5
    else:
        found = to_waveform(variant, size, outputs)
        assert peak_error(found, to_waveform(plain, size, expected)) < 1e-5


@pytest.mark.parametrize("decoder", ["grouped", "ungrouped_blockdiag", "polyphase"])
@pytest.mark.parametrize("mask", ["normal", "bypass"])
def test_the_first_source_alone_is_the_first_of_all(decoder: str, mask: str) -> None:
    mix = wave(203)
    every = replace(FAITHFUL, decoder=decoder, mask=mask)
    first = separate(replace(every, sources="first"), SMALL, mix)
    assert peak_error(first, separate(every, SMALL, mix)[:, :1]) < 1e-6


def test_all_blocks_are_kept_by_any_count_that_is_large_enough() -> None:
    mix = wave(99)
    for count in (SMALL.total_blocks, SMALL.total_blocks + 1):
        assert torch.equal(separate(replace(FAITHFUL, blocks=count), SMALL, mix), separate(FAITHFUL, SMALL, mix))


def test_numpy_waves_go_in_and_come_out() -> None:
    variant = replace(FAITHFUL, encoder="polyphase", decoder="polyphase", expansion="split")
    mix = wave(101)
    planes = to_host_input(variant, SMALL, mix.numpy())
    assert planes.shape == input_shape(variant, SMALL, 101)
    outputs = build_network(variant, SMALL, seeded_weights(SMALL, 1))(torch.from_numpy(np.ascontiguousarray(planes)))
    found = to_waveform(variant, SMALL, [output.numpy() for output in outputs])
    assert np.array_equal(found, separate(variant, SMALL, mix).numpy())


def test_the_frame_rate_head_is_no_waveform() -> None:
    with pytest.raises(VariantError, match="conv1x1_head: one value per frame"):
        separate(Variant(decoder="conv1x1_head"), SMALL, wave(99))


def test_without_skips_the_streams_must_be_as_wide_as_the_skips() -> None:
    size = replace(SMALL, Sc=SMALL.B + 1)
    with pytest.raises(VariantError, match="Sc=7 inputs and the residual stream B=6"):
        build_network(Variant(skip="off"), size, seeded_weights(size))
    build_network(Variant(skip="off", mask="bypass"), size, seeded_weights(size))


def test_unknown_mask_activation_and_short_wave() -> None:
    with pytest.raises(VariantError, match="softmax: one of relu, sigmoid"):
        build_network(Variant(), SMALL, seeded_weights(SMALL), mask_activation="softmax")
    with pytest.raises(VariantError, match="length 7: shorter"):
        input_shape(Variant(), SMALL, 7)


def test_nothing_asks_for_a_gradient_and_the_names_say_the_sources() -> None:
    network = build_network(FAITHFUL, SMALL, seeded_weights(SMALL))
    assert not network.training
    assert not separate(FAITHFUL, SMALL, wave(80)).requires_grad
    assert output_names(FAITHFUL, SMALL) == ("est",)
    assert output_names(replace(FAITHFUL, expansion="split"), SMALL) == ("est1", "est2")
    assert output_names(replace(FAITHFUL, expansion="split", decoder="reduced_deconv_64"), SMALL) == ("est",)
    assert output_names(replace(FAITHFUL, expansion="split", sources="first"), SMALL) == ("est",)
