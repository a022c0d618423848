"""The arrays of a HAR's `.npz`, as float32: a zip that is counted before it is unpacked."""

from __future__ import annotations

import io
import zipfile
from math import prod

import numpy as np
import numpy.typing as npt

MAX_BYTES = 512 << 20
"""of an npz, packed or not, and of its arrays in float32"""
_MAX_ARRAYS = 100_000


class WeightsError(ValueError):
    """Arrays that can't be read. The message names no file: the caller does."""


def read_arrays(data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """The arrays by name. Raises WeightsError, and what zipfile, zlib and numpy raise for a broken file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if len(entries) > _MAX_ARRAYS or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise WeightsError(f"more than {_MAX_ARRAYS:,} arrays, or {MAX_BYTES:,} bytes once unpacked")
    if len({entry.filename for entry in entries}) != len(entries):
        raise WeightsError("an array appears twice")
    found: dict[str, npt.NDArray[np.float32]] = {}
    total = 0
    # What doesn't fit float32 becomes infinite, and is named when the network is checked.
    with np.load(io.BytesIO(data), allow_pickle=False) as archive, np.errstate(all="ignore"):
        for key in archive.files:
            array = archive[key]
            if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
                raise WeightsError(f"{key} holds no real numbers")
            total += 4 * prod(array.shape)
            if total > MAX_BYTES:
                raise WeightsError(f"more than {MAX_BYTES:,} bytes in float32")
            found[key] = np.asarray(array, np.float32)
    return found
