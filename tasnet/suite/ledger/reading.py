"""Reading `expected_failures.yaml`, strictly.

Whatever could make an entry claim other cases than its writer meant is a LedgerError of one line with
`file:line:column`. `model.py` says what may stand where; this file finds the place of what doesn't.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from tasnet.common import counted, printable, yaml_file
from tasnet.hailo import FAMILIES
from tasnet.suite.cases import Stage
from tasnet.suite.ledger.entry import Entry, Flaky, Ledger, LedgerError, ToolchainScope
from tasnet.suite.ledger.flaky import runs_to_refute
from tasnet.suite.ledger.model import SCHEMA, EntryModel, FlakyModel, LedgerModel, ScopeModel, ToolchainModel

_MAX_VALUES = 200_000
"""Values in a ledger once its aliases are written out; one with 300 entries has 10,000."""

_MAX_DEPTH = 20
"""Levels of nested values; `where` is judged by recursion."""

_MAX_INT = 10**18
"""Integers past it are refused: none is meant, and one of thousands of digits takes long to print."""

_MAX_ENTRIES = 1000
"""Each is compared with each other one, and with every case."""


def read_ledger(path: Path) -> Ledger:
    """The ledger at `path`. Raises LedgerError."""
    return parse_ledger(ledger_text(path), path)


def ledger_text(path: Path) -> str:
    """The file's text, its line ends as they are. Raises LedgerError."""
    if not os.path.lexists(path):
        raise LedgerError(f"{path}: no such file; name a ledger, or make this folder a suite with one: tasnet init")
    return yaml_file.text(path, "a ledger", LedgerError)


@lru_cache(maxsize=8)
def parse_ledger(text: str, path: Path) -> Ledger:
    """The ledger that `text` means; `path` is only named in errors. Raises LedgerError.

    The last texts are remembered: an update reads its ledger three times, and each takes as long as all else it does.
    """
    return _ledger(yaml_file.loaded(text, path, YAML(typ="rt"), LedgerError), path)


def _ledger(root: Any, path: Path) -> Ledger:
    places = _SourcePositions(path, root)
    if not isinstance(root, dict):
        raise LedgerError(f"{path}:1:1: expected a map with schema, budget and entries; write one")
    plain = _plain(root, iter(range(_MAX_VALUES)), path, _MAX_DEPTH)
    if plain.get("schema", SCHEMA) != SCHEMA or isinstance(plain.get("schema"), bool):
        raise places.error(f"schema {plain['schema']} is unknown; this version reads schema {SCHEMA}", "schema")
    try:
        model = LedgerModel.model_validate(plain)
    except ValidationError as error:
        raise _refusal(error.errors()[0], places) from None
    if len(model.entries) > _MAX_ENTRIES:
        raise places.error(f"{len(model.entries)} entries; at most {_MAX_ENTRIES} are judged", "entries")
    if len(model.entries) > model.budget:
        raise places.error(
            f"{counted(len(model.entries), 'entry', 'entries')}, and the budget is {model.budget}; "
            "remove an entry that no longer holds rather than raise the budget",
            "budget",
        )
    entries = tuple(_entries(model, places))
    return Ledger(path, model.budget, entries, model.budget_reason, model.owner)


def _plain(value: Any, left: Iterator[int], path: Path, deeper: int) -> Any:
    """The value in plain lists and maps, merge keys and aliases written out. The model's messages are about those."""
    if next(left, None) is None:
        raise LedgerError(f"{path}:1:1: more than {_MAX_VALUES} values, aliases written out; use fewer aliases")
    if not isinstance(value, (dict, list)):
        if isinstance(value, int) and abs(value) >= _MAX_INT:
            raise LedgerError(f"{path}:1:1: a number past 10^18; no value of a ledger is so large")
        return value
    if not deeper:
        at = getattr(value, "lc", None)
        where = f"{(at.line or 0) + 1}:{(at.col or 0) + 1}" if at else "1:1"
        raise LedgerError(f"{path}:{where}: nested more than {_MAX_DEPTH} deep; write it flatter")
    if isinstance(value, dict):
        return {_plain(key, left, path, 0): _plain(item, left, path, deeper - 1) for key, item in value.items()}
    return [_plain(item, left, path, deeper - 1) for item in value]


def _entries(model: LedgerModel, places: _SourcePositions) -> Iterator[Entry]:
    seen: dict[str, str] = {}
    for index, each in enumerate(model.entries):
        at = ("entries", index)
        if each.id in seen:
            raise places.error(
                f"the id stands already at {seen[each.id]}; give each root cause one entry", *at, "id", about=each.id
            )
        if FAMILIES[each.family] not in ("any", each.stage):
            raise places.error(
                f"family {each.family} shows at {FAMILIES[each.family]}, not at {each.stage}; mend one of them",
                *(*at, "family"),
                about=each.id,
            )
        if each.review < each.since:
            raise places.error(
                f"review {each.review} is before since {each.since}; set the day to look again",
                *(*at, "review"),
                about=each.id,
            )
        flaky = Flaky(each.flaky.rate, each.flaky.over) if each.flaky else None
        if flaky and flaky.over < runs_to_refute(flaky.rate):
            raise places.error(
                f"flaky: over {flaky.over} runs a rate of {flaky.rate:g} can't be told from a failure for good; "
                f"write over: {runs_to_refute(flaky.rate)} at least",
                *(*at, "flaky"),
                about=each.id,
            )
        seen[each.id] = places.position(*at)
        yield _entry(each, model.owner, flaky, seen[each.id])


def _entry(model: EntryModel, owner: str, flaky: Flaky | None, place: str) -> Entry:
    return Entry(
        id=model.id,
        summary=model.summary,
        where=model.where,
        stage=Stage(model.stage),
        family=model.family,
        message=model.message,
        layers=model.layers,
        toolchain=_scopes(model.toolchain),
        arch=model.arch,
        evidence=model.evidence,
        since=model.since,
        review=model.review,
        issue=model.issue,
        owner=model.owner or owner,
        flaky=flaky,
        place=place,
    )


def _scopes(model: ToolchainModel) -> dict[str, ToolchainScope]:
    named = {name: getattr(model, name) for name in ToolchainModel.model_fields if name in model.model_fields_set}
    return {name: ToolchainScope(value.version, value.where) for name, value in named.items()}


# --- what is wrong, and where ------------------------------------------------------------------------------


class _SourcePositions:
    """Where in the file a value stands, by its path of keys and indices."""

    def __init__(self, path: Path, root: Any) -> None:
        self.path, self.root = path, root

    def value(self, *at: str | int) -> Any:
        """The value there; None where there is none."""
        found = self.root
        for key in at:
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def within(self, at: Sequence[str | int]) -> tuple[str | int, ...]:
        """The part of a path that is in the file: a range of versions stands for a map, and what is missing isn't."""
        found, kept = self.root, []
        for key in at:
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                break
            kept.append(key)
        return tuple(kept)

    def position(self, *at: str | int) -> str:
        """`file:line:column` of the key or item, or of the nearest thing around it that has a place."""
        line = column = 0
        found = self.root
        for key in (None, *at):
            position = getattr(found, "lc", None)
            if position is None:
                break
            # A value that came by a merge key has no place of its own in the map.
            if key is not None and position.data and key in position.data:
                line, column = position.data[key][0], position.data[key][1]
            elif key is None:
                line, column = position.line or 0, position.col or 0
            if key is not None:
                try:
                    found = found[key]
                except (KeyError, IndexError, TypeError):
                    break
        return f"{self.path}:{line + 1}:{column + 1}"

    def error(self, message: str, *at: str | int, about: str = "") -> LedgerError:
        """An error at a place, about an entry."""
        # What is wrong may quote the value, and that may be anything.
        return LedgerError(
            f"{self.position(*at)}: {printable(f'entry {about}: ' if about else '')}{printable(message, most=1000)}"
        )


_SHAPES = {
    "entries": "must be a list; write [] for none",
    "flaky": "must be a map such as {rate: 0.2, over: 20}",
    "rate": "must be the share of runs that fail, above 0 and below 1",
    "over": "must be a count of runs, 2 at least",
}
_MODELS: dict[str, type[BaseModel]] = {"flaky": FlakyModel, "toolchain": ToolchainModel}


def _refusal(error: ErrorDetails, places: _SourcePositions) -> LedgerError:
    """The model's error as a LedgerError with its place."""
    at = places.within(error["loc"])
    about, inner = "", at
    if len(at) > 1 and at[0] == "entries":
        given = places.value("entries", at[1], "id")
        about, inner = given if isinstance(given, str) else f"number {int(at[1]) + 1}", at[2:]
    name = str(error["loc"][-1])
    raised = error.get("ctx", {}).get("error")
    if error["type"] == "missing":
        return places.error(f"{_prefix(inner, True)}'{name}' is missing; add it", *at, about=about)
    if error["type"] == "extra_forbidden":
        known = _known(inner[:-1], bool(about))
        return places.error(f"{_prefix(inner[:-1], True)}unknown key '{name}'; one of {known}", *at, about=about)
    if isinstance(raised, ValueError):
        deeper = getattr(raised, "at", None)
        text = f"{_prefix(inner, deeper is not None)}{raised}"
        return places.error(text, *at, *(deeper or ()), about=about)
    if not inner:
        return places.error(f"entry {int(at[1]) + 1} isn't a map; write its keys, id first", *at)
    return places.error(f"{_prefix(inner, False)}{_SHAPES.get(str(inner[-1]), error['msg'])}", *at, about=about)


def _prefix(inner: Sequence[str | int], colon: bool) -> str:
    """`toolchain dfc: `, or `summary ` where what follows goes on with the sentence."""
    if not inner:
        return ""
    return " ".join(map(str, inner)) + (": " if colon or len(inner) > 1 else " ")


def _known(inner: Sequence[str | int], entry: bool) -> str:
    """The keys that may stand in the map at `inner`, of the ledger or of an entry."""
    model: type[BaseModel] = EntryModel if entry else LedgerModel
    if inner:
        model = ScopeModel if len(inner) > 1 else _MODELS[str(inner[0])]
    return ", ".join(field.alias or name for name, field in model.model_fields.items())
