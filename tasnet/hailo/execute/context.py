"""What a layer's kernel reads besides its operands: the checked weights, and which samples of a `deconv` are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tasnet.common import TasnetError
from tasnet.hailo.files import Layer, Network

DeconvLength = Literal["vendor", "vendor_centred", "onnx"]
"""How long a deconvolution's result is, and which samples of the full one it keeps.

- `onnx`: (W_in - 1) * stride + kernel, all of it: what PyTorch and ONNX compute (1999 frames -> 16000).
- `vendor`: W_in * stride, as the HN says (15992), the *first* ones: the kernel - stride at the end are dropped.
- `vendor_centred`: as long, but (kernel - stride) / 2 are dropped in front, as TensorFlow's `SAME` does.

The vendor's length is observed, in an HN of the Dataflow Compiler's; which samples it keeps is not: `vendor` is a
hypothesis. A deconvolution of one non-zero frame run through SDK_NATIVE shows the kernel's first tap at sample
0, or refutes it.
"""

Kernel = Callable[[Layer, Sequence[Tensor], "RunContext"], Tensor]
"""A layer's operands, NHWC -> its result before its activation, NHWC: new memory, or a view of an operand."""


class ExecuteError(TasnetError, ValueError):
    """A network or an input that can't be run. One line: which layer or input, what is wrong, what to do."""


def layer_error(layer: Layer, text: str) -> ExecuteError:
    """The error that names the layer and its type, then says `text`."""
    return ExecuteError(f"layer {layer.name} ({layer.type}): {text}")


@dataclass(frozen=True)
class RunContext:
    """A network's weights as float32 tensors, and which samples of a deconvolution are kept."""

    network: Network
    deconv: DeconvLength = "vendor"

    def array(self, layer: Layer, what: str, *shape: int) -> Tensor:
        """The layer's weight `what`, which must be of `shape`. Raises ExecuteError if it is missing or isn't."""
        array = self.network.weight(layer.name, what)
        if array is None:
            raise layer_error(layer, f"no {what} among the weights; translate the model again")
        if tuple(array.shape) != shape:
            raise layer_error(
                layer, f"{what} is {list(array.shape)}, its graph needs {list(shape)}; translate the model again"
            )
        return self.tensor(array)

    def number(self, layer: Layer, what: str, default: float) -> float:
        """The layer's weight `what`, a single number; `default` where it has none."""
        array = self.network.weight(layer.name, what)
        return default if array is None or not array.size else float(array.ravel()[0])

    def tensor(self, array: np.ndarray[Any, Any]) -> Tensor:
        """An array as a float32 tensor; shares its memory where it can."""
        contiguous = np.ascontiguousarray(array)
        if not contiguous.flags.writeable:
            # torch has no read-only tensors and warns; no kernel writes to a weight
            contiguous = contiguous.copy()
        return torch.from_numpy(contiguous).to(torch.float32)


def param(layer: Layer, name: str, length: int | None = None) -> Any:
    """A parameter of the layer. Raises ExecuteError if it is missing, or is no list of `length` numbers."""
    value = layer.params.get(name)
    if value is None:
        raise layer_error(layer, f"no parameter {name}; translate the model again")
    if length is not None and not (isinstance(value, list | tuple) and len(value) == length):
        raise layer_error(layer, f"{name} {value}: {length} numbers are needed")
    return value


def refuse(layer: Layer, params: Mapping[str, Any]) -> None:
    """Raises ExecuteError where one of these parameters has another value than the only one that is known here."""
    for name, known in params.items():
        value = layer.params.get(name, known)
        if value != known:
            raise layer_error(layer, f"{name}={value} can't be run; {known} can")
