"""The errors of a translation: which node or file, why, and what to change."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from tasnet.common import MAX_LINE_CHARS, TasnetError, printable


class TranslationError(TasnetError, ValueError):
    """A model or a node that has no HN form. The message is one line: what, where, why, what to do instead."""

    def __init__(self, message: str) -> None:
        # Made of the file's own names: one line of bounded length, whatever they are.
        super().__init__(printable(message, MAX_LINE_CHARS))


class ModelError(TranslationError):
    """The file as a whole can't be read: cut, without shapes, dynamic, of another rank or kind."""


class NodeError(TranslationError):
    """No rule makes a layer of one node. The compiler's own parser still may: it was not asked.

    `node` and `op` name the node as the ONNX file does, `why` is the reason, `instead` what to write. `others` are
    further nodes of the same graph that no rule takes, where they are known.
    """

    graph_at_fault = True

    def __init__(self, node: ir.Node, why: str, instead: str, others: Sequence[NodeError] = ()) -> None:
        self.node = node.name or "(unnamed)"
        self.op = node.op_type
        self.why = why
        self.instead = instead
        self.others = tuple(others)
        super().__init__(f"node {self.node} ({self.op}): {why}; {instead}")
