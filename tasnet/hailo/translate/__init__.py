"""The open translator: an ONNX file -> the `Network` that the vendor's parser would make of it.

`prepare` brings the file into one form, one small rule per pattern (`rules/`) drafts the layers, `numbering` names
them. In: the path of an ONNX file or a ModelProto, float32, rank 2 to 4, batch 1. Out: a `Network` with shapes
`(-1, H, W, C)` and its weights, or a TranslationError. A node that no rule takes is a NodeError, which names the node
and what to write instead: it says nothing of the vendor's parser, which takes more ops than there are rules here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
