"""Entry: one root cause of expected failures, the cases it claims, and the failures it covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tasnet.common import TasnetError
from tasnet.hailo import Failure
from tasnet.suite.cases import Stage
from tasnet.suite.ledger.pattern import Pattern
from tasnet.suite.ledger.where import SEGMENT_AXES, Axes, Claim, is_segment, reaches, where_matches


class LedgerError(TasnetError, ValueError):
    """A ledger that is refused: `file:line:column: entry ID: what is wrong; what to do`."""


@dataclass(frozen=True)
class ToolchainScope:
    """For which versions of a toolchain an entry holds, and the conditions that apply to that toolchain alone."""

    versions: str
    """a PEP 440 specifier; empty for every version"""
    where: tuple[Claim, ...] | None = None
    """conditions in addition to the entry's own `where`; None for none"""


@dataclass(frozen=True)
class Flaky:
    """A failure that comes and goes: `rate` of the runs fail, as seen in the last `over` stored runs."""

    rate: float
    over: int


@dataclass(frozen=True)
class Entry:
    """One root cause, and the cases it claims. `place` is `file:line:column` of the entry."""

    id: str
    summary: str
    where: tuple[Claim, ...]
    stage: Stage
    family: str
    message: Pattern
    layers: tuple[str, ...]
    toolchain: Mapping[str, ToolchainScope]
    arch: tuple[str, ...]
    evidence: str
    since: date
    review: date
    """the last day before someone must confirm the entry"""
    issue: str = ""
    owner: str = ""
    """who reviews it: the entry's own, else the ledger's; empty where neither names one"""
    flaky: Flaky | None = None
    place: str = ""


@dataclass(frozen=True)
class Ledger:
    """The entries in the order of the file; `budget` is how many there may be."""

    path: Path
    budget: int = 0
    entries: tuple[Entry, ...] = field(default=())
    budget_reason: str = ""
    """why the budget was last raised"""
    owner: str = ""
    """of the entries that name none"""


def claims(entry: Entry, axes: Axes, toolchain: str = "") -> bool:
    """True when the entry's `where` and `arch` claim a case with these axes.

    With a toolchain named, the entry's conditions for that toolchain must hold too. `in_scope` checks the version.
    """
    if axes["arch"] not in entry.arch:
        return False
    where = [claim for claim in entry.where if reaches(claim, axes)] if is_segment(axes) else entry.where
    if not where_matches(where, axes):
        return False
    scope = entry.toolchain.get(toolchain)
    return scope is None or scope.where is None or where_matches(scope.where, axes)


def in_scope(entry: Entry, toolchain: str, version: str) -> bool:
    """True when the entry holds for this toolchain and version. A version that isn't PEP 440 is in no range."""
    scope = entry.toolchain.get(toolchain)
    return scope is not None and _contains(scope.versions, version)


@lru_cache(maxsize=1024)
def _contains(versions: str, version: str) -> bool:
    try:
        return not versions or SpecifierSet(versions).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def covers(entry: Entry, failure: Failure) -> bool:
    """True when the failure matches the entry: stage, family, message, and every layer pattern.

    Some of the compiler's messages name no layer ("Super deconv is not supported with groups"): for such a failure the
    layer patterns are not checked. Whether the entry claims the failure's case is checked by `claims`.
    """
    return not differing_fields(entry, failure)


def differing_fields(entry: Entry, failure: Failure) -> tuple[str, ...]:
    """In what the failure differs from the entry: `stage`, `family`, `message`, `layers`, in this order."""
    same = {
        "stage": entry.stage.value == failure.stage,
        "family": entry.family == failure.family,
        "message": entry.message.found_in(failure.message),
        "layers": not failure.layers or all(_named(pattern, failure.layers) for pattern in entry.layers),
    }
    return tuple(what for what, holds in same.items() if not holds)


def _named(pattern: str, layers: Sequence[str]) -> bool:
    return any(fnmatchcase(layer, pattern) for layer in layers)


def entries_without_cases(entries: Iterable[Entry], cases: Iterable[Axes]) -> tuple[Entry, ...]:
    """The entries that claim none of the cases on any of the entry's own architectures.

    Of one that is about segments that can't be said here: which there are, planning says.
    """
    known = tuple(cases)
    return tuple(
        entry
        for entry in entries
        if all(SEGMENT_AXES.isdisjoint(claim) for claim in entry.where)
        and not any(claims(entry, {**axes, "arch": arch}) for axes in known for arch in entry.arch)
    )
