"""NOT the Hailo SDK: a scripted double with the documented calls, for tests alone.

Its behaviour is a JSON object in the environment variable HAILO_DOUBLE (or in the file that it names):
    {"version": "3.33.0", "lacks": ["optimize"], "compile": {"do": "raise", "type": …, "text": …}, …}
Keys are calls (`import` or one of ClientRunner's); a value is an action or a list of them, see `_ACTIONS`.
An action has `do` and its arguments. `narrow` names calls that take no arguments; `hef` is what compile() gives: a
text, or `{"arch": number, "input": [H, W, C], "output": [H, W, C]}`. Methods are wrapped by a check of the state, as
the SDK's are.
"""

import builtins
import enum
import functools
import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
import traceback

IS_A_TEST_DOUBLE = True


def _script():
    text = os.environ.get("HAILO_DOUBLE", "{}")
    if not text.lstrip().startswith("{"):
        with open(text, encoding="utf-8") as file:
            text = file.read()
    return json.loads(text)


_SCRIPT = _script()
__version__ = _SCRIPT.get("version", "3.33.0")


class InferenceContext(enum.Enum):
    SDK_NATIVE = "sdk_native"
    SDK_FP_OPTIMIZED = "sdk_fp_optimized"
    SDK_QUANTIZED = "sdk_quantized"
    SDK_BIT_EXACT = "sdk_bit_exact"
    SDK_HAILO_HW = "sdk_hailo_hw"


# The actions


def _raise(action):
    kind = getattr(builtins, action["type"], None) or type(
        action["type"], (Exception,), {"__module__": action.get("module", __name__)}
    )
    if "errno" in action:
        raise OSError(action["errno"], os.strerror(action["errno"]))
    raise kind(action.get("text", ""))


def _say(action):
    for _ in range(action.get("times", 1)):
        print(action["text"], flush=True)


def _hang(action):
    if action.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)


def _spin_with_the_gil(action):
    pattern_that_never_ends = "(a+)+b"
    import re

    re.match(pattern_that_never_ends, "a" * 64)


def _die(action):
    number = getattr(signal, action.get("signal", "SIGSEGV"))
    os.kill(os.getpid(), number)
    time.sleep(60)


def _allocate(action):
    held = []
    for _ in range(action["megabytes"] // 16):
        held.append(bytearray(os.urandom(1 << 20) * 16))
    _hang(action)


def _print_much(action):
    line = b"\x1b[32m[info]\x1b[0m " + b"x" * 1000 + b"\r\n"
    block = line * 256
    for _ in range(action["megabytes"] * 1024 * 1024 // len(block)):
        os.write(1, block)


def _print_rubbish(action):
    for end in (1, 2):
        os.write(end, bytes(range(256)) * 64 + b'{"kind": "done", "protocol": 1, "result": {}}\n')


def _write_everywhere(action):
    """Rubbish on every descriptor that is open, whoever it belongs to."""
    for end in range(3, 64):
        try:
            os.write(end, b"\x00\xff{not json\n[1, 2]\n")
        except OSError:
            continue


def _close_everything(action):
    # A run of many tests hands over descriptors with high numbers too.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _fork(action):
    """Grandchildren that ignore SIGTERM: in the group, in a session of their own, and after a double fork."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code])
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)
        os._exit(0)


def _kill_parent(action):
    os.kill(os.getppid(), signal.SIGKILL)


def _once(action):
    """Do `then` the first time alone; the file `marker` remembers."""
    try:
        os.close(os.open(action["marker"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    _ACTIONS[action["then"]["do"]](action["then"])


class SubprocessTracebackFailure(Exception):
    """What the SDK raises where a process that it forked failed: the child's traceback as text."""


def _forked(action):
    """Do `then` in a child, as the optimization does; what becomes of it arrives as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _ACTIONS[action["then"]["do"]](action["then"])
        except BaseException:
            os.write(writing, traceback.format_exc().encode())
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    status = os.WEXITSTATUS(code) if os.WIFEXITED(code := os.waitpid(child, 0)[1]) else -os.WTERMSIG(code)
    raise SubprocessTracebackFailure(text or f"Subprocess failed with exit code {status}")


_ACTIONS = {
    "forked": _forked,
    # standard input is empty here
    "prompt": lambda action: input(action.get("text", "Continue? [y/n] ")),
    "path": lambda action: os.path.join(None, "tools"),
    "raise": _raise,
    "say": _say,
    "hang": _hang,
    "spin": _spin_with_the_gil,
    "die": _die,
    "allocate": _allocate,
    "print_much": _print_much,
    "print_rubbish": _print_rubbish,
    "write_everywhere": _write_everywhere,
    "close_everything": _close_everything,
    "fork": _fork,
    "kill_parent": _kill_parent,
    "exit": lambda action: sys.exit(action.get("code", 1)),
    "hard_exit": lambda action: os._exit(action.get("code", 3)),
    "once": _once,
}


def _act(name):
    actions = _SCRIPT.get(name, [])
    for action in actions if isinstance(actions, list) else [actions]:
        _ACTIONS[action["do"]](action)


def _in_its_state(function):
    """The SDK checks a runner's state around its calls: what they raise has a frame of this in between."""

    @functools.wraps(function)
    def wrapped(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    return wrapped


_INPUT, _OUTPUT = (1, 16, 1), (1, 8, 2)
_ARCHS = {"hailo8": 1, "hailo8r": 2, "hailo8l": 3}


def _field(number, data):
    size = len(data)
    return bytes([number << 3 | 2, size & 127 | 128, size >> 7] if size > 127 else [number << 3 | 2, size]) + data


def _edge(name, shape, direction):
    """An edge layer; sizes below 128 are one byte each."""
    base = bytes(byte for i, size in enumerate(shape) for byte in ((2 * i + 1) << 3, size, (2 * i + 2) << 3, size))
    scale = b"\x0d" + struct.pack("<f", 3) + b"\x15" + struct.pack("<f", 0.5)
    info = _field(1, name) + _field(2, base + bytes([7 << 3, 1, 12 << 3, 1])) + _field(3, scale)
    return _field(2, bytes([8, direction]) + _field(3, info))


def _hef(arch, given, taken):
    """A HEF of version 0 with one input and one output, and no program in it: nothing was compiled."""
    edges = _edge(b"double/input_layer1", given, 0) + _edge(b"double/conv1", taken, 1)
    proto = _field(1, bytes([8, arch]) + _field(3, __version__.encode()))
    proto += _field(2, _field(1, _field(1, b"double")) + _field(3, _field(3, edges)))
    return struct.pack(">IIII", 0x01484546, 0, len(proto), 0) + hashlib.md5(proto).digest() + proto


class ClientRunner:
    """Keeps its state as JSON in the file that it calls a HAR."""

    def __init__(self, hw_arch="hailo8", har=None):
        _act("ClientRunner")
        self.hw_arch = hw_arch
        self.state = {"double": True, "calls": []}
        if har is not None:
            self.load_har(har)
        self._note("ClientRunner", hw_arch=hw_arch)

    def _note(self, name, **what):
        self.state["calls"].append([name, what])

    def load_har(self, path):
        with open(path, encoding="utf-8") as file:
            self.state = json.load(file)

    def save_har(self, path):
        _act("save_har")
        if _SCRIPT.get("saves_nothing"):
            return
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.state, file)

    def translate_onnx_model(
        self,
        path,
        net_name,
        start_node_names=None,
        end_node_names=None,
        net_input_shapes=None,
        net_input_format=None,
    ):
        _act("translate_onnx_model")
        self._note("translate_onnx_model", net_name=net_name, end_node_names=end_node_names)
        return "hn", "npz"

    def load_model_script(self, text, append=False):
        _act("load_model_script")
        self._note("load_model_script", text=text, append=append)

    def optimize(self, calib_data):
        _act("optimize")
        named = calib_data if isinstance(calib_data, dict) else {"": calib_data}
        self._note("optimize", calibration={name: list(data.shape) for name, data in named.items()})

    def compile(self):
        _act("compile")
        hef = _SCRIPT.get("hef", {})
        if isinstance(hef, str):
            return hef.encode()
        return _hef(hef.get("arch", _ARCHS[self.hw_arch]), hef.get("input", _INPUT), hef.get("output", _OUTPUT))

    def infer_context(self, context):
        self.context = context
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def infer(self, context, data):
        _act("infer")
        return data * 2

    def get_hn_dict(self):
        _act("get_hn_dict")
        layers = {
            "double/input_layer1": {"type": "input_layer", "input": [], "output_shapes": [[-1, *_INPUT]]},
            "double/conv1": {"type": "conv", "input": ["double/input_layer1"], "output_shapes": [[-1, *_OUTPUT]]},
            "double/output_layer1": {
                "type": "output_layer",
                "input": ["double/conv1"],
                "input_shapes": [[-1, *_OUTPUT]],
                "output_shapes": [[-1, *_OUTPUT]],
            },
        }
        return {"name": "double", "layers": layers, "calls": self.state["calls"]}


for _name, _function in list(vars(ClientRunner).items()):
    if callable(_function) and not _name.startswith("_"):
        if _name in _SCRIPT.get("narrow", []):
            _scope = {}
            exec(f"def {_name}(self): pass", _scope)
            _function = _scope[_name]
        setattr(ClientRunner, _name, _in_its_state(_function))
for _name in _SCRIPT.get("lacks", []):
    if hasattr(ClientRunner, _name):
        delattr(ClientRunner, _name)
    globals().pop(_name, None)

_act("import")
