"""NOT the Hailo SDK: a double with the calls of `ClientRunner` as they are documented for 3.33, for tests alone.

HAILO_DOUBLE is a JSON object, or names a file with one:
    {"graph": "read", "version": "3.33.0", "calls": FILE, "lacks": ["optimize"], "compile": {"do": "raise", …}, …}
`graph` is what it makes of an ONNX file:
    fixed   nothing, and that is the usual: its network has one input and one output, whatever it is given
    read    it reads it and judges it by what was published of such graphs (reading.py)
    run     it runs it, by this project's translator and execution (running.py)
A key that is a call (`import`, or one of ClientRunner's) has an action or a list of them, see actions.py. `calls` is a
file that gets a line per stage and graph; `lacks` names calls and contexts that there are not, `narrow` calls that take
no arguments, `saves_nothing` makes save_har() leave no file; more keys are the graphs' own.

Whatever the graph, the order of calls is held to: what isn't quantized isn't compiled. Methods are wrapped by a check
of the state, as the SDK's are.
"""

import enum
import functools
import importlib
import json
import os

from .actions import SCRIPT, act
from .exceptions import AllocatorScriptParserException, BackendAllocatorException

IS_A_TEST_DOUBLE = True
__version__ = SCRIPT.get("version", "3.33.0")

_GRAPHS = {"fixed": "fixed", "read": "reading", "run": "running"}
_CONTEXTS = ("SDK_NATIVE", "SDK_FP_OPTIMIZED", "SDK_QUANTIZED", "SDK_BIT_EXACT", "SDK_HAILO_HW")

InferenceContext = enum.Enum(
    "InferenceContext", {name: name.lower() for name in _CONTEXTS if name not in SCRIPT.get("lacks", [])}
)


class ClientRunner:
    """The runner's state, its script and its calls; the network is the graph's."""

    def __init__(self, hw_arch="hailo8", har=None):
        act("ClientRunner")
        if hw_arch not in ("hailo8", "hailo8l", "hailo8r"):
            raise OSError(f"wrong architecture: {hw_arch}")
        self.hw_arch = hw_arch
        self.told = {"double": True, "state": "uninitialized", "script": "", "calls": []}
        # only now: reading and running need packages that not every interpreter has
        self.graph = importlib.import_module("." + _GRAPHS[SCRIPT.get("graph", "fixed")], __name__).Graph()
        if har is not None:
            self.load_har(har)
        self._note("ClientRunner", hw_arch=hw_arch)

    def _note(self, name, **what):
        self.told["calls"].append([name, what])

    def _came(self, stage):
        """A line in the file of calls: the stage, then the hash of the graph."""
        if SCRIPT.get("calls"):
            import hashlib

            digest = hashlib.sha256(json.dumps(self.graph.hn(), sort_keys=True).encode()).hexdigest()
            handle = os.open(SCRIPT["calls"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(handle, f"{stage} {digest}\n".encode())
            os.close(handle)

    def load_har(self, har_path):
        self.told = self.graph.load(har_path)

    def save_har(self, har_path):
        act("save_har")
        if not SCRIPT.get("saves_nothing"):
            self.graph.save(har_path, self.told)

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
        act("translate_onnx_model")
        self._note("translate_onnx_model", net_name=net_name, end_node_names=end_node_names)
        found = self.graph.parse(model, net_name, [*(start_node_names or ()), *(end_node_names or ())])
        self.told["state"] = "hailo_model"
        self._came("translate")
        print("[info] Step 3 Success", flush=True)
        return found

    def load_model_script(self, model_script, append=False):
        act("load_model_script")
        text = model_script
        if os.path.splitext(text)[1] == ".alls" and os.path.exists(text):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        self._note("load_model_script", text=text, append=append)
        for line in filter(None, (line.strip() for line in text.splitlines())):
            if "(" not in line or not line.endswith(")"):
                raise AllocatorScriptParserException(f"Can't parse line: {line}")
        self.told["script"] = self.told["script"] + "\n" + text if append else text
        return text

    def optimize(self, calib_data):
        print("[info] Starting Optimization", flush=True)
        act("optimize")
        named = calib_data if isinstance(calib_data, dict) else {"": calib_data}
        if not all(hasattr(data, "shape") for data in named.values()):
            raise ValueError("Couldn't detect CalibrationDataType")
        self._note("optimize", calibration={name: list(data.shape) for name, data in named.items()})
        if self.told["state"] == "uninitialized":
            raise BackendAllocatorException("optimize() before a model was translated or loaded")
        self._came("optimize")
        self.graph.calibrate(named)
        self.told["state"] = "quantized_model"

    def compile(self):
        print("[info] Starting Compilation...", flush=True)
        act("compile")
        self._came("compile")
        if self.told["state"] != "quantized_model":
            raise BackendAllocatorException(
                "Layer conv1 requires weights in order to run on HW, but none were given. Did you forget to quantize?"
            )
        return self.graph.compile(self.hw_arch, __version__)

    def infer_context(self, context):
        self.context = context
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def infer(self, context, data):
        act("infer")
        return self.graph.infer(self.context.name, data, self.told["state"])

    def get_hn_dict(self):
        act("get_hn_dict")
        return dict(self.graph.hn(), calls=self.told["calls"])


def _in_its_state(function):
    """The SDK checks a runner's state around its calls: what they raise has a frame of this in between."""

    @functools.wraps(function)
    def wrapped(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    return wrapped


for _name, _function in list(vars(ClientRunner).items()):
    if callable(_function) and not _name.startswith("_"):
        if _name in SCRIPT.get("narrow", []):
            _scope = {}
            exec(f"def {_name}(self): pass", _scope)
            _function = _scope[_name]
        setattr(ClientRunner, _name, _in_its_state(_function))
for _name in SCRIPT.get("lacks", []):
    if hasattr(ClientRunner, _name):
        delattr(ClientRunner, _name)
    globals().pop(_name, None)

act("import")
