"""Layers along time in rank 3 that have no kernel: what their lifted form computes beside ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tasnet.hailo.execute import run_network
from tasnet.hailo.translate import translate
from tests.hailo.onnx_models import floats, longs, model, node
from tests.runtime_session import session

CONSTANTS = {
    "v": floats(4, 4, 1),
    "none": np.asarray([], np.float32),
    "scales": np.asarray([1, 1, 2], np.float32),
    "time": np.asarray([2], np.float32),
    "sizes": longs(1, 4, 64),
    "gamma": floats(4, seed=1),
    "beta": floats(4, seed=2),
}
HALF = {"coordinate_transformation_mode": "half_pixel"}
LAST: dict[str, tuple[onnx.NodeProto, int]] = {
    "nearest by scales": (
        node("Resize", "c none scales", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        13,
    ),
    "nearest by sizes": (node("Resize", "c none none sizes", **HALF), 11),
    "linear": (node("Resize", "c none scales", mode="linear", **HALF), 17),
    "along one axis": (node("Resize", "c none time", axes=[-1], mode="linear", **HALF), 19),
    "upsample": (node("Upsample", "c scales"), 9),
    "instance norm": (node("InstanceNormalization", "c gamma beta", epsilon=1e-3), 17),
}


@pytest.mark.parametrize("name", LAST)
def test_a_layer_along_time_without_a_kernel_is_read_in_rank_3(name: str) -> None:
    last, opset = LAST[name]
    read = {"v", *last.input}
    used = {key: value for key, value in CONSTANTS.items() if key in read}
    made = model([node("Conv", "x v", "c", "conv"), last], shape=(1, 4, 32), opset=opset, **used)
    x = floats(1, 4, 32, seed=9)
    (expected,) = session(made).run(None, {"x": x})
    network = translate(made, "net")
    (found,) = run_network(network, x.transpose(0, 2, 1)[:, None])
    np.testing.assert_allclose(found[:, 0].transpose(0, 2, 1), expected, rtol=1e-4, atol=1e-5)
    assert any("rank 3" in each.text for each in network.assumptions)
