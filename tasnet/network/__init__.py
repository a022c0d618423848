"""The network: Conv-TasNet in PyTorch, in every form the suite compares. Knows nothing of Hailo.

In go a `Variant` (one choice per axis), a `Size` and `Weights` (Asteroid's names -> float32 tensors, drawn from a seed
or read from a checkpoint); out come the module, its ONNX graph, and what the host does around it: waves [B, T] -> the
network's input, NCHW; its outputs -> waves [B, sources, T'].

- `variant`, `weights`: the form, the sizes and the numbers
- `convtasnet`, `layers`, `norms`, `rewrites`: the network and its exact rewrites
- `static_graph`, `graph_parts`, `export`: from a module to a static ONNX graph
- `checkpoint`, `checkpoint_formats`, `checkpoint_arguments`: weights of Asteroid and torchaudio, and what a file
  says of its network
- `torch_file`, `pickled`, `state_dict_search`, `tensor_storage`: files of torch, read as data
- `shipped`: the trained networks that come with the package, `tasnet:small`
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
