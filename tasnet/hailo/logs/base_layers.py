"""The graph's layers behind the names in the compiler's messages."""

from __future__ import annotations

import re

_SUFFIX = re.compile(r"(?<=.)_(?:sd\d+|d\d+|dc\d*|ws\d*|fs\d*)$")


_RESHAPE = "auto_spatial_reshape_from_"


_REAL = re.compile(r"[a-z]+(?:_[a-z]+)*\d+(?=_|\W|$)")


_LONGEST_NAME = 256


def base_layers(name: str) -> tuple[str, ...]:
    """The graph's layers behind a name in a message, without scope and the compiler's own suffixes and prefixes.

    `net/conv3_sd0` is conv3, `ne_activation_avgpool6` avgpool6, `auto_spatial_reshape_from_dw66_to_conv69_1`
    dw66 and conv69. Any other name is its own base; an empty one has none.
    """
    found: dict[str, None] = {}
    todo = [name]
    while todo:
        current = todo.pop()
        parts = _step(current)
        if parts == (current,):
            found[current] = None
        else:
            todo.extend(reversed(parts))
    return tuple(found)


def _step(name: str) -> tuple[str, ...]:
    """One thing taken off a name, or the name itself. Every part is shorter: the loop above ends."""
    bare = name.rpartition("/")[2]
    if not bare:
        return ()
    # No layer has so long a name; taking it apart would only cost time.
    if bare != name or len(bare) > _LONGEST_NAME:
        return (bare,)
    short = _SUFFIX.sub("", bare)
    if short != bare:
        return (short,)
    if bare.startswith("ne_activation_") and bare != "ne_activation_":
        return (bare.removeprefix("ne_activation_"),)
    source, middle, target = bare.removeprefix(_RESHAPE).partition("_to_")
    if bare.startswith(_RESHAPE) and source and middle and target:
        # The target is followed by the compiler's own running text.
        known = _REAL.match(target)
        return (source, known.group() if known else target)
    return (bare,)
