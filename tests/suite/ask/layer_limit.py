"""Cases of small networks, and a compiler that places only so many of their layers."""

from __future__ import annotations

from tasnet.hailo.files import Network
from tests.doubles.ruled_toolchain import RuledToolchain

SMALL = "+T=400+N=16+L=16+B=8+H=8+Sc=8+X=2+R=1"
IDS = tuple(
    f"{head}-{blocks}{SMALL}"
    for head in ("project-normal-conv1x1_head", "project-normal-grouped", "project-bypass-conv1x1_head")
    for blocks in ("k1", "all")
)


def layers_of(network: Network) -> int:
    """Its layers at work."""
    return sum(layer.type not in ("input_layer", "output_layer") for layer in network)


def too_many(most: int) -> RuledToolchain:
    """A compiler that places so many layers, and whose word counts as observed."""
    return RuledToolchain(
        lambda network: (network.layers[1].name,) if layers_of(network) > most else None, version="3.33.0"
    )
