"""The chip's files: HN graphs, HAR archives and compiled HEFs.

In: the path of a file that may be damaged or hostile. Out: a `Network` (layers with NHWC shapes `(-1, H, W, C)`,
float32 weights) of an `.hn` or a HAR, or a `Hef` (architecture, network groups, inputs and outputs with shapes
`(H, W, C)`) of a compiled file; else HNError, HarError or HefError. `har.write` writes a Network as the Dataflow
Compiler leaves a parsed model. What is read is checked and bounded first: sizes, checksums, links, shapes, weights.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
