"""HailoRT: what is missing is named, what runs runs by either API, and every exception is one line of our own.

All of it against a scripted double: no device said any of this.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.chip.detection import Missing, detect_chip
from tasnet.hailo.chip.failure import CODES, RuntimeFailure, hailort_call, runtime_failure
from tasnet.hailo.chip.hailortcli import HailortcliError, measure_with_hailortcli, parse_hailortcli
from tasnet.hailo.chip.runtime import checked_hef, infer_on_chip, measure_on_chip
from tasnet.hailo.files.hef import HefError
from tests.doubles import hef_writer as written
from tests.doubles.hailort import as_hailo_platform, forget
from tests.hailo.chip.small_hef import FRAMES, LENGTH, hef_file


@pytest.fixture
def double():
    """The double as `hailo_platform`, fresh."""
    with as_hailo_platform() as library:
        yield library


# --- detection


def test_without_the_package_it_says_so_and_nothing_raises(monkeypatch, tmp_path):
    forget()
    monkeypatch.setattr(sys, "path", [each for each in sys.path if "hailo" not in each])
    found = detect_chip(sys_root=tmp_path, dev=tmp_path)
    if found.missing is not Missing.PACKAGE:
        pytest.skip("HailoRT's package is on this machine")
    assert not found.ready
    assert found.reason.startswith("package: hailo_platform isn't installed")


def test_a_chip_is_found_with_its_architecture_and_the_double_is_known_as_one(double):
    double.SCRIPT.devices["0000:02:00.0"] = 2
    found = detect_chip()
    assert (found.ready, found.missing, found.reason) == (True, Missing.NOTHING, "")
    assert [(chip.id, chip.arch, chip.firmware) for chip in found.chips] == [
        ("0000:01:00.0", "hailo8", "4.23.0"),
        ("0000:02:00.0", "hailo8l", "4.23.0"),
    ]
    assert found.double
    assert detect_chip("hailo8l").ready
    assert double.SCRIPT.open == 0


@pytest.mark.parametrize(
    ("how", "missing", "told"),
    [
        ("import", Missing.PACKAGE, "doesn't load"),
        ("numpy", Missing.PACKAGE, "needs numpy < 2"),
        ("library", Missing.LIBRARY, "MissingPyHRTLib"),
        ("mismatch", Missing.LIBRARY, "of one version"),
    ],
)
def test_an_import_that_fails_is_told_apart(double, monkeypatch, how, missing, told):
    forget()
    monkeypatch.setenv("HAILO_PLATFORM_DOUBLE", how)
    found = detect_chip()
    assert found.missing is missing
    assert told in found.reason
    assert "\n" not in found.reason
    # The next who asks gets the same answer, not half a package.
    assert detect_chip() == found


def test_a_5x_library_drives_no_hailo8(double):
    double.__version__ = "5.1.1"
    found = detect_chip()
    assert found.missing is Missing.LIBRARY
    assert "5.1.1" in found.reason


def test_the_first_missing_of_driver_node_and_device_is_named(double, tmp_path):
    double.SCRIPT.devices = {}
    root, dev = tmp_path / "sys", tmp_path / "dev"
    dev.mkdir()

    def missing():
        return detect_chip(sys_root=root, dev=dev).missing

    assert missing() is Missing.DRIVER
    (root / "class" / "hailo_chardev").mkdir(parents=True)
    assert missing() is Missing.DEVICE
    (root / "class" / "hailo_chardev" / "hailo0").mkdir()
    assert missing() is Missing.NODE
    (dev / "hailo0").mkdir()
    assert "Is a directory" in detect_chip(sys_root=root, dev=dev).reason
    (dev / "hailo0").rmdir()
    (dev / "hailo0").touch()
    (root / "module" / "hailo_pci").mkdir(parents=True)
    (root / "module" / "hailo_pci" / "version").write_text("4.23.0\n")
    found = detect_chip(sys_root=root, dev=dev)
    assert found.missing is Missing.DEVICE


@pytest.mark.parametrize("call", ["scan", "Device", "identify"])
@pytest.mark.parametrize(("code", "missing"), [(64, Missing.DRIVER), (76, Missing.DRIVER), (74, Missing.DEVICE)])
def test_the_native_exception_that_is_no_subclass_is_caught(double, call, code, missing):
    double.SCRIPT.raises[call] = double.status(code, "HAILO_X")
    assert not isinstance(double.SCRIPT.raises[call], double.HailoRTException)
    found = detect_chip()
    assert found.missing is missing
    assert f"status {code}, HAILO_X" in found.reason
    assert double.SCRIPT.open == 0


def test_another_architecture_than_asked_for_is_named(double):
    found = detect_chip("hailo8l")
    assert found.missing is Missing.ARCHITECTURE
    assert found.reason == "architecture: no hailo8l here, but hailo8 at 0000:01:00.0; ask for --arch hailo8"


# --- inference


@pytest.mark.parametrize("api", ["async", "classic"])
def test_frames_go_through_the_chip_one_by_one_by_either_api(double, tmp_path, api):
    double.SCRIPT.has_async = api == "async"
    double.SCRIPT.chip = lambda inputs: 2 * inputs["net/input_layer1"]
    got = infer_on_chip(hef_file(tmp_path), FRAMES, detect_chip())
    assert got.api == api
    assert list(got.outputs) == ["net/deconv1"]
    np.testing.assert_array_equal(got.outputs["net/deconv1"], 2 * FRAMES)
    assert got.outputs["net/deconv1"].dtype == np.float32
    assert len(got.latencies) == 3
    assert got.double
    assert double.SCRIPT.open == 0


def test_the_classic_api_is_taken_before_4_18_or_when_asked_for(double, tmp_path):
    path = hef_file(tmp_path)
    assert infer_on_chip(path, FRAMES, detect_chip(), api="classic").api == "classic"
    double.__version__ = "4.17.0"
    assert infer_on_chip(path, FRAMES, detect_chip()).api == "classic"


@pytest.mark.parametrize("api", ["async", "classic"])
def test_several_outputs_come_in_the_files_order_and_inputs_by_bare_name(double, tmp_path, api):
    path = hef_file(tmp_path, "net/deconv2", "net/deconv1")
    got = infer_on_chip(path, {"input_layer1": FRAMES}, detect_chip(), api=api)
    assert list(got.outputs) == ["net/deconv2", "net/deconv1"]


def test_of_several_devices_the_one_that_runs_the_file_is_chosen(double, tmp_path):
    double.SCRIPT.devices = {"a": 2, "b": 1}
    path = hef_file(tmp_path)
    assert checked_hef(path, detect_chip())[1].id == "b"
    assert infer_on_chip(path, FRAMES, detect_chip()).chip.arch == "hailo8"


@pytest.mark.parametrize(("arch", "device"), [(4, 1), (1, 2), (103, 1)])
def test_a_file_for_another_architecture_never_reaches_the_library(double, tmp_path, arch, device):
    double.SCRIPT.devices = {"a": device}
    found = detect_chip()
    double.SCRIPT.calls.clear()
    with pytest.raises(RuntimeFailure, match="compile it for that"):
        infer_on_chip(hef_file(tmp_path, arch=arch), FRAMES, found)
    assert double.SCRIPT.calls == []


BAD_FRAMES = {
    "shape": (np.zeros((1, 1, LENGTH + 1, 1), np.float32), "is \\(N, 1, 64, 1\\), the data"),
    "rank": (np.zeros((LENGTH,), np.float32), "the data"),
    "none": (np.zeros((0, 1, LENGTH, 1), np.float32), "the data"),
    "name": ({"wave": FRAMES}, "no data for input net/input_layer1"),
    "more": ({"input_layer1": FRAMES, "x": FRAMES}, "leave out the rest"),
    "NaN": (FRAMES * np.nan, "NaN"),
}


@pytest.mark.parametrize(("frames", "told"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_data_that_does_not_fit_is_refused_before_the_device_is_opened(double, tmp_path, frames, told):
    found = detect_chip()
    double.SCRIPT.calls.clear()
    with pytest.raises(RuntimeFailure, match=told):
        infer_on_chip(hef_file(tmp_path), frames, found)
    assert double.SCRIPT.calls == []


@pytest.mark.parametrize(
    ("told_edges", "told"),
    [
        ([], "without an input"),
        ([("a", (1, 64, 1), False)], "without an output"),
        ([("a", (1, 64, 1), True)], "without an input"),
        ([("a", (1, 64, 1), False), ("b", (1, 0, 1), True)], "b has 1 x 0 x 1 elements"),
        ([("a", (1, 64, 1), False), ("b", (1 << 31, 1 << 31, 1 << 31), True)], "elements"),
        ([("a", (1, 64, 1), False), ("a", (1, 64, 1), False), ("b", (1, 64, 1), True)], "two inputs of one name"),
        ([("a", (1, 64, 1), False), ("b", (1, 64, 1), True), ("b", (1, 32, 1), True)], "two outputs of one name"),
        ([("a", (1, 64, 1), False), ("b", (1, 64, 1), True), None], "multiplexed"),
    ],
)
def test_a_file_whose_inputs_or_outputs_are_not_all_there_is_never_run(double, tmp_path, told_edges, told):
    """An edge layer of another form has no shape of its own (HEF protobuf, as documented)."""
    multiplexed = written.integer(1, 1)
    layers = [written.edge(e[0], e[1], output=e[2]) if e else multiplexed for e in told_edges]
    path = tmp_path / "net.hef"
    path.write_bytes(written.sealed(2, written.proto([written.group("net", [written.context(0, layers)])])))
    for run in (infer_on_chip, measure_on_chip):
        with pytest.raises(RuntimeFailure, match=told):
            run(path, FRAMES, detect_chip())
    assert "VDevice" not in double.SCRIPT.calls


def test_data_that_float32_cannot_hold_is_refused(double, tmp_path):
    """The largest float32 is about 3.4e38: a float64 past it would reach the chip as infinity."""
    with pytest.raises(RuntimeFailure, match="float32 can't hold"):
        infer_on_chip(hef_file(tmp_path), FRAMES.astype(np.float64) + 1e39, detect_chip())


def test_no_device_a_broken_file_and_two_networks_are_refused(double, tmp_path):
    path = hef_file(tmp_path, groups=2)
    with pytest.raises(RuntimeFailure, match="2 network groups"):
        checked_hef(path, detect_chip())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(HefError, match="cut short"):
        checked_hef(path, detect_chip())
    double.SCRIPT.devices = {}
    with pytest.raises(RuntimeFailure, match="no Hailo device to run on: "):
        infer_on_chip(path, FRAMES, detect_chip())


CALLS = {
    "async": [
        *("VDevice", "create_infer_model", "configure", "get_async_queue_size", "create_bindings", "set_buffer"),
        *("wait_for_async_ready", "run_async", "wait", "completion"),
    ],
    "classic": ["VDevice", "HEF", "configure", "InferVStreams", "infer"],
}


@pytest.mark.parametrize(("api", "call"), [(api, call) for api, calls in CALLS.items() for call in calls])
def test_every_exception_of_the_library_is_one_line_and_nothing_stays_open(double, tmp_path, api, call):
    path, found = hef_file(tmp_path), detect_chip()
    for code in CODES:
        for error in (
            double.status(code, "HAILO_SOMETHING"),
            double._pyhailort.HailoRTStatusException(str(code)),
            double.HailoRTException(f"libhailort failed with error: {code} (HAILO_SOMETHING)"),
        ):
            double.SCRIPT.raises = {call: error}
            with pytest.raises(RuntimeFailure) as caught:
                infer_on_chip(path, FRAMES, found, api=api)
            assert caught.value.code == code
            assert CODES[code][1] in str(caught.value)
            assert "\n" not in str(caught.value)
            assert double.SCRIPT.open == 0


def test_exceptions_without_a_code_are_known_by_their_class(double):
    for kind, code in (
        (double.HailoRTTimeout, 4),
        (double.HailoRTInvalidHEFException, 26),
        (double.HailoRTHEFNotCompatibleWithDevice, 93),
        (double.HailoRTException, None),
    ):
        told = runtime_failure(kind("in\nso many words"), "an inference")
        assert told.code == code
        status = f"status {code}, {CODES[code][0]}" if code else "HailoRTException"
        assert f"({status}): in so many words" in str(told)


def test_a_bug_keeps_its_traceback(double, tmp_path):
    double.SCRIPT.raises["infer"] = ZeroDivisionError("ours")
    with pytest.raises(ZeroDivisionError):
        infer_on_chip(hef_file(tmp_path), FRAMES, detect_chip(), api="classic")
    assert double.SCRIPT.open == 0
    with pytest.raises(KeyError), hailort_call("x"):
        raise KeyError("ours")


# --- measuring


def test_a_measurement_has_what_the_board_has(double, tmp_path):
    path = hef_file(tmp_path)
    for api in ("async", "classic"):
        told = measure_on_chip(path, FRAMES, detect_chip(), repeat=3, api=api)
        assert told.frames == 9
        assert told.fps > 0
        assert 0 < told.latency_median_seconds <= told.latency_95_seconds
        assert (told.temperature_celsius, told.power_watts, told.double) == (43.0, None, True)
    double.SCRIPT.temperature, double.SCRIPT.power = None, 1.75
    told = measure_on_chip(path, FRAMES, detect_chip())
    assert (told.temperature_celsius, told.power_watts) == (None, 1.75)
    assert double.SCRIPT.open == 0


def test_the_printed_lines_of_hailortcli():
    text = "\x1b[2KNetwork net/net: 10% | 12 | FPS: 9.50\rNetwork net/net: 100% | 62 | FPS: 12.40 | ETA: 00:00:00\n"
    text += "> Inference result:\n Network group: net\n    HW Latency: 80.62 ms\n    Overall Latency: 85.1 ms\n"
    told = parse_hailortcli(text)
    assert (told.fps, told.hw_latency_ms, told.overall_latency_ms) == (12.4, 80.62, 85.1)
    assert parse_hailortcli("HW Latency: 3 ms").fps is None
    with pytest.raises(HailortcliError, match="no FPS"):
        parse_hailortcli("usage: hailortcli")


def cli(folder, monkeypatch, script):
    """A hailortcli on PATH that is this shell script."""
    program = folder / "hailortcli"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_hailortcli_is_asked_for_the_chips_own_latency(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert measure_with_hailortcli(tmp_path / "x.hef") is None
    cli(
        tmp_path,
        monkeypatch,
        'test "$1 $3" = "run --measure-latency" && test "$2" = "$0.hef" && echo "HW Latency: 8.5 ms"',
    )
    assert measure_with_hailortcli(tmp_path / "hailortcli.hef").hw_latency_ms == 8.5
    with pytest.raises(HailortcliError, match=r"hailortcli run x.hef: exit code 1 \(\); run it by hand"):
        measure_with_hailortcli(tmp_path / "x.hef")
    cli(tmp_path, monkeypatch, "printf '\\033[31m[HailoRT CLI] [error] out of\\nphysical devices'; exit 74")
    with pytest.raises(HailortcliError, match=r"exit code 74 \(\[HailoRT CLI\] \[error\] out of physical devices\)"):
        measure_with_hailortcli(tmp_path / "x.hef")
    cli(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(HailortcliError, match="no FPS"):
        measure_with_hailortcli(tmp_path / "x.hef")
    monkeypatch.setattr("tasnet.hailo.chip.hailortcli._SECONDS", 0.1)
    cli(tmp_path, monkeypatch, "exec sleep 60")
    with pytest.raises(HailortcliError, match="is the device free"):
        measure_with_hailortcli(tmp_path / "x.hef")


@settings(max_examples=50)
@given(st.text(max_size=200) | st.text("FPSHWLatencyms1. :\n\r\x1b[", max_size=200))
def test_no_text_breaks_the_parser(text):
    with suppress(HailortcliError):
        assert parse_hailortcli(text) is not None
