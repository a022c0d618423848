"""The Hailo Dataflow Compiler as a Toolchain: it observes. Each stage runs in the compiler's own interpreter.

As documented for 3.27 to 3.34; nothing of the compiler is imported here. A stage reads a file and writes one, so a
later stage can be run without the earlier ones. `tasnet.hailo.process` keeps a stage's process apart from this one.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import numpy as np

from tasnet.common import unfinished
from tasnet.hailo import ARCHITECTURES, StageEnd, StageReport
from tasnet.hailo.compiler.ending import RetryableReport, StageRun, stage_ending
from tasnet.hailo.compiler.find import WORKER, DfcError, compiler_environment, find_compiler
from tasnet.hailo.compiler.limits import CompilerLimits
from tasnet.hailo.compiler.worker import PROTOCOL, QUICK
from tasnet.hailo.files import hef_mismatch
from tasnet.hailo.process import ProcessEnd, hold_memory, run_process

CONTEXTS = ("SDK_NATIVE", "SDK_FP_OPTIMIZED", "SDK_QUANTIZED", "SDK_BIT_EXACT")
"""what `infer` runs on: the float model, the float model as optimized, the quantized one, the chip bit for bit"""

KNOWN = tuple(f"3.{minor}" for minor in range(27, 35))
"""SDK versions whose calls this adapter was written to, as documented"""

_WITHOUT_OPTIONS: Mapping[str, Any] = {
    "translation": dict.fromkeys(("start_node_names", "end_node_names", "net_input_shapes", "net_input_format")),
    "compile_script": "",
}
"""arguments of the SDK that are left out: part of the fingerprint under which outcomes are stored"""


@dataclass(frozen=True)
class Dfc:
    """A Dataflow Compiler that was found and asked for its version; made by `connect_compiler`.

    `arch` is what a translation is for. `calibration` is an npy, or an npz: one array (N, H, W, C), or one per input
    under its name `<net>/input_layerN`. `script` are model script lines for the optimization; `quick` puts lines before
    them that leave out the slow algorithms. The log of a stage is kept beside the file that it writes; the locks in
    `memory_slots` (a folder) keep stages within the machine's memory.
    """

    python: Path
    sdk: str
    """the version that the SDK reports, empty if it reports none"""
    arch: str = "hailo8"
    calibration: Path | None = None
    script: str = ""
    quick: bool = False
    limits: CompilerLimits = field(default_factory=CompilerLimits)
    memory_slots: Path | None = None
    double: bool = False
    """a scripted stand-in for tests: nothing it says was observed"""
    name: str = "dfc"
    exhaustive: bool = False
    rests_on: str = ""

    @property
    def predicted(self) -> bool:
        """False: the compiler itself says it. True for a test double."""
        return self.double

    @property
    def version(self) -> str:
        """The SDK's version, PEP 440; `0` if it reports none that is. A double's ends in `+double`."""
        version = self.sdk if re.match(r"\d+(\.\d+)*([a-z]+\d*)?$", self.sdk) else "0"
        return f"{version}+double" if self.double else version

    @property
    def script_lines(self) -> str:
        """The model script that an optimization is given."""
        return "\n".join([*(QUICK if self.quick else ()), self.script]).strip()

    @property
    def fingerprint(self) -> str:
        """Hash of the SDK's version, the worker's protocol and every option that could change a report."""
        options = {
            "sdk": self.version,
            "protocol": PROTOCOL,
            "arch": self.arch,
            "script": self.script,
            **_WITHOUT_OPTIONS,
            "quick": self.quick,
            "calibration": "" if self.calibration is None else _file_hash(self.calibration),
        }
        return sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()

    def translate(self, onnx: Path, net_name: str, har: Path) -> StageReport:
        """ONNX -> parsed HAR at `har`."""
        request = {"onnx": _existing_file(onnx, "ONNX file"), "net_name": net_name}
        return self._run("translate", self.arch, har, request)

    def optimize(self, har: Path, arch: str, out: Path) -> StageReport:
        """Parsed HAR -> quantized HAR at `out`. DfcError without calibration, or with one of the wrong rank."""
        if self.calibration is None:
            raise DfcError("optimize: no calibration; give an npz or npy of (N, H, W, C)")
        check_arrays(self.calibration, "calibration")
        request = {
            "har": _existing_file(har, "HAR"),
            "calibration": _existing_file(self.calibration, "calibration file"),
            "script": self.script,
            "quick": self.quick,
        }
        return self._run("optimize", arch, out, request)

    def compile(self, har: Path, arch: str, hef: Path) -> StageReport:
        """Quantized HAR -> HEF at `hef`."""
        return self._run("compile", arch, hef, {"har": _existing_file(har, "HAR")})

    def infer(self, har: Path, arch: str, context: str, data: Path, out: Path) -> StageReport:
        """Emulate `har` on `data` (npz or npy, NHWC) in one of CONTEXTS -> npz at `out`: `output0`, or by name."""
        if context not in CONTEXTS:
            raise DfcError(f"infer: no context {context!r}; known are {', '.join(CONTEXTS)}")
        check_arrays(data, "data")
        return self._run(
            "infer",
            arch,
            out,
            {"har": _existing_file(har, "HAR"), "context": context, "data": _existing_file(data, "data file")},
        )

    def hn(self, har: Path, arch: str, out: Path) -> StageReport:
        """The HN of `har` as JSON at `out`, as the compiler sees it."""
        return self._run("hn", arch, out, {"har": _existing_file(har, "HAR")})

    def _run(self, stage: str, arch: str, out: Path, request: Mapping[str, Any]) -> StageReport:
        """One stage, tried again as often as its limits allow if the machine failed."""
        check_arch(arch, self.sdk)
        request = {**request, "stage": stage, "arch": arch}
        retries = self.limits.of(stage).retries
        attempt = 0
        while True:
            ending, _ = try_stage(self, stage, request, out)
            if not ending.retry or attempt >= retries:
                break
            attempt += 1
        tried = f" (tried {attempt + 1} times)" if attempt else ""
        detail = "; ".join(part for part in (ending.report.detail + tried, self.warning) if part)
        return replace(ending.report, detail=detail)

    @property
    def warning(self) -> str:
        """A warning if the SDK is of a version that this adapter doesn't know; else empty."""
        if ".".join(self.sdk.split(".")[:2]) in KNOWN:
            return ""
        return f"SDK {self.sdk or 'of no version'} is none of those this adapter knows ({KNOWN[0]} to {KNOWN[-1]})"


def connect_compiler(python: str | Path | None = None, **options: Any) -> Dfc:
    """Find the compiler's interpreter, ask for its version, and give the toolchain; `options` are fields of Dfc.

    Raises DfcNotFound (with where it looked) and DfcError (an SDK that can't be loaded, or is for other chips).
    """
    found = find_compiler(python)
    dfc = Dfc(found.python, found.sdk, **options)
    if not found.sdk:
        # No wheel: only the module itself can tell.
        with unfinished.folder(prefix="tasnet-dfc") as folder:
            ending, process = try_stage(dfc, "hello", {"stage": "hello"}, Path(folder) / "hello")
            hello = next((m for m in process.messages if m.get("kind") == "hello"), None)
            if ending.report.ended is not StageEnd.PASSED or hello is None:
                raise DfcError(f"{found.python}: {ending.report.detail}")
        dfc = replace(dfc, sdk=str(hello.get("sdk", "")), double=bool(hello.get("double")))
    check_arch(dfc.arch, dfc.sdk)
    return dfc


def try_stage(dfc: Dfc, stage: str, request: Mapping[str, Any], out: Path) -> tuple[RetryableReport, ProcessEnd]:
    """One try of one stage: its ending, and the end of its process. The log is kept, working files are removed."""
    limits = dfc.limits.of(stage)
    log = out.with_name(f"{out.name}.log")
    run = StageRun(stage, dfc.python, dfc.sdk, log, out, dfc.double)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with (
            hold_memory(limits.memory, dfc.memory_slots),
            # On the disk of the result, which is renamed into place.
            unfinished.folder(out.parent, ".dfc") as folder,
        ):
            made = Path(folder) / out.name
            process = run_process(
                [str(dfc.python), "-u", str(WORKER)],
                request={**request, "out": str(made.absolute())},
                log=log,
                cwd=Path(folder),
                seconds=limits.seconds,
                memory_bytes=limits.memory,
                grace=dfc.limits.grace_seconds,
                env=compiler_environment(),
            )
            ending = stage_ending(process, run)
            if ending.report.ended is StageEnd.PASSED and stage == "compile":
                ending = _checked_hef(ending, process, made, request["arch"])
            if ending.report.ended is StageEnd.PASSED and stage != "hello":
                # Only here: a stage that failed at any time leaves no result.
                os.replace(made, out)
            return ending, process
    except OSError as error:
        # Of our own disk or process table: `infra`, as if the worker had met it.
        where = "" if error.filename is None else f" ({Path(str(error.filename)).name})"
        return RetryableReport(
            StageReport(StageEnd.INFRA, detail=f"{stage}: {error.strerror}{where}"), True
        ), ProcessEnd()


def _checked_hef(ending: RetryableReport, process: ProcessEnd, hef: Path, arch: str) -> RetryableReport:
    """The ending of a compile that passed, its HEF compared with the HN: one of another network is `infra`."""
    done = next((m for m in process.messages if m.get("kind") == "done"), {})
    result = done.get("result")
    ends = result.get("ends") if isinstance(result, dict) else None
    report = ending.report
    if wrong := hef_mismatch(hef, arch, ends):
        detail = f"the compiler says it is done, and gave {wrong}"
        return RetryableReport(StageReport(StageEnd.INFRA, log=report.log, detail=detail))
    if ends is None or not (ends["inputs"] and ends["outputs"]):
        unchecked = "the SDK told no inputs and outputs of its HN to hold the HEF against"
        return RetryableReport(replace(report, detail="; ".join(part for part in (report.detail, unchecked) if part)))
    return ending


def check_arch(arch: str, sdk: str) -> None:
    """DfcError for an architecture that this SDK doesn't compile for."""
    if arch not in ARCHITECTURES:
        raise DfcError(f"architecture {arch!r}: Dataflow Compiler 3.x knows {', '.join(ARCHITECTURES)}")
    major = sdk.partition(".")[0]
    if major.isdigit() and int(major) >= 4:
        raise DfcError(
            f"SDK {sdk} is for Hailo-10H and Hailo-15 and refuses {arch}: use Dataflow Compiler 3.x "
            f"({KNOWN[0]} to {KNOWN[-1]}) in an environment of its own"
        )


def check_arrays(path: Path, what: str) -> None:
    """DfcError where an npz or npy can't be read or isn't (N, H, W, C) throughout. Only headers are read."""
    _existing_file(path, what)
    try:
        shapes = dict(_shapes(path))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DfcError(f"{what} {path.name}: neither npz nor npy ({error}); save it with numpy.savez") from None
    if not shapes:
        raise DfcError(f"{what} {path.name}: no array in it; save one of (N, H, W, C)")
    for name, shape in shapes.items():
        if len(shape) != 4 or 0 in shape:
            raise DfcError(f"{what} {path.name}: {name} is {shape}, and must be (N, H, W, C), none of them 0")


def _shapes(path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The arrays of an npy or npz by name, without their data."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield path.name, _shape(file)
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                yield name.removesuffix(".npy"), _shape(member)


def _shape(file: IO[bytes]) -> tuple[int, ...]:
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in read:
        raise ValueError(f"npy version {version}")
    shape, _, dtype = read[version](file)
    if dtype.hasobject:
        raise ValueError("it holds objects and not numbers")
    return tuple(shape)


def _existing_file(path: Path, what: str) -> str:
    if not path.is_file():
        raise DfcError(f"{path}: this {what} isn't there; check the path")
    return os.path.abspath(path)


def _file_hash(path: Path) -> str:
    """Hash of a file's content; read again only when the file has changed."""
    state = os.stat(_existing_file(path, "calibration file"))
    return _content(os.path.abspath(path), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _content(path: str, modified: int, size: int) -> str:
    digest = sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
