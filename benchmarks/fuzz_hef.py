"""Reads N mutated HEFs (100,000 by default); prints how many, how they ended, and the time.

Half of the mutated protobufs are sealed again with a right digest, so that the reader gets past the integrity
check. Anything but a Hef or a HefError ends the run with its traceback and leaves the file.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

# The doubles are the tests' own and not part of the package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tasnet.hailo.files.hef import HefError, read_hef
from tests.doubles import hef_writer


def main(count: int = 100_000, seed: int = 1) -> None:
    """Mutate, read, count."""
    rng = random.Random(seed)
    ends: Counter[str] = Counter()
    message = hef_writer.small()
    started = time.perf_counter()
    # In memory where the system offers it: writing 100,000 files to a disk takes longer than reading them.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        path = Path(directory) / "mutated.hef"
        for i in range(count):
            data = mutated(rng, message, version=i % 4, sealed=bool(i // 4 % 2))
            path.write_bytes(data)
            try:
                read_hef(path)
                ends["read"] += 1
            except HefError as error:
                ends["broken protobuf" if "protobuf is" in str(error) else "refused otherwise"] += 1
            except BaseException:
                Path("fuzz_hef_failure.hef").write_bytes(data)
                raise
    seconds = time.perf_counter() - started
    print(f"{count} mutated files in {seconds:.1f} s: " + ", ".join(f"{n} {end}" for end, n in sorted(ends.items())))


def mutated(rng: random.Random, message: bytes, *, version: int, sealed: bool) -> bytes:
    """A valid HEF around `message` with a few bytes changed, cut out or repeated."""
    if sealed:
        return hef_writer.sealed(version, damaged(rng, message), b"ccws" * 8, b"info", proto_digest=rng.random() < 0.5)
    return damaged(rng, hef_writer.sealed(version, message, b"ccws" * 8, b"info"))


def damaged(rng: random.Random, data: bytes) -> bytes:
    """One to four changes at random places."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not out:
            break
        at = rng.randrange(len(out))
        kind = rng.randrange(5)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del out[at : at + rng.randint(1, 16)]
        elif kind == 3:
            out[at:at] = out[at : at + rng.randint(1, 16)]
        else:
            del out[at:]
    return bytes(out)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
