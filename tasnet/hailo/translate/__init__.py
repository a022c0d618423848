"""The open translator: an ONNX file -> the HN graph and weights that the vendor's parser would write.

`prepare` brings the file into one form, one small rule per pattern (`rules/`) drafts the layers, `naming`
numbers them. What no rule takes is a NodeError that names the node and what to write instead: it says nothing of
the vendor's parser, which takes more ops than there are rules here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
