"""The plans of the profile `plans`: each made once and kept in the store, and the cases that come of it.

A plan is kept under a key of its network and of all code that plans, so that no process makes one that another has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasnet.common import TasnetError, error_line, source_digest
from tasnet.hailo.predict import PUBLIC_RECORD, Observations
from tasnet.suite.cases import PLANNED, PLANS, AnyCase, PlannedNetwork, SegmentCase, named_cases, profile_cases
from tasnet.suite.history import PlanRecord
from tasnet.suite.run.store import DamagedArtifact, Store, content_key, open_store

if TYPE_CHECKING:
    from tasnet.plan import Plan

SCHEMA = 1
"""Part of every key: raise it when plans of older runs must not be read any more."""

HARDWARE = "raspberry-pi-5"
"""what times are modelled for"""
OBJECTIVE = "time"
"""what the search minimizes"""


class PlansProfileError(TasnetError, ValueError):
    """The profile `plans` was asked for with what it can't take. One line."""


@dataclass(frozen=True)
class KeptPlan:
    """A network's plan. `artifact` is the store's name of its plan.json.

    Without one, `trouble` says which bound no plan meets.
    """

    network: PlannedNetwork
    artifact: str
    trouble: str
    segments: tuple[SegmentCase, ...]
    """of those that differ in weights alone the first: they share a verdict"""


@dataclass(frozen=True)
class ProfileCases:
    """The cases of a profile, or those that are named; the plans that they come from; and how many all of them are.

    `of` counts the profile's and those that are named beside them: fewer cases are a part of that.
    """

    cases: tuple[AnyCase, ...]
    plans: tuple[KeptPlan, ...]
    of: int


def cases_of(
    profile: str,
    arch: str,
    root: Path,
    *,
    toolchain: str = "reference",
    checkpoint: Path | None = None,
    named: Sequence[str] = (),
    known: Observations = PUBLIC_RECORD,
) -> ProfileCases:
    """The cases of a profile in their order; of `plans` each whole network, then the segments of its plan.

    With `named` those that `named_cases` finds. `root` is the store's folder, `known` what plans rest on. Raises
    CaseError for an unknown profile or case, PlansProfileError, and what `open_store` raises.
    """
    whole = _profile(profile, arch, root, toolchain, checkpoint, known)
    if not named:
        return whole
    cases = named_cases(named, whole.cases, profile, arch)
    plans = tuple(each for each in whole.plans if {each.network.whole, *each.segments} & {*cases})
    return ProfileCases(cases, plans, len({*whole.cases, *cases}))


def _profile(
    profile: str, arch: str, root: Path, toolchain: str, checkpoint: Path | None, known: Observations
) -> ProfileCases:
    if profile != PLANS:
        cases = profile_cases(profile, arch)
        return ProfileCases(cases, (), len(cases))
    if checkpoint is not None:
        raise PlansProfileError(
            f"--profile {PLANS}: its networks are its own; plan the checkpoint's with tasnet plan make --checkpoint"
        )
    if toolchain != "reference":
        raise PlansProfileError(
            f"--profile {PLANS}: a segment is calibrated with what the ones before it give; compile a plan with "
            "tasnet plan make --calibration DIR, then tasnet plan compile"
        )
    plans = kept_plans(open_store(root), arch, known=known)
    found: list[AnyCase] = []
    for each in plans:
        found += [each.network.whole, *each.segments]
    return ProfileCases(tuple(found), plans, len(found))


def kept_plans(
    store: Store,
    arch: str,
    networks: Iterable[PlannedNetwork] | None = None,
    known: Observations = PUBLIC_RECORD,
) -> tuple[KeptPlan, ...]:
    """The plan of each network for an architecture, from the store or made now."""
    return tuple(_load_or_make(store, each.on(arch), known) for each in (PLANNED if networks is None else networks))


def _load_or_make(store: Store, network: PlannedNetwork, known: Observations) -> KeptPlan:
    key = _key(network, known)
    if found := _load_noted(store, network, key):
        return found
    with store.lock(key):
        if found := _load_noted(store, network, key):
            return found
        artifact, trouble = _make(store, network, known)
        store.put_note(key, {"plan": artifact, "trouble": trouble})
    return KeptPlan(network, artifact, trouble, _segments(network, read_kept(store, artifact)) if artifact else ())


def _load_noted(store: Store, network: PlannedNetwork, key: str) -> KeptPlan | None:
    note = store.note(key)
    if note is None:
        return None
    artifact, trouble = str(note.get("plan", "")), str(note.get("trouble", ""))
    if not artifact:
        return KeptPlan(network, "", trouble, ()) if trouble else None
    try:
        return KeptPlan(network, artifact, "", _segments(network, read_kept(store, artifact)))
    except DamagedArtifact:
        return None


def _key(network: PlannedNetwork, known: Observations) -> str:
    return content_key(
        {
            "what": "plan",
            "schema": SCHEMA,
            "network": network.whole.id,
            "rate": network.rate,
            "sources": source_digest("common", "network", "hailo", "plan"),
            **({} if known.public else {"rests_on": known.digest}),
        }
    )


def _make(store: Store, network: PlannedNetwork, known: Observations) -> tuple[str, str]:
    """The store's name of a plan made now, or why there is none."""
    from dataclasses import replace

    # Only now: torch takes seconds to import, and a plan is made once.
    from tasnet.network import seeded_weights
    from tasnet.plan import Bounds, PlanError, function_of_variant, make_plan, plan_json, read_profile

    whole = network.whole
    try:
        trained = function_of_variant(whole.variant, whole.size, seeded_weights(whole.size))
        trained = replace(trained, sample_rate=network.rate)
        made = make_plan(
            trained,
            whole.length,
            whole.arch,
            Bounds(known.bracket.passes, known=known),
            OBJECTIVE,
            read_profile(HARDWARE),
        )
    except PlanError as error:
        return "", error_line(error)
    return store.put_file(plan_json(made.plan), ".json"), ""


def read_kept(store: Store, artifact: str) -> Plan:
    """The plan of that name. Raises DamagedArtifact where it is gone, or isn't what was kept."""
    from tasnet.plan import read_plan

    return read_plan(store.path(artifact))


def plan_record(store: Store, kept: KeptPlan) -> PlanRecord:
    """What a run keeps of a plan. Raises DamagedArtifact."""
    network = kept.network
    if not kept.artifact:
        return PlanRecord(network=network.whole.id, name=network.name, trouble=kept.trouble)
    from tasnet.plan import weakest_evidence

    plan = read_kept(store, kept.artifact)
    return PlanRecord(
        network=network.whole.id,
        name=network.name,
        plan=kept.artifact,
        hardware=plan.profile.name,
        hefs=len(plan.on_chip),
        invocations=plan.invocations,
        macs=plan.macs,
        uncut_macs=plan.uncut_macs,
        seconds=plan.seconds.total,
        null_seconds=plan.null_seconds,
        clip_seconds=plan.length / network.rate,
        evidence=weakest_evidence(plan),
    )


def _segments(network: PlannedNetwork, plan: Plan) -> tuple[SegmentCase, ...]:
    from tasnet.plan import cut_from_segment, graph_shape

    first: dict[object, SegmentCase] = {}
    for each in plan.on_chip:
        cut = cut_from_segment(plan, each)
        first.setdefault(graph_shape(plan.function, cut), SegmentCase(network.whole, cut))
    return tuple(first.values())
