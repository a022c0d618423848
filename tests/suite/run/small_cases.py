"""Cases that are small enough to go through every stage in a moment."""

from __future__ import annotations

from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case

TINY = Size(N=32, L=16, B=16, H=32, Sc=16, X=2, R=1)


def ten_graphs() -> list[Case]:
    """40 cases of 10 graphs."""
    variants = [
        Variant(expansion, "bypass", skip=skip, blocks=blocks, decoder=decoder)
        for expansion in ("concat", "repeat")
        for decoder in ("grouped", "ungrouped_blockdiag", "reduced_deconv_64", "conv1x1_head", "polyphase")
        for skip in ("on", "off")
        for blocks in (0, 1)
    ]
    return [Case(variant, size=TINY, length=160) for variant in variants]
