"""A hardware profile measured: a compiled plan's own HEFs on the chip, and this host, by the terms of the cost model.

A figure that the measurement can't tell (too few segments, a term that is lost in the others) keeps what it had, and
says so.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from tasnet.hailo.chip import Detection, FrameTimes, time_switches
from tasnet.plan.cuts import Plan, Segment
from tasnet.plan.executors import OnnxRuntime, read_verified_file
from tasnet.plan.function import PlanError
from tasnet.plan.hardware import FIGURES, Figure, Hardware

REPEATS = 20
"""frames of each HEF: a median of so many is steady where a driver's hiccup is one of them"""
MAX_OPEN_HEFS = 8
"""kept open at once; a device holds more"""
STREAM_ELEMENTS = 1 << 24
"""float32: 64 MB, more than a cache"""


@dataclass(frozen=True)
class Timed:
    """One segment on the chip: seconds of one invocation by the host's clock, and what the model counts of it."""

    moved: int
    """elements to the chip and back: bytes, at 8 bits"""
    macs: int
    weights: int
    times: FrameTimes


def measure_profile(plan: Plan, folder: Path, detection: Detection, base: Hardware, today: date) -> Hardware:
    """The profile of this host and its chip. Raises PlanError for a plan that isn't compiled, and HailoRT's errors."""
    if not plan.on_chip or any(each.hef is None for each in plan.on_chip):
        raise PlanError(f"{folder}: not compiled; compile it first (tasnet plan compile), and name that folder")
    # The largest, the smallest and those between: alike ones tell the terms apart badly.
    ranked = sorted(plan.on_chip, key=lambda each: each.macs)
    picked = [
        ranked[at] for at in sorted({round(i * (len(ranked) - 1) / (MAX_OPEN_HEFS - 1)) for i in range(MAX_OPEN_HEFS)})
    ]
    for each in picked:
        read_verified_file(folder, each.hef)
    paths = [folder / each.hef.name for each in picked if each.hef is not None]
    times = time_switches(paths, detection, REPEATS)
    timed = [_timed(each, one) for each, one in zip(picked, times, strict=True)]
    double = "a test double of HailoRT, nothing was measured: " if detection.double else ""
    where = f"{double}{today.isoformat()}, {platform.node()} ({platform.machine()})"
    on_chip = f"{where}, {plan.arch} with HailoRT {detection.version}"
    found = fitted(timed, base, on_chip)
    found = replace(found, host_bytes_per_second=_stream(where), host_macs_per_second=_macs(picked, folder, where))
    return replace(found, name=f"{platform.node()}, {plan.arch}{' (test double)' if detection.double else ''}")


def _timed(each: Segment, times: FrameTimes) -> Timed:
    pixels = each.height * each.width
    moved = pixels * sum(port.channels for port in (*each.inputs, *each.outputs))
    return Timed(moved, each.macs, each.weights, times)


def fitted(timed: Sequence[Timed], base: Hardware, where: str) -> Hardware:
    """invocation + moved / link + macs / rate = seconds, and switch + weights / link = what a switch adds.

    By non-negative least squares of relative errors over the segments' medians.
    """
    from scipy.optimize import nnls  # type: ignore[import-untyped, unused-ignore]

    taken = np.array([statistics.median(each.times.loaded) for each in timed])
    terms = np.array([[1.0, each.moved, each.macs] for each in timed]) / taken[:, None]
    scale = np.abs(terms).max(axis=0)
    told: dict[str, Figure] = {}
    if np.linalg.matrix_rank(terms / scale) == 3:
        parts = nnls(terms / scale, np.ones(len(timed)))[0] / scale
        off = float(np.abs(terms @ parts - 1).max())
        how = f"{where}: medians of {len(timed[0].times.loaded)} frames of {len(timed)} HEFs, fitted within {off:.0%}"
        values = {"invocation_seconds": parts[0]}
        values |= {"link_bytes_per_second": 1 / parts[1]} if parts[1] else {}
        values |= {"macs_per_second": 1 / parts[2]} if parts[2] else {}
        for name in ("invocation_seconds", "link_bytes_per_second", "macs_per_second"):
            value = float(values.get(name, 0))
            told[name] = _spread(value, off, how) if value else _kept(base, name, "lost in the other terms", where)
    else:
        why = f"{len(timed)} HEFs are too few, or too alike, to tell it from the other terms"
        for name in ("invocation_seconds", "link_bytes_per_second", "macs_per_second"):
            told[name] = _kept(base, name, why, where)
    found = Hardware(base.name, **{name: told.get(name, getattr(base, name)) for name in FIGURES})
    return replace(found, switch_seconds=_switch(timed, found, where))


def _switch(timed: Sequence[Timed], found: Hardware, where: str) -> Figure:
    link = found.link_bytes_per_second.value
    added = [
        statistics.median(each.times.switched) - statistics.median(each.times.loaded) - each.weights / link
        for each in timed
        if each.times.switched
    ]
    if not added:
        return _kept(found, "switch_seconds", "one HEF has nothing to switch from", where)
    if min(added) <= 0:
        return _kept(found, "switch_seconds", "a switch took no longer than its weights over the link", where)
    how = f"{where}: what a frame takes longer after another HEF's, less its weights over the link, {len(added)} HEFs"
    return Figure(statistics.median(added), min(added), max(added), how)


def _stream(where: str) -> Figure:
    given = np.zeros(STREAM_ELEMENTS, np.float32)
    made = np.ones_like(given)
    rates = [2 * given.nbytes / each for each in _seconds(lambda: np.add(given, 1, out=made))]
    how = f"{where}: numpy adds to 64 MB of float32, bytes read and written, one core"
    return Figure(statistics.median(rates), min(rates), max(rates), how)


def _macs(picked: Sequence[Segment], folder: Path, where: str) -> Figure:
    """What ONNX Runtime makes of the largest segment on this CPU."""
    largest = max(picked, key=lambda each: each.macs)
    execute = OnnxRuntime(folder)
    shape = (largest.height, largest.width)
    inputs = {port.role: np.zeros((1, port.channels, *shape), np.float32) for port in largest.inputs}
    roles = [port.role for port in largest.outputs]
    rates = [largest.macs / each for each in _seconds(lambda: execute(largest, inputs, roles))]
    how = f"{where}: ONNX Runtime on {largest.name} of the plan ({largest.macs / 1e6:.0f} MMACs), all cores"
    return Figure(statistics.median(rates), min(rates), max(rates), how)


def _seconds(work: object) -> Iterator[float]:
    assert callable(work)
    work()
    for _ in range(5):
        begun = time.perf_counter()
        work()
        yield time.perf_counter() - begun


def _spread(value: float, off: float, how: str) -> Figure:
    off = min(off, 0.9)
    return Figure(value, value * (1 - off), value * (1 + off), how)


def _kept(base: Hardware, name: str, why: str, where: str) -> Figure:
    figure: Figure = getattr(base, name)
    return replace(figure, source=f"not measured ({why}; {where}); as in {base.name}: {figure.source}")


def profile_toml(hardware: Hardware) -> bytes:
    """The profile as a file that `read_profile` takes."""
    lines = [f"name = {_toml(hardware.name)}"]
    for name in FIGURES:
        figure: Figure = getattr(hardware, name)
        lines += ["", f"[{name}]", f"value = {figure.value!r}", f"range = [{figure.low!r}, {figure.high!r}]"]
        lines += [f"source = {_toml(figure.source)}"]
    return ("\n".join(lines) + "\n").encode()


def _toml(text: str) -> str:
    """A JSON string is a TOML string but for surrogates, which JSON makes of characters beyond 16 bits, and DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
