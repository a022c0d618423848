"""A compiled file of one small network, and data for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.doubles import hef_writer as written

LENGTH = 64
FRAMES = np.arange(3 * LENGTH, dtype=np.float32).reshape(3, 1, LENGTH, 1)


def edges(*outputs: str) -> list[bytes]:
    """One input of `LENGTH` samples, and outputs of the same shape."""
    told = [written.edge("net/input_layer1", (1, LENGTH, 1))]
    return told + [written.edge(name, (1, LENGTH, 1), output=True) for name in outputs]


def hef_file(tmp_path: Path, *outputs: str, arch: int = 1, groups: int = 1) -> Path:
    one = written.group("net", [written.context(0, edges(*(outputs or ("net/deconv1",))))], order=outputs)
    path = tmp_path / "net.hef"
    path.write_bytes(written.sealed(2, written.proto([one] * groups, arch=arch)))
    return path
