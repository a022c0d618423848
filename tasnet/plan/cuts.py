"""A plan as data: its segments and host steps, what they cost by the model, and the evidence for them.

`plan.json` is this and a seal, and nothing else; `read_plan` takes only what `plan_json` gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tasnet.common import printable, read_text, sha256
from tasnet.plan.cut import CHIP, Cut, Port, Refused
from tasnet.plan.function import LOCAL_NORMS, Function, PlanError

SCHEMA = 3
MAX_PLAN_BYTES = 1 << 22
"""bytes of a plan.json: ten times what the plan with the most segments takes"""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanFile(_Data):
    """A file of a plan's folder, by its name there."""

    name: str
    sha256: str


class Seconds(_Data):
    """What a step takes by the model, in seconds: terms are summed, nothing overlaps."""

    switch: float = 0.0
    """the HEF is loaded, with its weights"""
    invoke: float = 0.0
    link: float = 0.0
    """activations to the chip and back"""
    compute: float = 0.0
    host: float = 0.0

    @property
    def total(self) -> float:
        """All of them."""
        return self.switch + self.invoke + self.link + self.compute + self.host

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(**{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields})


class Segment(_Data):
    """A piece of the network: one HEF, or (`place` host) stages that the host computes.

    Rows are as in `rows`; `count` of them cover the plan's length, in `invocations`. Figures are of the graph:
    `macs` of one invocation, `widest_row` in elements. `verdict` is the constraints', `certainty` a clear one's, and
    `evidence` says what of it nobody has seen compile.
    """

    name: str
    place: str
    form: str
    start: int
    stop: int
    blocks: tuple[int, ...]
    head: bool
    tail: bool
    phase: int
    width: int
    height: int
    halo: tuple[int, int]
    takes: tuple[int, int]
    gives: tuple[int, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    count: int
    invocations: int
    layers: int
    macs: int
    weights: int
    widest_row: int
    verdict: str
    certainty: str
    evidence: tuple[str, ...]
    seconds: Seconds
    onnx: PlanFile | None = None
    har: PlanFile | None = None
    calibration: PlanFile | None = None
    """what the segment is given for recordings, an npz for the compiler's `optimize`"""
    hef: PlanFile | None = None
    compiled_by: str = ""
    """who made the HEF, name and version: then it is observed that the segment compiles"""


class Profile(_Data):
    """The name and the figures of the hardware that times are modelled for."""

    name: str
    figures: dict[str, float]


class Plan(_Data):
    """A network in segments, in their order. `frames` and `length` are what its times and rows were counted for.

    `uncut_macs` counts the network's own at that length, `null_seconds` what the host alone takes by the model.
    """

    schema_: int = SCHEMA
    made_by: str
    function: Function
    weights: str
    """the digest of the weights that the segments hold"""
    sample_rate: float | None
    padding: int
    arch: str
    length: int
    frames: int
    block: int | None
    """frames that a stream is taken in at a time; then all figures are of one such block"""
    objective: str
    coders: str
    rows: int
    """elements of the widest row that is trusted to compile"""
    max_layers: int | None
    max_blocks: int | None
    max_height: int
    refused: tuple[Refused, ...] = ()
    """what a compiler refused before: the plan does without"""
    segments: tuple[Segment, ...]
    host_seconds: Seconds
    """the steps outside the segments: encoder, product, decoder"""
    uncut_macs: int
    null_seconds: float
    profile: Profile
    host_weights: PlanFile | None = None

    @property
    def local(self) -> bool:
        """Whether a frame depends on no more than its `reach`."""
        return self.function.norm in LOCAL_NORMS

    @property
    def reach(self) -> tuple[int, int]:
        """Frames before and behind that a frame depends on, by the convolutions."""
        return self.function.reach

    @property
    def state(self) -> int:
        """Elements that a stream's host keeps from block to block: what blocks' convolutions and cgLN look back at, and
        the half frames that overlap."""
        size, kept = self.function.size, 0
        for each in self.on_chip:
            looked_at = ("stream", "mean", "scale", *(("encoded", "frames") if each.head else ()))
            kept += each.halo[0] * sum(port.channels for port in each.inputs if port.role in looked_at)
        inside = {block for each in self.on_chip for block in each.blocks}
        cumulative = 3 if self.function.norm == "cgln" else 0
        for block in set(range(self.function.blocks)) - inside:
            kept += self.function.halo(range(block, block + 1))[0] * size.H
        return kept + cumulative * (1 + 2 * self.function.blocks) + (1 + size.n_src) * size.stride

    @property
    def on_chip(self) -> tuple[Segment, ...]:
        """The segments that are HEFs."""
        return tuple(each for each in self.segments if each.place == CHIP)

    @property
    def seconds(self) -> Seconds:
        """The modelled time of a clip of the plan's length."""
        return sum((each.seconds for each in self.segments), self.host_seconds)

    @property
    def macs(self) -> int:
        """On the chip, recomputation and filler counted."""
        return sum(each.macs * each.invocations * (2 if each.form == "scaled" else 1) for each in self.on_chip)

    @property
    def invocations(self) -> int:
        """Of the chip, for a clip of the plan's length."""
        return sum(each.invocations * (2 if each.form == "scaled" else 1) for each in self.on_chip)


def cut_from_segment(plan: Plan, each: Segment) -> Cut:
    """The cut that a segment of the plan was made from."""
    return Cut(
        each.form, each.start, each.stop, each.phase, each.width, each.height, plan.coders, each.takes, each.gives
    )


def plan_json(plan: Plan) -> bytes:
    """plan.json, the same for the same plan. Its last part, `seal`, is the sha256 of the rest.

    The segments' graphs are exact for the rows, norms and activations that are named here alone: another halo, or one
    segment less, would run as well, and be wrong.
    """
    data = plan.model_dump(mode="json")
    return (json.dumps(data | {"seal": _seal(data)}, indent=1) + "\n").encode()


def _seal(data: dict[str, Any]) -> str:
    return sha256(json.dumps(data, sort_keys=True).encode())


def read_plan(path: Path) -> Plan:
    """The plan at `path`, a plan.json or its folder. Raises PlanError for anything that `plan_json` wouldn't give."""
    if path.is_dir():
        path = path / "plan.json"
    content = read_text(path, most=MAX_PLAN_BYTES, what="a plan.json", error=PlanError)
    try:
        given = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{path}: not JSON ({printable(str(error), 120)}); make the plan again") from None
    if isinstance(given, dict) and given.get("schema_", SCHEMA) != SCHEMA:
        raise PlanError(
            f"{path}: schema {printable(str(given['schema_']), 40)}, {SCHEMA} is known; make the plan again"
        )
    seal = given.pop("seal", None) if isinstance(given, dict) else None
    try:
        plan = Plan.model_validate(given)
    except (ValidationError, ValueError) as error:
        raise PlanError(f"{path}: {_first(error)}; make the plan again") from None
    if plan.model_dump(mode="json") != given:
        raise PlanError(f"{path}: it has parts that no plan has; make the plan again")
    if seal != _seal(given):
        raise PlanError(f"{path}: changed since it was written; copy it again, or make the plan again")
    return plan


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        found: Any = error.errors()[0]
        return printable(f"{'.'.join(map(str, found['loc']))}: {found['msg']}", 160)
    return printable(str(error), 160)
