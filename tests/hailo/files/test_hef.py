"""The compiled file: what is read of it, and how a damaged one is refused. The files are a double's."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasnet.hailo.files.hef import EdgeLayer, Hef, HefError, read_hef, runs_on
from tasnet.hailo.files.hef_layers import quantize_values, shape_differences
from tests.doubles import hef_writer as double
from tests.doubles.hef_values import dequantized

VERSIONS = (0, 1, 2, 3)
CHECKS = {0: "md5", 1: "crc32", 2: "xxh3_64", 3: "xxh3_64 of the protobuf"}


def hef(tmp_path: Path, data: bytes) -> Hef:
    path = tmp_path / "net.hef"
    path.write_bytes(data)
    return read_hef(path)


def layer(**changes: object) -> EdgeLayer:
    given = {"name": "net/conv1", "direction": "input", "height": 1, "width": 2, "features": 2}
    rest = {"padded_height": 1, "padded_width": 2, "padded_features": 8, "format": 1, "data_bytes": 1}
    return EdgeLayer(**{**given, **rest, "qp_zp": 0.0, "qp_scale": 1.0, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_file_says(tmp_path: Path, version: int) -> None:
    found = hef(tmp_path, double.sealed(version, double.small(), b"ccws" * 100, b"additional"))
    assert (found.version, found.integrity) == (version, CHECKS[version])
    assert (found.hw_arch, found.sdk_version, found.contexts) == ("hailo8p", "3.33.0", 2)
    assert found.timestamp is not None
    assert found.timestamp.isoformat() == "2026-02-17T00:00:00+00:00"
    (group,) = found.groups
    assert (group.name, group.bottleneck_fps, group.latency_seconds, group.ops) == ("net", 12.5, 0.08, 1e10)
    (wave,) = found.inputs
    assert (wave.name, wave.shape, wave.padded_features) == ("net/input_layer1", (1, 16000, 1), 8)
    assert (wave.qp_zp, wave.qp_scale, wave.original_names) == (128.0, 0.0078125, ("waveform",))
    assert [o.name for o in found.outputs] == ["net/deconv1", "net/conv9"], "in the order the file asks for"
    assert found.outputs[1].qp_scales == (0.5, 0.25)
    assert found.outputs[0].data_bytes == 2
    assert {o.context for o in found.outputs} == {1}


def test_version_3_without_a_digest_of_the_protobuf(tmp_path: Path) -> None:
    data = double.sealed(3, double.small(), b"ccws", b"info", proto_digest=False)
    assert hef(tmp_path, data).integrity == "xxh3_64"
    with pytest.raises(HefError, match="xxh3_64 is"):
        hef(tmp_path, data[:-1] + b"x")
    # With the protobuf's own digest the rest is not covered: as documented.
    data = double.sealed(3, double.small(), b"ccws", b"info")
    assert hef(tmp_path, data[:-1] + b"x").contexts == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_damage_is_named_with_both_digests(tmp_path: Path, version: int) -> None:
    data = bytearray(double.sealed(version, double.small()))
    data[-5] ^= 1
    with pytest.raises(HefError, match=rf"net.hef: {CHECKS[version]} is [0-9a-f]+, the header says [0-9a-f]+") as error:
        hef(tmp_path, bytes(data))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_length_but_the_right_one_is_refused(tmp_path: Path, version: int) -> None:
    data = double.sealed(version, double.small(), b"ccws")
    for size in (*range(60), len(data) // 2, len(data) - 1):
        with pytest.raises(HefError, match="cut short" if size >= 4 else "not a HEF"):
            hef(tmp_path, data[:size])
    with pytest.raises(HefError, match="too long"):
        hef(tmp_path, data + b"x")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a HEF"),
        (b"PK\x03\x04" * 20, "not a HEF"),
        (struct.pack(">III", double.MAGIC, 4, 0) + bytes(80), "version 4 is unknown"),
        (double.sealed(2, b""), "no network group"),
        (double.sealed(2, double.proto([])), "no network group"),
        (double.sealed(2, b"\x12\xff\xff\xff\xff\x7f"), "protobuf is broken: .*runs"),
        (double.sealed(2, b"\x08" + b"\xff" * 12), "protobuf is broken: .*10 bytes"),
        (double.sealed(2, b"\x0b\x0c"), "protobuf is broken: wire type 3"),
        (double.sealed(2, b"\x00\x01"), "protobuf is broken: field number 0"),
        (double.sealed(2, double.block(1, double.block(3, b"\xff\xfe"))), "no network group"),
        (double.sealed(2, double.proto([double.block(1, double.block(1, b"\xff"))])), "not UTF-8"),
        (double.sealed(2, double.proto([double.group("x" * 70_000, [])])), "a text of 70000 bytes"),
        (double.sealed(2, double.proto([double.integer(3, 1)])), "wire type 0, not 2"),
    ],
)
def test_what_is_no_hef(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(HefError, match=words):
        hef(tmp_path, data)


def test_repeated_fields_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(HefError, match="more than 65536 times"):
        hef(tmp_path, double.sealed(1, b"\x12\x00" * 70_000))


def test_what_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.hef", "zero\0byte"):
        with pytest.raises(HefError):
            read_hef(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HefError, match="regular"):
        read_hef(tmp_path / "pipe")


def test_a_file_of_8l_is_read_through_its_first_partial_group(tmp_path: Path) -> None:
    inner = double.group("net", [double.context(0, [double.edge("net/input_layer1", (1, 8, 2))])])
    data = double.sealed(1, double.proto([double.group("net", [], partial=[inner, inner])], arch=3))
    found = hef(tmp_path, data)
    assert found.hw_arch == "hailo8l"
    assert len(found.groups[0].partial_groups) == 2
    assert (found.contexts, [i.shape for i in found.inputs]) == (1, [(1, 8, 2)])


def test_absent_values_read_zero_and_unknown_ones_are_kept(tmp_path: Path) -> None:
    group = double.group("net", [], host_operations=2)
    found = hef(tmp_path, double.sealed(2, double.block(2, group)))
    assert (found.hw_arch, found.sdk_version, found.timestamp) == ("hailo8", "", None)
    assert found.groups[0].host_operations == 2
    assert hef(tmp_path, double.sealed(2, double.proto([group], arch=77))).hw_arch == "unknown-77"
    late = hef(tmp_path, double.sealed(2, double.proto([group], timestamp=2**64 - 1)))
    assert late.timestamp is None


@pytest.mark.parametrize(
    ("arch", "archs_that_run_it"),
    [
        (0, {"hailo8"}),
        (1, {"hailo8"}),
        (2, {"hailo8", "hailo8r"}),
        (3, {"hailo8", "hailo8l"}),
        (4, {"hailo15m"}),
        (6, {"hailo15l"}),
        (106, set()),
        (103, {"hailo10h", "hailo15h"}),
    ],
)
def test_compatibility(tmp_path: Path, arch: int, archs_that_run_it: set[str]) -> None:
    found = hef(tmp_path, double.sealed(1, double.proto([double.group("net", [])], arch=arch)))
    archs = ("hailo8", "hailo8r", "hailo8l", "hailo15m", "hailo15l", "hailo15h", "hailo10h")
    assert {a for a in archs if runs_on(found, a)} == archs_that_run_it
    with pytest.raises(HefError, match="hailo9"):
        runs_on(found, "hailo9")


def test_rounding_is_half_to_even_and_clipped() -> None:
    values = np.array([-9.0, 0.5, 1.5, 2.5, 254.5, 300.0, np.inf, -np.inf], np.float32)
    result = quantize_values(layer(), values)
    assert result.dtype == np.uint8
    assert result.tolist() == [0, 0, 2, 2, 254, 255, 255, 0]
    assert quantize_values(layer(data_bytes=2), np.array([70000.0, 0.5])).tolist() == [65535, 0]


@given(st.integers(0, 255), st.floats(2.0**-20, 1024, width=32), st.integers(0, 255))
def test_a_step_survives_the_way_there_and_back(zero: int, scale: float, step: int) -> None:
    edge = layer(qp_zp=float(zero), qp_scale=scale)
    assert quantize_values(edge, dequantized(edge, np.array([step], np.uint8))).tolist() == [step]


@pytest.mark.parametrize(
    "changes", [{"qp_scale": 0.0}, {"qp_scale": float("nan")}, {"qp_zp": float("inf")}, {"data_bytes": 4}]
)
def test_a_layer_that_cannot_be_quantized(changes: dict[str, float]) -> None:
    with pytest.raises(HefError, match="net/conv1"):
        quantize_values(layer(**changes), np.zeros(2))


def test_nan_is_no_input() -> None:
    with pytest.raises(HefError, match="NaN"):
        quantize_values(layer(), np.array([np.nan]))


def test_expected_shapes(tmp_path: Path) -> None:
    found = hef(tmp_path, double.sealed(2, double.small()))
    outputs = {"conv9": (1, 1999, 2), "net/deconv1": (1, 16000, 2)}
    assert shape_differences("input", found.inputs, {"waveform": (1, 16000, 1)}) == []
    assert shape_differences("output", found.outputs, outputs) == []
    assert shape_differences("output", found.outputs, [(1, 16000, 2), (1, 1999, 2)]) == []
    (difference,) = shape_differences("input", found.inputs, [(1, 8000, 1)])
    assert "expected (1, 8000, 1), the HEF has (1, 16000, 1)" in difference
    assert shape_differences("input", found.inputs, []) == ["inputs: expected 0, the HEF has 1"]
    lines = shape_differences("input", found.inputs, {"other": (1, 2, 3)})
    assert len(lines) == 2
    assert "no such input" in lines[0]
    assert "not expected" in lines[1]


MESSAGE = double.small()


def read_or_refused(tmp_path: Path, data: bytes) -> str:
    try:
        hef(tmp_path, data)
    except HefError as error:
        return str(error)
    return ""


@given(
    version=st.sampled_from(VERSIONS),
    sealed=st.booleans(),
    at=st.integers(0, len(MESSAGE) + 60),
    cut=st.integers(0, 20),
    put=st.binary(max_size=12) | st.sampled_from([b"\xff" * 9 + b"\x01", b"\x12", b"\x80"]),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_file_is_read_or_refused(
    tmp_path: Path, version: int, sealed: bool, at: int, cut: int, put: bytes
) -> None:
    data = MESSAGE if sealed else double.sealed(version, MESSAGE, b"ccws", b"info")
    changed = data[:at] + put + data[at + cut :]
    said = read_or_refused(tmp_path, double.sealed(version, changed, b"ccws", b"info") if sealed else changed)
    assert "\n" not in said
    assert len(said) < 1000


@given(st.binary(max_size=200), st.sampled_from(VERSIONS))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_for_a_protobuf(tmp_path: Path, data: bytes, version: int) -> None:
    assert "\n" not in read_or_refused(tmp_path, double.sealed(version, data))
