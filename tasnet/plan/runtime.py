"""The program of a compiled plan as one file: the room's own modules that need numpy alone, joined, and the plan."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from tasnet.common import read_text
from tasnet.hailo.files import HefError, edges_in_order, har, read_hef, runs_on
from tasnet.plan.cuts import Plan, Segment
from tasnet.plan.executors import input_layers, read_verified_file
from tasnet.plan.function import PlanError
from tasnet.plan.hardware import MAX_HEFS

MODULES = ("rows", "host", "scaled", "run", "hailort", "standalone")
"""in the order in which they need each other"""
SPACES = ("rows", "host")
"""Modules whose names the others use with the module's: there they are one object."""
_MAX_MODULE_BYTES = 1 << 20


def runtime_source(plan: Plan, folder: Path) -> str:
    """The program's text, for the plan in `folder`. Raises PlanError for files that aren't the plan's, or no HEFs."""
    ends = hef_ends(plan, folder)
    assert plan.host_weights is not None
    read_verified_file(folder, plan.host_weights)
    written = [plan.host_weights, *(each.hef for each in plan.on_chip if each.hef)]
    data = {
        **plan.model_dump(mode="json", include={"made_by", "weights", "function", "sample_rate", "padding", "block"}),
        "reach": plan.reach,
        "local": plan.local,
        "segments": [each.model_dump(mode="json", include=_NEEDED) for each in plan.segments],
        "files": {file.name: file.sha256 for file in written},
        "ends": ends,
    }
    return _joined(json.dumps(data, indent=1), plan)


_NEEDED = {
    *("name", "place", "form", "start", "stop", "blocks", "head", "tail"),
    *("phase", "width", "height", "halo", "inputs", "outputs"),
}


Ends = tuple[str, dict[str, str], dict[str, str]]
"""a HEF's file, and the names of its inputs and of its outputs by role"""


def hef_ends(plan: Plan, folder: Path) -> dict[str, Ends]:
    """By segment. Raises PlanError for a plan without HEFs, or with others than its own."""
    hefs = [each for each in plan.on_chip if each.hef is not None]
    if len(hefs) < len(plan.on_chip):
        raise PlanError(f"{folder}: a plan without HEFs; compile it with tasnet plan compile and name that folder")
    if len(hefs) > MAX_HEFS:
        raise PlanError(f"{folder}: {len(hefs)} HEFs, a device holds {MAX_HEFS}; plan again with --objective hefs")
    return {each.name: _ends(each, folder, plan.arch) for each in hefs}


def _ends(each: Segment, folder: Path, arch: str) -> Ends:
    """Of one segment. Raises PlanError for a HEF that isn't the segment's."""
    assert each.hef is not None
    assert each.har is not None
    path = folder / each.hef.name
    read_verified_file(folder, each.hef)
    read_verified_file(folder, each.har)
    network = har.read(folder / each.har.name, weights=False)
    layer_of_input = input_layers(network)
    try:
        hef = read_hef(path)
        fits = runs_on(hef, arch)
    except HefError as error:
        raise PlanError(f"{error}; compile the plan again") from None
    if not fits or len(hef.groups) != 1:
        raise PlanError(f"{path}: not one network for {arch}; compile the plan again")
    found: list[dict[str, str]] = []
    for ports, names, edges in (
        (each.inputs, [layer_of_input[f"in_{port.role}"] for port in each.inputs], hef.inputs),
        (each.outputs, network.output_layers, hef.outputs),
    ):
        ordered = edges_in_order(names, edges)
        if [edge.shape for edge in ordered] != [(each.height, each.width, port.channels) for port in ports]:
            raise PlanError(f"{path}: its inputs and outputs aren't those of {each.name}; compile the plan again")
        found.append({port.role: edge.name for port, edge in zip(ports, ordered, strict=True)})
    return (each.hef.name, *found)  # type: ignore[return-value, unused-ignore]


def _joined(data: str, plan: Plan) -> str:
    imports: dict[str, None] = {}
    parts: list[str] = []
    known: dict[str, str] = {}
    for name in MODULES:
        text = read_text(
            Path(__file__).with_name(f"{name}.py"), most=_MAX_MODULE_BYTES, what="a module", error=PlanError
        )
        tree = ast.parse(text)
        lines = text.splitlines()
        dropped: set[int] = set()
        own: list[str] = []
        for node in tree.body:
            at = range(node.lineno - 1, node.end_lineno or node.lineno)
            if isinstance(node, ast.Import | ast.ImportFrom):
                dropped |= set(at)
                module = getattr(node, "module", None) or ""
                if module != "__future__" and module.split(".")[0] != "tasnet":
                    imports[ast.unparse(node)] = None
                continue
            for each in _names(node):
                meant = ast.unparse(node)
                if known.setdefault(each, meant) != meant:
                    raise AssertionError(f"{each} is in two of the modules that are joined")
                own.append(each)
        body = "\n".join(line for index, line in enumerate(lines) if index not in dropped)
        # Each module's first words, a docstring, stay: a text that stands alone does nothing.
        parts.append(f"# --- {name} {'-' * (112 - len(name))}\n\n{body.strip()}")
        if name in SPACES:
            members = "".join(f"    {each}={each},\n" for each in dict.fromkeys(own))
            parts.append(f"{name} = SimpleNamespace(\n{members})")
    head = (
        f'"""Separates a wav with a compiled plan: python separate.py MIX.wav OUT. Needs numpy and HailoRT.\n\n'
        f"Written by {plan.made_by} for {plan.arch}: don't change it, write it again. The HEFs and host.npz lie beside "
        'it.\n"""\n\nfrom __future__ import annotations\n'
    )
    tail = (
        f'_PLAN = r"""\n{data}\n"""\n\nif __name__ == "__main__":\n'
        "    sys.exit(main(_PLAN, Path(__file__).resolve().parent, sys.argv[1:]))\n"
    )
    return "\n\n\n".join(["\n".join([head, *imports]), *parts, tail])


def _names(node: Any) -> list[str]:
    """What a statement of a module names there."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for each in node.targets if isinstance(each, ast.Name)]
    return []
