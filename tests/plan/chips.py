"""A chip for the double of HailoRT that computes a plan's segments, by their ONNX graphs in ONNX Runtime.

The double tells it what the HEF says: the segment is the one whose own file says the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


def computing(folder: Path) -> Any:
    """`Script.compute` for the plan in `folder`."""
    from tasnet.hailo.files import har, read_hef
    from tests import runtime_session

    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    known = []
    for each in plan["segments"]:
        if each["place"] == "chip":
            session = runtime_session.session(folder / each["onnx"]["name"])
            network = har.read(folder / each["har"]["name"], weights=False)
            known.append((read_hef(folder / each["hef"]["name"]), session, network))

    def compute(hef: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        scope = hef.inputs[0].name.split("/")[0]
        ((session, network),) = (rest for told, *rest in known if told == hef)
        layer_of_input = {layer.name: layer.original_names[0] for layer in network if layer.type == "input_layer"}
        given = {layer_of_input[name.split("/")[1]]: each.transpose(2, 0, 1)[None] for name, each in inputs.items()}
        made = session.run(None, given)
        told = {
            f"{scope}/{name}": np.ascontiguousarray(each[0].transpose(1, 2, 0))
            for name, each in zip(network.output_layers, made, strict=True)
        }
        assert set(told) == {edge.name for edge in hef.outputs}
        return told

    return compute
