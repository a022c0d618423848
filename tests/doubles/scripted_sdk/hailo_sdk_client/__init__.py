"""NOT the Hailo SDK: a scripted stand-in, made from the public facts alone, for the test of a whole profile.

It has the calls of `ClientRunner` as they are documented for 3.33, and looks at the graph that it is given: at the
layers' kinds and sizes, never at a name of a case. What it says of a graph is what was published of such graphs:

- a depthwise (1, k > 1) chain on rows of 512,000 elements and more: `Reshape is needed for layers: ...`, joins and all
- no such chain, and a deconvolution of several groups: `Super deconv is not supported with groups`
- no such chain, and a deconvolution that reads a row of 125 units of 16 KiB and more: `Memory units capacity exceeded`
- no such chain, and 1x1 convolutions that read rows of 512,000 and more: `Reshape is needed for layers: ...`
- rows of 384,000 elements and less throughout: it compiles

SCRIPTED_SDK_CALLS names a file that gets a line per call: the call, then the hash of the graph.
"""

import enum
import hashlib
import io
import json
import os
import struct
import tarfile
from collections import deque

import numpy as np
import xxhash

__version__ = "3.33.0"
IS_A_TEST_DOUBLE = True

COMPILED = 384_000
FAILED = 512_000
UNIT_BYTES = 16 * 1024
UNITS = 128


class BackendAllocatorException(Exception):
    pass


class AllocatorScriptParserException(Exception):
    pass


class BadInputsShape(Exception):
    pass


class MisspellNodeError(Exception):
    pass


class ParsingWithRecommendationException(Exception):
    pass


class UnsupportedOperationError(Exception):
    pass


class InferenceContext(enum.Enum):
    SDK_NATIVE = "sdk_native"
    SDK_FP_OPTIMIZED = "sdk_fp_optimized"
    SDK_QUANTIZED = "sdk_quantized"
    SDK_BIT_EXACT = "sdk_bit_exact"
    SDK_HAILO_HW = "sdk_hailo_hw"


class ClientRunner:
    def __init__(self, hw_arch="hailo8", har=None):
        if hw_arch not in ("hailo8", "hailo8l", "hailo8r"):
            raise OSError(f"wrong architecture: {hw_arch}")
        self.hw_arch = hw_arch
        self.state, self.hn, self.script, self.npz = "uninitialized", None, "", b""
        if har is not None:
            self.load_har(har)

    # --- parse

    def translate_onnx_model(
        self,
        model,
        net_name="model",
        start_node_names=None,
        end_node_names=None,
        net_input_shapes=None,
        net_input_format=None,
    ):
        print("[info] Starting Translation...", flush=True)
        import onnx

        graph = onnx.load(model).graph
        names = {node.name for node in graph.node}
        for name in [*(start_node_names or ()), *(end_node_names or ())]:
            if name not in names:
                raise MisspellNodeError(f"Unable to find node {name} in the model")
        self.hn = {"name": net_name, "layers": layers_of(graph, net_name)}
        self.npz = arrays_of(graph, self.hn["layers"])
        self.state = "hailo_model"
        called("translate", self.hn)
        print("[info] Step 3 Success", flush=True)
        return self.hn, io.BytesIO(self.npz)

    # --- optimize

    def load_model_script(self, script, append=False):
        text = script
        if os.path.splitext(script)[1] == ".alls" and os.path.exists(script):
            with open(script, encoding="utf-8") as file:
                text = file.read()
        for line in filter(None, (line.strip() for line in text.splitlines())):
            if "(" not in line or not line.endswith(")"):
                raise AllocatorScriptParserException(f"Can't parse line: {line}")
        self.script = self.script + "\n" + text if append else text
        return text

    def optimize(self, calib_data):
        print("[info] Starting Optimization", flush=True)
        called("optimize", self.hn)
        inputs = [(name, layer) for name, layer in self.hn["layers"].items() if layer["type"] == "input_layer"]
        if isinstance(calib_data, np.ndarray):
            calib_data = {name: calib_data for name, _ in inputs}
        if not isinstance(calib_data, dict):
            raise ValueError("Couldn't detect CalibrationDataType")
        for name, layer in inputs:
            wanted, given = tuple(layer["output_shapes"][0][1:]), calib_data[name].shape[1:]
            if tuple(given) != wanted:
                text = "Data shape {} for layer {} doesn't match network's input shape {}"
                raise BadInputsShape(text.format(tuple(given), name, wanted))
        self.state = "quantized_model"

    def optimize_full_precision(self, calib_data=None):
        self.state = "fp_optimized_model"

    # --- compile

    def compile(self):
        print("[info] Starting Compilation...", flush=True)
        called("compile", self.hn)
        if self.state != "quantized_model":
            raise BackendAllocatorException(
                "Layer conv1 requires weights in order to run on HW, but none were given. Did you forget to quantize?"
            )
        print("\x1b[32m[info]\x1b[0m Trying to compile the network in a single context", flush=True)
        print("[info] Validating layers feasibility", flush=True)
        message = verdict(self.hn)
        if message:
            print(f"\x1b[31m[error]\x1b[0m {message}", flush=True)
            print("[error] Step 4 Failed", flush=True)
            raise BackendAllocatorException(f"Compilation failed: {message}")
        print("[info] Step 4 Success", flush=True)
        return hef_of(self.hn, self.hw_arch)

    # --- what there is

    def get_hn_dict(self):
        return self.hn

    def get_params(self):
        return {}

    def save_har(self, har_path):
        metadata = {"state": self.state, "hn": self.hn["name"] + ".hn", "sdk_version": __version__}
        members = {".hn": self.hn, ".metadata.json": metadata, ".alls": self.script, ".npz": self.npz}
        with tarfile.open(har_path, "w") as tar:
            for suffix, content in members.items():
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                info = tarfile.TarInfo(self.hn["name"] + suffix)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def load_har(self, har_path):
        with tarfile.open(har_path) as tar:
            members = {m.name.partition(".")[2]: tar.extractfile(m).read() for m in tar.getmembers()}
        self.hn, self.script, self.npz = json.loads(members["hn"]), json.loads(members["alls"]), members["npz"]
        self.state = json.loads(members["metadata.json"])["state"]


# --- the graph


def layers_of(graph, scope):
    """ONNX -> HN layers: dead nodes are left out, and a Relu goes into what is before it."""
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
        while tensor in producer and producer[tensor].op_type == "Relu":
            tensor = producer[tensor].input[0]
        return tensor

    sources, kinds, origins, order = {}, {}, {}, []
    for node in graph.node:
        tensor = node.output[0]
        if tensor not in alive:
            continue
        if node.op_type == "Relu":
            origin = real(tensor)
            kinds[origin][1]["activation"] = "relu"
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


def hef_of(hn, arch):
    """A HEF of version 2 with the graph's inputs and outputs, and no program in it: nothing was compiled."""
    edges = []
    for name, layer in hn["layers"].items():
        if layer["type"] == "input_layer":
            edges.append((name, layer["output_shapes"][0], 0))
        if layer["type"] == "output_layer":
            edges.append((layer["input"][0], layer["input_shapes"][0], 1))
    inner = b""
    for name, shape, direction in edges:
        sizes = [size for each in shape[1:] for size in (each, each)]
        base = b"".join(number(i + 1, size) for i, size in enumerate(sizes)) + number(12, 1)
        scales = b"\x0d" + struct.pack("<f", 128.0) + b"\x15" + struct.pack("<f", 1 / 128)
        info = field(1, name.encode()) + field(2, base) + field(3, scales)
        inner += field(2, number(1, direction) + field(3, info))
    group = field(1, field(1, hn["name"].encode())) + field(3, field(3, inner))
    header = number(1, {"hailo8": 1, "hailo8r": 2, "hailo8l": 3}[arch]) + field(3, __version__.encode())
    message = field(1, header) + field(2, group)
    digest = xxhash.xxh3_64_intdigest(message)
    return struct.pack(">IIIQQQQ", 0x01484546, 2, len(message), digest, 0, 0, 0) + message


def varint(value):
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])


def number(tag, value):
    return varint(tag << 3) + varint(value)


def field(tag, data):
    return varint(tag << 3 | 2) + varint(len(data)) + data


def called(what, hn):
    path = os.environ.get("SCRIPTED_SDK_CALLS")
    if path:
        digest = hashlib.sha256(json.dumps(hn, sort_keys=True).encode()).hexdigest()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{what} {digest}\n".encode())
        os.close(handle)
