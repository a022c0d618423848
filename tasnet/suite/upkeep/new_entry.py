"""New entries: one for each root cause of a run that no entry covers, to be reviewed by a person."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tasnet.hailo import Failure
from tasnet.suite.cases import Stage
from tasnet.suite.history import StoredRun
from tasnet.suite.ledger import Axes, Ledger, flow_yaml, is_segment, one_or_list
from tasnet.suite.upkeep.narrowing import PlainClaim, conditions_to_add
from tasnet.suite.upkeep.rejudging import JudgedCase

REVIEW_AFTER = timedelta(days=182)
"""A new entry must be reviewed within this time."""

_DISTINCT_LETTERS = 10
"""A piece of a message with so many letters is taken to be distinct."""


@dataclass(frozen=True)
class NewEntry:
    """The fields of a proposed entry."""

    id: str
    stage: str
    family: str
    message: str
    """a regular expression"""
    layers: tuple[str, ...]
    where: tuple[PlainClaim, ...]
    cases: tuple[str, ...]
    toolchain: str
    versions: str
    arch: str
    evidence: str
    since: date
    review: date


def new_entries(
    judged: Sequence[JudgedCase], run: StoredRun, ledger: Ledger, today: date, reason: str
) -> list[NewEntry]:
    """The root causes of the failures that no entry covers: those of one stage, family and wording are one."""
    found: dict[tuple[str, str, str], dict[str, Failure]] = {}
    for each in judged:
        for blocker in each.judgement.blockers:
            if not blocker.entries:
                failure = blocker.failure
                key = (failure.stage, failure.family, wording(failure))
                found.setdefault(key, {}).setdefault(each.record.case_id, failure)
    taken = {entry.id for entry in ledger.entries}
    entries = []
    head = run.head
    by = "predicted by" if any(each.record.predicted for each in judged) else "observed with"
    for (stage, family, words), failures in found.items():
        name = _name(family, taken)
        taken.add(name)
        entries.append(
            NewEntry(
                id=name,
                stage=stage,
                family=family,
                message=_escaped(words) if words else ".",
                layers=_layers(list(failures.values())),
                where=tuple(_where(judged, failures.keys(), Stage(stage))),
                cases=tuple(failures),
                toolchain=head.toolchain,
                # The embedded toolchain is the package's own; what a compiler did holds for its version alone.
                versions="*" if head.toolchain == "reference" else f"=={head.version}",
                arch=head.arch,
                evidence=f"{by} {head.toolchain} {head.version}, run {run.id}: {reason}",
                since=today,
                review=today + REVIEW_AFTER,
            )
        )
    return entries


def entry_lines(entry: NewEntry) -> list[str]:
    """The entry's lines, without indentation."""
    where = [flow_yaml(claim) for claim in entry.where]
    where_lines = [f"where: {where[0]}"] if len(where) == 1 else ["where:", *(f"  - {claim}" for claim in where)]
    layers = [f"layers: [{', '.join(entry.layers)}]"] if entry.layers else []
    return [
        f"id: {entry.id}",
        f"summary: {_text(f'{entry.family} at {entry.stage}, not looked into yet')}",
        *where_lines,
        f"stage: {entry.stage}",
        f"family: {entry.family}",
        f"message: {json.dumps(entry.message, ensure_ascii=False)}",
        *layers,
        f"toolchain: {{{entry.toolchain}: {json.dumps(entry.versions)}}}",
        f"arch: [{entry.arch}]",
        f"evidence: {_text(entry.evidence)}",
        f"since: {entry.since}",
        f"review: {entry.review}",
    ]


def wording(failure: Failure) -> str:
    """The part of the message that all cases of a cause share: without names of layers, and numbers."""
    names = [re.escape(layer) for layer in sorted(failure.layers, key=len, reverse=True)]
    pieces = re.split("|".join([*names, r"\S*\d\S*", r"[\n:,;()\[\]\"']"]), failure.message)
    words = [piece.strip() for piece in pieces]
    return next((piece for piece in words if len(piece) >= _DISTINCT_LETTERS), max(words, key=len))


def _escaped(words: str) -> str:
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", words)


def _layers(failures: Sequence[Failure]) -> tuple[str, ...]:
    """The layers that every one of the failures names, if it is the same few."""
    first = failures[0].layers
    return first if len(first) <= 2 and all(failure.layers == first for failure in failures) else ()


def _where(judged: Sequence[JudgedCase], failing: Collection[str], stage: Stage) -> list[PlainClaim]:
    keep = [each.record.axes for each in judged if each.record.case_id in failing]
    leave = [each.record.axes for each in judged if each.record.case_id not in failing and _reached(each, stage)]
    found: list[PlainClaim] = []
    # An entry is about whole networks, or says that it is about segments.
    for segments in (False, True):
        alike = [axes for axes in keep if is_segment(axes) is segments]
        others = [axes for axes in leave if is_segment(axes) is segments]
        for claim in conditions_to_add({}, alike, others) if alike else ():
            found.append({**_forms(alike), **claim} if segments else claim)
    return found


def _forms(segments: Collection[Axes]) -> PlainClaim:
    return {"segment": one_or_list(list(dict.fromkeys(str(axes["segment"]) for axes in segments)))}


def _reached(judged: JudgedCase, stage: Stage) -> bool:
    outcome = judged.record.by_stage.get(stage)
    return outcome is not None and outcome.judged


def _name(family: str, taken: set[str]) -> str:
    base = family.replace("_", "-")
    return next(
        name
        for number in range(1, len(taken) + 2)
        if (name := base if number == 1 else f"{base}-{number}") not in taken
    )


def _text(line: str) -> str:
    """A line as YAML, without quotes where it needs none."""
    return line if re.fullmatch(r"[a-zA-Z][\w ,./-]*", line) else json.dumps(line, ensure_ascii=False)
