"""A HEF as JSON and as lines for a person: who compiled it, for what, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from tasnet.hailo.files import PER_FEATURE, EdgeLayer, Hef, NetworkGroup

MAGIC = b"\x01HEF"
"""the first four bytes of every version"""

FORMATS: Mapping[int, str] = dict(
    enumerate(("NHWC", "NHCW", "FCR", "F8CR", "NHW", "NC", "BAYER_RGB", "12_BIT_BAYER_RGB", "HAILO_NMS"))
)
"""HailoRT's names of the orders of elements, by the number in the file.

That is the compiler's number, which HailoRT translates into its own enum: the file's 0, and so a file that leaves it
out, is NHWC, where HailoRT's own 0 (auto) is no order at all. Later numbers are shown as they are.
"""
DATA_TYPES: Mapping[int, str] = {1: "uint8", 2: "uint16"}
"""bytes of an element -> its type"""


def is_hef(head: bytes) -> bool:
    """Whether a file that begins so is a HEF, by its magic number."""
    return head[:4] == MAGIC


def as_json(hef: Hef) -> dict[str, Any]:
    """All that was read, shapes as (H, W, C); `timestamp` is ISO 8601 or null.

    `format_name` and `data_type` say `format` and `data_bytes` in HailoRT's words.
    """
    result = asdict(hef)
    result["timestamp"] = hef.timestamp.isoformat() if hef.timestamp else None
    for shown, group in zip(result["groups"], hef.groups, strict=True):
        for what in ("inputs", "outputs"):
            for edge, layer in zip(shown[what], getattr(group, what), strict=True):
                edge["shape"] = list(layer.shape)
                edge["format_name"], edge["data_type"] = _format(layer), _data_type(layer)
    return {"kind": "hef", **result}


def lines(hef: Hef) -> Iterator[str]:
    """A paragraph per network group."""
    when = f"{hef.timestamp:%Y-%m-%d %H:%M} UTC" if hef.timestamp else "at an unknown time"
    yield f"HEF version {hef.version}, {hef.size_bytes:,} bytes, {hef.integrity} right"
    yield f"  compiled  for {hef.arch_text} by SDK {hef.sdk_version or 'of no version'}, {when}"
    for group in hef.groups:
        yield from _group(group)


def _group(group: NetworkGroup) -> Iterator[str]:
    yield ""
    count = f"{group.contexts} context{'s' * (group.contexts != 1)}"
    estimated = f", estimated {group.bottleneck_fps:,.1f} frames/s" if group.bottleneck_fps else ""
    yield f"{group.name}: {count}{estimated}"
    for what, layers in (("input", group.inputs), ("output", group.outputs)):
        for layer in layers:
            yield f"  {what:8}{_edge(layer)}"
    for what, layers in (("input", group.inputs), ("output", group.outputs)):
        if not layers and not group.unread_edges:
            yield f"  no {what}: nothing can be run so"
    if group.unread_edges:
        yield f"  {group.unread_edges} more of a form that isn't read"


def _edge(layer: EdgeLayer) -> str:
    shape = "x".join(map(str, layer.shape))
    of = f" of {', '.join(layer.original_names)}" if layer.original_names else ""
    return f"{layer.name}  {shape} (HxWxC), {_format(layer)} {_data_type(layer)}, {_quantized(layer)}{of}"


def _format(layer: EdgeLayer) -> str:
    """The name of the order of elements; one that has none here as its number."""
    return FORMATS.get(layer.format, f"format {layer.format}")


def _data_type(layer: EdgeLayer) -> str:
    return DATA_TYPES.get(layer.data_bytes, f"{layer.data_bytes} bytes")


def _quantized(layer: EdgeLayer) -> str:
    """The scale and zero point that HailoRT takes, and which of the file's they are."""
    if layer.per_feature:
        return f"{len(layer.qp_scales)} scales and zero points, one per feature"
    scale = f"scale {layer.qp_scale:g}, zero point {layer.qp_zp:g}"
    if count := max(len(layer.qp_scales), len(layer.qp_zps)):
        return f"{scale} (its {count} per feature count only with the extension {PER_FEATURE})"
    return scale
