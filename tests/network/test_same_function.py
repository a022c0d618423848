"""A form's word for its function, against PyTorch: exact is the trained network's own, another function differs.

The network as it was trained is built by hand of its norm and its padding; the form beside it has the same weights.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tasnet.network.checkpoint import load_checkpoint
from tasnet.network.same_function import SameFunction, function_kept
from tasnet.network.shipped import SMALL as SHIPPED
from tasnet.network.shipped import checkpoint_file
from tasnet.network.variant import AXES, EXACT, PUBLISHED, Size, TrainedForm, Variant, exact_values
from tasnet.network.weights import seeded_weights
from tests.network.oracles import peak_error
from tests.network.sizes import FAITHFUL, SMALL, separate, wave

TRAINED = st.builds(TrainedForm, st.sampled_from(["gln", "cgln", "cln"]), st.booleans())
SIZES = st.builds(
    Size,
    N=st.integers(3, 8),
    L=st.sampled_from([4, 8]),
    B=st.just(5),
    H=st.integers(3, 8),
    Sc=st.just(5),
    P=st.sampled_from([1, 3]),
    X=st.integers(1, 2),
    R=st.integers(1, 2),
    n_src=st.integers(1, 3),
)


def as_trained(trained: TrainedForm) -> Variant:
    return replace(FAITHFUL, norm=trained.norm, causal="pad" if trained.causal else "off")


@st.composite
def exact_forms(draw: st.DrawFn) -> tuple[Variant, TrainedForm]:
    trained = draw(TRAINED)
    values = {axis: draw(st.sampled_from(sorted(each))) for axis, each in exact_values(trained).items()}
    return Variant(**values), trained


@given(exact_forms(), SIZES, st.integers(8, 80), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_what_is_called_exact_is_the_trained_networks_function_to_1e5_of_its_peak(
    drawn: tuple[Variant, TrainedForm], size: Size, length: int, seed: int
) -> None:
    variant, trained = drawn
    assert function_kept(variant, size, trained).same is SameFunction.EXACT
    weights, mix = seeded_weights(size, seed), wave(length, batch=2, seed=seed % 1000)
    # a sigmoid: no mask is dead
    expected = separate(as_trained(trained), size, mix, weights=weights, mask_activation="sigmoid")
    found = separate(variant, size, mix, weights=weights, mask_activation="sigmoid")
    assert peak_error(found, expected) < 1e-5


@given(
    st.builds(
        Variant,
        **{axis: st.sampled_from(values) for axis, values in AXES.items() if axis not in ("blocks", "decoder")},
        decoder=st.sampled_from([each for each in AXES["decoder"] if each != "conv1x1_head"]),
        blocks=st.integers(0, 5),
    ),
    SIZES,
    TRAINED,
)
@example(replace(FAITHFUL, causal="off"), SMALL, TrainedForm("gln", causal=True))
@example(replace(FAITHFUL, norm="gln"), SMALL, TrainedForm("cln"))
@settings(max_examples=60)
def test_another_function_differs_for_some_weights_and_each_departure_is_named(
    variant: Variant, size: Size, trained: TrainedForm
) -> None:
    kept = function_kept(variant, size, trained)
    assert len(kept.departures) == len(variant.inexact_axes(size, trained))
    assert len(set(kept.departures)) == len(kept.departures)
    assume(kept.same is SameFunction.ANOTHER and variant.sources == "all")
    mix = wave(40 * size.stride)
    for seed in range(3):
        weights = seeded_weights(size, seed)
        expected = separate(as_trained(trained), size, mix, weights=weights, mask_activation="sigmoid")
        found = separate(variant, size, mix, weights=weights, mask_activation="sigmoid")
        if peak_error(found, expected) > 1e-5:
            return
    pytest.fail(f"called {kept.text}, and no weights of three show it")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ()),
        ({"activation": "relu", "norm": "identity"}, ("ReLU for PReLU", "no norms")),
        ({"blocks": 3}, ("3 of 4 blocks",)),
        ({"blocks": 4}, ()),
        ({"norm": "cln"}, ("norms by frame (cLN)",)),
        ({"norm": "cgln"}, ("norms up to now (cgLN)",)),
        ({"norm": "channel"}, ("norms by channel",)),
        ({"norm": "affine"}, ("norms without statistics",)),
        ({"skip": "off", "decoder": "reduced_deconv_64"}, ("no skip connections", "a reduced decoder of 64 channels")),
        ({"decoder": "conv1x1_head"}, ("one value a frame and no waveform",)),
        ({"sources": "first"}, ("the first source alone",)),
        ({"causal": "taps"}, ("no look ahead",)),
        # without masks nothing of the masker is left to differ
        ({"mask": "bypass", "activation": "relu", "blocks": 1, "skip": "off"}, ("no masks",)),
    ],
    ids=str,
)
def test_departures_say_what_the_form_has_instead(changes: dict[str, object], words: tuple[str, ...]) -> None:
    kept = function_kept(replace(FAITHFUL, **changes), SMALL)
    assert kept.departures == words
    assert kept.text == (f"another function: {', '.join(words)}" if words else "exact")


def test_of_a_network_that_was_trained_otherwise_the_published_form_is_the_other() -> None:
    causal = TrainedForm("cln", causal=True)
    assert function_kept(FAITHFUL, SMALL, causal).departures == ("norms over the clip (gLN)", "looks ahead")
    assert exact_values(PUBLISHED) == EXACT


def test_a_checkpoint_says_how_it_was_trained() -> None:
    assert load_checkpoint(checkpoint_file(SHIPPED)).form == PUBLISHED
