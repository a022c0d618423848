"""A network that is read of the ONNX file and judged by the public facts alone: the layers' kinds and sizes, no name.

What it says of a graph is what was published of such graphs:

- a depthwise (1, k > 1) chain on rows of 512,000 elements and more: `Reshape is needed for layers: ...`, joins and all
- no such chain, and a deconvolution of several groups: `Super deconv is not supported with groups`
- no such chain, and a deconvolution that reads a row of 125 units of 16 KiB and more: `Memory units capacity exceeded`
- no such chain, and 1x1 convolutions that read rows of 512,000 and more: `Reshape is needed for layers: ...`
- rows of 384,000 elements and less throughout: it compiles

With `rows` in the script, rows of that many compile, and 512,000 shrink alike.

Nobody who wrote the adapter or the embedded translator wrote this: it names and orders layers by the documentation.
"""

import io
import json
from collections import deque

from .actions import SCRIPT
from .exceptions import (
    BackendAllocatorException,
    BadInputsShape,
    MisspellNodeError,
    ParsingWithRecommendationException,
    UnsupportedOperationError,
)
from .writing import ARCHS, STATE, add_members, hef_of, members_of

COMPILED = SCRIPT.get("rows", 384_000)
FAILED = COMPILED * 4 // 3
UNIT_BYTES = 16 * 1024
UNITS = 128


class Graph:
    def __init__(self):
        self.layers, self.npz = None, b""

    def parse(self, model, net_name, nodes):
        import onnx

        graph = onnx.load(model).graph
        names = {node.name for node in graph.node}
        for name in nodes:
            if name not in names:
                raise MisspellNodeError(f"Unable to find node {name} in the model")
        self.layers = {"name": net_name, "layers": layers_of(graph, net_name)}
        self.npz = arrays_of(graph, self.layers["layers"])
        return self.layers, io.BytesIO(self.npz)

    def calibrate(self, named):
        inputs = [(name, layer) for name, layer in self.layers["layers"].items() if layer["type"] == "input_layer"]
        if set(named) == {""}:
            named = {name: named[""] for name, _ in inputs}
        for name, layer in inputs:
            wanted, given = tuple(layer["output_shapes"][0][1:]), tuple(named[name].shape[1:])
            if given != wanted:
                text = "Data shape {} for layer {} doesn't match network's input shape {}"
                raise BadInputsShape(text.format(given, name, wanted))

    def compile(self, arch, version):
        print("\x1b[32m[info]\x1b[0m Trying to compile the network in a single context", flush=True)
        print("[info] Validating layers feasibility", flush=True)
        message = verdict(self.layers)
        if message:
            print(f"\x1b[31m[error]\x1b[0m {message}", flush=True)
            print("[error] Step 4 Failed", flush=True)
            raise BackendAllocatorException(f"Compilation failed: {message}")
        print("[info] Step 4 Success", flush=True)
        layers = self.layers["layers"].items()
        edges = [(name, each["output_shapes"][0][1:], False) for name, each in layers if each["type"] == "input_layer"]
        edges += [
            (each["input"][0], each["input_shapes"][0][1:], True)
            for _, each in layers
            if each["type"] == "output_layer"
        ]
        return hef_of(self.layers["name"], [(*edge, 1 / 128, 128) for edge in edges], ARCHS[arch], version)

    def hn(self):
        return self.layers

    def save(self, path, told):
        name = self.layers["name"]
        metadata = {"state": told["state"], "hn": f"{name}.hn", "sdk_version": "3.33.0"}
        members = {".hn": self.layers, ".metadata.json": metadata, ".alls": told["script"].encode(), ".npz": self.npz}
        add_members(path, {**{name + suffix: each for suffix, each in members.items()}, STATE: told}, "w")

    def load(self, path):
        members = {name.partition(".")[2]: data for name, data in members_of(path).items() if name != STATE}
        self.layers, self.npz = json.loads(members["hn"]), members["npz"]
        return json.loads(members_of(path)[STATE])


# --- the graph


def layers_of(graph, scope):
    """ONNX -> HN layers: dead nodes are left out, and a Relu or LeakyRelu goes into what is before it."""
    values = [*graph.input, *graph.value_info, *graph.output]
    dims = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    weights = {w.name: list(w.dims) for w in graph.initializer}
    producer = {name: node for node in graph.node for name in node.output}
    alive, todo = set(), [v.name for v in graph.output]
    while todo:
        node = producer.get(todo.pop())
        if node is not None and node.output[0] not in alive:
            alive.add(node.output[0])
            todo.extend(node.input)

    def real(tensor):
        while tensor in producer and producer[tensor].op_type in ACTIVATIONS:
            tensor = producer[tensor].input[0]
        return tensor

    sources, kinds, origins, order = {}, {}, {}, []
    for node in graph.node:
        tensor = node.output[0]
        if tensor not in alive:
            continue
        if node.op_type in ACTIVATIONS:
            origin = real(tensor)
            kinds[origin][1]["activation"] = ACTIVATIONS[node.op_type]
            origins[origin].append(node.name)
            continue
        given = [real(i) for i in node.input if i not in weights]
        kinds[tensor], origins[tensor] = kind_of(node, weights), [node.name]
        if node.op_type == "Tile":
            given = given * (dims[tensor][1] // dims[given[0]][1])
        if kinds[tensor][0] == "concat" and len(given) == 2 and given[0] == given[1]:
            # the second occurrence of one tensor goes through a shortcut, which stands just before the concat
            twin = tensor + "/twin"
            sources[twin], kinds[twin], dims[twin], origins[twin] = given[:1], ("shortcut", None), dims[given[0]], None
            order.append(twin)
            given = [given[0], twin]
        if node.op_type == "ConvTranspose":
            # as many pixels as the input has times the stride, where ONNX adds the kernel's rest
            strides = kinds[tensor][1]["strides"][1:3]
            dims[tensor] = [*dims[tensor][:2], *(n * s for n, s in zip(dims[given[0]][2:], strides, strict=True))]
        sources[tensor] = given
        order.append(tensor)
    for value in graph.output:
        end = value.name + "/end"
        sources[end], kinds[end], dims[end] = [real(value.name)], ("output_layer", None), dims[value.name]
        origins[end] = [value.name]
        order.append(end)
    inputs = [v.name for v in graph.input if v.name not in weights]
    return named(scope, inputs, order, sources, kinds, dims, origins)


def arrays_of(graph, layers):
    """The npz of a parsed model: kernels [kh, kw, cin, cout], of depthwise layers [kh, kw, c, 1], biases [cout]."""
    import numpy as np
    from onnx import numpy_helper

    weights = {w.name: w for w in graph.initializer}
    nodes = {node.name: node for node in graph.node}
    arrays = {}
    for name, layer in layers.items():
        if layer["type"] not in ("conv", "dw", "deconv"):
            continue
        node = nodes[layer["original_names"][0]]
        kernel, *bias = (numpy_helper.to_array(weights[each]) for each in node.input[1:])
        into, out = (0, 1) if layer["type"] == "deconv" else (1, 0)
        kernel = kernel.transpose(2, 3, 0, 1) if layer["type"] == "dw" else kernel.transpose(2, 3, into, out)
        arrays[name + "/kernel:0"] = np.ascontiguousarray(kernel)
        if bias:
            arrays[name + "/bias:0"] = bias[0]
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def named(scope, inputs, order, sources, kinds, dims, origins):
    """The layers by their names, one counter per stem, in Kahn's order with a FIFO queue."""
    consumers = {}
    for tensor in order:
        for each in sources[tensor]:
            consumers.setdefault(each, []).append(tensor)
    names, found, counts = {}, {}, {}
    waiting = {tensor: len(given) for tensor, given in sources.items()}
    queue = deque(inputs)
    while queue:
        tensor = queue.popleft()
        kind, params = kinds.get(tensor, ("input_layer", None))
        counts[kind] = counts.get(kind, 0) + 1
        names[tensor] = f"{scope}/{kind}{counts[kind]}"
        given = sources.get(tensor, [])
        layer = {
            "type": kind,
            "input": [names[each] for each in given],
            "output": [],
            "input_shapes": [nhwc(dims[each]) for each in given or [tensor]],
            "output_shapes": [nhwc(dims[tensor])] * max(1, len(consumers.get(tensor, []))),
        }
        if kind != "shortcut":
            layer["original_names"] = origins.get(tensor, [tensor])
        if params is not None:
            layer["params"] = params
        found[names[tensor]] = layer
        for each in consumers.get(tensor, []):
            waiting[each] -= 1
            if not waiting[each]:
                queue.append(each)
    for tensor, those in consumers.items():
        found[names[tensor]]["output"] = [names[each] for each in those]
    return found


ACTIVATIONS = {"Relu": "relu", "LeakyRelu": "leaky"}
"""LeakyRelu was reported to parse and to compile, in a network of one layer."""

KINDS = {"Concat": "concat", "Tile": "concat", "Mul": "ew_mult", "Add": "ew_add"}
PARAMS = {
    "concat": {"concat_axis": "features"},
    "ew_mult": {"activation": "linear", "is_softmax_mask": False, "ew_mult_type": "on_apu"},
    "ew_add": {"activation": "linear"},
}


def kind_of(node, weights):
    attributes = {a.name: list(a.ints) or a.i for a in node.attribute}
    if node.op_type in KINDS:
        return KINDS[node.op_type], dict(PARAMS[KINDS[node.op_type]])
    if node.op_type not in ("Conv", "ConvTranspose"):
        inner = UnsupportedOperationError(
            f"UnsupportedOperationError in op {node.name}: {node.op_type} operation is unsupported"
        )
        raise ParsingWithRecommendationException(
            f"Parsing failed. The errors found in the graph are:\n {inner}",
        )
    shape, groups = weights[node.input[1]], attributes.get("group", 1)
    params = {
        "strides": [1, *attributes.get("strides", [1, 1]), 1],
        "dilations": [1, *attributes.get("dilations", [1, 1]), 1],
        "padding": "SAME_TENSORFLOW" if any(attributes.get("pads", [])) else "VALID",
        "groups": groups,
        "layer_disparity": 1,
        "input_disparity": 1,
        "batch_norm": False,
        "elementwise_add": False,
        "activation": "linear",
    }
    if node.op_type == "ConvTranspose":
        kernel = [*shape[2:], shape[0], shape[1] * groups]
        return "deconv", {**params, "kernel_shape": kernel, "padding": "DECONV"}
    if groups > 1 and shape[1] == 1 and groups == shape[0]:
        return "dw", {**params, "kernel_shape": [*shape[2:], shape[0], 1], "groups": 1}
    return "conv", {**params, "kernel_shape": [*shape[2:], shape[1] * groups, shape[0]]}


def nhwc(dims):
    return [-1, dims[2], dims[3], dims[1]]


# --- the verdict

JOINS = ("shortcut", "concat", "ew_mult")


def verdict(hn):
    """The compiler's message for this graph; None where it compiles."""
    layers = {name.rpartition("/")[2]: layer for name, layer in hn["layers"].items()}
    row_in = {n: max([s[2] * s[3] for s in layer["input_shapes"]], default=0) for n, layer in layers.items()}
    row_out = {n: layer["output_shapes"][0][2] * layer["output_shapes"][0][3] for n, layer in layers.items()}
    rows = {n: max(row_in[n], row_out[n]) for n in layers}
    if max(rows.values()) <= COMPILED:
        return None
    chain = any(layer["type"] == "dw" and rows[n] >= FAILED for n, layer in layers.items())
    pointwise = [n for n, layer in layers.items() if is_pointwise(layer)]
    if chain:
        # the order of the layers is the compiler's own: convolutions first, then the joins
        wide = [n for n in pointwise if rows[n] >= FAILED]
        wide = wide[3:-1] or wide
        joins = [n for n, layer in layers.items() if layer["type"] in JOINS and rows[n] >= FAILED]
        return "Reshape is needed for layers: {}, but adding a reshape has failed.".format(", ".join(wide + joins))
    for layer in layers.values():
        if layer["type"] == "deconv" and layer["params"]["groups"] > 1:
            return "Super deconv is not supported with groups"
    for name, layer in layers.items():
        units = -(-row_in[name] // UNIT_BYTES)
        if layer["type"] == "deconv" and units >= 125:
            return f"Memory units capacity exceeded (available: {UNITS}, required: {units + 13})"
    wide = [n for n in pointwise if row_in[n] >= FAILED]
    if wide:
        return "Reshape is needed for layers: {}, but adding a reshape has failed.".format(", ".join(wide))
    return f"No successful assignments: {max(rows, key=lambda n: rows[n])} errors:\n\tAgent infeasible"


def is_pointwise(layer):
    return layer["type"] == "conv" and layer["params"]["kernel_shape"][:2] == [1, 1]
