"""A wav from outside, RIFF and nothing else, so that what is read is bounded by what the file has; and its rate.

libsndfile takes any file it knows by its content: an MPEG's decoder writes to stderr of its own, and a FLAC of 1 MB may
hold hours of silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasnet.common.bounded import open_regular

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_BYTES = 1 << 30
HEADS = (b"RIFF", b"RIFX", b"RF64")
"""of a wav, of a big-endian one, and of one that may be longer than 4 GB"""


@contextmanager
def open_wav(path: Path, error: type[Exception], most: int = MAX_BYTES) -> Iterator[Any]:
    """The wav at `path` as an open `soundfile.SoundFile`. Raises `error` with one line, also for what is read of it."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    with open_regular(path, most=most, what="a wav", error=error) as file:
        if (file.read(4) or b"") not in HEADS:
            raise error(f"{path}: not a wav: it doesn't begin with RIFF; give PCM")
        file.seek(0)
        try:
            sound = soundfile.SoundFile(file)
        except (RuntimeError, OSError, ValueError) as refused:
            raise _unreadable(path, refused, error) from None
        with sound:
            try:
                yield sound
            # What else goes wrong while the wav is open, such as a full disk, is not the wav's fault.
            except soundfile.SoundFileError as refused:
                raise _unreadable(path, refused, error) from None


def _unreadable(path: Path, refused: Exception, error: type[Exception]) -> Exception:
    # The library's words name the Python object that it was given.
    why = " ".join(str(getattr(refused, "error_string", None) or refused).split())
    return error(f"{path}: not a wav that can be read ({why}); give PCM")


def resample(samples: npt.NDArray[np.float32], rate: int, to: int) -> npt.NDArray[np.float32]:
    """`samples` [T] at another rate, [T * to / rate], rounded up; what the lower rate can't carry is filtered out.

    By SciPy's polyphase filter, with its default window.
    """
    if rate == to or not len(samples):
        return samples
    import numpy as np
    from scipy.signal import resample_poly  # type: ignore[import-untyped, unused-ignore]

    scale = gcd(rate, to)
    return np.asarray(resample_poly(samples, to // scale, rate // scale), dtype=np.float32)
