"""Weights: the names and shapes of the trained model, drawn alike everywhere."""

import hashlib
import math

import pytest
import torch

from tasnet.network.variant import Size
from tasnet.network.weights import asteroid_shapes, head_shapes, seeded_weights, with_drawn_heads
from tests.network.oracles import asteroid_convtasnet
from tests.network.sizes import SMALL


def test_the_default_model_has_the_parameters_and_tensors_of_the_published_one() -> None:
    assert sum(math.prod(shape) for shape in asteroid_shapes(Size()).values()) == 5_050_545
    assert len(asteroid_shapes(Size())) == 345


def test_names_and_shapes_are_asteroids() -> None:
    model = asteroid_convtasnet()(
        n_src=3, n_repeats=2, n_blocks=3, bn_chan=5, hid_chan=7, skip_chan=4, n_filters=6, kernel_size=4, stride=2
    )
    size = Size(N=6, L=4, B=5, H=7, Sc=4, P=3, X=3, R=2, n_src=3)
    theirs = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    assert asteroid_shapes(size) == theirs


def test_a_tensor_depends_on_seed_name_and_shape_alone() -> None:
    key = "masker.TCN.1.shared_block.0.weight"
    late, early = seeded_weights(SMALL, 3), seeded_weights(SMALL, 3)
    for other in late:
        late[other]
    assert torch.equal(late[key], early[key])
    assert torch.equal(early[key], seeded_weights(Size(N=3, L=4, B=6, H=9), 3)[key])
    assert not torch.equal(early[key], seeded_weights(SMALL, 4)[key])


def test_the_numbers_are_the_same_on_every_machine_and_version() -> None:
    drawn = seeded_weights(SMALL, 1)
    digest = hashlib.sha256(b"".join(drawn[key].numpy().tobytes() for key in drawn)).hexdigest()
    assert digest == "1567290ad589872cdf9386b1e3cd20c5868a1283ebd7414e2aa071d9597f3385"


def test_nothing_is_trivial() -> None:
    drawn = seeded_weights(SMALL, 1)
    slopes = [float(drawn[key]) for key in drawn if drawn[key].shape == (1,)]
    assert len(set(slopes)) == len(slopes) == 2 * SMALL.total_blocks + 1
    assert all(0.1 < slope < 0.4 for slope in slopes)
    tensors = [drawn[key] for key in drawn if drawn[key].numel() > 1]
    assert all(float(tensor.std()) > 0 for tensor in tensors)


def test_a_checkpoint_gets_heads_that_it_does_not_have() -> None:
    checkpoint = {key: torch.zeros(shape) for key, shape in asteroid_shapes(SMALL).items()}
    both = with_drawn_heads(checkpoint, SMALL, 1)
    assert set(both) == set(checkpoint) | set(head_shapes(SMALL))
    assert float(both["encoder.filterbank._filters"].abs().max()) == 0
    assert torch.equal(both["conv1x1_head.weight"], seeded_weights(SMALL, 1)["conv1x1_head.weight"])


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        seeded_weights(SMALL)["masker.TCN.99.res_conv.weight"]
