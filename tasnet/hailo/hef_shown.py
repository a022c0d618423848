"""A HEF as JSON and as lines for a person: who compiled it, for what, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tasnet.hailo.hef import EdgeLayer, Hef, NetworkGroup

MAGIC = b"\x01HEF"
"""the first four bytes of every version"""


def is_hef(head: bytes) -> bool:
    """Whether a file that begins so is a HEF, by its magic number."""
    return head[:4] == MAGIC


def as_json(hef: Hef) -> dict[str, Any]:
    """All that was read, shapes as (H, W, C); `timestamp` is ISO 8601 or null."""
    told = asdict(hef)
    told["timestamp"] = hef.timestamp.isoformat() if hef.timestamp else None
    for shown, group in zip(told["groups"], hef.groups, strict=True):
        for what in ("inputs", "outputs"):
            for edge, layer in zip(shown[what], getattr(group, what), strict=True):
                edge["shape"] = list(layer.shape)
    return {"kind": "hef", **told}


def lines(hef: Hef) -> Iterator[str]:
    """A paragraph per network group."""
    when = f"{hef.timestamp:%Y-%m-%d %H:%M} UTC" if hef.timestamp else "at an unknown time"
    yield f"HEF version {hef.version}, {hef.size_bytes:,} bytes, {hef.integrity} right"
    yield f"  compiled  for {hef.hw_arch} by SDK {hef.sdk_version or 'of no version'}, {when}"
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
    if group.unread_edges:
        yield f"  {group.unread_edges} more of a form that isn't read"


def _edge(layer: EdgeLayer) -> str:
    shape = "x".join(map(str, layer.shape))
    of = f" of {', '.join(layer.original_names)}" if layer.original_names else ""
    width = f"{layer.data_bytes} byte{'s' * (layer.data_bytes != 1)}"
    return f"{layer.name}  {shape} (HxWxC), format {layer.format}, {width}, {_quantized(layer)}{of}"


def _quantized(layer: EdgeLayer) -> str:
    if layer.qp_scales:
        return f"{len(layer.qp_scales)} scales and zero points"
    return f"scale {layer.qp_scale:g}, zero point {layer.qp_zp:g}"
