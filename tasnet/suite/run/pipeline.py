"""Takes a case through export, translate, optimize and compile, each distinct piece of work once.

Every stage's outcome is kept under a key of all that could change it: the graph and the code that writes it
for the export, the ONNX bytes and the toolchain for the translation, the HAR's bytes and the architecture for
what follows. Cases with one graph, recipes with one ONNX, and any number of processes share it. Torch is
imported only when a graph has to be exported, or a checkpoint is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from tasnet.common import TasnetError, named_error_line, source_digest
from tasnet.hailo import Certainty, Failure, StageReport, Toolchain
from tasnet.network import PUBLISHED, Size, TrainedForm, VariantError
from tasnet.suite.cases import STAGES, AnyCase, Case, Outcome, Provenance, SegmentCase, Stage, Status, graph_case
from tasnet.suite.run.once import once
from tasnet.suite.run.recipe import Recipe, masked_by
from tasnet.suite.run.reported import har_file, reported
from tasnet.suite.run.store import DamagedArtifact, Store, content_key, content_of, file_sha256

if TYPE_CHECKING:
    from tasnet.network import Weights

SCHEMA = 2
"""Part of every key: raise it when outcomes of older runs must not be read any more."""

NET_NAME = "conv_tasnet"
"""One name for all graphs, so that equal graphs give equal HARs."""


class PipelineError(TasnetError, RuntimeError):
    """The pipeline was asked for what it can't do, or a toolchain broke its contract. One line."""


_version = cache(metadata.version)
"""Every pipeline asks for the same, and torch's metadata are long."""

Fit = Callable[[Toolchain, Case], Toolchain]
"""The toolchain as the optimization of a case needs it: with calibration data of the case's length and layout."""


@dataclass(frozen=True)
class _Known:
    """What the store notes of a checkpoint."""

    size: Size
    assumed: tuple[str, ...]
    trained: TrainedForm


@dataclass(frozen=True)
class Pipeline:
    """A store, a toolchain and a recipe: all that a case needs to be taken through the stages."""

    store: Store
    toolchain: Toolchain
    recipe: Recipe = field(default_factory=Recipe)
    fit: Fit | None = None

    @overload
    def resolve(self, case: Case) -> Case: ...
    @overload
    def resolve(self, case: SegmentCase) -> SegmentCase: ...
    def resolve(self, case: AnyCase) -> AnyCase:
        """`case` at the size of the recipe's checkpoint; without a checkpoint, `case` itself.

        Raises PipelineError if there is no such checkpoint file, or for a segment with one (it is of a network of its
        own), the checkpoint's own error if it can't be read, and CaseError if the case's length is too short for it.
        """
        if self._known is None:
            return case
        if isinstance(case, SegmentCase):
            raise PipelineError(f"{case.id}: a segment of drawn weights; leave --checkpoint out")
        return replace(case, size=self._known.size)

    @property
    def assumed(self) -> tuple[str, ...]:
        """A line for each thing that the recipe's checkpoint doesn't say and was assumed. Raises as `resolve` does."""
        return tuple(f"{self.recipe.weights}: {line}" for line in (self._known.assumed if self._known else ()))

    @property
    def trained(self) -> TrainedForm:
        """How the recipe's checkpoint was trained; without one, as published. Raises as `resolve` does."""
        return self._known.trained if self._known else PUBLISHED

    def run(
        self, case: AnyCase, until: Stage = Stage.COMPILE, *, exported: Outcome | None = None, whole: bool = False
    ) -> dict[Stage, Outcome]:
        """The outcome of every stage from export to `until`, read from the store or worked out now.

        `exported` stands for the export where the case's graph lies in the store already, whoever wrote it. With
        `whole` the files that the outcomes name are looked at too: whoever reads them next finds them undamaged. What
        is found damaged on the way is set aside, and the stage that made it makes it again.

        - After a failed stage the later ones are `blocked` by it. After one that ended in `infra` or `unclassified`
          they are so too, with `blocked_by`: nothing was learned about the network.
        - An `unknown` at optimize doesn't keep compile from being judged.
        - `infra` (OSError, MemoryError, or the toolchain says so) and `unclassified` outcomes are never stored.

        Raises what `resolve` raises, StoreError, and PipelineError for a stage after compile. Any other
        exception is a bug and isn't caught.
        """
        if STAGES.index(until) > STAGES.index(Stage.COMPILE):
            raise PipelineError(f"until={until.value}: the pipeline ends at {Stage.COMPILE.value}")
        case = self.resolve(case)
        stages = STAGES[: STAGES.index(until) + 1]
        # Each try mends one file at least, and a stage leaves one.
        for last in (*([False] * len(stages)), True):
            try:
                outcomes = self._run(case, stages, exported)
                for each in outcomes.values() if whole else ():
                    if each.artifact:
                        self.store.check(each.artifact)
                return outcomes
            except DamagedArtifact:
                if last:
                    raise
        raise AssertionError("the last try returns or raises")

    def _run(self, case: AnyCase, stages: Sequence[Stage], exported: Outcome | None) -> dict[Stage, Outcome]:
        outcomes: dict[Stage, Outcome] = {}
        with ExitStack() as stack:
            # made when a stage has to be worked out, which in a full store none has
            desk = cache(lambda: stack.enter_context(self.store.workspace()))
            given = ""
            for stage in stages:
                stopped = _stopped_by(outcomes)
                if stopped:
                    outcomes[stage] = self._not_reached(stage, case, stopped)
                    continue
                known = exported if stage is Stage.EXPORT else None
                outcome = known or self._outcome(stage, case, given, desk)
                outcomes[stage] = outcome
                # a toolchain that leaves no quantized HAR compiles the parsed one
                given = outcome.artifact or given
        return outcomes

    # --- one stage

    def _outcome(self, stage: Stage, case: AnyCase, given: str, desk: Callable[[], Path]) -> Outcome:
        if stage is Stage.EXPORT:
            key = self._export_key(case)
            return self._once(key, stage, case, given, lambda: self._export(case))
        if stage is Stage.TRANSLATE:
            key = content_key({**self._tool, "stage": stage.value, "onnx": content_of(given)})
            return self._once(key, stage, case, given, lambda: self._translate(case, given, desk()))
        parts = {"stage": stage.value, "har": content_of(given), "arch": case.arch}
        tool = self._fitted(case) if stage is Stage.OPTIMIZE else self.toolchain
        key = content_key({**(self._judging if tool is self.toolchain else judge_key(tool)), **parts})
        return self._once(key, stage, case, given, lambda: self._judge(tool, stage, case, given, desk()))

    def _fitted(self, case: AnyCase) -> Toolchain:
        if self.fit is None:
            return self.toolchain
        if isinstance(case, SegmentCase):
            raise PipelineError(f"{case.id}: recordings of a wave don't calibrate a segment; use tasnet plan compile")
        return self.fit(self.toolchain, case)

    def _once(self, key: str, stage: Stage, case: AnyCase, given: str, work: Callable[[], Outcome]) -> Outcome:
        return once(self.store, key, self._provenance(stage, case, given), stage, work)

    def _export(self, case: AnyCase) -> Outcome:
        import torch

        from tasnet.network import write_shared_onnx

        provenance = self._provenance(Stage.EXPORT, case, "")
        threads = torch.get_num_threads()
        # tracing is Python's work: with several workers more threads only fight for the cores
        torch.set_num_threads(1)
        try:
            model, masked = self._model(graph_case(case))
        except VariantError as error:
            failure = Failure(
                stage=Stage.EXPORT.value,
                family="unclassified",
                message=named_error_line(error),
                exception=type(error).__name__,
                certainty=Certainty.OBSERVED,
            )
            return Outcome(stage=Stage.EXPORT, status=Status.FAILED, provenance=provenance, failures=(failure,))
        finally:
            torch.set_num_threads(threads)
        folder = self.store.onnx_folder()
        target = write_shared_onnx(model, folder)
        return Outcome(
            stage=Stage.EXPORT,
            status=Status.PASSED,
            provenance=provenance,
            artifact=f"{folder.name}/{target.name}",
            figures={"onnx_bytes": onnx_bytes(target), **masked},
        )

    def _model(self, wanted: AnyCase) -> tuple[Any, dict[str, str]]:
        """The graph of a case, and the figure of one whose masks end in anything but ReLU."""
        whole = wanted.whole if isinstance(wanted, SegmentCase) else wanted
        weights, mask_activation = self._weights(whole.size)
        if isinstance(wanted, SegmentCase):
            from tasnet.plan import function_of_variant
            from tasnet.plan import to_onnx as segment_to_onnx

            return segment_to_onnx(function_of_variant(whole.variant, whole.size, weights), wanted.cut), {}
        from tasnet.network import to_onnx

        network = (whole.variant, whole.size, weights, whole.length)
        made = to_onnx(*network, opset=self.recipe.opset, mask_activation=mask_activation)
        return made, masked_by(whole.variant, mask_activation)

    def _translate(self, case: AnyCase, onnx: str, desk: Path) -> Outcome:
        har = desk / "translated.har"
        report = self.toolchain.translate(self.store.path(onnx), NET_NAME, har)
        return self._outcome_of_report(Stage.TRANSLATE, case, onnx, report, desk)

    def _judge(self, tool: Toolchain, stage: Stage, case: AnyCase, har: str, desk: Path) -> Outcome:
        given = desk / har_file(har)
        if not given.exists():
            self.store.get_har(har, given)
        if stage is Stage.OPTIMIZE:
            report = tool.optimize(given, case.arch, desk / "optimized.har")
        else:
            report = tool.compile(given, case.arch, desk / "compiled.hef")
        return self._outcome_of_report(stage, case, har, report, desk)

    def _outcome_of_report(self, stage: Stage, case: AnyCase, given: str, report: StageReport, desk: Path) -> Outcome:
        if stage is Stage.TRANSLATE and report.ended.value == Status.PASSED.value and report.artifact is None:
            raise PipelineError(
                f"toolchain {self.toolchain.name}: translate passed but left no HAR; mend the toolchain"
            )
        return reported(report, stage, self._provenance(stage, case, given), self.store, desk / har_file(given))

    def _not_reached(self, stage: Stage, case: AnyCase, stopped: Outcome) -> Outcome:
        what = f"{stopped.stage.value} ended {stopped.status.value}"
        status = Status.BLOCKED if stopped.status is Status.FAILED else stopped.status
        return Outcome(
            stage=stage,
            status=status,
            provenance=self._provenance(stage, case, ""),
            blocked_by=stopped.stage,
            reason=f"{what}: {stopped.reason}" if stopped.reason else what,
        )

    # --- what the keys are made of

    def _export_key(self, case: AnyCase) -> str:
        wanted = graph_case(case)
        whole = wanted.whole if isinstance(wanted, SegmentCase) else wanted
        # A whole network's parts are what they were before there were segments, and so is its key.
        cut = {"cut": asdict(wanted.cut), "planner": self._planner} if isinstance(wanted, SegmentCase) else {}
        return content_key(
            {
                "schema": SCHEMA,
                "stage": Stage.EXPORT.value,
                "variant": asdict(whole.variant),
                "size": asdict(whole.size),
                "length": whole.length,
                "opset": self.recipe.opset,
                "weights": self._weights_id,
                "exporter": self._exporter,
                **cut,
            }
        )

    def _provenance(self, stage: Stage, case: AnyCase, given: str) -> Provenance:
        if stage is Stage.EXPORT:
            return Provenance(
                toolchain=Stage.EXPORT.value,
                version=self._exporter["torch"],
                predicted=False,
                exhaustive=True,
                inputs=self._weights_id,
            )
        return Provenance(
            toolchain=self.toolchain.name,
            version=self.toolchain.version,
            predicted=self.toolchain.predicted,
            exhaustive=self.toolchain.exhaustive,
            # a translation is for no architecture in particular
            arch="" if stage is Stage.TRANSLATE else case.arch,
            inputs=content_of(given),
        )

    @cached_property
    def _tool(self) -> dict[str, Any]:
        return tool_key(self.toolchain)

    @cached_property
    def _judging(self) -> dict[str, Any]:
        return judge_key(self.toolchain)

    @cached_property
    def _exporter(self) -> dict[str, str]:
        """The code that writes graphs: this project's sources and the libraries below them."""
        return {"sources": source_digest("common", "network"), "torch": _version("torch"), "onnx": _version("onnx")}

    @cached_property
    def _planner(self) -> str:
        """The code that makes a segment's network of its cut."""
        return source_digest("plan")

    # --- weights

    @cached_property
    def _checkpoint_id(self) -> str:
        """sha256 of the checkpoint, empty without one."""
        if (path := self.recipe.checkpoint) is None:
            return ""
        try:
            return file_sha256(path)
        except OSError as error:
            raise PipelineError(f"checkpoint {path}: {error.strerror}; give a readable state dict") from error

    @cached_property
    def _weights_id(self) -> str:
        """All that the weights and the mask's activation depend on, as text."""
        recipe = self.recipe
        parts = [f"sha256:{self._checkpoint_id}"] * bool(self._checkpoint_id) + [f"seed:{recipe.seed}"]
        parts += [f"mask:{recipe.mask_activation}"] * (recipe.mask_activation is not None)
        parts += [f"X:{recipe.blocks_per_repeat}"] * (recipe.blocks_per_repeat is not None)
        return "+".join(parts)

    @cached_property
    def _known(self) -> _Known | None:
        """What is known of the checkpoint, noted in the store so that torch isn't needed to find it out again."""
        if not self._checkpoint_id:
            return None
        key = content_key({"schema": SCHEMA, "weights": self._weights_id, "exporter": self._exporter})
        noted = self.store.note(key)
        if noted is None:
            read = self._checkpoint
            noted = {"size": asdict(read.size), "assumed": read.assumed, "trained": asdict(read.form)}
            self.store.put_note(key, noted)
        return _Known(Size(**noted["size"]), tuple(noted["assumed"]), TrainedForm(**noted["trained"]))

    @cached_property
    def _checkpoint(self) -> Any:
        from tasnet.network import load_checkpoint

        assert self.recipe.checkpoint is not None
        return load_checkpoint(
            self.recipe.checkpoint,
            mask_activation=self.recipe.mask_activation,
            blocks_per_repeat=self.recipe.blocks_per_repeat,
        )

    def _weights(self, size: Size) -> tuple[Weights, str]:
        """The weights of a network of this size, and the activation of its masks."""
        from tasnet.network import with_drawn_heads

        if not self._checkpoint_id:
            return _drawn(size, self.recipe.seed), self.recipe.mask_activation or "relu"
        checkpoint = self._checkpoint
        return with_drawn_heads(checkpoint.weights, size, self.recipe.seed), checkpoint.mask_activation


def onnx_bytes(path: Path) -> int:
    """The size of an ONNX file with the weights that lie beside it."""
    import onnx

    tensors = onnx.load(str(path), load_external_data=False).graph.initializer
    return path.stat().st_size + sum(int(e.value) for t in tensors for e in t.external_data if e.key == "length")


@lru_cache(maxsize=1)
def _drawn(size: Size, seed: int) -> Weights:
    """The weights that case after case asks for: drawing them takes longer than writing a graph."""
    from tasnet.network import seeded_weights

    return seeded_weights(size, seed)


def tool_key(tool: Toolchain) -> dict[str, Any]:
    """The part of a key that says who made the outcome."""
    return {"schema": SCHEMA, "tool": [tool.name, tool.version, tool.fingerprint], "net": NET_NAME}


def judge_key(tool: Toolchain) -> dict[str, Any]:
    """The same of a stage that judges: a prediction rests on observations, too."""
    return {**tool_key(tool), **({"rests_on": tool.rests_on} if tool.rests_on else {})}


def _stopped_by(outcomes: dict[Stage, Outcome]) -> Outcome | None:
    """The first outcome after which nothing can follow: it failed, broke down or left nothing to go on with."""
    for stage, outcome in outcomes.items():
        if outcome.status not in (Status.PASSED, Status.UNKNOWN):
            return outcome
        if stage in (Stage.EXPORT, Stage.TRANSLATE) and not outcome.artifact:
            return outcome
    return None
