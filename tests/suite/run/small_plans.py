"""Networks that are small enough to plan in a moment: one that has a plan, and one that none fits."""

from __future__ import annotations

from dataclasses import replace

from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.profiles import PlannedNetwork

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=2, R=2)
TRAINED = Variant("split", decoder="polyphase", norm="gln", activation="prelu")
SMALL = PlannedNetwork("small", Case(TRAINED, SIZE, 2000), 8000)
NONE_FITS = PlannedNetwork("too short", Case(replace(TRAINED, norm="cln"), replace(SIZE, X=8, R=1), 600), 8000)
"""shorter than its last block reaches, at every phase"""
