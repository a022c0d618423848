"""An ONNX file as onnx-ir's model, every weight in it; whatever else the file holds, an error of ours.

The order is what keeps a hostile file cheap: its size, what it would take in memory, external data, what its parts say
of one another, and only then a library's own classes.
"""

from __future__ import annotations

import logging
from pathlib import Path

import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError

from tasnet.common import cause_line, read_bytes
from tasnet.hailo.files import WireError
from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.external_data import load_external_data
from tasnet.hailo.translate.onnx_checks import check_model
from tasnet.hailo.translate.proto_size import too_large_when_parsed

MAX_BYTES = 512 << 20
"""of an ONNX file, and of the weights that it keeps in other files"""

# They log each fault of a graph at length; without a handler Python prints that beside the error.
for _library in ("onnx_ir", "onnxscript"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


def load(path: Path) -> ir.Model:
    """The model in an ONNX file, external data read and closed. Raises ModelError."""
    data = read_bytes(path, most=MAX_BYTES, what="an ONNX file", error=ModelError)
    try:
        much = too_large_when_parsed(data)
        proto = onnx.ModelProto.FromString(data) if much is None else onnx.ModelProto()
    except (DecodeError, WireError) as error:
        raise ModelError(f"{path}: not an ONNX file, or cut short ({cause_line(error)}); export it again") from None
    if much is not None:
        raise ModelError(f"{path}: {much}; a network for this chip has fewer")
    if not proto.HasField("graph") or not proto.graph.node:
        raise ModelError(f"{path}: holds no ONNX graph; export it again")
    del data
    return from_proto(proto, path.parent, str(path))


def from_proto(proto: onnx.ModelProto, folder: Path | None = None, where: str = "the model") -> ir.Model:
    """The model in a ModelProto, which gets the external data that `folder` has. Raises ModelError."""
    load_external_data(proto, folder, where, MAX_BYTES)
    check_model(proto, where)
    try:
        return ir.from_proto(proto)
    except Exception as error:  # a broken proto fails in as many ways as it has fields
        raise ModelError(f"{where}: not a readable ONNX model ({cause_line(error)}); export it again") from None
