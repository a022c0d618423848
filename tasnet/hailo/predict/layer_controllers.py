"""How many layers one context has layer controllers for: a count to print, which no outcome ties to a verdict."""

from __future__ import annotations

from tasnet.hailo import Certainty, Failure
from tasnet.hailo.files import Network

A_CLUSTER = 16
"""layer controllers (LCUs) of a cluster; Hailo-8 has 8 clusters, Hailo-8L 4"""
ALLOCATOR = "BackendAllocatorException"
"""the exception of everything that the compiler can't place"""
NO_WORK = frozenset({"input_layer", "output_layer", "const_input"})
"""layer types that only name what goes in and out"""


def layer_controllers(network: Network, arch: str) -> tuple[Failure, ...]:
    """A caution where the layers at work outnumber the layer controllers of one context (16 a cluster).

    A layer takes one controller at least, unless it is fused: a sum may be, so both counts are given. The compiler
    splits a network over several contexts, and no outcome shows whether the number binds: the notes' 8x3 networks
    count 147 and more, and none failed by it.
    """
    available = A_CLUSTER * (4 if arch == "hailo8l" else 8)
    layers = [layer for layer in network if layer.type not in NO_WORK]
    if len(layers) <= available:
        return ()
    sums = sum(layer.type == "ew_add" for layer in layers)
    return (
        Failure(
            stage="compile",
            family="resource_presolve",
            exception=ALLOCATOR,
            message=f"Too many lcus ({len(layers)} > {available})",
            layers=(),
            figures={
                "layers_at_work": len(layers),
                "layers_at_work_if_sums_fuse": len(layers) - sums,
                "layer_controllers_in_one_context": available,
            },
            evidence="the compiler's own words for what limits a context, on other networks; none of this kind failed "
            "by it, and one over several contexts need not",
            certainty=Certainty.EXTRAPOLATED,
        ),
    )
