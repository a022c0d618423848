"""A toolchain with one hidden rule about graphs, that may break down as a compiler does, or change its mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tasnet.hailo.failures import Certainty, Failure
from tasnet.hailo.files import Network, har
from tasnet.hailo.toolchain import StageEnd, StageReport
from tasnet.hailo.translate import translate

Rule = Callable[[Network], tuple[str, ...] | None]
"""a graph -> the layers that can't be placed, or None where all can"""


@dataclass(frozen=True)
class RuledToolchain:
    """Compiles what the rule has nothing against. `broken` graphs end as the machine's trouble, never as an answer.

    `changes_its_mind` gets how often this graph came to a compile, from 1, and says whether the rule holds that time.
    `calls` has a line for each compile. Its HARs are read like any: it names its layers as the HN does.
    """

    rule: Rule
    broken: Callable[[Network], bool] = lambda _: False
    changes_its_mind: Callable[[int], bool] = lambda _: True
    family: str = "agent_infeasible"
    name: str = "dfc"
    version: str = "3.33.0+double"
    fingerprint: str = "ruled"
    predicted: bool = False
    exhaustive: bool = False
    rests_on: str = ""
    calls: list[str] = field(default_factory=list)

    def translate(self, onnx: Path, net_name: str, har_at: Path) -> StageReport:
        har.write(translate(onnx, net_name), har_at)
        return StageReport(StageEnd.PASSED, artifact=har_at)

    def optimize(self, har_at: Path, arch: str, out: Path) -> StageReport:
        return StageReport(StageEnd.PASSED, artifact=har_at)

    def compile(self, har_at: Path, arch: str, hef: Path) -> StageReport:
        network = har.read(har_at)
        graph = sha256(har_at.read_bytes()).hexdigest()
        self.calls.append(graph)
        if self.broken(network):
            return StageReport(StageEnd.INFRA, detail="compile: killed, out of memory")
        layers = self.rule(network) if self.changes_its_mind(self.calls.count(graph)) else None
        if layers is None:
            return StageReport(StageEnd.PASSED, certainty=Certainty.OBSERVED)
        failure = Failure(
            stage="compile",
            family=self.family,
            message=f"{', '.join(layers)} errors:\tAgent infeasible",
            layers=layers,
            certainty=Certainty.OBSERVED,
        )
        return StageReport(StageEnd.FAILED, (failure,))
