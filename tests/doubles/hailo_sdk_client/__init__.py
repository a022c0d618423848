"""NOT the Hailo SDK: a scripted double with the documented calls, for tests alone.

Its behaviour is a JSON object in the environment variable HAILO_DOUBLE (or in the file that it names):
    {"version": "3.33.0", "lacks": ["optimize"], "compile": {"do": "raise", "type": …, "text": …}, …}
Keys are calls (`import` or one of ClientRunner's); a value is an action or a list of them, see `_ACTIONS`.
An action has `do` and its arguments.
"""

import enum
import json
import os
import signal
import subprocess
import sys
import time

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
    kind = type(action["type"], (Exception,), {})
    if action["type"] in {"OSError", "ValueError", "KeyError", "ImportError", "MemoryError", "RuntimeError"}:
        kind = {k.__name__: k for k in (OSError, ValueError, KeyError, ImportError, MemoryError, RuntimeError)}[
            action["type"]
        ]
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


_ACTIONS = {
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


class ClientRunner:
    """Keeps its state as JSON in the file that it calls a HAR."""

    def __init__(self, hw_arch="hailo8", har=None):
        _act("ClientRunner")
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
        return _SCRIPT.get("hef", "a double's HEF").encode()

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
        return {"name": "double", "layers": {}, "calls": self.state["calls"]}


for _name in _SCRIPT.get("lacks", []):
    if hasattr(ClientRunner, _name):
        delattr(ClientRunner, _name)
    globals().pop(_name, None)

_act("import")
