"""HailoRT's async contract: the callback by keyword, the queue's real length, buffers, states; and a double of it.

The contract is the vendor's public Python layer's, 4.18 to 4.23; the double is held to it first, then we to the double.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tasnet.hailo.chip.detection import detect_chip
from tasnet.hailo.chip.failure import RuntimeFailure, is_hailort, runtime_failure
from tasnet.hailo.chip.runtime import infer_on_chip, measure_on_chip, read_sensors
from tests.doubles import hef_writer as written
from tests.doubles.hailort import DOUBLES, as_hailo_platform
from tests.hailo.chip.small_hef import FRAMES, LENGTH, hef_file

ROOT = DOUBLES.parents[1]


@pytest.fixture
def double():
    """The double as `hailo_platform`, fresh."""
    with as_hailo_platform() as library:
        yield library


@pytest.fixture
def bound(double, tmp_path):
    """(library, configured network, bindings with both buffers set), all entered."""
    with double.VDevice() as device:
        model = device.create_infer_model(str(hef_file(tmp_path)))
        model.input().set_format_type(double.FormatType.FLOAT32)
        model.output().set_format_type(double.FormatType.FLOAT32)
        with model.configure() as configured:
            bindings = configured.create_bindings()
            bindings.input().set_buffer(FRAMES[0].copy())
            bindings.output().set_buffer(np.empty((1, LENGTH, 1), np.float32))
            yield double, configured, bindings


# --- the double is as strict as what it stands for

NATIVE = """
import sys
import numpy as np
import hailo_platform as library
with library.VDevice() as device:
    model = device.create_infer_model(sys.argv[1])
    model.input().set_format_type(library.FormatType.FLOAT32)
    model.output().set_format_type(library.FormatType.FLOAT32)
    with model.configure() as configured:
        bindings = configured.create_bindings()
        bindings.input().set_buffer(np.zeros(model.input().shape, np.float32))
        bindings.output().set_buffer(np.empty(model.output().shape, np.float32))
        configured.wait_for_async_ready(1000, 1)
        told = []
        configured.run_async([bindings], {callback}).wait(5000)
print(told)
"""


@pytest.mark.parametrize(
    ("callback", "ends"),
    [
        ("lambda completion_info: told.append(completion_info.exception)", False),
        ("told.append", True),
        ("lambda info: told.append(info)", True),
        ("lambda completion_info: 1 / 0", True),
    ],
)
def test_a_callback_that_cannot_take_the_keyword_ends_the_process(tmp_path, callback, ends):
    ran = subprocess.run(
        [sys.executable, "-c", NATIVE.replace("{callback}", callback), str(hef_file(tmp_path))],
        env={"PYTHONPATH": f"{DOUBLES}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode < 0) is ends, ran.stderr
    assert ("terminate called" in ran.stderr) is ends
    assert ends or ran.stdout == "[None]\n"


def test_what_a_native_thread_raises_fails_the_test_that_caused_it(tmp_path):
    with pytest.raises(AssertionError, match="would have ended the process"):
        run_on_a_chip_that_breaks(hef_file(tmp_path))


def run_on_a_chip_that_breaks(path):
    with as_hailo_platform() as library:
        library.SCRIPT.chip = lambda inputs: 1 / 0
        with pytest.raises(RuntimeFailure, match="never told of"):
            infer_on_chip(path, FRAMES[:1], detect_chip(), timeout_ms=100)


def test_pushing_past_the_queue_is_status_82_and_waiting_for_room_is_the_librarys(bound):
    library, configured, bindings = bound
    library.SCRIPT.queue, library.SCRIPT.gate = 2, threading.Event()
    jobs = [configured.run_async([bindings]) for _ in range(configured.get_async_queue_size())]
    with pytest.raises(library.HailoRTException, match=r"82 \(HAILO_QUEUE_IS_FULL\)"):
        configured.run_async([bindings])
    with pytest.raises(library.HailoRTTimeout):
        configured.wait_for_async_ready(10, 1)
    with pytest.raises(library.HailoRTTimeout):
        jobs[0].wait(10)
    library.SCRIPT.gate.set()
    for job in jobs:
        job.wait(5000)
    configured.wait_for_async_ready(timeout_ms=5000, frames_count=2)


WRONG_BUFFERS = {
    "a list": ([0.0] * LENGTH, TypeError),
    "float64": (np.zeros((1, LENGTH, 1)), Exception),
    "uint8": (np.zeros((1, LENGTH, 1), np.uint8), Exception),
    "a batch": (np.zeros((1, 1, LENGTH, 1), np.float32), Exception),
    "every second": (np.zeros((1, 2 * LENGTH, 1), np.float32)[:, ::2], Exception),
    "read only": (np.broadcast_to(np.float32(0), (1, LENGTH, 1)), ValueError),
}


@pytest.mark.parametrize(("buffer", "kind"), WRONG_BUFFERS.values(), ids=WRONG_BUFFERS)
def test_a_buffer_of_another_type_shape_or_layout_is_refused(bound, buffer, kind):
    library, _, bindings = bound
    with pytest.raises(kind) as caught:
        bindings.input().set_buffer(buffer)
    assert kind is not Exception or isinstance(caught.value, library.HailoRTException)


def test_states_and_names_are_the_librarys(double, tmp_path):
    path = str(hef_file(tmp_path, "net/deconv2", "net/deconv1"))
    device = double.VDevice()
    with pytest.raises(TypeError):
        device.create_infer_model(Path(path))
    model = device.create_infer_model(path)
    with pytest.raises(double.HailoRTInvalidOperationException):
        model.output()
    with pytest.raises(double.HailoRTException, match="61"):
        model.output("deconv1")
    with pytest.raises(TypeError):
        model.input().set_format_type("float32")
    configured = model.configure()
    with pytest.raises(double.HailoRTException):
        configured.create_bindings()
    with configured:
        bindings = configured.create_bindings()
        with pytest.raises(TypeError):
            configured.run_async(bindings)
        with pytest.raises(double.HailoRTException, match=r"2 \(HAILO_INVALID_ARGUMENT\)"):
            configured.run_async([bindings])
        with pytest.raises(double.HailoRTInvalidOperationException):
            configured.activate()
    with pytest.raises(double.HailoRTException):
        configured.create_bindings()
    device.release()
    for call in (lambda: device.create_infer_model(path), model.configure):
        with pytest.raises(AttributeError):
            call()
    assert double.SCRIPT.open == 0


# --- and we are held to it


@pytest.mark.parametrize("length", [1, 2, 3, 32])
def test_the_queue_is_kept_as_full_as_the_device_has_it_and_no_fuller(double, tmp_path, length):
    double.SCRIPT.queue, double.SCRIPT.pause = length, 0.005
    told = measure_on_chip(hef_file(tmp_path), FRAMES, detect_chip(), repeat=12)
    assert (told.frames, double.SCRIPT.most_in_flight) == (36, length)
    assert double.SCRIPT.calls.count("wait_for_async_ready") == 39


def test_frames_keep_their_order_in_a_full_queue(double, tmp_path):
    double.SCRIPT.queue, double.SCRIPT.pause = 8, 0.001
    frames = np.arange(20 * LENGTH, dtype=np.float32).reshape(20, 1, LENGTH, 1)
    np.testing.assert_array_equal(
        infer_on_chip(hef_file(tmp_path), frames, detect_chip()).outputs["net/deconv1"], frames
    )


def test_a_frame_that_times_out_is_told_and_its_buffers_outlive_it(double, tmp_path):
    double.SCRIPT.gate = threading.Event()
    with pytest.raises(RuntimeFailure, match="timeout") as caught:
        infer_on_chip(hef_file(tmp_path), FRAMES, detect_chip(), timeout_ms=20)
    assert caught.value.code == 4
    # The native thread comes back late: what it would write to is still there, or it doesn't write.
    double.SCRIPT.gate.set()
    assert double.SCRIPT.open == 0


def test_a_chip_that_another_process_holds_is_told(double, tmp_path):
    found = detect_chip()
    for code, told in ((73, "device in use"), (74, "OUT_OF_PHYSICAL"), (82, "QUEUE_IS_FULL")):
        double.SCRIPT.raises = {"VDevice": double._pyhailort.HailoRTStatusException(str(code))}
        with pytest.raises(RuntimeFailure, match=r"process (that )?holds the chip") as caught:
            infer_on_chip(hef_file(tmp_path), FRAMES, found)
        assert (caught.value.code, told.lower().replace("_", " ") in str(caught.value).lower().replace("_", " ")) == (
            code,
            True,
        )


def test_data_that_nobody_may_write_to_is_copied_for_the_library(double, tmp_path):
    frozen = FRAMES.copy()
    frozen.flags.writeable = False
    for frames in (
        frozen,
        np.asfortranarray(FRAMES),
        FRAMES.astype(np.float64),
        np.broadcast_to(FRAMES[:1], (4, 1, LENGTH, 1)),
    ):
        got = infer_on_chip(hef_file(tmp_path), frames, detect_chip(), api="async")
        np.testing.assert_array_equal(got.outputs["net/deconv1"], frames)


def test_every_exception_that_the_package_defines_is_the_librarys_whatever_its_base(double):
    kinds = [each for each in vars(double).values() if isinstance(each, type) and issubclass(each, Exception)]
    kinds += [double._pyhailort.HailoRTStatusException]
    assert double.HailoStatusInvalidValueException in kinds
    assert not issubclass(double.HailoStatusInvalidValueException, double.HailoRTException)
    # By its name too: another version may define it elsewhere.
    kinds.append(type("HailoStatusInvalidValueException", (Exception,), {"__module__": "somewhere"}))
    for kind in kinds:
        assert is_hailort(kind("x"))
        assert "\n" not in str(runtime_failure(kind("x\ny"), "an inference"))
    for kind in (RuntimeError, MemoryError, KeyError, RuntimeFailure):
        assert not is_hailort(kind("x"))


def test_a_status_without_a_name_is_caught_wherever_it_comes_from(double, tmp_path):
    path, found = hef_file(tmp_path), detect_chip()
    odd = double.HailoStatusInvalidValueException("Value 250 is not a valid status")
    for call in ("VDevice", "configure", "set_buffer", "run_async", "wait", "completion", "get_async_queue_size"):
        double.SCRIPT.raises = {call: odd}
        with pytest.raises(RuntimeFailure, match="Value 250 is not a valid status"):
            infer_on_chip(path, FRAMES, found)
        assert double.SCRIPT.open == 0
    double.SCRIPT.raises = {"temperature": odd, "power": odd}
    assert read_sensors(found, found.chips[0]) == (None, None)
    double.SCRIPT.raises = {"scan": odd}
    assert "Value 250" in detect_chip().reason


def test_a_serial_number_comes_padded_and_is_told_bare(double):
    assert detect_chip().chips[0].serial == "HLLWM2A000000"


def test_several_inputs_and_outputs_are_bound_by_name(double, tmp_path):
    names = ("net/input_layer1", "net/input_layer2", "net/conv1", "net/conv2")
    edges = [written.edge(name, (1, LENGTH, 1), output="conv" in name) for name in names]
    path = tmp_path / "two.hef"
    path.write_bytes(written.sealed(2, written.proto([written.group("net", [written.context(0, edges)])])))
    double.SCRIPT.compute = lambda hef, inputs: {
        "net/conv1": inputs["net/input_layer1"],
        "net/conv2": inputs["net/input_layer2"],
    }
    for api in ("async", "classic"):
        got = infer_on_chip(path, {"input_layer1": FRAMES, "input_layer2": -FRAMES}, detect_chip(), api=api)
        np.testing.assert_array_equal(got.outputs["net/conv2"], -FRAMES)
        np.testing.assert_array_equal(got.outputs["net/conv1"], FRAMES)
