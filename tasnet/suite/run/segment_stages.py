"""A plan's segment through the compiler: translate, optimize, compile, each distinct piece of work once.

Segments are no cases: a case is a whole network's form, a segment is a stretch of one with weights and recordings of
its own. Their stages are kept in the same store under keys of the graph's bytes, the recordings and the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasnet.common import unfinished
from tasnet.hailo import StageReport
from tasnet.hailo.compiler import Dfc
from tasnet.hailo.files import har
from tasnet.suite.cases import Outcome, Provenance, Stage, Status
from tasnet.suite.run.once import once
from tasnet.suite.run.pipeline import tool_key
from tasnet.suite.run.reported import har_file, reported
from tasnet.suite.run.store import Store, content_key, file_sha256

STAGES = (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)


@dataclass(frozen=True)
class SegmentGraph:
    """A segment's name, its ONNX, what its inputs are given for the recordings, and the digest of the recordings.

    The name is the network's in its HAR, HEF and logs. What a segment is given differs in its last bits with the
    segments before it; the recordings don't.
    """

    name: str
    onnx: Path
    inputs: Callable[[], Mapping[str, np.ndarray]]
    recordings: str


def compile_segment(store: Store, dfc: Dfc, arch: str, graph: SegmentGraph) -> dict[Stage, Outcome]:
    """The outcomes as far as the first that didn't pass. Raises StoreError, and what an unreadable HAR raises."""
    outcomes: dict[Stage, Outcome] = {}
    given = file_sha256(graph.onnx)
    parts = {"segment": given, "recordings": graph.recordings, "arch": arch}
    with store.workspace() as desk:
        for stage in STAGES:
            own = {"net": graph.name, **({"onnx": given} if stage is Stage.TRANSLATE else parts)}
            provenance = Provenance(
                toolchain=dfc.name,
                version=dfc.version,
                predicted=dfc.predicted,
                exhaustive=dfc.exhaustive,
                arch="" if stage is Stage.TRANSLATE else arch,
                inputs=given,
            )
            source = next((each.artifact for each in reversed(outcomes.values()) if each.artifact), "")

            def work(stage: Stage = stage, source: str = source, by: Provenance = provenance) -> Outcome:
                return _worked(store, dfc, arch, graph, stage, source, by, desk)

            outcome = once(store, content_key({**tool_key(dfc), "stage": stage.value, **own}), provenance, stage, work)
            outcomes[stage] = outcome
            if outcome.status is not Status.PASSED:
                break
    return outcomes


def _worked(
    store: Store, dfc: Dfc, arch: str, graph: SegmentGraph, stage: Stage, source: str, by: Provenance, desk: Path
) -> Outcome:
    if stage is Stage.TRANSLATE:
        report: StageReport = dfc.translate(graph.onnx, graph.name, desk / "translated.har")
        return reported(report, stage, by, store, desk / "segment.onnx")
    given = desk / har_file(source)
    if not given.exists():
        store.get_har(source, given)
    if stage is Stage.OPTIMIZE:
        calibrated = replace(dfc, calibration=_calibration(given, graph, desk / "calibration.npz"))
        report = calibrated.optimize(given, arch, desk / "optimized.har")
    else:
        report = dfc.compile(given, arch, desk / "compiled.hef")
    return reported(report, stage, by, store, given)


def _calibration(translated: Path, graph: SegmentGraph, path: Path) -> Path:
    """An npz by the input layers' names in the compiler's own HAR: which input is which only that can tell."""
    inputs = graph.inputs()
    layers = [layer for layer in har.read(translated, weights=False) if layer.type == "input_layer"]
    arrays = {f"{graph.name}/{layer.name}": inputs[layer.original_names[0]] for layer in layers}
    with unfinished.opened(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type, unused-ignore]
    return path


def hef_bytes(store: Store, outcomes: Mapping[Stage, Outcome]) -> bytes:
    """The HEF that a whole compile left. Raises DamagedArtifact."""
    return store.path(outcomes[Stage.COMPILE].artifact).read_bytes()


def log_of(outcome: Outcome) -> str:
    """The store's name of a stage's log; empty without one."""
    return str(outcome.figures.get("log", ""))
