"""A case's graph as the report shows it: its layers in order, without weights, read once per HAR of the store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tasnet.common import error_line
from tasnet.hailo.files import HarError, HNError, Layer, network_json
from tasnet.suite.run import Store, StoreError, content_key, stored_graph

SCHEMA = 2
"""Of what is noted in the store; raise it when `LayerList` changes."""


class LayerRow(BaseModel):
    """One layer. Equal `sign` in two graphs means equal kind, shapes and parameters, whatever the layer's number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: str
    inputs: str
    """shapes H x W x C of the inputs, joined by ` + `"""
    output: str
    detail: str
    """kernel, stride, dilation and groups where they aren't 1, and the activation where it isn't linear"""
    weights: int
    macs: int
    row_in: int
    """elements W x C of the widest input row"""
    row_out: int

    @property
    def sign(self) -> tuple[str | int, ...]:
        """All but the name: names are numbers, and one layer less moves every number behind it."""
        return (
            self.type,
            self.inputs,
            self.output,
            self.detail,
            self.weights,
            self.macs,
            self.row_in,
            self.row_out,
        )


class LayerList(BaseModel):
    """The layers of a HAR in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: tuple[LayerRow, ...]


class GraphUnavailable(ValueError):
    """A graph that can't be shown. One line: the reason and the remedy."""


def layers_of_har(store: Store, name: str, desk: Path) -> LayerList:
    """The graph of the HAR `name`; `desk` is a folder to work in. Raises GraphGone.

    What was read is noted in the store, so that a report of the next run needn't read it again; a graph that is
    noted is shown even when its HAR has gone.
    """
    key = content_key({"what": "graph shown", "schema": SCHEMA, "har": name})
    noted = store.note(key)
    if noted is not None:
        try:
            return LayerList.model_validate(noted)
        except ValidationError:
            pass
    try:
        network = stored_graph(store, name, desk)
    except (StoreError, HarError, HNError) as error:
        raise GraphUnavailable(error_line(error)) from None
    graph = LayerList(layers=tuple(map(_layer_row, network_json(network)["layers"], network)))
    with suppress(StoreError, OSError):
        # A store that can't be written, such as another machine's, is read all the same.
        store.put_note(key, graph.model_dump())
    return graph


def _layer_row(as_dict: dict[str, Any], layer: Layer) -> LayerRow:
    return LayerRow(
        name=as_dict["name"],
        type=as_dict["type"],
        inputs=" + ".join(_shape(shape) for shape in as_dict["input_shapes"]),
        output=_shape(as_dict["output_shape"]),
        detail=_detail(layer),
        weights=as_dict["weights"],
        macs=as_dict["macs"],
        row_in=as_dict["row_in"],
        row_out=as_dict["row_out"],
    )


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _detail(layer: Layer) -> str:
    """`1x3 /1x2 d4 g2 relu`: kernel, stride, dilation, groups, activation, each only where it says something."""
    parts = []
    if layer.kernel != (1, 1):
        parts.append(f"kernel {_shape(layer.kernel)}")
    for what, usual in (("strides", "stride"), ("dilations", "dilation")):
        sizes = layer.params.get(what)
        if isinstance(sizes, list | tuple) and len(sizes) == 4 and set(sizes[1:3]) != {1}:
            parts.append(f"{usual} {_shape(sizes[1:3])}")
    groups = layer.params.get("groups", 1)
    # A depthwise layer is all groups, and its type says so.
    if groups != 1 and layer.type != "dw":
        parts.append(f"groups {groups}")
    activation = layer.params.get("activation", "linear")
    if activation != "linear":
        parts.append(str(activation))
    return ", ".join(parts)
