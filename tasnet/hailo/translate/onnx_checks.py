"""Checks that an ONNX file is consistent in itself, before a library reads it.

Libraries read a graph that isn't as it should be in ways of their own: they print, take the last of two weights, make
zeros of missing data, or copy for an hour. ONNX's rules that a reader rests on are checked here, and its work bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import prod
from typing import Any

import onnx
import onnx_ir as ir

from tasnet.common import printable
from tasnet.hailo.files import MAX_AXIS_SIZE
from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.scopes import Holder, OnnxScope, scopes, tensors

MAX_NODES = 20_000
"""nodes of a file, and of its graph once functions are inlined"""

_MAX_COPIES = 2_000
"""of one name in the inlined graph: telling them apart takes time with the square of them"""
_MAX_DEPTH = 100
"""of functions that call functions"""
_STANDARD = frozenset({"", "ai.onnx"})
_COUNTS = frozenset({"kernel_shape", "strides", "dilations", "group"})
"""attributes of the standard's ops that count from 1"""

Key = tuple[str, str, str]
"""of a function: domain, name, overload"""


def check_model(model: onnx.ModelProto, where: str) -> None:
    """Raises ModelError for the first thing that isn't as ONNX says, or that would take unbounded work."""
    try:
        _check(model)
    except _Fault as fault:
        raise ModelError(f"{where}: {fault}") from None


class _Fault(Exception):
    """What is wrong; the file is named by `check_model`."""


def _check(model: onnx.ModelProto) -> None:
    nodes = 0
    _check_text(opset.domain for opset in model.opset_import)
    for scope in scopes(model):
        nodes += len(scope.holder.node)
        if nodes > MAX_NODES:
            raise _Fault(f"more than {MAX_NODES:,} nodes; a network for this chip has fewer")
        _check_text(_words(scope.holder))
        for tensor, subject in tensors(scope.holder):
            if (fault := _tensor_fault(tensor)) is not None:
                raise _Fault(f"{printable(subject)}{fault}; export again")
        _check_names(scope)
        _check_attributes(scope.holder, model)
        _check_kernels(scope.holder)
    _check_calls(model)


def _tensor_fault(tensor: onnx.TensorProto) -> str | None:
    # Each typed list is asked for its length: the raw bytes are copied when they are, so once.
    try:
        kind = ir.DataType(tensor.data_type)
        listed_in = onnx.helper.tensor_dtype_to_field(tensor.data_type)
    except (KeyError, ValueError):
        return f" has the unknown type {tensor.data_type}"
    if any(size < 0 for size in tensor.dims) or len(tensor.dims) > 32 or tensor.HasField("segment"):
        return " has no readable shape"
    elements = prod(tensor.dims)
    lists = {name: len(getattr(tensor, name)) for name in _LISTS}
    held = sum(count for name, count in lists.items() if name != listed_in)
    if held or (tensor.HasField("raw_data") and lists[listed_in]):
        return f" holds its data twice, or as another type than {kind}"
    if tensor.HasField("raw_data"):
        bits = 0 if kind == ir.DataType.STRING else kind.bitwidth
        need, found, unit = -(-elements * bits // 8), len(tensor.raw_data), "bytes"
        if not bits:
            return ": text can't be raw data"
    else:
        per = {"complex64": 2, "complex128": 2}.get(str(kind.name).lower(), 1)
        need, found, unit = elements * per, lists[listed_in], "numbers"
        if kind.name in {"INT4", "UINT4", "FLOAT4E2M1"}:
            need = -(-elements // 2)
        elif kind.name in {"INT2", "UINT2"}:
            need = -(-elements // 4)
    if need != found:
        shape = printable(str(list(tensor.dims)), 60)
        return f" {shape} needs {printable(str(need), 30)} {unit} and has {found}"
    return None


def _check_text(words: Iterable[str]) -> None:
    """Protobuf gives bytes for a name that isn't UTF-8, whatever its types say."""
    listed = list(words)
    try:
        # Joining asks the same of each, and takes a tenth of the time.
        "".join(listed)
    except TypeError:
        word = next(each for each in listed if not isinstance(each, str))
        raise _Fault(f"a name that isn't UTF-8 text: {printable(repr(word))}; export again") from None


def _words(holder: Holder) -> list[str]:
    words = [holder.name]
    for node in holder.node:
        words += (node.name, node.op_type, node.domain, node.overload, *node.input, *node.output)
        for attribute in node.attribute:
            words += (attribute.name, attribute.ref_attr_name)
    values = list(holder.value_info)
    if isinstance(holder, onnx.GraphProto):
        words += [tensor.name for tensor in holder.initializer]
        values += (*holder.input, *holder.output)
    else:
        words += (holder.domain, holder.overload, *holder.input, *holder.output, *holder.attribute)
    for value in values:
        words += (value.name, *_sizes(value))
    return words


def _sizes(value: onnx.ValueInfoProto) -> Iterator[str]:
    """The names of a value's open sizes."""
    if value.type.HasField("tensor_type"):
        for size in value.type.tensor_type.shape.dim:
            if size.HasField("dim_param"):
                yield size.dim_param


_LISTS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


def _check_names(scope: OnnxScope) -> None:
    """Each value is made once, and each value that is read is made."""
    holder = scope.holder
    outputs = [name for node in holder.node for name in node.output if name]
    _once(outputs, "value", "is made twice")
    if isinstance(holder, onnx.GraphProto):
        weights = [*(t.name for t in holder.initializer), *(s.values.name for s in holder.sparse_initializer)]
        _once(weights, "weight", "appears twice")
        _once([value.name for value in holder.input], "input", "appears twice")
        if len(holder.sparse_initializer):
            raise _Fault(f"weight {printable(holder.sparse_initializer[0].values.name)} is sparse; export it dense")
        if "" in weights:
            raise _Fault("a weight has no name; export again")
        for name in set(outputs).intersection(weights):
            raise _Fault(f"value {printable(name)} is a weight and made by a node too; export again")
    for node in holder.node:
        for name in node.input:
            if name and not _known(name, scope):
                raise _Fault(f"node {_node(node)} reads {printable(name)}, which nothing makes; export again")
    for name in _results(holder):
        if name and not _known(name, scope):
            raise _Fault(f"output {printable(name)} is made by no node; export again")


def _known(name: str, scope: OnnxScope) -> bool:
    return name in scope.made or any(name in each.made for each in scope.outer)


def _results(holder: Holder) -> list[str]:
    return [value.name for value in holder.output] if isinstance(holder, onnx.GraphProto) else list(holder.output)


def _once(names: Iterable[str], what: str, how: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _Fault(f"{what} {printable(name)} {how}; export again")
        seen.add(name)


def _check_attributes(holder: Holder, model: onnx.ModelProto) -> None:
    """Each is of the type that ONNX's own schema of the op says, and stands there once."""
    imports = holder.opset_import if isinstance(holder, onnx.FunctionProto) else model.opset_import
    opset = next((each.version for each in imports if each.domain in _STANDARD), 0)
    for node in holder.node:
        names = [attribute.name for attribute in node.attribute]
        if len(set(names)) < len(names):
            _once(names, f"attribute of {_node(node)}", "appears twice")
        kinds = _schema(node.op_type, opset) if node.domain in _STANDARD else {}
        for attribute in node.attribute:
            if (fault := _attribute_fault(attribute, kinds.get(attribute.name))) is not None:
                raise _Fault(f"node {_node(node)}: its {printable(attribute.name)} {fault}")


def _attribute_fault(attribute: onnx.AttributeProto, kind: int | None) -> str | None:
    """`kind` is the type that ONNX gives it; None for an attribute that it doesn't know."""
    if attribute.type not in _KINDS:
        return "has no type; export again"
    if kind is not None and kind != attribute.type:
        return f"is of type {_KINDS[attribute.type]}, and {_KINDS.get(kind, 'another')} in ONNX; export again"
    if attribute.type in _SPARSE:
        return "is sparse; export it dense"
    if kind is not None and attribute.name in _COUNTS and not attribute.ref_attr_name:
        for size in [*attribute.ints, *([attribute.i] if attribute.name == "group" else [])]:
            if not 1 <= size <= MAX_AXIS_SIZE:
                return f"is {size}; a size from 1 to {MAX_AXIS_SIZE:,} is needed"
    return None


_KINDS: Mapping[int, str] = {value: name for name, value in onnx.AttributeProto.AttributeType.items() if value}
_SPARSE = (onnx.AttributeProto.SPARSE_TENSOR, onnx.AttributeProto.SPARSE_TENSORS)


def _check_kernels(holder: Holder) -> None:
    """A convolution's own words on its kernel, where that is a weight of the same scope."""
    if not isinstance(holder, onnx.GraphProto):
        return
    dims = {tensor.name: list(tensor.dims) for tensor in holder.initializer}
    for node in holder.node:
        kernel = dims.get(node.input[1]) if len(node.input) > 1 and node.domain in _STANDARD else None
        if kernel is None or node.op_type not in {"Conv", "ConvTranspose"}:
            continue
        for attribute in node.attribute:
            claimed = list(attribute.ints) if attribute.name == "kernel_shape" else kernel[2:]
            group = attribute.i if attribute.name == "group" else 1
            if claimed != kernel[2:] or not kernel or kernel[0] % group:
                subject = f"its {attribute.name} doesn't fit its kernel {kernel[:6]}"
                raise _Fault(f"node {_node(node)}: {subject}; export again")


@lru_cache(maxsize=1024)
def _schema(op: str, opset: int) -> Mapping[str, int]:
    """Attribute -> its type, of an op of the standard; empty for one that it doesn't have."""
    try:
        schema: Any = onnx.defs.get_schema(op, opset, "")
    except Exception:  # the binding's own error, which has moved between versions
        return {}
    return {name: int(each.type) for name, each in schema.attributes.items()}


def _check_calls(model: onnx.ModelProto) -> None:
    """Bounds the graph with its functions inlined: of 30 functions, each calling the next twice, come 10^9 nodes."""
    functions = {_key(each.domain, each.name, each.overload): each for each in model.functions}
    if len(functions) != len(model.functions):
        _once([f"{each.domain}::{each.name}" for each in model.functions], "function", "appears twice")
    if not functions:
        return
    calls = {key: Counter(_called(function, functions)) for key, function in functions.items()}
    copies = Counter(_called(model.graph, functions))
    nodes = len(model.graph.node)
    names: Counter[str] = Counter()
    # How often each is inlined: in an order in which a function comes after all that call it.
    for depth, level in enumerate(_levels(calls, set(copies))):
        if depth >= _MAX_DEPTH:
            raise _Fault(f"functions call functions more than {_MAX_DEPTH} deep; export without functions")
        for key in level:
            times = copies[key]
            nodes += times * len(functions[key].node)
            for node in functions[key].node:
                names.update({node.name or "node": times, **{f"={each}": times for each in node.output}})
            for called, often in calls[key].items():
                copies[called] += times * often
        if nodes > MAX_NODES or max(names.values(), default=0) > _MAX_COPIES:
            raise _Fault(f"its functions would be {nodes:,} nodes, inlined; export without functions")


def _levels(calls: Mapping[Key, Counter[Key]], start: set[Key]) -> Iterable[list[Key]]:
    """The functions in reach of `start`, those first that no other calls. Raises _Fault for a circle."""
    reached: set[Key] = set()
    todo = list(start)
    while todo:
        key = todo.pop()
        if key not in reached:
            reached.add(key)
            todo += calls[key]
    waiting = Counter(called for key in reached for called in calls[key])
    level = [key for key in reached if not waiting[key]]
    done = 0
    while level:
        yield level
        done += len(level)
        following = []
        for key in level:
            for called in calls[key]:
                waiting[called] -= 1
                if not waiting[called]:
                    following.append(called)
        level = following
    if done < len(reached):
        raise _Fault("functions call one another in a circle; export without functions")


def _called(holder: Holder, functions: Mapping[Key, onnx.FunctionProto]) -> list[Key]:
    """The functions that a scope calls, its inner graphs included, each as often as it does."""
    found = []
    todo: list[Any] = [holder]
    while todo:
        each = todo.pop()
        for node in each.node:
            key = _key(node.domain, node.op_type, node.overload)
            if key in functions:
                found.append(key)
            for attribute in node.attribute:
                todo += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
    return found


def _key(domain: str, name: str, overload: str) -> Key:
    return ("" if domain in _STANDARD else domain, name, overload)


def _node(node: onnx.NodeProto) -> str:
    return f"{printable(node.name or '(unnamed)')} ({printable(node.op_type, 60)})"
