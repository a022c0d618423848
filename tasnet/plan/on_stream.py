"""A plan run on a stream of raw samples, a block at a time: to wavs, or to another stream."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tasnet.common import printable, unfinished
from tasnet.plan.cuts import Plan, read_plan
from tasnet.plan.executors import EXECUTORS, read_host_weights
from tasnet.plan.function import PlanError
from tasnet.plan.on_wav import DEVICE, SeparationResult, check_output, check_segments, opened, source_names, writers
from tasnet.plan.run import streamed

FORMATS: dict[str, np.dtype[Any]] = {"s16": np.dtype("<i2"), "f32": np.dtype("<f4")}
"""of samples that come in, little-endian, mono"""
PIECE = 1 << 16
"""bytes that are read at most at a time; what is there is taken"""


def separate_stream(
    folder: Path,
    source: BinaryIO,
    output: Path | BinaryIO,
    executor: str = "onnx",
    sample_format: str = "s16",
    rate: float | None = None,
) -> SeparationResult:
    """Separates raw samples of `sample_format` with the plan in `folder`, which is one for streams.

    `output` is a folder for `source1.wav`, …, which appear when the stream has ended well; or a stream of float32,
    little-endian, the sources' samples side by side, that has each block's as soon as they are known. `rate` is the
    stream's, where somebody says it. Raises PlanError.
    """
    if executor not in (*EXECUTORS, DEVICE):
        raise PlanError(f"--executor {printable(executor)}: a stream takes {', '.join((*EXECUTORS, DEVICE))}")
    if sample_format not in FORMATS:
        raise PlanError(f"--format {printable(sample_format)}: unknown; one of {', '.join(FORMATS)}")
    plan, folder = read_plan(folder), folder if folder.is_dir() else folder.parent
    if plan.block is None:
        raise PlanError(
            f"{folder}: a plan of whole clips; a stream needs one in blocks, of a causal network: make it with --block "
            "or --latency"
        )
    hertz = _rate(plan, rate)
    weights = read_host_weights(plan, folder)
    check_segments(plan, folder, executor)
    spent: dict[str, float] = {}
    samples = _PcmReader(plan, source, FORMATS[sample_format])
    begun = time.perf_counter()
    with _written(output, plan, hertz) as (files, write), opened(plan, folder, executor) as (run, is_test_double):
        for block in streamed(plan, weights, run, samples.chunks(), spent):
            write(block)
    seconds = time.perf_counter() - begun
    return SeparationResult(files, samples.count, hertz, seconds, spent, False, is_test_double, None)


def _rate(plan: Plan, given: float | None) -> int:
    known = plan.sample_rate
    if given is not None and known is not None and given != known:
        raise PlanError(f"--rate {given:g}: the network hears {known:g} Hz; resample the stream first")
    if given is None and known is None:
        raise PlanError("nothing says the stream's sample rate; give --rate")
    hertz = given if given is not None else known
    assert hertz is not None
    if not 0 < hertz < 1 << 31 or hertz != round(hertz):
        raise PlanError(f"--rate {hertz:g}: a whole number of samples a second")
    return round(hertz)


class _PcmReader:
    """The samples of a raw stream, and how many there were."""

    def __init__(self, plan: Plan, source: BinaryIO, kind: np.dtype[Any]) -> None:
        self.plan, self.source, self.kind = plan, source, kind
        self.count = 0

    def chunks(self) -> Iterator[Any]:
        """float32 [count], PCM's full scale as 1. Raises PlanError for what is no such stream, where it is met."""
        kept, begun, each = b"", False, self.kind.itemsize
        # What is there is taken, so that no block waits for more than its own samples.
        read: Callable[[int], bytes] = getattr(self.source, "read1", self.source.read)
        while piece := read(PIECE):
            kept += piece
            if not begun and len(kept) < 12:
                continue
            if not begun and kept[:4] in (b"RIFF", b"RF64") and kept[8:12] == b"WAVE":
                raise PlanError("the stream is a wav, with a head that is no sound; name the file, or pipe raw samples")
            begun, whole = True, len(kept) - len(kept) % each
            yield self._samples(kept[:whole])
            kept = kept[whole:]
        if whole := len(kept) - len(kept) % each:
            yield self._samples(kept[:whole])
        if len(kept) % each:
            raise PlanError(
                f"the stream ends in {len(kept) % each} of a sample's {each} bytes, after {self.count:,} samples: is "
                "it cut off, or of another --format?"
            )
        if self.count < self.plan.function.size.L:
            raise PlanError(
                f"the stream ends after {self.count} samples, the encoder's kernel has {self.plan.function.size.L}; "
                "send more"
            )

    def _samples(self, content: bytes) -> Any:
        given = np.frombuffer(content, self.kind)
        if self.kind.kind == "f" and not np.isfinite(given).all():
            at = self.count + int(np.argmin(np.isfinite(given)))
            raise PlanError(f"the stream holds NaN or infinity at sample {at:,}; is it of another --format?")
        self.count += len(given)
        return given.astype(np.float32) / np.float32(1 << 15) if self.kind.kind == "i" else given.astype(np.float32)


@contextmanager
def _written(
    output: Path | BinaryIO, plan: Plan, rate: int
) -> Iterator[tuple[tuple[Path, ...], Callable[[Any], None]]]:
    """The files that will be there, and what takes a block [sources, samples]."""
    if not isinstance(output, Path):
        stream = output

        def send(block: Any) -> None:
            stream.write(np.ascontiguousarray(block.T, "<f4").tobytes())
            stream.flush()

        yield (), send
        return
    names = source_names(plan, output)
    # What is piped in may be a file.
    check_output(output, names, Path("/dev/stdin"))
    with ExitStack() as stack:
        place = stack.enter_context(unfinished.folder(output.parent, f".{output.name}"))
        with writers([place / name.name for name in names], rate) as files:

            def write(block: Any) -> None:
                for file, each in zip(files, block, strict=True):
                    file.write(np.asarray(each, np.float32))

            yield tuple(names), write
        output.mkdir(exist_ok=True)
        for name in names:
            os.replace(place / name.name, name)
