"""A graph's layers, as JSON and as a table for a person: shapes H x W x C, weights, MACs, operations, rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tasnet.common import printable
from tasnet.hailo.files.hn import Network, figures_of, row_elements, total_figures


def network_json(network: Network) -> dict[str, Any]:
    """`{"name", "layers", "totals"}`; `row_in` and `row_out` count a row's elements."""
    layers = []
    for layer in network:
        counted = figures_of(layer)
        layers.append(
            {
                "name": layer.name,
                "type": layer.type,
                "input_shapes": [list(shape[1:]) for shape in layer.input_shapes],
                "output_shape": list(layer.output_shape[1:]),
                "weights": counted.weights,
                "macs": counted.macs,
                "ops": counted.ops,
                "row_in": max(map(row_elements, layer.input_shapes), default=0),
                "row_out": row_elements(layer.output_shape),
            }
        )
    summed = total_figures(network)
    totals = {"layers": len(layers), "weights": summed.weights, "macs": summed.macs, "ops": summed.ops}
    shown: dict[str, Any] = {"name": network.name, "layers": layers, "totals": totals}
    if network.assumptions:
        shown["assumptions"] = [{"kind": each.kind.value, "text": each.text} for each in network.assumptions]
    return shown


def network_lines(network: Network) -> Iterator[str]:
    """The totals, then a layer a line."""
    listed = network_json(network)
    yield f"{printable(network.name)}: " + ", ".join(f"{count:,} {what}" for what, count in listed["totals"].items())
    for each in network.assumptions:
        yield f"  assumed: {printable(each.text)}"
    layers = listed["layers"]
    yield from _table(
        [list(layers[0]) if layers else [], *([_cell(value) for value in each.values()] for each in layers)]
    )


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        shapes = value if value and isinstance(value[0], list) else [value]
        return " + ".join("x".join(map(str, shape)) for shape in shapes)
    return printable(str(value))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns two apart, text to the left and counts to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        line = (
            cell.ljust(width) if index < 4 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        yield "  ".join(line).rstrip()
