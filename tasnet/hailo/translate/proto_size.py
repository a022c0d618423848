"""Estimates, before an ONNX file is parsed, what it would take in memory.

Two bytes of a file can be a node, which takes a hundred times that in memory. So the fields are counted as they stand
in the file, by ONNX's own schema; the raw data of weights takes what it takes.
"""

from __future__ import annotations

import onnx
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tasnet.hailo.files import LENGTH_DELIMITED, read_message

MAX_MESSAGES = 400_000
"""nodes, attributes, tensors, shapes and the like of one file"""
COUNTED_FROM = 4 << 20
"""bytes beside the weights; fewer take little enough in memory, whatever they are"""

_GROWING = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}
"""numbers that take a byte in the file and up to eight in memory"""
_MAX_GROWING = 8 << 20
"""bytes of such numbers in one file"""
_GRAPH = onnx.ModelProto.GRAPH_FIELD_NUMBER
_INITIALIZER = onnx.GraphProto.INITIALIZER_FIELD_NUMBER
_RAW_DATA = onnx.TensorProto.RAW_DATA_FIELD_NUMBER


def too_large_when_parsed(data: bytes) -> str | None:
    """What there is too much of in the bytes of a ModelProto; None where all is well. Raises WireError."""
    if len(data) < COUNTED_FROM or len(data) - _raw_data_bytes(data) < COUNTED_FROM:
        return None
    messages = growing = 0
    todo: list[tuple[int, int, Descriptor]] = [(0, len(data), onnx.ModelProto.DESCRIPTOR)]
    while todo:
        start, stop, kind = todo.pop()
        known = kind.fields_by_number
        found = read_message(data, start, stop, *known)
        messages += found.stepped_over
        for number, fields in found.fields.items():
            inner = known[number].message_type
            if inner is not None:
                messages += len(fields)
                todo += [(field.start, field.stop, inner) for field in fields if field.wire == LENGTH_DELIMITED]
            elif known[number].cpp_type in _GROWING:
                growing += sum(field.stop - field.start for field in fields if field.wire == LENGTH_DELIMITED)
                if growing > _MAX_GROWING:
                    return f"more than {_MAX_GROWING:,} bytes of numbers outside raw data"
        if messages > MAX_MESSAGES:
            return f"more than {MAX_MESSAGES:,} nodes, attributes and values"
    return None


def _raw_data_bytes(data: bytes) -> int:
    """Bytes of raw data of the graph's own initializers, where nearly all of a file is."""
    counted = 0
    for graph in read_message(data, 0, len(data), _GRAPH).messages(_GRAPH, _INITIALIZER):
        for tensor in graph.messages(_INITIALIZER, _RAW_DATA):
            counted += sum(field.stop - field.start for field in tensor.fields.get(_RAW_DATA, ()))
    return counted
