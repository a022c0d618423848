"""A plan made: searched on shapes, then its segments' graphs written, judged again as they are, and sealed.

made = make_plan(trained, 16000, "hailo8", Bounds(), "time", read_profile("raspberry-pi-5"))
write_plan(made.plan, trained, Path("plan"))
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from tasnet import __version__
from tasnet.common import sha256, unfinished, why_no_folder
from tasnet.hailo.files import har
from tasnet.hailo.predict import PUBLIC_RECORD, Observations, predict_network
from tasnet.network import VariantError, asteroid_shapes, write_onnx
from tasnet.plan.calibration import write_calibration
from tasnet.plan.candidates import Bounds, trusted
from tasnet.plan.cost import around, network_macs
from tasnet.plan.cut import CHAIN, CHIP, Cut
from tasnet.plan.cuts import Plan, PlanFile, Profile, Segment, cut_from_segment, plan_json
from tasnet.plan.function import Function, PlanError, TrainedFunction
from tasnet.plan.hardware import MAX_HEFS, Hardware
from tasnet.plan.latency import MAX_BLOCK, StreamRoute, check_streams, larger_blocks, least_latency, options
from tasnet.plan.layers import facts
from tasnet.plan.search import PlanProblem, Route, choose
from tasnet.plan.segment_files import to_network
from tasnet.plan.segment_graph import to_onnx
from tasnet.plan.segments import on_the_host, segment

HOST_WEIGHTS = "host.npz"
MAX_FRAMES = 1 << 20
"""of the clip that a plan is made for: 17 minutes at 8 kHz"""


@dataclass(frozen=True)
class Made:
    """A plan, the search that found it, its path, and the front that this was chosen from."""

    plan: Plan
    search: PlanProblem
    route: Route
    front: tuple[Route, ...]

    @cached_property
    def options(self) -> tuple[StreamRoute, ...]:
        """Of a stream whose sample rate is known: other blocks and paths that nothing beats in all.

        Searched when they are asked for: it takes longer than the plan.
        """
        rate = self.plan.sample_rate
        if self.plan.block is None or rate is None:
            return ()

        def of_block(frames: int) -> PlanProblem:
            return replace(self.search, frames=frames)

        return tuple(larger_blocks(of_block, rate, options(self.search, rate)))


def make_plan(
    trained: TrainedFunction, length: int, arch: str, bounds: Bounds, objective: str, hardware: Hardware
) -> Made:
    """The plan for `length` samples, on shapes alone. Raises PlanError where none fits, or for too few samples."""
    function = trained.function
    try:
        frames = function.size.frames(length + 2 * trained.padding)
    except VariantError as error:
        raise PlanError(f"{error}; plan a longer signal") from None
    if frames > MAX_FRAMES:
        raise PlanError(
            f"length {length:,}: {frames:,} frames; plan a clip of at most {MAX_FRAMES:,}, it runs on longer"
        )
    search = PlanProblem(function, frames, arch, bounds, hardware)
    route, front = choose(search, objective)
    return Made(_plan(trained, search, route, objective, length), search, route, front)


def make_stream_plan(
    trained: TrainedFunction,
    arch: str,
    bounds: Bounds,
    objective: str,
    hardware: Hardware,
    *,
    block: int | None = None,
    latency: float | None = None,
) -> Made:
    """The plan for a stream in blocks of `block` frames; without, of those whose modelled latency is least.

    With `latency` the largest block within so many seconds: it is the least load. Raises PlanError where nothing fits
    or keeps up, for a function that looks ahead, and for a latency where nothing says the sample rate.
    """
    check_streams(trained)
    if block is not None and not 0 < block <= MAX_BLOCK:
        raise PlanError(f"--block {block:,}: blocks of 1 to {MAX_BLOCK:,} frames; a longer one is a clip")
    bounds = replace(bounds, stream=True)

    def of_block(frames: int) -> PlanProblem:
        return PlanProblem(trained.function, frames, arch, bounds, hardware)

    rate = trained.sample_rate
    if rate is None and block is None:
        raise PlanError("nothing says the network's sample rate, by which latency counts; give --block in frames")
    if block is None:
        assert rate is not None
        block = least_latency(of_block, rate, latency)[0].block
    search = of_block(block)
    route, front = choose(search, objective)
    plan = _plan(trained, search, route, objective, block * trained.function.size.stride)
    return Made(plan, search, route, front)


def _plan(trained: TrainedFunction, search: PlanProblem, route: Route, objective: str, length: int) -> Plan:
    """The plan of a route. Raises PlanError for one of more HEFs than a device holds."""
    if route.hefs > MAX_HEFS:
        raise PlanError(f"{route.hefs} HEFs, and a device holds {MAX_HEFS}; allow more blocks, layers or wider rows")
    function, frames, bounds, hardware = search.function, search.frames, search.bounds, search.hardware
    return Plan(
        made_by=f"tasnet {__version__}",
        function=function,
        weights=trained.digest,
        sample_rate=trained.sample_rate,
        padding=trained.padding,
        arch=search.arch,
        length=length,
        frames=frames,
        block=frames if bounds.stream else None,
        objective=objective,
        coders=bounds.coders,
        rows=bounds.rows,
        max_layers=bounds.max_layers,
        max_blocks=bounds.max_blocks,
        max_height=bounds.max_height,
        refused=bounds.refused,
        segments=tuple(_segments(search, route)),
        host_seconds=around(function, bounds.coders, frames, hardware),
        uncut_macs=_whole_network_macs(function, frames, bounds.coders),
        null_seconds=network_macs(function, frames) / hardware.host_macs_per_second.value,
        profile=Profile(name=hardware.name, figures=hardware.figures),
    )


def _segments(search: PlanProblem, route: Route) -> list[Segment]:
    found: list[Segment] = []
    digits = len(str(len(route.steps)))
    for number, step in enumerate(route.steps, 1):
        name = f"s{number:0{digits}}"
        if step.candidate is None:
            given = (search.frames, search.hardware, name)
            found.append(on_the_host(search.function, step.start, step.stop, *given))
        else:
            found.append(segment(search, step.candidate.cut, name))
    if search.bounds.stream and route.hefs == 1:
        # Loaded once, before the stream begins.
        return [each.model_copy(update={"seconds": each.seconds.model_copy(update={"switch": 0.0})}) for each in found]
    return found


def _whole_network_macs(function: Function, frames: int, coders: str) -> int:
    """MACs of the whole network as one graph, its norms over the whole signal left aside."""
    known = function if function.norm in ("identity", "affine", "cln") else replace(function, norm="identity")
    return facts(known, Cut(CHAIN, 0, function.stages, 1, frames, 1, coders)).macs


def write_plan(
    plan: Plan,
    trained: TrainedFunction,
    folder: Path,
    waves: Sequence[np.ndarray] = (),
    known: Observations | None = PUBLIC_RECORD,
) -> Plan:
    """Writes the folder: plan.json, each segment's `.onnx` and `.har`, the host's weights. Whole or not at all.

    With recordings (`waves` of samples at the network's rate) also what each segment is given for them. Every graph is
    judged as it was written, by what is `known`; where that is None the planned verdicts stay. Raises PlanError for a
    folder that is there and isn't empty, for weights that aren't the plan's, and where a graph's verdict isn't the one
    that it was planned by.
    """
    check_place(folder)
    if trained.digest != plan.weights:
        raise PlanError("these weights are not the plan's: plan again with this checkpoint")
    with unfinished.folder(folder.parent, f".{folder.name}") as workspace:
        place = workspace / "plan"
        place.mkdir()
        segments = tuple(_written(plan, each, trained, place, known) for each in plan.segments)
        if waves:
            segments = write_calibration(plan.model_copy(update={"segments": segments}), trained, waves, place)
        name, content = HOST_WEIGHTS, _npz(trained)
        unfinished.write(place / name, content)
        whole = plan.model_copy(
            update={"segments": segments, "host_weights": PlanFile(name=name, sha256=sha256(content))}
        )
        unfinished.write(place / "plan.json", plan_json(whole))
        move_plan(place, folder)
    return whole


def move_plan(place: Path, folder: Path) -> None:
    """Moves a plan's whole folder to its place.

    Into a folder that is there (somebody may stand in it) file by file, plan.json last: where that is, all of it is.
    """
    if not folder.exists():
        os.replace(place, folder)
        return
    for each in sorted(place.iterdir(), key=lambda file: file.name == "plan.json"):
        os.replace(each, folder / each.name)


def check_place(folder: Path) -> None:
    """Raises PlanError unless a plan can be written to `folder`, which is empty or isn't there."""
    if instead := why_no_folder(folder):
        raise PlanError(f"{folder}: {instead}")
    if not folder.parent.is_dir():
        raise PlanError(f"{folder}: no directory {folder.parent}; make it first")
    if folder.is_dir() and any(folder.iterdir()):
        raise PlanError(f"{folder}: there is something in it; name a folder that is empty or isn't there")


def _written(plan: Plan, each: Segment, trained: TrainedFunction, place: Path, known: Observations | None) -> Segment:
    if each.place != CHIP:
        return each
    model = to_onnx(trained, cut_from_segment(plan, each))
    network = to_network(model, each.name)
    verdict = {}
    if known is not None:
        judged = predict_network(network, plan.arch, known)
        if not trusted(judged, Bounds(rows=plan.rows, known=known)):
            raise PlanError(
                f"{each.name}: planned as {each.verdict}, and its graph is {judged.kind.value}; a bug: report it"
            )
        verdict = {"verdict": judged.kind.value, "certainty": judged.certainty.value}
    files = {}
    write_onnx(model, place / f"{each.name}.onnx")
    har.write(network, place / f"{each.name}.har")
    for kind in ("onnx", "har"):
        name = f"{each.name}.{kind}"
        files[kind] = PlanFile(name=name, sha256=sha256((place / name).read_bytes()))
    return each.model_copy(update={**files, **verdict})


def _npz(trained: TrainedFunction) -> bytes:
    """All weights, float32: the host has its own steps, and the whole network for what is shorter than a window."""
    content = io.BytesIO()
    arrays = {name: trained.weights[name].numpy() for name in sorted(asteroid_shapes(trained.function.size))}
    np.savez(content, **arrays)  # type: ignore[arg-type, unused-ignore]
    return content.getvalue()
