"""Faults of the machine and of the set-up, as a log or an exception's text has them, each with a remedy.

None of them says anything about the network: an outcome that rests on one is `infra`, and no evidence. Such text comes
from Python, TensorFlow, numpy, the C++ runtime, the loader and the shell as well as from the compiler, at any stage.
A fault in a process that the compiler forks arrives as the text of a `SubprocessTracebackFailure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tasnet.hailo.logs.rule import Rank, Remedy, Rule, rule

_ARCH = r"hailo(?:8[lr]?|1[05]\w)\b"
_REFUSED = r"(?:[Uu]nsupported|[Uu]nknown|[Ii]nvalid|not supported|not a valid)"
_OTHER_ARCH = rf"{_REFUSED}.{{0,80}}(?P<arch>{_ARCH})|{_ARCH}.{{0,80}}{_REFUSED}"
_EXPIRED = r"(?i:expired|invalid|missing|not (?:found|valid)|no valid|no such)"
_AN_ERROR = r"\wError\b.{0,400}?"

_MEMORY = Remedy(
    "give the stage more memory ([tool.tasnet.limits]), close what else runs, or take a smaller batch_size",
    passing=True,
)
_KILLED = Remedy("look at dmesg: short of memory, the kernel kills a child; or a person did", passing=True)
_DISK = Remedy("make room and run again", passing=True)
_LOADER = Remedy(
    "install the SDK into an environment of its own, with the versions that it names (numpy 1.26, protobuf 3.20)"
)
_GPU = Remedy("mend the driver and the CUDA libraries, or hide the GPU (CUDA_VISIBLE_DEVICES=)")
_LICENCE = Remedy("renew the licence of the compiler")
_ARGUMENTS = Remedy("use Dataflow Compiler 3.27 to 3.34, with the libraries that it names")
_PATH = Remedy("install the SDK into a virtual environment: under dist-packages it doesn't find its own files")
_PROMPT = Remedy(
    "it asked a question and nobody answers here: read its log, and answer by options or in the model script"
)
_SYSTEM = Remedy("raise the limits of processes and open files (ulimit -u, ulimit -n)", passing=True)
_NETWORK = Remedy("the SDK wants a server that doesn't answer: mend the connection")
_ARCHITECTURE = Remedy("Dataflow Compiler 3.x knows hailo8, hailo8l and hailo8r")
_FILES = Remedy("mend the rights and the paths of the SDK's own files and folders")

_CERTAIN: tuple[tuple[str, str, str, Remedy], ...] = (
    ("out_of_memory", "rror", r"\b\w{0,40}MemoryError\b(?=:|\W*$|\()", _MEMORY),
    ("out_of_memory", "rror", r"Error: .{0,40}Unable to allocate [\d.]+ \w?i?B\b", _MEMORY),
    ("out_of_memory", "rror", r"\bResourceExhaustedError\b", _MEMORY),
    ("out_of_memory", "OOM", r"\bOOM when allocating", _MEMORY),
    ("out_of_memory", "GPU memory has", r"GPU memory has been exhausted", _MEMORY),
    ("out_of_memory", "rror", r"\bAccelerasResourceError\b", _MEMORY),
    ("out_of_memory", "bad_a", r"\bstd::bad_(?:array_new_length|alloc)\b", _MEMORY),
    ("out_of_memory", "allocate memory", r"Cannot allocate memory", _MEMORY),
    ("out_of_memory", "of memory", r"\w(?:Error|Exception|Failure)\b.{0,400}?\b[Oo]ut of memory\b", _MEMORY),
    ("out_of_memory", "of memory", r"\bOut of memory: Kill", _MEMORY),
    ("out_of_memory", "nitialized", r"Error: .{0,400}?Dst tensor is not initialized", _MEMORY),
    ("out_of_memory", "OOM", r"\bOOMKilled\b|\bOOM Killed\b", _MEMORY),
    ("out_of_memory", "Out Of Memory", r"^\W*\w{1,40}: error: .{0,80}\bOut Of Memory\b", _MEMORY),
    ("environment", "SIG", r"\bSIG(?:KILL|TERM)\b", _KILLED),
    ("environment", " signal", r"\b(?:[Kk]illed|[Tt]erminated|[Dd]ied) (?:by|with|from) signal\b", _KILLED),
    ("environment", "Killed", r": Killed\W*$", _KILLED),
    ("environment", "exit", r"\bexit(?:ed)?(?: with)? ?(?:code|status|value)?:? ?=? ?(?:-9|137)\b", _KILLED),
    ("environment", "abruptly", r"process pool was terminated abruptly", _KILLED),
    ("environment", "on device", r"No space left on device", _DISK),
    ("environment", "quota", r"[Qq]uota exceeded", _DISK),
    ("environment", "rror", r"rror\b.{0,400}?Read-only file system", _DISK),
    ("environment", "rror", r"\bInput/output error\b", _DISK),
    ("environment", "rror", r"rror\b.{0,400}?Too many open files", _SYSTEM),
    ("environment", "temporarily", r"Resource temporarily unavailable", _SYSTEM),
    ("environment", "rror", r"Error: can't start new thread", _SYSTEM),
    ("environment", "rror", r"symbol lookup error", _LOADER),
    ("environment", "rror", r"[Ee]rror\b.{0,400}?undefined symbol:", _LOADER),
    ("environment", "rror", r"[Ee]rror\b.{0,400}?cannot open shared object file", _LOADER),
    ("environment", "GLIBC", r"version .?GLIBC\w{0,3}_[\d.]+.? not found", _LOADER),
    ("environment", "rror", r"Error: .{0,40}numpy\.\w+ size changed", _LOADER),
    ("environment", "rror", r"Error: .{0,40}_ARRAY_API not found", _LOADER),
    ("environment", "rror", rf"{_AN_ERROR}was removed in the NumPy 2", _LOADER),
    ("environment", "rror", r"Error: .{0,40}module 'numpy[\w.]*' has no attribute", _LOADER),
    ("environment", "rror", r"Error: Descriptors cannot(?: not)? be created directly", _LOADER),
    ("environment", "compiled to use", r"compiled to use AVX.{0,80}aren't available", _LOADER),
    ("environment", "llegal instruction", r"\b[Ii]llegal instruction\b", Remedy("run it on a CPU with AVX")),
    ("environment", "rror", rf"{_AN_ERROR}\b(?:CUDA|CUDNN|CUBLAS|CUSOLVER)(?:_\w+|\b.{{0,40}}[Ee]rror)", _GPU),
    ("environment", "algorithm worked", r"Error: .{0,40}No algorithm worked", _GPU),
    ("environment", "BLAS support", r"Error: .{0,80}without BLAS support", _GPU),
    ("environment", "libdevice", r"libdevice not found", _GPU),
    ("environment", "icen", rf"\b[Ll]icen[cs]e\b.{{0,80}}?{_EXPIRED}|{_EXPIRED}.{{0,40}}?\b[Ll]icen[cs]e\b", _LICENCE),
    ("environment", "rror", r"\bEOFError: EOF when reading a line", _PROMPT),
    ("environment", "rror", r"rror\b.{0,80}Inappropriate ioctl for device", _PROMPT),
)

FAULTS: tuple[Rule, ...] = tuple(
    rule(family, hint, text, Rank.MACHINE, remedy) for family, hint, text, remedy in _CERTAIN
)
"""certain: a try with one of them says nothing about the network, whatever else was printed"""

_UNCERTAIN: tuple[tuple[str, str, str, Remedy], ...] = (
    (
        "environment",
        "rror",
        r"\bTypeError: .{0,200}?\(\) (?:got an unexpected keyword|got multiple values for|missing \d+ required"
        r"|takes .{0,60}positional|got some positional-only)",
        _ARGUMENTS,
    ),
    ("environment", "rror", r"TypeError: expected str, bytes or os\.PathLike object, not NoneType", _PATH),
    ("environment", "rror", r"\b(?:Connection\w{0,20}Error|URLError|gaierror)\b", _NETWORK),
    ("environment", "rror", r"\b(?:PermissionError|FileNotFoundError|EOFError)\b", _FILES),
    ("environment", "No module named", r"No module named '?(?P<module>[\w.]{1,100})", _LOADER),
    (
        "environment",
        "rror",
        r"\b(?:ImportError|ModuleNotFoundError|OSError): ",
        Remedy("check the environment of the compiler"),
    ),
    ("environment", "hw_arch", _OTHER_ARCH, _ARCHITECTURE),
    ("environment", "upported", _OTHER_ARCH, _ARCHITECTURE),
)

POSSIBLE_FAULTS: tuple[Rule, ...] = tuple(
    rule(family, hint, text, Rank.INCIDENTAL, remedy) for family, hint, text, remedy in _UNCERTAIN
)
"""decide only where nothing better is known: each may be a mere warning, or have been handled"""

_ALL = (*FAULTS, *POSSIBLE_FAULTS)
_OF_THE_SET_UP: Mapping[str, Remedy] = MappingProxyType(
    {
        "calibration_shape": Remedy("give recordings that fit the network's inputs"),
        "model_script": Remedy("mend the model script (--script)"),
        "node_name": Remedy("give names of nodes that the graph has, and not of tensors"),
        "not_quantized": Remedy("optimize before the compile"),
        "environment": Remedy("check the environment of the compiler"),
        "out_of_memory": _MEMORY,
    }
)


def may_pass(message: str) -> bool:
    """Whether another try may not meet what the message says: a killed child, a full disk, too many processes."""
    return any(each.remedy and each.remedy.passing for each in _ALL if each.pattern.search(message))


def remedy(family: str, message: str) -> str:
    """What to do about a fault of this family with this message, as a phrase; empty for a fault of the network."""
    found = (each.remedy for each in _ALL if each.family == family and each.pattern.search(message))
    known = next(found, None) or _OF_THE_SET_UP.get(family)
    return known.text if known else ""
