"""A case's function: whether it is the trained network's own. By its axes alone, so that no torch is needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from tasnet.network import (
    AXES,
    PUBLISHED,
    UNKNOWN_FUNCTION,
    FunctionKept,
    Size,
    TrainedForm,
    Variant,
    function_kept,
    parse_blocks,
)
from tasnet.suite.cases.case import SIZE_LETTERS, AnyCase, SegmentCase


def case_function(case: AnyCase, trained: TrainedForm = PUBLISHED) -> FunctionKept:
    """Whether a case keeps the function of a network trained so; of a segment, whether its plan's network does."""
    whole = case.whole if isinstance(case, SegmentCase) else case
    return function_kept(whole.variant, whole.size, trained)


def axes_function(axes: Mapping[str, str | int], trained: TrainedForm = PUBLISHED) -> FunctionKept:
    """The same by `Case.axes`; unknown where an axis is missing, or has a value that this version doesn't know."""
    return _axes_function(tuple(axes.items()), trained)


@lru_cache(maxsize=4096)
def _axes_function(pairs: tuple[tuple[str, str | int], ...], trained: TrainedForm) -> FunctionKept:
    # A report asks of each of its cases several times.
    axes = dict(pairs)
    try:
        values = {axis: str(axes[axis]) for axis in AXES if axis != "blocks"}
        variant = Variant(**values, blocks=parse_blocks(str(axes["blocks"])))
        size = Size(**{letter: int(axes[letter]) for letter in SIZE_LETTERS})
    except (KeyError, ValueError):
        return UNKNOWN_FUNCTION
    return function_kept(variant, size, trained)
