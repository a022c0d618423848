"""The side that runs in the Dataflow Compiler's own interpreter: one stage, one process.

Uses the standard library, numpy and hailo_sdk_client alone, and runs on Python 3.8 to 3.12: it is started by its
path and imports nothing of its own package. Annotations are never evaluated.
The calls are those of SDK 3.27 to 3.34, as documented.

    python worker.py REQUEST_FD MESSAGES_FD     run the stage that the request (JSON) asks for
    python worker.py about                      print one line: what this interpreter is, without the SDK

Messages are JSON lines, each with `protocol` and `kind`:
    hello   sdk, python, double                     the SDK is loaded
    done    result                                  the artifact is in its place
    failed  type, module, bases, text, errno, call  the SDK raised, an exception of its own or of another `module`;
                                                    `bases` are the names of all classes in its chain of causes,
                                                    `errno` that of any OSError in it
    lacks   what                                    the SDK hasn't got a documented call, or not so
    wrong   what                                    a call gave back something else than documented
    unloaded type, text                             the SDK can't be imported
    exited  code, call                              the SDK called sys.exit
"""

from __future__ import annotations

import os
import sys

# A script's own folder is first on the path: none of its neighbours must be taken for a module of the SDK.
if sys.path and os.path.abspath(sys.path[0] or os.curdir) == os.path.dirname(os.path.abspath(__file__)):
    del sys.path[0]

import importlib
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PROTOCOL = 3
"""of the messages, and part of every stored outcome's key: raised too when endings are judged otherwise"""

SDK = "hailo_sdk_client"
WHEEL = "hailo_dataflow_compiler-"
ABOUT = "tasnet-dfc-about "

QUICK = (
    "model_optimization_config(calibration, batch_size=4, calibset_size=16)",
    "model_optimization_config(checker_cfg, policy=disabled)",
    "post_quantization_optimization(bias_correction, policy=disabled)",
    "post_quantization_optimization(adaround, policy=disabled)",
    "post_quantization_optimization(finetune, policy=disabled)",
)
"""script lines that make an optimization quick, as documented"""


class Lacks(Exception):
    """The SDK hasn't got a documented call, or not with the documented arguments."""


class UnexpectedAnswer(Exception):
    """A call gave back something else than documented."""


class Failed(Exception):
    """A call of the SDK raised; the cause is its exception."""

    def __init__(self, call: str, cause: BaseException) -> None:
        super().__init__(call)
        self.call = call
        self.cause = cause


# The stages: each takes the SDK and the request, writes `request["out"]`, and returns the `result` of `done`.


def translate(sdk: Any, request: dict[str, Any]) -> dict[str, Any]:
    runner = call(sdk, "ClientRunner", hw_arch=request["arch"])
    call(runner, "translate_onnx_model", request["onnx"], request["net_name"])
    return save_har(runner, request["out"])


def optimize(sdk: Any, request: dict[str, Any]) -> dict[str, Any]:
    runner = call(sdk, "ClientRunner", hw_arch=request["arch"], har=request["har"])
    script = "\n".join([*(QUICK if request["quick"] else ()), request["script"]])
    if script.strip():
        call(runner, "load_model_script", script)
    call(runner, "optimize", load_arrays(request["calibration"]))
    return save_har(runner, request["out"])


def compile_(sdk: Any, request: dict[str, Any]) -> dict[str, Any]:
    runner = call(sdk, "ClientRunner", hw_arch=request["arch"], har=request["har"])
    ends = hn_ends(runner)
    hef = call(runner, "compile")
    if not isinstance(hef, (bytes, bytearray, memoryview)) or not len(hef):
        raise UnexpectedAnswer(f"compile() gave {description(hef)} and not the HEF's bytes")
    write_result(request["out"], lambda path: write_synced(path, hef))
    return {"bytes": len(hef), "ends": ends}


def infer(sdk: Any, request: dict[str, Any]) -> dict[str, Any]:
    runner = call(sdk, "ClientRunner", hw_arch=request["arch"], har=request["har"])
    contexts = getattr(sdk, "InferenceContext", None)
    context = getattr(contexts, request["context"], None)
    if context is None:
        raise Lacks("InferenceContext.{}".format(request["context"]))
    data = load_arrays(request["data"])
    opened = call(runner, "infer_context", context)
    with opened as inside:
        result = call(runner, "infer", inside, data)
    return save_arrays(result, request["out"])


def hn(sdk: Any, request: dict[str, Any]) -> dict[str, Any]:
    runner = call(sdk, "ClientRunner", hw_arch=request["arch"], har=request["har"])
    graph = call(runner, "get_hn_dict")
    if not isinstance(graph, dict):
        raise UnexpectedAnswer(f"get_hn_dict() gave {description(graph)} and not a dict")
    text = json.dumps(graph, default=json_value)
    write_result(request["out"], lambda path: write_synced(path, text.encode()))
    return {"layers": len(graph.get("layers", ()))}


def hello(sdk: Any, request: dict[str, Any]) -> dict[str, Any]:
    return {}


STAGES: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "hello": hello,
    "translate": translate,
    "optimize": optimize,
    "compile": compile_,
    "infer": infer,
    "hn": hn,
}


# Parts of the stages


def call(owner: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """`owner.name(*args, **kwargs)`. Raises Lacks if there is no such call, Failed if it raises."""
    function = getattr(owner, name, None)
    if not callable(function):
        raise Lacks(name)
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        # The SDK wraps its methods: only the message names the function whose arguments are wrong, no frame does.
        asked = "__init__" if isinstance(function, type) else name
        if "argument" in str(error) and f"{asked}() " in str(error):
            raise Lacks(f"{name}: {error}") from error
        raise Failed(name, error) from error
    except SystemExit:
        raise
    except BaseException as error:
        raise Failed(name, error) from error


def hn_ends(runner: Any) -> dict[str, Any] | None:
    """The HN's inputs and outputs, name -> [H, W, C], to compare the HEF with; None if the SDK doesn't give them."""
    try:
        found: dict[str, dict[str, list[int]]] = {"inputs": {}, "outputs": {}}
        for name, layer in runner.get_hn_dict()["layers"].items():
            if layer["type"] == "input_layer":
                found["inputs"][name] = [int(size) for size in layer["output_shapes"][0][1:]]
            elif layer["type"] == "output_layer":
                found["outputs"][str(layer["input"][0])] = [int(size) for size in layer["input_shapes"][0][1:]]
        return found
    except Exception:
        # The compile is what was asked for; the report of its success says that the HEF wasn't compared with the HN.
        return None


def load_arrays(path: str) -> Any:
    """The array of an npy, or of an npz with one; a dict by name of an npz with several or with scoped names."""
    import numpy as np

    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    if len(arrays) == 1 and "/" not in next(iter(arrays)):
        return next(iter(arrays.values()))
    return arrays


def save_arrays(result: Any, out: str) -> dict[str, Any]:
    """An array, a list or a dict of arrays as npz, the outputs by name or as `output0`, `output1`, ..."""
    import numpy as np

    if isinstance(result, dict):
        named = dict(result)
    else:
        parts = result if isinstance(result, (list, tuple)) else [result]
        named = {f"output{i}": part for i, part in enumerate(parts)}
    if not named or any(not hasattr(part, "shape") for part in named.values()):
        raise UnexpectedAnswer(f"infer() gave {description(result)} and not arrays")

    def save(path: str) -> None:
        with open(path, "wb") as file:
            arrays: Any = {name: np.asarray(part) for name, part in named.items()}
            np.savez(file, **arrays)

    write_result(out, save)
    return {"outputs": {name: list(part.shape) for name, part in named.items()}}


def save_har(runner: Any, out: str) -> dict[str, Any]:
    write_result(out, lambda path: call(runner, "save_har", path))
    return {"bytes": os.path.getsize(out)}


def write_result(out: str, make: Callable[[str], object]) -> None:
    """Make the file in the working directory and rename it to `out`: it is whole, or not there."""
    # The working directory is this stage's own and on the same disk; the SDK may check the file's suffix.
    path = os.path.abspath("result" + os.path.splitext(out)[1])
    make(path)
    if not os.path.isfile(path):
        raise UnexpectedAnswer("save_har() left no file")
    os.replace(path, out)


def write_synced(path: str, data: bytes | bytearray | memoryview) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def json_value(value: Any) -> Any:
    """For values of an HN that json can't write: numpy's numbers and arrays, sets, enums."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return getattr(value, "value", None) if hasattr(value, "value") else str(value)


def description(value: Any) -> str:
    return "nothing" if value is None else "an empty result" if not value else type(value).__name__


# Messages


def sdk_version(sdk: Any) -> str:
    """The version of the wheel by the name of its folder, else of the module; else empty."""
    # importlib.metadata gives the same, and its import takes longer than the rest of this worker.
    for folder in sys.path:
        try:
            names = os.listdir(folder or os.curdir)
        except OSError:
            continue
        for name in names:
            if name.startswith(WHEEL) and name.endswith(".dist-info"):
                return name[len(WHEEL) : -len(".dist-info")]
    return str(getattr(sdk, "__version__", ""))


def python_version() -> str:
    return "{}.{}.{}".format(*sys.version_info[:3])


def about() -> None:
    """One line on stdout: whether the SDK is there and its wheel's version. The SDK itself isn't imported."""
    from importlib.util import find_spec

    found = find_spec(SDK) is not None
    answer = {"protocol": PROTOCOL, "found": found, "sdk": sdk_version(None), "python": python_version()}
    print("\n" + ABOUT + json.dumps(answer), flush=True)


def failed_message(error: BaseException, name: str) -> dict[str, Any]:
    """The `failed` message of an SDK's exception."""
    chain: BaseException | None = error
    seen: list[BaseException] = []
    while chain is not None and not any(chain is each for each in seen):
        seen.append(chain)
        chain = chain.__cause__ or chain.__context__
    # An exception in whose handling it was raised may have been overcome, but an errno of the machine counts.
    numbers = [each.errno for each in seen if isinstance(each, OSError) and each.errno is not None]
    return {
        "kind": "failed",
        "type": type(error).__name__,
        "module": type(error).__module__,
        "bases": sorted({base.__name__ for each in explicit_causes(error) for base in type(each).__mro__}),
        "text": text_of(error),
        "errno": numbers[0] if numbers else None,
        "call": name,
    }


def explicit_causes(error: BaseException) -> list[BaseException]:
    """The exception and those it was explicitly raised from."""
    found = [error]
    while found[-1].__cause__ is not None and not any(found[-1].__cause__ is each for each in found):
        found.append(found[-1].__cause__)
    return found


def print_exception(error: BaseException) -> None:
    """Write the exception to the log."""
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)


def text_of(error: BaseException) -> str:
    try:
        return str(error)[:1000000]
    except Exception as another:
        return f"<no text: {type(another).__name__}>"


def run(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
    """Load the SDK, run the stage, and send how it ended; never raises."""
    where = "import"
    try:
        try:
            sdk = importlib.import_module(SDK)
        except Exception as error:
            print_exception(error)
            send({"kind": "unloaded", "type": type(error).__name__, "text": text_of(error)})
            return
        send(
            {
                "kind": "hello",
                "sdk": sdk_version(sdk),
                "python": python_version(),
                "numpy": str(getattr(sys.modules.get("numpy"), "__version__", "")),
                "double": bool(getattr(sdk, "IS_A_TEST_DOUBLE", False)),
            }
        )
        where = request["stage"]
        send({"kind": "done", "result": STAGES[where](sdk, request)})
    except Lacks as error:
        print_exception(error)
        send({"kind": "lacks", "what": str(error)})
    except UnexpectedAnswer as error:
        print_exception(error)
        send({"kind": "wrong", "what": str(error)})
    except Failed as error:
        print_exception(error.cause)
        send(failed_message(error.cause, error.call))
    except SystemExit as error:
        print_exception(error)
        send({"kind": "exited", "code": str(error.code), "call": where})
    except BaseException as error:
        print_exception(error)
        send(failed_message(error, where))


def main() -> None:
    if sys.argv[1:] == ["about"]:
        about()
        return
    asked, messages = int(sys.argv[1]), int(sys.argv[2])
    for end in (asked, messages):
        os.set_inheritable(end, False)
    with os.fdopen(asked, "rb") as file:
        request = json.loads(file.read().decode())
    # A process that the SDK forks must not send messages in this one's name.
    mine = os.getpid()

    def send(message: dict[str, Any]) -> None:
        if os.getpid() != mine:
            return
        data = json.dumps(dict(message, protocol=PROTOCOL)).encode() + b"\n"
        while data:
            data = data[os.write(messages, data) :]

    run(request, send)
    # Libraries like these crash or hang at their exit, and every message is sent.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            continue
    os._exit(0)


if __name__ == "__main__":
    main()
