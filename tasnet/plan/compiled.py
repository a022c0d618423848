"""A plan and the compiler: what is read from its folder again, the plan without what was refused, its HEFs named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tasnet.common import sha256, unfinished
from tasnet.hailo.predict import PUBLIC_RECORD, Observations
from tasnet.plan.candidates import Bounds
from tasnet.plan.cut import PIECES, Refused
from tasnet.plan.cuts import Plan, PlanFile, Segment, cut_from_segment, plan_json
from tasnet.plan.executors import read_host_weights, read_verified_file
from tasnet.plan.function import PlanError, TrainedFunction
from tasnet.plan.hardware import hardware_of
from tasnet.plan.make import make_plan, make_stream_plan

if TYPE_CHECKING:
    from tasnet.network import Weights


def check_files(plan: Plan, folder: Path) -> None:
    """Raises PlanError where a file of the plan is gone, or is another."""
    for each in plan.on_chip:
        read_verified_file(folder, each.onnx)
        read_verified_file(folder, each.har)


def trained_of_plan(plan: Plan, folder: Path) -> TrainedFunction:
    """The function that a plan in `folder` was made of. Raises PlanError for weights that aren't the plan's."""
    import torch

    weights: Weights = {name: torch.from_numpy(array) for name, array in read_host_weights(plan, folder).items()}
    trained = TrainedFunction(plan.function, weights, plan.sample_rate, plan.padding)
    if trained.digest != plan.weights:
        raise PlanError(f"{folder}: its host.npz holds another checkpoint's weights; make the plan again")
    return trained


def plan_without(
    plan: Plan, trained: TrainedFunction, refused: tuple[Refused, ...], known: Observations = PUBLIC_RECORD
) -> Plan:
    """The best plan for the same length, bounds, objective and hardware that has nothing that was refused.

    Raises PlanError where none is left.
    """
    observed = all(each.form in PIECES for each in plan.on_chip)
    bounds = Bounds(plan.rows, plan.max_layers, plan.max_blocks, plan.max_height, plan.coders, refused, observed, known)
    hardware = hardware_of(plan.profile.name, plan.profile.figures)
    if plan.block is not None:
        return make_stream_plan(trained, plan.arch, bounds, plan.objective, hardware, block=plan.block).plan
    return make_plan(trained, plan.length, plan.arch, bounds, plan.objective, hardware).plan


def refused_of(plan: Plan, each: Segment, stage: str, why: str, told_by: str) -> Refused:
    """That a compiler refused this segment."""
    return Refused(cut_from_segment(plan, each), stage, why, told_by)


def network_name(each: Segment) -> str:
    """What a segment's network is called where it is compiled: form, stages, phase, rows, and a piece's channels.

    Two plans call the same segment the same, whatever its number is there.
    """
    parts = [each.form.replace("-", "_"), f"stages_{each.start}_{each.stop}", f"phase_{each.phase}"]
    parts.append(f"rows_{each.height}x{each.width}")
    parts += [f"{name}_{low}_{high}" for name, (low, high) in (("takes", each.takes), ("gives", each.gives)) if high]
    return "_".join(parts)


def name_hefs(plan: Plan, place: Path, hefs: Mapping[str, bytes], told_by: str) -> Plan:
    """Writes each segment's HEF (by the segment's name) into the plan's folder `place`, and the plan that names them.

    With one missing nothing may be called compiled: KeyError.
    """
    segments = []
    for each in plan.segments:
        if each not in plan.on_chip:
            segments.append(each)
            continue
        name, content = f"{each.name}.hef", hefs[each.name]
        unfinished.write(place / name, content)
        written = PlanFile(name=name, sha256=sha256(content))
        segments.append(each.model_copy(update={"hef": written, "compiled_by": told_by}))
    named = plan.model_copy(update={"segments": tuple(segments)})
    unfinished.write(place / "plan.json", plan_json(named))
    return named
