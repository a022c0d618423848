"""New entries: one for each root cause of a run that no entry covers, to be reviewed by a person."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from tasnet.hailo import Failure
from tasnet.suite.cases import Stage
from tasnet.suite.history import CaseRecord, StoredRun
from tasnet.suite.ledger import (
    SEGMENT,
    Claim,
    Entry,
    Ledger,
    Pattern,
    ToolchainScope,
    flow_yaml,
    is_segment,
    one_or_list,
    plain_claim,
    read_where,
)
from tasnet.suite.upkeep.claimed import least_claims, split_claimed
from tasnet.suite.upkeep.rejudging import FlakyHistory, JudgedCase, judge_records

REVIEW_AFTER = timedelta(days=182)
"""A new entry must be reviewed within this time."""

_DISTINCT_LETTERS = 10
"""A piece of a message with so many letters is taken to be distinct."""


@dataclass(frozen=True)
class NewEntry:
    """A proposed entry, and the cases of the run that it was made for."""

    entry: Entry
    cases: tuple[str, ...]


def new_entries(
    run: StoredRun, beside: Sequence[CaseRecord], ledger: Ledger, past: FlakyHistory, today: date, reason: str
) -> list[NewEntry]:
    """The root causes of a run's failures that no entry covers: those of one stage, family and wording are one.

    Each claims as little as `ledger check` would have it claim, by the run and by what is known of other cases
    (`beside`, of the same toolchain).
    """
    records = [*run.records, *beside]
    found = _uncovered(judge_records(records, ledger.entries, today, past))
    ran = {record.case_id for record in run.records}
    taken = {entry.id for entry in ledger.entries}
    drafts: list[tuple[NewEntry, Collection[str]]] = []
    for (stage, family, words), failures in found.items():
        cases = tuple(case for case in failures if case in ran)
        if not cases:
            continue
        name = _name(family, taken)
        taken.add(name)
        every = _everywhere([record for record in records if record.case_id in failures])
        layers = _layers(list(failures.values()))
        draft = _entry(name, Stage(stage), family, words, layers, every, run, today, reason)
        drafts.append((NewEntry(draft, cases), failures.keys()))
    judged = judge_records(records, [*ledger.entries, *(new.entry for new, _ in drafts)], today, past)
    made = []
    for new, failing in drafts:
        right, wrong = split_claimed(new.entry, judged)
        # What another entry covers already is not this one's.
        covered = [each for each in right if each.record.case_id not in failing]
        own = [each for each in right if each.record.case_id in failing]
        least = least_claims(new.entry, own, [*wrong, *covered])
        made.append(replace(new, entry=replace(new.entry, where=read_where(one_or_list(least)))))
    return made


def _uncovered(judged: Sequence[JudgedCase]) -> dict[tuple[str, str, str], dict[str, Failure]]:
    """(stage, family, wording) -> case's id -> its failure that no entry covers."""
    found: dict[tuple[str, str, str], dict[str, Failure]] = {}
    for each in judged:
        for blocker in each.judgement.blockers:
            if not blocker.entries:
                failure = blocker.failure
                key = (failure.stage, failure.family, wording(failure))
                found.setdefault(key, {}).setdefault(each.record.case_id, failure)
    return found


def _everywhere(records: Sequence[CaseRecord]) -> tuple[Claim, ...]:
    """Claims of every whole network, and of every segment of a form, where there are such among the records."""
    forms = dict.fromkeys(str(record.axes[SEGMENT]) for record in records if is_segment(record.axes))
    whole: list[dict[str, object]] = [{}] if any(not is_segment(record.axes) for record in records) else []
    return read_where([*whole, *([{SEGMENT: one_or_list(list(forms))}] if forms else [])])


def _entry(
    name: str,
    stage: Stage,
    family: str,
    words: str,
    layers: tuple[str, ...],
    where: tuple[Claim, ...],
    run: StoredRun,
    today: date,
    reason: str,
) -> Entry:
    head = run.head
    by = "predicted by" if any(record.predicted for record in run.records) else "observed with"
    # The embedded toolchain is the package's own; what a compiler did holds for its version alone.
    versions = "" if head.toolchain == "reference" else f"=={head.version}"
    return Entry(
        id=name,
        summary=f"{family} at {stage.value}, not looked into yet",
        where=where,
        stage=stage,
        family=family,
        message=Pattern(_escaped(words) if words else "."),
        layers=layers,
        toolchain={head.toolchain: ToolchainScope(versions)},
        arch=(head.arch,),
        evidence=f"{by} {head.toolchain} {head.version}, run {run.id}: {reason}",
        since=today,
        review=today + REVIEW_AFTER,
    )


def entry_lines(entry: Entry) -> list[str]:
    """The entry's lines, without indentation."""
    where = [flow_yaml(plain_claim(claim)) for claim in entry.where]
    where_lines = [f"where: {where[0]}"] if len(where) == 1 else ["where:", *(f"  - {claim}" for claim in where)]
    layers = [f"layers: [{', '.join(entry.layers)}]"] if entry.layers else []
    ((toolchain, scope),) = entry.toolchain.items()
    return [
        f"id: {entry.id}",
        f"summary: {_text(entry.summary)}",
        *where_lines,
        f"stage: {entry.stage.value}",
        f"family: {entry.family}",
        f"message: {json.dumps(entry.message.pattern, ensure_ascii=False)}",
        *layers,
        f"toolchain: {{{toolchain}: {json.dumps(scope.versions or '*')}}}",
        f"arch: [{', '.join(entry.arch)}]",
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
