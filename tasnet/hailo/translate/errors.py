"""What can't be translated, said so that the reader knows what to change."""

from __future__ import annotations

import onnx_ir as ir


class TranslationError(ValueError):
    """A model or a node that has no HN form. The message is one line: what, where, why, what to do instead."""


class ModelError(TranslationError):
    """The file as a whole can't be read: cut, without shapes, dynamic, of another rank or kind."""


class NodeError(TranslationError):
    """One node has no HN form.

    `node` and `op` name it as the ONNX file does, `why` says what is in the way, `instead` what to write.
    `family` is the failure family of the real compiler's parser for the same thing.
    """

    def __init__(self, node: ir.Node, why: str, instead: str) -> None:
        self.node = node.name or "(unnamed)"
        self.op = node.op_type
        self.why = why
        self.instead = instead
        self.family = "unsupported_op"
        super().__init__(f"node {self.node} ({self.op}): {why}; {instead}")
