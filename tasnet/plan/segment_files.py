"""A segment's graph -> the HN that the embedded translator makes of it."""

from __future__ import annotations

import onnx

from tasnet.hailo.files import Network
from tasnet.hailo.translate import translate


def to_network(model: onnx.ModelProto, name: str) -> Network:
    """The graph's HN, as the vendor's parser would write it."""
    return translate(model, name)
