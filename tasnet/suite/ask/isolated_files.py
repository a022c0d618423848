"""What `tasnet isolate` leaves: a folder for each blocker, fit to be sent to the vendor, and one summary for its owner.

    <family>/graph.onnx   the smallest graph, weights drawn, names numbered
    <family>/repeat.py    asks the compiler for it, with the documented calls and nothing of tasnet
    <family>/README.md    what was said of it, by whom, and the commands that repeat it
    isolated.json         all of them, the questions that were asked, and what is known of the case

The folder appears whole or not at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasnet.common import TasnetError, short_layers, unfinished, why_no_folder
from tasnet.hailo.files import row_elements, total_figures, widest_shape
from tasnet.suite.ask.answers import DRAWN, Asker
from tasnet.suite.ask.isolation import Isolated

GRAPH, REPEAT, SUMMARY = "graph.onnx", "repeat.py", "isolated.json"


class FolderError(TasnetError, ValueError):
    """A folder that can't take what is to be written. One line."""


def check_folder(folder: Path) -> None:
    """Raises FolderError unless a new folder can be written there: it is empty, or isn't there and its parent is."""
    if instead := why_no_folder(folder):
        raise FolderError(f"{folder}: {instead}")
    if not folder.absolute().parent.is_dir():
        raise FolderError(f"{folder}: no directory {folder.parent}; make it first")
    if folder.is_dir() and any(folder.iterdir()):
        raise FolderError(f"{folder}: there is something in it; name a folder that is empty or isn't there")


def write_isolated(folder: Path, found: Sequence[Isolated], asker: Asker, more: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the folder and returns what stands in its summary; `more` are further keys of it. Raises FolderError."""
    check_folder(folder)
    summary = {**_asked(asker), "blockers": [_told(each, asker) for each in found], **more}
    with unfinished.folder(folder.absolute().parent, f".{folder.name}") as place:
        whole = place / "isolated"
        for each in found:
            at = whole / folder_of(each, found)
            at.mkdir(parents=True)
            (at / GRAPH).write_bytes(each.model.SerializeToString(deterministic=True))
            (at / REPEAT).write_text(repeat_script(each, asker), encoding="utf-8")
            (at / "README.md").write_text("\n".join(_readme(each, asker)), encoding="utf-8")
        (whole / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        check_folder(folder)
        # an empty folder gives way to a whole one in one step
        os.replace(whole, folder)
    return summary


def folder_of(each: Isolated, found: Sequence[Isolated]) -> str:
    """The folder of one blocker below the whole folder: its family, with the stage where two have one."""
    alike = [other for other in found if other.blocker.family == each.blocker.family]
    return each.blocker.family if len(alike) == 1 else f"{each.blocker.family}_{each.blocker.stage}"


def repeat_commands(each: Isolated, asker: Asker, at: str = "") -> tuple[str, str]:
    """Two commands that repeat it: with the embedded toolchain and with the compiler, from within its folder `at`."""
    where = f"{at}/" if at else ""
    return f"tasnet check {where}{GRAPH} --arch {asker.arch}", f"python {where}{REPEAT}"


def repeat_script(each: Isolated, asker: Asker) -> str:
    """A program that takes the graph through the compiler as it was done here."""
    script = getattr(asker.tool, "script_lines", "")
    return _SCRIPT.format(family=each.blocker.family, arch=asker.arch, script=script, frames=DRAWN)


_SCRIPT = '''"""{family} on {arch}: graph.onnx beside this file shows it. Run it with the compiler's Python."""

from pathlib import Path

import numpy as np
from hailo_sdk_client import ClientRunner

SCRIPT = {script!r}

runner = ClientRunner(hw_arch="{arch}")
runner.translate_onnx_model(str(Path(__file__).resolve().parent / "graph.onnx"), "isolated")
if SCRIPT:
    runner.load_model_script(SCRIPT)
# calibration: {frames}
random = np.random.default_rng(0)
layers = runner.get_hn_dict()["layers"]
runner.optimize(
    {{
        name: random.uniform(-1, 1, (8, *layer["output_shapes"][0][1:])).astype(np.float32)
        for name, layer in layers.items()
        if layer["type"] == "input_layer"
    }}
)
print("compiled:", len(runner.compile()), "bytes")
'''


def _asked(asker: Asker) -> dict[str, Any]:
    tool = asker.tool
    return {
        "toolchain": {"name": tool.name, "version": tool.version, "predicted": tool.predicted},
        "arch": asker.arch,
        "compiles": asker.compiles,
        "kept": asker.kept,
        "unlearned": asker.unlearned,
        "seconds": round(asker.spent, 1),
    }


def _told(each: Isolated, asker: Asker) -> dict[str, Any]:
    embedded, compiler = repeat_commands(each, asker)
    graph = each.graph
    return {
        "family": each.blocker.family,
        "stage": each.blocker.stage,
        "message": each.failure.message,
        "layers": list(each.failure.layers),
        "figures": dict(each.failure.figures),
        "nodes": [node.op_type for node in graph.nodes],
        "of_nodes": each.whole_nodes,
        "inputs": [list(graph.shapes[name]) for name in graph.inputs],
        "network_layers": len(each.network.layers) if each.network else None,
        "unfinished": each.unfinished,
        "compile_seconds": round(each.seconds, 3),
        "repeat": {"embedded": embedded, "compiler": compiler},
    }


def size_line(each: Isolated) -> str:
    """`1 of 883 nodes (Concat), 4 layers, widest row 515,226`."""
    ops = ", ".join(node.op_type for node in each.graph.nodes[:4]) + " …" * (len(each.graph.nodes) > 4)
    text = f"{len(each.graph.nodes)} of {each.whole_nodes} nodes ({ops})"
    if each.network is None:
        return text
    row = max((row_elements(widest_shape(layer)) for layer in each.network), default=0)
    weights = total_figures(each.network).weights
    return f"{text}, {len(each.network.layers)} layers, {weights:,} weights, widest row {row:,}"


def _readme(each: Isolated, asker: Asker) -> list[str]:
    tool = asker.tool
    word = "Predicted by an embedded toolchain, not observed" if tool.predicted else "Said by the compiler"
    embedded, compiler = repeat_commands(each, asker)
    shapes = ", ".join("x".join(map(str, each.graph.shapes[name])) for name in each.graph.inputs)
    return [
        f"# {each.blocker.family} at {each.blocker.stage}, {asker.arch}",
        "",
        f"{word}: {tool.name} {tool.version}, of `{GRAPH}`: {size_line(each)}.",
        "",
        "    " + " ".join(each.failure.message.split()),
        "",
        *([f"It names {short_layers(each.failure.layers, 8)}.", ""] if each.failure.layers else []),
        f"The graph is the smallest that was found to show it; its inputs are {shapes} (N C H W). The weights are "
        f"drawn and the names numbered. Calibration data: {DRAWN}.",
        "",
        *([f"Not finished: {each.unfinished}.", ""] if each.unfinished else []),
        "To repeat it with the compiler, and to see what the embedded toolchain says of it:",
        "",
        f"    {compiler}",
        f"    {embedded}",
        "",
    ]
