"""Scales per feature, formats and architectures of a HEF, in bytes that protobuf's own library wrote.

The messages are the documented ones, declared here: `qp_zps` and `qp_scales` are doubles.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tasnet.cli.hef_lines import as_json, lines
from tasnet.hailo.files.hef import PER_FEATURE, Hef, HefError, read_hef
from tasnet.hailo.files.hef_layers import hef_mismatch, quantize_values
from tests.doubles import hef_writer as double
from tests.doubles.hef_values import dequantized

Field = descriptor_pb2.FieldDescriptorProto
U32, TEXT, FLOAT, DOUBLE = Field.TYPE_UINT32, Field.TYPE_STRING, Field.TYPE_FLOAT, Field.TYPE_DOUBLE
MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "Header": {"arch": (1, U32), "sdk": (3, TEXT)},
    "Extension": {"type_index": (1, U32), "name": (2, TEXT)},
    "Base": {"height": (1, U32), "width": (3, U32), "features": (5, U32), "format": (7, U32), "data_bytes": (12, U32)},
    "Numeric": {"qp_zp": (1, FLOAT), "qp_scale": (2, FLOAT), "qp_zps": (5, [DOUBLE]), "qp_scales": (6, [DOUBLE])},
    "Info": {"name": (1, TEXT), "base": (2, "Base"), "numeric": (3, "Numeric")},
    "Edge": {"direction": (1, U32), "info": (3, "Info")},
    "ContextMetadata": {"edges": (2, ["Edge"])},
    "Context": {"metadata": (3, "ContextMetadata")},
    "Group": {"contexts": (3, ["Context"])},
    "Root": {"header": (1, "Header"), "groups": (2, ["Group"]), "extensions": (5, ["Extension"])},
}


def classes(packed: bool = True) -> dict[str, Any]:
    """The messages as protobuf's library makes them of a schema; repeated numbers packed (proto3's way) or not."""
    file = descriptor_pb2.FileDescriptorProto(name="hef.proto", package="hef", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            one = kind[0] if isinstance(kind, list) else kind
            label = Field.LABEL_REPEATED if isinstance(kind, list) else Field.LABEL_OPTIONAL
            told = message.field.add(name=field, number=number, label=label)
            if isinstance(one, str):
                told.type, told.type_name = Field.TYPE_MESSAGE, f".hef.{one}"
            else:
                told.type = one
                if label == Field.LABEL_REPEATED:
                    told.options.packed = packed
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {each: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"hef.{each}")) for each in MESSAGES}


def hef(
    folder: Path,
    *,
    extensions: tuple[dict[str, Any], ...] = (),
    zps: tuple[float, ...] = (3, 4),
    scales: tuple[float, ...] = (0.5, 0.25),
    arch: int = 1,
    format: int = 1,
    data_bytes: int = 1,
    packed: bool = True,
) -> Hef:
    """A version-0 file of one input and an output of two features, scale 0.125 and zero point 2 as scalars."""

    def edge(name: str, direction: int, features: int, numeric: dict[str, Any]) -> dict[str, Any]:
        base = {"height": 1, "width": 4, "features": features, "format": format, "data_bytes": data_bytes}
        return {"direction": direction, "info": {"name": name, "base": base, "numeric": numeric}}

    told = {"qp_zp": 2, "qp_scale": 0.125, "qp_zps": zps, "qp_scales": scales}
    edges = [
        edge("n/input_layer1", 0, 1, {"qp_zp": 7, "qp_scale": 0.1, "qp_zps": [7], "qp_scales": [0.1]}),
        edge("n/conv1", 1, 2, told),
    ]
    root = classes(packed)["Root"](
        header={"arch": arch, "sdk": "3.30.0"},
        groups=[{"contexts": [{"metadata": {"edges": edges}}]}],
        extensions=list(extensions),
    )
    body = root.SerializeToString()
    path = folder / "net.hef"
    path.write_bytes(struct.pack(">IIII", 0x01484546, 0, len(body), 0) + hashlib.md5(body).digest() + body)
    return read_hef(path)


BY_NAME = {"type_index": 20, "name": PER_FEATURE}
USED = {"by name": BY_NAME, "in lower case": {"name": PER_FEATURE.lower()}, "by number": {"type_index": 20}}
UNUSED = {
    "another": {"type_index": 3, "name": "PADDED_DDR_BUFFERS"},
    "another of that number": {**BY_NAME, "name": "X"},
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("extension", [None, *UNUSED.values()], ids=["none", *UNUSED])
def test_without_the_extension_the_scalars_count_and_it_is_said(
    tmp_path: Path, extension: dict[str, Any] | None, packed: bool
) -> None:
    found = hef(tmp_path, extensions=(extension,) if extension else (), packed=packed)
    (output,) = found.outputs
    assert (output.qp_scales, output.qp_zps, output.per_feature) == ((0.5, 0.25), (3, 4), False)
    assert found.inputs[0].qp_scales == (0.1,), "a double, and no float"
    assert dequantized(output, np.array([[6, 6]], np.uint8)).tolist() == [[0.5, 0.5]]
    text = "\n".join(lines(found))
    assert "scale 0.125, zero point 2 (its 2 per feature count only with the extension OUTPUT_SCALE" in text


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("extension", USED.values(), ids=USED)
def test_with_the_extension_each_feature_has_its_own(tmp_path: Path, extension: dict[str, Any], packed: bool) -> None:
    found = hef(tmp_path, extensions=({"type_index": 1, "name": "POSTED_WRITES"}, extension), packed=packed)
    (output,) = found.outputs
    assert output.per_feature
    real = np.array([[[1.0, 1.0], [2.0, -0.25]]], np.float32)
    steps = quantize_values(output, real)
    # by hand: x / scale + zero point, of scales 0.5 and 0.25, zero points 3 and 4
    assert steps.tolist() == [[[5, 8], [7, 3]]]
    assert np.array_equal(dequantized(output, steps), real)
    assert "2 scales and zero points, one per feature" in "\n".join(lines(found))
    with pytest.raises(HefError, match="last axis"):
        quantize_values(output, np.zeros((2, 3)))


@pytest.mark.parametrize(("zps", "scales"), [((3.0,), (0.5, 0.25)), ((3.0, 4.0), ()), ((1.0,) * 3, (1.0,) * 3)])
def test_lists_that_count_have_one_value_a_feature(
    tmp_path: Path, zps: tuple[float, ...], scales: tuple[float, ...]
) -> None:
    with pytest.raises(HefError, match=r"zero points for 2 features"):
        hef(tmp_path, extensions=(BY_NAME,), zps=zps, scales=scales)
    # Where they don't count they are of no account.
    assert not hef(tmp_path, zps=zps, scales=scales).outputs[0].per_feature


def test_a_list_of_floats_is_no_list_of_doubles(tmp_path: Path) -> None:
    numeric = double.block(6, struct.pack("<3f", 1, 2, 3))
    edge = double.block(3, double.block(1, "a") + double.block(3, numeric))
    path = tmp_path / "net.hef"
    path.write_bytes(double.sealed(2, double.proto([double.group("n", [double.context(0, [edge])])])))
    with pytest.raises(HefError, match="12 bytes of doubles, not a multiple of 8"):
        read_hef(path)


@pytest.mark.parametrize(
    ("format", "data_bytes", "told"),
    [
        (0, 2, "NHWC uint16"),
        (1, 1, "NHCW uint8"),
        (2, 1, "FCR uint8"),
        (3, 1, "F8CR uint8"),
        (4, 1, "NHW uint8"),
        (5, 1, "NC uint8"),
        (77, 4, "format 77 4 bytes"),
    ],
)
def test_formats_and_data_types_have_their_names_else_their_numbers(
    tmp_path: Path, format: int, data_bytes: int, told: str
) -> None:
    found = hef(tmp_path, format=format, data_bytes=data_bytes)
    assert f"1x4x2 (HxWxC), {told}, " in "\n".join(lines(found))
    output = as_json(found)["groups"][0]["outputs"][0]
    assert f"{output['format_name']} {output['data_type']}" == told
    assert (output["format"], output["data_bytes"]) == (format, data_bytes)


@pytest.mark.parametrize(("arch", "told"), [(1, "hailo8p"), (6, "hailo15l"), (106, "architecture number 106")])
def test_an_architecture_without_a_name_is_told_as_its_number(tmp_path: Path, arch: int, told: str) -> None:
    assert f"compiled  for {told}" in "\n".join(lines(hef(tmp_path, arch=arch)))


@pytest.mark.parametrize(("outputs", "told"), [(0, "without inputs or outputs"), (1, "")])
def test_a_file_without_ends_is_told_as_one_and_a_multiplexed_end_is_no_missing_one(
    tmp_path: Path, outputs: int, told: str
) -> None:
    """An edge layer whose info isn't there is of the protobuf's other form, as documented."""
    multiplexed = double.integer(1, 0)
    edges = [multiplexed, double.edge("n/o", (1, 8, 2), output=True)] if outputs else []
    path = tmp_path / "net.hef"
    path.write_bytes(double.sealed(2, double.proto([double.group("n", [double.context(0, edges)])])))
    assert told in hef_mismatch(path, "hailo8", {"inputs": {"x": [1, 16, 1]}, "outputs": {"o": [1, 8, 2]}})
    shown = "\n".join(lines(read_hef(path)))
    assert ("no input" in shown and "no output" in shown) is not bool(outputs)
    assert ("more of a form that isn't read" in shown) is bool(outputs)
