"""A toolchain that does nothing real: it writes small HARs, ends as it is told to, and keeps count in a file."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasnet.hailo.failures import Certainty
from tasnet.hailo.toolchain import StageEnd, StageReport


def har_bytes(members: Mapping[str, bytes], arrays: Mapping[str, bytes]) -> bytes:
    """An uncompressed tar of `members` and one uncompressed zip of `arrays`; equal arguments, equal bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as npz:
        for name, data in arrays.items():
            npz.writestr(zipfile.ZipInfo(name), data)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in {**members, "net.npz": archive.getvalue()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@dataclass(frozen=True)
class ScriptedToolchain:
    """`calls` gets a line before and after every call. `script` maps a method to a Report or an exception."""

    calls: Path
    script: Mapping[str, StageReport | BaseException] = field(default_factory=dict)
    name: str = "scripted"
    version: str = "1.0"
    fingerprint: str = "a"
    predicted: bool = True
    exhaustive: bool = True
    rests_on: str = ""
    seconds: float = 0.0
    leaves_quantized: bool = False

    def translate(self, onnx: Path, net_name: str, har: Path) -> StageReport:
        digest = hashlib.sha256(onnx.read_bytes()).hexdigest()
        har.write_bytes(har_bytes({"net.hn": digest.encode()}, {"w.npy": b"w" * 5000}))
        return self._end("translate", digest, har)

    def optimize(self, har: Path, arch: str, out: Path) -> StageReport:
        digest = hashlib.sha256(har.read_bytes()).hexdigest()
        if self.leaves_quantized:
            out.write_bytes(har.read_bytes() + b"quantized")
        return self._end("optimize", f"{digest} {arch}", out if self.leaves_quantized else None)

    def compile(self, har: Path, arch: str, hef: Path) -> StageReport:
        digest = hashlib.sha256(har.read_bytes()).hexdigest()
        if self.leaves_quantized:
            hef.write_bytes(b"hef" + digest.encode())
        return self._end("compile", f"{digest} {arch}", hef if self.leaves_quantized else None)

    def _end(self, method: str, given: str, artifact: Path | None) -> StageReport:
        self._line(f"start {method} {given}")
        time.sleep(self.seconds)
        end = self.script.get(method)
        self._line(f"end {method} {given}")
        if isinstance(end, BaseException):
            raise end
        return end or StageReport(StageEnd.PASSED, certainty=Certainty.OBSERVED, artifact=artifact)

    def _line(self, text: str) -> None:
        handle = os.open(self.calls, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{text}\n".encode())
        os.close(handle)
