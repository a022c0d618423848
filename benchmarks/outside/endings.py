"""Every way in which the Dataflow Compiler has been seen to end, by a scripted SDK, and what becomes of each.

The texts are those that Python, TensorFlow, numpy, the C++ runtime, the loader, the shell and the compiler print, as
documented. Right is what the documentation says of each: the network's failure, the machine's or the set-up's fault,
or a message that no rule knows.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.compiler.limits import read_limits
from tasnet.hailo.toolchain import StageEnd, StageReport
from tests.doubles.dfc_python import QUANTIZED_HAR, dfc_python

_LIMITS = read_limits(None, {f"{s}.retries": 0 for s in ("translate", "optimize", "compile")} | {"grace_seconds": 0.2})
_AT_ONCE = 3

_OOM = "OOM when allocating tensor with shape[8,512,1,1999] and type float on /job:localhost/replica:0/task:0 [Op:Mul]"
_RESHAPE = "Reshape is needed for layers: conv2, conv3, but adding a reshape has failed."
_SEARCH = {"do": "say", "text": "[info] dw66 errors: Agent infeasible\n[info] trying on"}
_TRIED = {"do": "say", "text": "[error] dw66 errors:\n\tAgent infeasible"}
_LOADER = {
    "do": "say",
    "text": "/sdk/build/compiler: symbol lookup error: /sdk/build/compiler: undefined symbol: _ZN6x",
}
_BAD_ALLOC = {
    "do": "say",
    "text": "terminate called after throwing an instance of 'std::bad_alloc'\n  what(): bad_alloc",
}


def _raise(kind: str, text: str = "", module: str = "hailo_sdk_client") -> dict[str, Any]:
    return {"do": "raise", "type": kind, "text": text, "module": module}


def _forked(*then: dict[str, Any]) -> list[dict[str, Any]]:
    return [*then[:-1], {"do": "forked", "then": then[-1]}]


_COMPILE_FAILED = _raise("BackendAllocatorException", "Compilation failed")
Script = Mapping[str, Any]

MACHINE: Mapping[str, tuple[str, Script]] = {
    "no memory in Python": ("compile", {"compile": _raise("MemoryError")}),
    "no memory in numpy": (
        "optimize",
        {"optimize": _raise("_ArrayMemoryError", "Unable to allocate 3.2 GiB for an x")},
    ),
    "no memory in a fork": ("optimize", {"optimize": _forked(_raise("MemoryError"))}),
    "a fork is killed": ("optimize", {"optimize": _forked({"do": "die", "signal": "SIGKILL"})}),
    "a worker is killed": (
        "optimize",
        {"optimize": _raise("RuntimeError", "worker (pid 7) is killed by signal: Killed.")},
    ),
    "a pool is broken": (
        "compile",
        {"compile": _raise("BrokenProcessPool", "A process in the process pool was terminated abruptly")},
    ),
    "a tool is killed": ("compile", {"compile": _raise("CalledProcessError", "died with <Signals.SIGKILL: 9>.")}),
    "TensorFlow out of memory": ("optimize", {"optimize": _raise("ResourceExhaustedError", _OOM)}),
    "TensorFlow out of memory in a fork": ("optimize", {"optimize": _forked(_raise("ResourceExhaustedError", _OOM))}),
    "GPU out of memory": ("optimize", {"optimize": _raise("AccelerasResourceError", "GPU memory has been exhausted.")}),
    "CUDA out of memory": (
        "optimize",
        {"optimize": _raise("InternalError", "CUDA_ERROR_OUT_OF_MEMORY: out of memory")},
    ),
    "CUDA driver": ("optimize", {"optimize": _raise("InternalError", "cudaGetDevice() failed. CUDA error: 35")}),
    "cuDNN": ("optimize", {"optimize": _raise("UnknownError", "CUDNN_STATUS_INTERNAL_ERROR in stream")}),
    "bad_alloc and an abort": ("compile", {"compile": [_TRIED, _BAD_ALLOC, {"do": "die", "signal": "SIGABRT"}]}),
    "bad_alloc by its text": ("compile", {"compile": [_BAD_ALLOC, _COMPILE_FAILED]}),
    "bad_alloc after a cause": ("compile", {"compile": _raise("BackendAllocatorException", "std::bad_alloc")}),
    **{
        f"a shell's {code} after a cause": ("compile", {"compile": [_TRIED, {"do": "hard_exit", "code": code}]})
        for code in (129, 130, 132, 135, 137, 143, 152)
    },
    "a fork is ended": ("optimize", {"optimize": _raise("SubprocessTracebackFailure", "Terminated by signal 15")}),
    "the compiler is killed": (
        "compile",
        {"compile": [_TRIED, _raise("BackendAllocatorException", "Compilation failed: Killed")]},
    ),
    "killed": ("compile", {"compile": [_TRIED, {"do": "die", "signal": "SIGKILL"}]}),
    "ended by a person": ("compile", {"compile": [_TRIED, {"do": "die", "signal": "SIGTERM"}]}),
    "a bus error": ("compile", {"compile": [_TRIED, {"do": "die", "signal": "SIGBUS"}]}),
    "an old CPU": ("compile", {"compile": {"do": "die", "signal": "SIGILL"}}),
    "loader, then a plain end": ("compile", {"compile": [_LOADER, _COMPILE_FAILED]}),
    "a library is missing": ("compile", {"compile": _raise("OSError", "libx.so.1: cannot open shared object file")}),
    "an older system": ("compile", {"compile": _raise("OSError", "version `GLIBC_2.34' not found (required by x)")}),
    "a module is missing": ("optimize", {"optimize": _raise("ModuleNotFoundError", "No module named 'tensorflow'")}),
    "numpy 2": (
        "optimize",
        {"optimize": _raise("AttributeError", "`np.float_` was removed in the NumPy 2.0 release.")},
    ),
    "numpy of another build": (
        "optimize",
        {"optimize": _raise("ValueError", "numpy.dtype size changed, may indicate")},
    ),
    "protobuf of another build": (
        "translate",
        {"translate_onnx_model": _raise("TypeError", "Descriptors cannot be created directly.")},
    ),
    "licence": ("compile", {"compile": _raise("LicenseError", "Your license has expired on 2026-01-01")}),
    "licence by its text": ("compile", {"compile": _raise("RuntimeError", "No valid licence was found")}),
    "arguments it doesn't take": ("translate", {"narrow": ["translate_onnx_model"]}),
    "arguments of a wrapped call": ("optimize", {"narrow": ["optimize"]}),
    "arguments within": ("optimize", {"optimize": _raise("TypeError", "f() got an unexpected keyword argument 'k'")}),
    "under dist-packages": ("compile", {"compile": {"do": "path"}}),
    "a question": ("translate", {"translate_onnx_model": {"do": "prompt"}}),
    "a script with a wrong line": (
        "optimize",
        {"load_model_script": _raise("BackendScriptParserException", "Parsing failed at: a(b")},
    ),
    "a script with an unknown command": (
        "optimize",
        {"load_model_script": _raise("BackendScriptParserException", "Invalid script command: a(b)")},
    ),
    "a script of another network": (
        "optimize",
        {"load_model_script": _raise("AllocatorScriptParserException", "Layer conv9 not found in model")},
    ),
    "recordings that don't fit": (
        "optimize",
        {"optimize": _raise("BadInputsShape", "Data shape (5, 1) for layer n/input_layer1 doesn't match network's")},
    ),
    "names of no node": ("translate", {"translate_onnx_model": _raise("MisspellNodeError", "no node 'lst'")}),
    "disk full": ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.ENOSPC}}),
    "disk full in a fork": (
        "optimize",
        {"optimize": _forked({"do": "raise", "type": "OSError", "errno": errno.ENOSPC})},
    ),
    "quota": ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.EDQUOT}}),
    "read-only disk": ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.EROFS}}),
    "too many files": ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.EMFILE}}),
    "no right to a file": ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.EACCES}}),
    "a tool is missing": ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.ENOENT}}),
    "too many threads": ("compile", {"compile": _raise("RuntimeError", "can't start new thread")}),
    "a fork ends without a word": ("optimize", {"optimize": _raise("SubprocessTracebackFailure", "Subprocess failed")}),
    "an empty pickle": ("compile", {"compile": _raise("EOFError", "Ran out of input")}),
    "no server": ("compile", {"compile": _raise("ConnectionRefusedError", "connection refused")}),
    "sys.exit in a search": ("compile", {"compile": [_SEARCH, {"do": "exit"}]}),
    "exit in a search": ("compile", {"compile": [_SEARCH, {"do": "hard_exit"}]}),
    "HTML for a HEF": ("compile", {"hef": "<!DOCTYPE html><html><body>504 Gateway Time-out</body></html>"}),
    "a cut HEF": ("compile", {"hef": "\x01HEF"}),
    "no HEF": ("compile", {"hef": ""}),
    "a HEF for another chip": ("compile", {"hef": {"arch": 3}}),
    "a HEF with another input": ("compile", {"hef": {"input": [1, 32, 1]}}),
    "a HEF with another output": ("compile", {"hef": {"output": [1, 8, 3]}}),
}
"""name -> the stage, and the SDK's script: all `infra`"""

NETWORK: Mapping[str, tuple[str, Script]] = {
    "reshape": ("compile", {"compile": _raise("BackendAllocatorException", _RESHAPE)}),
    "reshape in the log alone": (
        "compile",
        {"compile": [{"do": "say", "text": f"[error] {_RESHAPE}"}, _COMPILE_FAILED]},
    ),
    "a slope in a fork": (
        "optimize",
        {
            "optimize": _forked(
                _raise("AccelerasNumerizationError", "Shift delta in n/avgpool2/avgpool_op is larger than 2")
            )
        },
    ),
    "a refused node": (
        "translate",
        {"translate_onnx_model": _raise("ParsingWithRecommendationException", "UnexpectedNodeError in op Neg_3: no")},
    ),
    "a cause, after a fault that was handled": (
        "compile",
        {
            "compile": [
                {"do": "say", "text": "FileNotFoundError: [Errno 2] No such file or directory: 'cache'"},
                {"do": "say", "text": "During handling of the above exception, another exception occurred:"},
                _raise("BackendAllocatorException", _RESHAPE),
            ]
        },
    ),
    "a crash": ("compile", {"compile": {"do": "die", "signal": "SIGSEGV"}}),
}
"""the same, all `failed`"""

NOBODY: Mapping[str, tuple[str, Script]] = {
    "an exception of the SDK": ("compile", {"compile": _raise("BackendQuantumException", "the moon is blue")}),
    "an exception of Python": ("optimize", {"optimize": _raise("KeyError", "x")}),
    "a plain end": ("compile", {"compile": [_SEARCH, _COMPILE_FAILED]}),
    "Python's own after a search": ("compile", {"compile": [_TRIED, _raise("IndexError", "list index out of range")]}),
    **{
        f"{kind} of {module} after a search": ("compile", {"compile": [_TRIED, _raise(kind, text, module)]})
        for kind, text, module in (
            ("TimeoutExpired", "Command '['compiler']' timed out after 60 seconds", "subprocess"),
            ("SSLError", "certificate verify failed", "ssl"),
            ("OperationalError", "database is locked", "sqlite3"),
            ("UnpicklingError", "pickle data was truncated", "_pickle"),
            ("ReadError", "not a gzip file", "tarfile"),
            ("ValidationError", "1 validation error for Config", "pydantic_core._pydantic_core"),
            ("InvalidArgumentError", "Cannot assign a device", "tensorflow.python.framework.errors_impl"),
        )
    },
    "an unknown end of a fork": ("optimize", {"optimize": _forked(_raise("ZeroDivisionError", "division by zero"))}),
}
"""the same, all `unclassified`"""

EVERY: Mapping[str, tuple[str, Script, StageEnd]] = {
    **{name: (*each, StageEnd.INFRA) for name, each in MACHINE.items()},
    **{name: (*each, StageEnd.FAILED) for name, each in NETWORK.items()},
    **{name: (*each, StageEnd.UNCLASSIFIED) for name, each in NOBODY.items()},
    "a HEF": ("compile", {}, StageEnd.PASSED),
}


def ended(stage: str, script: Script, folder: Path) -> StageReport:
    """The report of a stage whose SDK acts so; `folder` is its own."""
    (folder / "m.onnx").write_bytes(b"onnx")
    np.save(folder / "calibration.npy", np.zeros((2, 1, 16, 1), np.float32))
    (folder / "m.har").write_text(QUANTIZED_HAR)
    dfc = Dfc(
        dfc_python(folder / "env", script),
        "3.33.0",
        double=True,
        limits=_LIMITS,
        calibration=folder / "calibration.npy",
        script="a()",
        memory_slots=folder / "places",
    )
    if stage == "translate":
        return dfc.translate(folder / "m.onnx", "net", folder / "out.har")
    if stage == "optimize":
        return dfc.optimize(folder / "m.har", "hailo8", folder / "out.har")
    return dfc.compile(folder / "m.har", "hailo8", folder / "out.hef")


def wrong(name: str, folder: Path) -> str:
    """How this ending came out otherwise than it should; empty where it didn't."""
    stage, script, right = EVERY[name]
    report = ended(stage, script, folder)
    if report.ended is not right:
        return f"{name}: {report.ended.value} and not {right.value}: {report.detail}"
    if bool(report.failures) is not (right is StageEnd.FAILED):
        return f"{name}: {right.value} with {len(report.failures)} failures"
    left = [each.name for each in folder.glob("out.*") if not each.name.endswith(".log")]
    return f"{name}: {right.value}, and left {left[0]}" if left and right is not StageEnd.PASSED else ""


def _every(folder: Path) -> Iterator[str]:
    places = [folder / str(number) for number in range(len(EVERY))]
    for place in places:
        place.mkdir()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from filter(None, pool.map(wrong, EVERY, places))


def figures() -> list[str]:
    """How many endings were tried, and which came out wrong."""
    with tempfile.TemporaryDirectory(prefix="tasnet-endings-") as folder:
        found = list(_every(Path(folder)))
    return [f"{len(EVERY)} endings of the SDK tried", f"{len(found)} told wrongly (goal 0)", *found]


if __name__ == "__main__":
    print("\n".join(figures()))
