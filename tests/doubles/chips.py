"""Chips for the double of HailoRT, and compiled files for them: PyTorch in the chip's place.

`python -m tests.doubles.chips FOLDER CASE…` writes FOLDER/hef/<case>.hef and FOLDER/chip.py, which makes the double's
chip these cases' in a process of its own (HAILO_PLATFORM_SCRIPT=FOLDER/chip.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tasnet.network.convtasnet import build_network
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.numerics.waves import host_frames
from tests.doubles import hef_writer as written

Compute = Callable[[Any, dict[str, Any]], dict[str, Any]]


def chip(case: Case) -> Compute:
    """What the double's chip gives for one frame of the case: PyTorch's output."""
    model = build_network(case.variant, case.size, seeded_weights(case.size))

    def run(hef: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        frame = torch.from_numpy(np.ascontiguousarray(next(iter(inputs.values()))[None])).permute(0, 3, 1, 2)
        with torch.no_grad():
            told = model(frame)
        return {f"net/out{i}": value[0].permute(1, 2, 0).numpy() for i, value in enumerate(told)}

    return run


def compiled(folder: Path, case: Case) -> Path:
    """A HEF for the case, `<case id>.hef`."""
    one = host_frames(case.variant, case.size, np.zeros((1, case.length), np.float32))
    results = chip(case)(None, {"net/input_layer1": one[0]})
    edges = [written.edge("net/input_layer1", one.shape[1:])]
    edges += [written.edge(name, value.shape, output=True) for name, value in results.items()]
    path = folder / f"{case.id}.hef"
    group = written.group("net", [written.context(0, edges)], order=list(results))
    path.write_bytes(written.sealed(2, written.proto([group])))
    return path


def several(ids: list[str]) -> Compute:
    """A chip that runs these cases, told apart by the shapes of their inputs and outputs."""
    chips = {_shapes(case): chip(case) for case in map(parse_case, ids)}

    def run(hef: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        return chips[tuple(edge.shape for edge in (*hef.inputs, *hef.outputs))](hef, inputs)

    return run


def _shapes(case: Case) -> tuple[Any, ...]:
    one = host_frames(case.variant, case.size, np.zeros((1, case.length), np.float32))
    return (one.shape[1:], *(each.shape for each in chip(case)(None, {"x": one[0]}).values()))


def write(folder: Path, ids: list[str], more: str = "") -> Path:
    """The files of the command; `more` are further lines of the script. Returns the script."""
    (folder / "hef").mkdir(parents=True, exist_ok=True)
    for text in ids:
        compiled(folder / "hef", parse_case(text))
    script = folder / "chip.py"
    script.write_text(f"from tests.doubles.chips import several\nSCRIPT.compute = several({ids!r})\n{more}\n")
    return script


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2:])
