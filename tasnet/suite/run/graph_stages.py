"""A graph that is no case through a toolchain: translate, optimize, compile, each distinct piece of work once.

A case is a whole network's form; a plan's segment is a stretch of one with weights and recordings of its own, a
question a piece of one with neither. Their stages are kept in the same store under keys of the graph's bytes, of what
its inputs are given and of the toolchain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasnet.common import unfinished
from tasnet.hailo import StageReport, Toolchain
from tasnet.hailo.compiler import Dfc
from tasnet.hailo.files import Layer, har
from tasnet.suite.cases import Outcome, Provenance, Stage, Status
from tasnet.suite.run.once import once
from tasnet.suite.run.pipeline import judge_key, tool_key
from tasnet.suite.run.reported import har_file, reported
from tasnet.suite.run.store import Store, content_key, file_sha256

STAGES = (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)


@dataclass(frozen=True)
class GraphToCompile:
    """An ONNX file, its network's name in HAR, HEF and logs, and what its inputs are given where a compiler calibrates.

    `inputs` gets the input layers of the toolchain's own HAR (their first original name is the ONNX input's) and gives
    arrays (N, H, W, C) by the layers' names. `recordings` says in a word or a digest what they are made of: what a
    segment is given differs in its last bits with the segments before it, the recordings don't. `asked` counts the
    times that the toolchain is asked anew for the same: 2 is an answer beside the first.
    """

    name: str
    onnx: Path
    inputs: Callable[[Sequence[Layer]], Mapping[str, np.ndarray]]
    recordings: str
    asked: int = 1


def compile_graph(
    store: Store, tool: Toolchain, arch: str, graph: GraphToCompile, starting: Callable[[Stage], None] = lambda _: None
) -> dict[Stage, Outcome]:
    """The outcomes as far as the first that didn't pass; a toolchain that lists all it knows is asked every stage.

    `starting` is called before a stage that no store knows is worked out; what it raises ends it there. Raises
    StoreError, and what an unreadable HAR raises.
    """
    outcomes: dict[Stage, Outcome] = {}
    given = file_sha256(graph.onnx)
    parts = {"segment": given, "recordings": graph.recordings, "arch": arch}
    again = {"asked": graph.asked} if graph.asked > 1 else {}
    with store.workspace() as desk:
        for stage in STAGES:
            own = {"net": graph.name, **({"onnx": given} if stage is Stage.TRANSLATE else parts), **again}
            provenance = Provenance(
                toolchain=tool.name,
                version=tool.version,
                predicted=tool.predicted,
                exhaustive=tool.exhaustive,
                arch="" if stage is Stage.TRANSLATE else arch,
                inputs=given,
            )
            source = next((each.artifact for each in reversed(outcomes.values()) if each.artifact), "")

            def work(stage: Stage = stage, source: str = source, by: Provenance = provenance) -> Outcome:
                starting(stage)
                return _worked(store, tool, arch, graph, stage, source, by, desk)

            made_by = tool_key(tool) if stage is Stage.TRANSLATE else judge_key(tool)
            key = content_key({**made_by, "stage": stage.value, **own})
            outcome = once(store, key, provenance, stage, work)
            outcomes[stage] = outcome
            if outcome.status is not Status.PASSED and not (tool.exhaustive and stage is Stage.OPTIMIZE):
                break
    return outcomes


def _worked(
    store: Store,
    tool: Toolchain,
    arch: str,
    graph: GraphToCompile,
    stage: Stage,
    source: str,
    by: Provenance,
    desk: Path,
) -> Outcome:
    if stage is Stage.TRANSLATE:
        report: StageReport = tool.translate(graph.onnx, graph.name, desk / "translated.har")
        return reported(report, stage, by, store, desk / "segment.onnx")
    given = desk / har_file(source)
    if not given.exists():
        store.get_har(source, given)
    if stage is Stage.OPTIMIZE:
        if isinstance(tool, Dfc):
            tool = replace(tool, calibration=_calibration(given, graph, desk / "calibration.npz"))
        report = tool.optimize(given, arch, desk / "optimized.har")
    else:
        report = tool.compile(given, arch, desk / "compiled.hef")
    return reported(report, stage, by, store, given)


def _calibration(translated: Path, graph: GraphToCompile, path: Path) -> Path:
    """An npz by the input layers' names in the compiler's own HAR: which input is which only that can tell."""
    layers = [layer for layer in har.read(translated, weights=False) if layer.type == "input_layer"]
    arrays = {f"{graph.name}/{name}": array for name, array in graph.inputs(layers).items()}
    with unfinished.opened(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type, unused-ignore]
    return path


def hef_bytes(store: Store, outcomes: Mapping[Stage, Outcome]) -> bytes:
    """The HEF that a whole compile left. Raises DamagedArtifact."""
    return store.path(outcomes[Stage.COMPILE].artifact).read_bytes()


def log_of(outcome: Outcome) -> str:
    """The store's name of a stage's log; empty without one."""
    return str(outcome.figures.get("log", ""))
