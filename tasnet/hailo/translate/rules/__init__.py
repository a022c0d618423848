"""The rules: one small function per ONNX pattern, registered under the op at which the pattern ends.

A rule reads a node and drafts layers for it, or raises NodeError with the reason it declines. Where a rule's
result was seen in a file of the vendor's, its docstring says `observed`; else `not observed`, and the simplest
form that reads back is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import onnx_ir as ir

from tasnet.hailo.translate.draft import Drafting

Rule = Callable[[Drafting, ir.Node], None]


def registry() -> Mapping[str, Rule]:
    """Op type -> its rule, gathered from the modules of this package."""
    from tasnet.hailo.translate.rules import (
        activation,
        arithmetic,
        convolution,
        dense,
        joins,
        layout,
        maxmin,
        norms,
        pooling,
        resize,
        split,
    )

    rules: dict[str, Rule] = {}
    modules = (activation, arithmetic, convolution, dense, joins, layout, maxmin, norms, pooling, resize, split)
    for module in modules:
        for op, rule in module.RULES.items():
            assert op not in rules, f"two rules for {op}"
            rules[op] = rule
    return rules
