"""The program that runs a compiled plan on a machine with nothing but Python, numpy and HailoRT.

`tasnet plan runtime` writes it out after `rows`, `host`, `run` and `hailort`, with the plan behind it. It takes a mono
wav of any length, PCM or float, and writes wavs of 32-bit float a block at a time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tasnet.plan.hailort import HailoRT, HailortError
from tasnet.plan.run import estimates

MAX_WAV_BYTES = 1 << 32
"""bytes: a RIFF's own sizes have 32 bits"""


class SeparationError(Exception):
    """One line: what is wrong, and what to do."""


def main(text: str, folder: Path, arguments: Sequence[str]) -> int:
    """Runs the plan (JSON) whose files are in `folder`; arguments are the mix and a folder for the sources."""
    if len(arguments) != 2 or any(each.startswith("-") for each in arguments):
        print("usage: python separate.py MIX.wav OUT\nwrites OUT/source1.wav, source2.wav, ...", file=sys.stderr)
        return 2
    try:
        told = run_plan(text, folder, Path(arguments[0]), Path(arguments[1]))
    except (SeparationError, HailortError, OSError) as error:
        return _refused(str(error))
    except Exception as error:
        # In 4.x not all of the library's exceptions have one base class.
        if type(error).__module__.split(".")[0] not in ("hailo_platform", "_pyhailort"):
            raise
        return _refused(f"HailoRT: {type(error).__name__}: {error}")
    print("\n".join(told))
    return 0


def _refused(why: str) -> int:
    print(f"error: {' '.join(why.split())}", file=sys.stderr)
    return 2


def run_plan(text: str, folder: Path, mix: Path, output: Path) -> list[str]:
    """Checks everything, then runs; the wavs appear when all of them are whole. Returns what to print."""
    given = json.loads(text)
    plan = json.loads(text, object_hook=lambda each: SimpleNamespace(**each))
    for name, digest in given["files"].items():
        if not (folder / name).is_file():
            raise SeparationError(f"{folder / name}: missing; copy it here from the plan's folder")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise SeparationError(f"{folder / name}: not the plan's file; copy it again, or write this program again")
    samples, rate = read_wav(mix)
    if plan.sample_rate is not None and rate != plan.sample_rate:
        raise SeparationError(f"{mix}: {rate} Hz, the network hears {plan.sample_rate:g} Hz; resample it first")
    if len(samples) + 2 * plan.padding < plan.function.size.L:
        raise SeparationError(
            f"{mix}: {len(samples)} samples, the encoder's kernel has {plan.function.size.L}; give a longer one"
        )
    names = [output / f"source{source + 1}.wav" for source in range(plan.function.size.n_src)]
    if any(name.exists() and name.samefile(mix) for name in names):
        raise SeparationError(f"{mix}: would be overwritten; name another folder")
    if not output.is_dir() and (output.exists() or not output.parent.is_dir()):
        raise SeparationError(f"{output}: no folder, and none can be made there; name another")
    library = _library()
    with np.load(folder / "host.npz", allow_pickle=False) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    spent: dict[str, float] = {}
    begun = time.perf_counter()

    def read(start: int, count: int) -> Any:
        found = to_float(samples[start : start + count])
        if not np.isfinite(found).all():
            raise SeparationError(f"{mix}: holds NaN or infinity; mend the recording")
        return found

    with ExitStack() as stack:
        place = stack.enter_context(_unfinished(output))
        run = stack.enter_context(HailoRT(library, folder, given["ends"]))
        files = [stack.enter_context((place / name.name).open("wb")) for name in names]
        for file in files:
            file.write(wav_head(len(samples), rate))
        for block in estimates(plan, weights, run, read, len(samples), spent):
            for file, each in zip(files, block, strict=True):
                file.write(np.ascontiguousarray(each, "<f4").tobytes())
        output.mkdir(exist_ok=True)
        for file, name in zip(files, names, strict=True):
            file.close()
            os.replace(place / name.name, name)
    return _told(names, len(samples), rate, time.perf_counter() - begun, spent, library)


@contextmanager
def _unfinished(output: Path) -> Iterator[Path]:
    """A folder beside `output`, gone when left. What killed programs left there is removed first.

    A living one's is locked, which the system ends when its holder dies; the name is that of `common.unfinished`.
    """
    name = re.compile(re.escape(f".{output.name}.") + "[0-9a-f]{16}[.]unfinished")
    for each in output.parent.iterdir():
        if name.fullmatch(each.name) and not each.is_symlink():
            _remove_unlocked(each)
    while True:
        place = output.parent / f".{output.name}.{secrets.token_hex(8)}.unfinished"
        place.mkdir(mode=0o700)
        lock = os.open(place, os.O_RDONLY)
        try:
            if _locked(lock) is False:
                # Another program took it for a dead one's.
                continue
            try:
                yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)
            return
        finally:
            os.close(lock)


def _remove_unlocked(place: Path) -> None:
    try:
        lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if _locked(lock):
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(lock)


def _locked(folder: int) -> bool | None:
    """Locks an open folder; False if another process has it or it is gone, None where the file system has no locks."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return os.fstat(folder).st_nlink > 0


def _told(
    names: Sequence[Path], samples: int, rate: int, seconds: float, spent: Mapping[str, float], library: Any
) -> list[str]:
    total = sum(spent.values()) or 1.0
    shares = ", ".join(f"{name} {share / total:.0%}" for name, share in spent.items())
    told = [f"{name}: {samples} samples at {rate} Hz" for name in names]
    if getattr(library, "IS_A_TEST_DOUBLE", False):
        told.append("by a test double: no chip was there")
    if not set(spent) - {"host"}:
        told.append("note: shorter than the plan's windows: the host computed the whole network")
    return [*told, f"real-time factor {seconds * rate / samples:.3f} on this machine: {shares}"]


def _library() -> Any:
    try:
        import hailo_platform  # type: ignore[import-not-found, unused-ignore]
    except Exception as error:
        # A missing library, one for another numpy, and two versions that don't fit are told by different classes.
        raise SeparationError(
            f"no hailo_platform to import ({type(error).__name__}: {error}); install HailoRT 4.x"
        ) from None
    return hailo_platform


# --- wavs ----------------------------------------------------------------------------------------------------


def read_wav(path: Path) -> tuple[Any, int]:
    """The samples of a mono wav, mapped and not read, in the file's own type (24 bits: [T, 3] bytes); its rate."""
    if not path.is_file():
        raise SeparationError(f"{path}: no such file; name a wav")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE" or size > MAX_WAV_BYTES:
            raise SeparationError(f"{path}: not a wav: it doesn't begin with RIFF and WAVE; give PCM")
        form = None
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            if name == b"fmt ":
                form = file.read(min(length, 64))
                if len(form) < 16:
                    break
                file.seek(max(0, length - 64), 1)
            elif name == b"data":
                return _samples(path, form, file.tell(), min(length, size - file.tell()))
            else:
                file.seek(length, 1)
            file.seek(length % 2, 1)
    raise SeparationError(f"{path}: not a whole wav; copy it again")


def _samples(path: Path, form: bytes | None, start: int, length: int) -> tuple[Any, int]:
    if form is None:
        raise SeparationError(f"{path}: a wav whose form comes after its data; write it again as PCM")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if code == 0xFFFE and len(form) >= 26:
        code = struct.unpack("<H", form[24:26])[0]
    if channels != 1:
        raise SeparationError(f"{path}: {channels} channels; the network hears one: give a mono wav")
    known = {(1, 8): "u1", (1, 16): "<i2", (1, 24): "u1", (1, 32): "<i4", (3, 32): "<f4", (3, 64): "<f8"}
    if (code, bits) not in known or not rate:
        raise SeparationError(f"{path}: a wav of form {code} with {bits} bits; give PCM of 16 bits or float of 32")
    count = length // (bits // 8)
    if not count:
        raise SeparationError(f"{path}: no samples; give a recording")
    shape = (count, 3) if bits == 24 else (count,)
    return np.memmap(path, known[code, bits], "r", start, shape), rate


def to_float(samples: Any) -> Any:
    """Any of a wav's types -> float32, PCM's full scale as 1."""
    if samples.ndim == 2:
        wide = np.zeros((len(samples), 4), np.uint8)
        wide[:, 1:] = samples
        return (wide.view("<i4")[:, 0] / np.float64(1 << 31)).astype(np.float32)
    if samples.dtype == np.uint8:
        return ((samples.astype(np.float32) - 128) / 128).astype(np.float32)
    if samples.dtype.kind == "i":
        return (samples / np.float64(1 << (8 * samples.dtype.itemsize - 1))).astype(np.float32)
    return samples.astype(np.float32)


def wav_head(samples: int, rate: int) -> bytes:
    """All of a mono wav of 32-bit float before its samples."""
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, 1, rate, 4 * rate, 4, 32, 0)
    rest = form + struct.pack("<4sII", b"fact", 4, samples) + struct.pack("<4sI", b"data", 4 * samples)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(rest) + 4 * samples, b"WAVE") + rest
