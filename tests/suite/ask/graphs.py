"""Small graphs to ask about: real networks of two blocks, settled, and their pieces."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import onnx

from tasnet.hailo.translate import settled_model
from tasnet.network import Size, Variant, seeded_weights, to_onnx
from tasnet.suite.ask.subgraph import Subgraph, subgraph_of
from tests.runtime_session import session

SIZE = Size(N=16, L=8, B=12, H=20, Sc=10, P=3, X=2, R=1, n_src=2)
LENGTH = 404
"""100 frames"""


@lru_cache(maxsize=8)
def network(
    norm: str = "identity", activation: str = "relu", length: int = LENGTH, size: Size = SIZE
) -> onnx.ModelProto:
    """The settled graph of a whole network; nobody may change it."""
    variant = Variant(norm=norm, activation=activation)
    return settled_model(to_onnx(variant, size, seeded_weights(size, 3), length))


WHOLES = {
    "relu": ("identity", "relu"),
    "gln": ("gln", "prelu_maxmin"),
    "prelu": ("affine", "prelu"),
}
"""what whole networks are called here, and the norm and the activation of each"""


@lru_cache
def whole(name: str) -> Subgraph:
    """One of `WHOLES`; nobody may change it."""
    return subgraph_of(network(*WHOLES[name]))


def ran(model: onnx.ModelProto) -> list[np.ndarray]:
    """What ONNX Runtime makes of ones; the model is held to ONNX's own rules first."""
    onnx.checker.check_model(model, full_check=True)
    running = session(model)
    return running.run(None, {each.name: np.ones(each.shape, np.float32) for each in running.get_inputs()})
