"""Runs a HEF on a Hailo device through HailoRT 4.x, frame by frame, and measures its speed.

It uses the async API if the library has it (4.18 and later, as documented), else the classic one. The library
quantizes and dequantizes: data is float32, NHWC, real values. A HEF for another architecture is refused before the
library sees it. Every exception of the library is raised as a RuntimeFailure.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from packaging.version import InvalidVersion, Version

from tasnet.hailo.chip.detection import Chip, Detection, open_device
from tasnet.hailo.chip.failure import TIMEOUT, RuntimeFailure, hailort_call, is_hailort
from tasnet.hailo.files import EdgeLayer, Hef, HefError, read_hef, runs_on

TIMEOUT_MS = 10_000
"""for one frame; a Conv-TasNet window takes well under a second"""
_MAX_ELEMENTS = 1 << 28
"""of one frame of an input or output: a GiB as float32"""
ASYNC_SINCE = Version("4.18")

Array = npt.NDArray[np.float32]
Frame = Mapping[str, Array]
"""input or output name -> (H, W, C)"""
Api = Literal["async", "classic"]


@dataclass(frozen=True)
class ChipInference:
    """`outputs`: name -> (N, H, W, C) float32, in the order of the HEF's outputs; latencies in seconds.

    A latency is the host's, from handing over a frame to having its result; Python can't read the chip's own (see
    `hailortcli.py`). `double` is true if a test double answered instead of HailoRT.
    """

    outputs: Mapping[str, Array]
    latencies: tuple[float, ...]
    api: Api
    chip: Chip
    version: str
    double: bool


@dataclass(frozen=True)
class ChipMeasurement:
    """`fps` with the queue kept full, latencies one frame at a time; None if the board has no such sensor."""

    frames: int
    fps: float
    latency_median_seconds: float
    latency_95_seconds: float
    temperature_celsius: float | None
    power_watts: float | None
    double: bool


@dataclass(frozen=True)
class _Session:
    """A configured network. `start` hands over a frame and returns a function that waits for its outputs.

    At most `queue` frames are in flight: as many as the device takes.
    """

    api: Api
    queue: int
    start: Callable[[Frame], Callable[[], Frame]]


def checked_hef(path: str | os.PathLike[str], detection: Detection) -> tuple[Hef, Chip]:
    """The HEF, read by this package, and the chip to run it on. Raises RuntimeFailure or HefError.

    Refuses, before the library sees the file: no chip, a HEF for another architecture, more than one network group,
    inputs or outputs that aren't there, are of no size, share a name, or are of a form that isn't read.
    """
    if not detection.ready:
        raise RuntimeFailure(f"no Hailo device to run on: {detection.reason}")
    hef = read_hef(path)
    name = Path(path).name
    for chip in detection.chips:
        if _runs_on(hef, chip):
            break
    else:
        found = ", ".join(sorted({chip.arch for chip in detection.chips}))
        raise RuntimeFailure(f"{name}: compiled for {hef.arch_text}, the device here is {found}; compile it for that")
    if len(hef.groups) != 1:
        raise RuntimeFailure(f"{name}: {len(hef.groups)} network groups; compile one network into a HEF")
    if wrong := _wrong_ends(hef):
        raise RuntimeFailure(f"{name}: {wrong}: nothing can be run so; compile it again")
    return hef, chip


def infer_on_chip(
    path: str | os.PathLike[str],
    frames: Mapping[str, Array] | Array,
    detection: Detection,
    *,
    timeout_ms: int = TIMEOUT_MS,
    api: Api | None = None,
) -> ChipInference:
    """Run the HEF on `frames`, one after another.

    `frames` is (N, H, W, C) by input name (the HEF's, with or without scope), or one array for the only input.
    `api` is chosen by the library's version unless given. Raises RuntimeFailure, HefError.
    """
    hef, chip = checked_hef(path, detection)
    data = checked_frames(hef, frames)
    outputs: dict[str, list[Array]] = {edge.name: [] for edge in hef.outputs}
    latencies: list[float] = []
    with _open_session(path, hef, chip, detection, timeout_ms, api) as session:
        for result, seconds in _timed(session, data):
            latencies.append(seconds)
            for name, value in result.items():
                outputs[name].append(value)
    stacked = {name: np.stack(values) for name, values in outputs.items()}
    return ChipInference(stacked, tuple(latencies), session.api, chip, detection.version, detection.double)


def measure_on_chip(
    path: str | os.PathLike[str],
    frames: Mapping[str, Array] | Array,
    detection: Detection,
    *,
    repeat: int = 1,
    timeout_ms: int = TIMEOUT_MS,
    api: Api | None = None,
) -> ChipMeasurement:
    """Latency over `frames`, then throughput over `frames` again and again, `repeat` times; then the read_sensors."""
    hef, chip = checked_hef(path, detection)
    data = checked_frames(hef, frames)
    with _open_session(path, hef, chip, detection, timeout_ms, api) as session:
        latencies = [seconds for _, seconds in _timed(session, data)]
        waiting: deque[Callable[[], Frame]] = deque()
        count = 0
        started = time.perf_counter()
        for _ in range(repeat):
            for frame in _frames(data):
                if len(waiting) == session.queue:
                    waiting.popleft()()
                waiting.append(session.start(frame))
                count += 1
        while waiting:
            waiting.popleft()()
        elapsed = time.perf_counter() - started
        # Read while the chip is still warm.
        temperature, power = read_sensors(detection, chip)
    return ChipMeasurement(
        frames=count,
        fps=count / max(elapsed, 1e-9),
        latency_median_seconds=float(np.median(latencies)),
        latency_95_seconds=float(np.percentile(latencies, 95)),
        temperature_celsius=temperature,
        power_watts=power,
        double=detection.double,
    )


def read_sensors(detection: Detection, chip: Chip) -> tuple[float | None, float | None]:
    """(the hotter of the two read_sensors in degrees Celsius, power in W); None where the board has none."""
    assert detection.module is not None

    def reading(what: Callable[[Any], float]) -> float | None:
        try:
            with open_device(detection.module, chip.id) as device:  # type: ignore[arg-type]
                return what(device.control)
        except Exception as error:
            # Boards without the sensor answer with an error of the firmware.
            if isinstance(error, RuntimeFailure) or is_hailort(error):
                return None
            raise

    def temperature(control: Any) -> float:
        sensed = control.get_chip_temperature()
        return max(float(sensed.ts0_temperature), float(sensed.ts1_temperature))

    return reading(temperature), reading(lambda control: float(control.power_measurement()))


# --- inputs ------------------------------------------------------------------------------------------------


def _runs_on(hef: Hef, chip: Chip) -> bool:
    try:
        return runs_on(hef, chip.arch)
    except HefError:
        return False


def _wrong_ends(hef: Hef) -> str:
    """What is wrong with the file's inputs and outputs; empty where nothing is."""
    if unread := sum(group.unread_edges for group in hef.groups):
        return f"{unread} of its inputs and outputs are multiplexed, and not read here"
    for what, edges in (("input", hef.inputs), ("output", hef.outputs)):
        if not edges:
            return f"a network without an {what}"
        if len({edge.name for edge in edges}) != len(edges):
            return f"two {what}s of one name"
        for edge in edges:
            if not 0 < edge.height * edge.width * edge.features <= _MAX_ELEMENTS:
                return f"{what} {edge.name} has {edge.height} x {edge.width} x {edge.features} elements"
    return ""


def checked_frames(hef: Hef, frames: Mapping[str, Array] | Array) -> dict[str, Array]:
    """Frames by the HEF's own input names, float32 as the library takes it, finite. Raises RuntimeFailure."""
    if not isinstance(frames, Mapping):
        if len(hef.inputs) != 1:
            raise RuntimeFailure(f"the HEF has {len(hef.inputs)} inputs: give an array for each, by name")
        frames = {hef.inputs[0].name: frames}
    named: dict[str, Array] = {}
    for edge in hef.inputs:
        array = frames.get(edge.name, frames.get(edge.base_name))
        if array is None:
            raise RuntimeFailure(f"no data for input {edge.name} (got {', '.join(frames) or 'none'}); name it so")
        if array.ndim != 4 or array.shape[1:] != edge.shape or not len(array):
            raise RuntimeFailure(f"input {edge.name} is (N, {', '.join(map(str, edge.shape))}), the data {array.shape}")
        with np.errstate(over="ignore"):
            # Writable too: the library refuses any other buffer, an input's as well.
            named[edge.name] = np.require(array, np.float32, ["C_CONTIGUOUS", "WRITEABLE"])
        if not np.all(np.isfinite(named[edge.name])):
            raise RuntimeFailure(f"input {edge.name}: the data holds NaN, infinity or what float32 can't hold; mend it")
    if len(frames) != len(named):
        raise RuntimeFailure(
            f"the HEF's inputs are {', '.join(named)}, the data's {', '.join(frames)}; leave out the rest"
        )
    if len({len(array) for array in named.values()}) != 1:
        raise RuntimeFailure("the inputs have different numbers of frames; give as many for each")
    return named


def _timed(session: _Session, data: Mapping[str, Array]) -> Iterator[tuple[Frame, float]]:
    """The outputs of one frame after another, and the seconds that each took."""
    for frame in _frames(data):
        started = time.perf_counter()
        yield session.start(frame)(), time.perf_counter() - started


def _frames(data: Mapping[str, Array]) -> Iterator[Frame]:
    for index in range(len(next(iter(data.values())))):
        yield {name: array[index] for name, array in data.items()}


# --- sessions ----------------------------------------------------------------------------------------------


@contextmanager
def _open_session(
    path: str | os.PathLike[str], hef: Hef, chip: Chip, detection: Detection, timeout_ms: int, api: Api | None
) -> Iterator[_Session]:
    library: Any = detection.module
    # What the device may still write to until it is closed: a frame that timed out is still in flight.
    buffers: dict[int, object] = {}
    with open_virtual_device(detection, chip) as device:
        name = os.fspath(path)
        if (api or _newest_api(device, detection.version)) == "async":
            made = async_session(library, device, name, hef, timeout_ms, buffers)
        else:
            made = _classic(library, device, name, hef)
        with made as session:
            yield session


@contextmanager
def open_virtual_device(detection: Detection, chip: Chip) -> Iterator[Any]:
    """HailoRT's VDevice on this chip, closed when left. Raises RuntimeFailure."""
    library: Any = detection.module
    with hailort_call("opening the device"):
        # With one device the library chooses it; naming it is reading for only where there is a choice.
        device = library.VDevice(device_ids=[chip.id]) if len(detection.chips) > 1 else library.VDevice()
    with _entered(device, "the device"):
        yield device


def _newest_api(device: Any, version: str) -> Api:
    """`async` if the library is new enough and has it, else `classic`."""
    try:
        new = Version(version) >= ASYNC_SINCE
    except InvalidVersion:
        new = True
    return "async" if new and hasattr(device, "create_infer_model") else "classic"


@contextmanager
def _entered(resource: Any, what: str) -> Iterator[Any]:
    """`with resource`, with the library's exceptions of entry and exit as RuntimeFailure; those of the body pass."""
    with hailort_call(f"opening {what}"):
        inner = resource.__enter__()
    try:
        yield inner
    except BaseException:
        # The first failure is the one to report.
        with suppress(Exception):
            resource.__exit__(None, None, None)
        raise
    with hailort_call(f"closing {what}"):
        resource.__exit__(None, None, None)


@contextmanager
def async_session(
    library: Any, device: Any, path: str, hef: Hef, timeout_ms: int, buffers: dict[int, object]
) -> Iterator[_Session]:
    with hailort_call("loading the HEF"):
        model = device.create_infer_model(path)
        for edges, stream in ((hef.inputs, model.input), (hef.outputs, model.output)):
            for edge in edges:
                _stream(stream, edge, edges).set_format_type(library.FormatType.FLOAT32)
        configured = model.configure()

    def start(frame: Frame) -> Callable[[], Frame]:
        results = {edge.name: np.empty(edge.shape, dtype=np.float32) for edge in hef.outputs}
        ended: list[Any] = []
        called = threading.Event()

        def done(completion_info: Any = None) -> None:
            # Called by this argument's name, as documented, in the library's thread; an exception ends the process.
            ended.append(completion_info)
            buffers.pop(id(ended), None)
            called.set()

        with hailort_call("starting an inference"):
            bindings = runner.create_bindings()
            for edge in hef.inputs:
                _stream(bindings.input, edge, hef.inputs).set_buffer(frame[edge.name])
            for edge in hef.outputs:
                _stream(bindings.output, edge, hef.outputs).set_buffer(results[edge.name])
            runner.wait_for_async_ready(timeout_ms, 1)
            buffers[id(ended)] = (bindings, frame, results, ended)
            job = runner.run_async([bindings], done)

        def wait() -> Frame:
            with hailort_call("waiting for an inference"):
                job.wait(timeout_ms)
                if not called.wait(timeout_ms / 1000):
                    raise RuntimeFailure("HailoRT: an inference ended and was never told of; see hailort.log", TIMEOUT)
                # The library reports a failed inference only by the callback's argument.
                broken = next((e for info in ended if (e := getattr(info, "exception", None))), None)
                if broken is not None:
                    raise broken
            return results

        return wait

    with _entered(configured, "the network") as runner:
        with hailort_call("asking for the queue's length"):
            queue = max(1, int(runner.get_async_queue_size()))
        yield _Session("async", queue, start)


def _stream(find: Callable[..., Any], edge: EdgeLayer, edges: Sequence[EdgeLayer]) -> Any:
    """A model's or bindings' input or output: the only one without a name, as documented; of several by name."""
    return find() if len(edges) == 1 else find(edge.name)


@contextmanager
def _classic(library: Any, device: Any, path: str, hef: Hef) -> Iterator[_Session]:
    """The time limit is the library's own: the classic call takes none."""
    with hailort_call("loading the HEF"):
        loaded = library.HEF(path)
        params = library.ConfigureParams.create_from_hef(loaded, interface=library.HailoStreamInterface.PCIe)
        group = device.configure(loaded, params)[0]
        inputs = library.InputVStreamParams.make(group, format_type=library.FormatType.FLOAT32)
        outputs = library.OutputVStreamParams.make(group, format_type=library.FormatType.FLOAT32)
        streams = library.InferVStreams(group, inputs, outputs)

    def start(frame: Frame) -> Callable[[], Frame]:
        return partial(_run, streams=pipeline, frame=frame, hef=hef)

    with _entered(streams, "the network") as pipeline:
        yield _Session("classic", 1, start)


def _run(streams: Any, frame: Frame, hef: Hef) -> Frame:
    with hailort_call("an inference"):
        given = streams.infer({name: array[None] for name, array in frame.items()})
    results: dict[str, Array] = {}
    for edge in hef.outputs:
        if edge.name not in given:
            raise RuntimeFailure(f"HailoRT gave {', '.join(given)}, the HEF's output is {edge.name}; inspect the HEF")
        results[edge.name] = np.asarray(given[edge.name], dtype=np.float32).reshape(edge.shape)
    return results
