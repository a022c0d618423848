"""The ledger, `expected_failures.yaml`: one entry per root cause of expected failures.

`read` is strict: whatever could make an entry claim other cases than its writer meant is a LedgerError of one line
with `file:line:column`. What the entries mean for a case is `judge.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tasnet.hailo.failures import FAMILIES, Failure
from tasnet.hailo.toolchain import ARCHITECTURES
from tasnet.suite.stage import Stage
from tasnet.suite.where import Axes, Claim, WhereError, matches, read_where

SCHEMA = 1
TOOLCHAINS = ("reference", "dfc")
"""The toolchains that an entry can be scoped to."""

_TOP = ("schema", "budget", "entries")
_REQUIRED = ("id", "summary", "where", "stage", "family", "message")
_SCOPE = ("toolchain", "arch", "evidence", "since", "review")
_OPTIONAL = ("layers", "issue")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class LedgerError(ValueError):
    """A ledger that can't be meant: `file:line:column: entry ID: what is wrong; what to do`."""


@dataclass(frozen=True)
class Entry:
    """One root cause, and the cases it claims. `place` is `file:line:column` of the entry."""

    id: str
    summary: str
    where: tuple[Claim, ...]
    stage: Stage
    family: str
    message: re.Pattern[str]
    layers: tuple[str, ...]
    toolchain: Mapping[str, SpecifierSet]
    arch: tuple[str, ...]
    evidence: str
    since: date
    review: date
    issue: str = ""
    place: str = ""


@dataclass(frozen=True)
class Ledger:
    """The entries in the order of the file; `budget` is how many there may be."""

    path: Path
    budget: int = 0
    entries: tuple[Entry, ...] = field(default=())


# --- matching ----------------------------------------------------------------------------------------------


def claims(entry: Entry, axes: Axes) -> bool:
    """True when the entry's `where` and `arch` claim a case with these axes, whatever the toolchain."""
    return axes["arch"] in entry.arch and matches(entry.where, axes)


def in_scope(entry: Entry, toolchain: str, version: str) -> bool:
    """True when the entry speaks of this toolchain at this version (a version that isn't PEP 440 is no version)."""
    if toolchain not in entry.toolchain:
        return False
    specifiers = entry.toolchain[toolchain]
    try:
        return not len(specifiers) or specifiers.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def covers(entry: Entry, failure: Failure) -> bool:
    """True when the failure is the one the entry tells of: stage, family, message, and every layer pattern.

    Some of the compiler's messages name no layer ("Super deconv is not supported with groups"): such a failure
    can't be held against the layers.
    Whether the entry claims the failure's case is another question: `claims`.
    """
    return (
        entry.stage.value == failure.stage
        and entry.family == failure.family
        and entry.message.search(failure.message) is not None
        and (not failure.layers or all(_named(pattern, failure.layers) for pattern in entry.layers))
    )


def _named(pattern: str, layers: Sequence[str]) -> bool:
    return any(fnmatchcase(layer, pattern) for layer in layers)


def stale(entries: Iterable[Entry], cases: Iterable[Axes]) -> tuple[Entry, ...]:
    """The entries that claim none of the cases on any of the entry's own architectures."""
    known = tuple(cases)
    return tuple(
        entry
        for entry in entries
        if not any(claims(entry, {**axes, "arch": arch}) for axes in known for arch in entry.arch)
    )


# --- reading -----------------------------------------------------------------------------------------------


def read(path: Path) -> Ledger:
    """The ledger at `path`. Raises LedgerError."""
    return parse(_text(path), path)


def parse(text: str, path: Path) -> Ledger:
    """The ledger that `text` means; `path` is only named in errors. Raises LedgerError."""
    try:
        root = YAML(typ="rt").load(text)
        return _ledger(root, path)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        what = (error.problem or "not YAML").splitlines()[0]
        raise LedgerError(f"{path}:{where}: {what}; mend the YAML there") from None
    except YAMLError as error:
        raise LedgerError(f"{path}:1:1: {str(error).splitlines()[0]}; mend the YAML") from None
    except RecursionError:
        raise LedgerError(f"{path}:1:1: nested without end; an alias may not stand inside its own anchor") from None
    except ValueError as error:
        if isinstance(error, LedgerError):
            raise
        # ruamel builds dates while it reads, and a 30 February ends as a bare ValueError
        raise LedgerError(f"{path}:1:1: {error}; mend the value") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}; name a ledger that can be read") from None
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path}: byte {error.start} isn't UTF-8; save the file as UTF-8") from None


@dataclass(frozen=True)
class _Node:
    """A map or list of the YAML, with the words to begin an error about it."""

    path: Path
    value: Any
    about: str = ""

    def place(self, key: str | int | None = None) -> str:
        """`file:line:column` of a key or item, or of the node itself."""
        position = self.value.lc
        line, column = position.line, position.col
        if key is not None and position.data and key in position.data:
            line, column = position.data[key][0], position.data[key][1]
        return f"{self.path}:{line + 1}:{column + 1}"

    def error(self, message: str, key: str | int | None = None) -> LedgerError:
        return LedgerError(f"{self.place(key)}: {self.about}{message}")

    def need_keys(self, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        known = (*required, *optional)
        for key in self.value:
            if key not in known:
                raise self.error(f"unknown key '{key}'; one of {', '.join(known)}", key)
        for key in required:
            if key not in self.value:
                raise self.error(f"'{key}' is missing; add it")


def _ledger(root: Any, path: Path) -> Ledger:
    if not isinstance(root, dict):
        raise LedgerError(f"{path}:1:1: expected a map with {', '.join(_TOP)}; write one")
    top = _Node(path, root)
    top.need_keys(_TOP)
    if not _is_count(root["schema"]) or root["schema"] != SCHEMA:
        raise top.error(f"schema {root['schema']} is unknown; this version reads schema {SCHEMA}", "schema")
    if not _is_count(root["budget"]):
        raise top.error(f"budget '{root['budget']}' isn't a count; write how many entries there may be", "budget")
    listed = root["entries"]
    if not isinstance(listed, list):
        raise top.error("entries must be a list; write [] for none", "entries")
    entries = tuple(_entries(_Node(path, listed)))
    if len(entries) > root["budget"]:
        raise top.error(
            f"{len(entries)} entries, and the budget is {root['budget']}; "
            "remove an entry that no longer holds rather than raise the budget",
            "budget",
        )
    return Ledger(path, int(root["budget"]), entries)


def _entries(listed: _Node) -> Iterator[Entry]:
    seen: dict[str, str] = {}
    for index, item in enumerate(listed.value):
        if not isinstance(item, dict):
            raise listed.error(f"entry {index + 1} isn't a map; write its keys, id first", index)
        given = item.get("id")
        name = given if isinstance(given, str) else f"number {index + 1}"
        entry = _entry(_Node(listed.path, item, f"entry {name}: "))
        if entry.id in seen:
            raise _Node(listed.path, item, f"entry {name}: ").error(
                f"the id stands already at {seen[entry.id]}; give each root cause one entry", "id"
            )
        seen[entry.id] = entry.place
        yield entry


def _entry(node: _Node) -> Entry:
    node.need_keys((*_REQUIRED, *_SCOPE), _OPTIONAL)
    name = _line(node, "id")
    if not _ID.fullmatch(name):
        raise node.error(f"id '{name}' isn't of the form super-deconv-groups; use a-z, 0-9 and single '-'", "id")
    stage = Stage(_word(node, "stage", tuple(stage.value for stage in Stage)))
    family = _word(node, "family", tuple(FAMILIES))
    if FAMILIES[family] not in ("any", stage.value):
        raise node.error(
            f"family {family} shows at {FAMILIES[family]}, not at {stage.value}; mend one of them", "family"
        )
    since, review = _date(node, "since"), _date(node, "review")
    if review < since:
        raise node.error(f"review {review} is before since {since}; set the day to look again", "review")
    return Entry(
        id=name,
        summary=_line(node, "summary"),
        where=_where(node),
        stage=stage,
        family=family,
        message=_regex(node, "message"),
        layers=_words(node, "layers") if "layers" in node.value else (),
        toolchain=_toolchains(node),
        arch=_words(node, "arch", ARCHITECTURES),
        evidence=_line(node, "evidence"),
        since=since,
        review=review,
        issue=_url(node, "issue") if "issue" in node.value else "",
        place=node.place(),
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _line(node: _Node, key: str) -> str:
    value = node.value[key]
    if not isinstance(value, str) or not value.strip():
        raise node.error(f"{key} must be text; write a line", key)
    return str(value)


def _word(node: _Node, key: str, known: Sequence[str]) -> str:
    value = node.value[key]
    if not isinstance(value, str) or value not in known:
        raise node.error(f"unknown {key} '{value}'; one of {', '.join(known)}", key)
    return str(value)


def _words(node: _Node, key: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    value = node.value[key]
    if not isinstance(value, list) or not value:
        raise node.error(f"{key} must be a list with at least one item, such as [{(known or ('conv*',))[0]}]", key)
    inner = _Node(node.path, value, node.about)
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item or (known and item not in known):
            expected = f"one of {', '.join(known)}" if known else "write a layer's name or a glob"
            raise inner.error(f"{key}: unknown value '{item}'; {expected}", index)
        if item in value[:index]:
            raise inner.error(f"{key}: '{item}' is given twice; remove one", index)
    return tuple(str(item) for item in value)


def _regex(node: _Node, key: str) -> re.Pattern[str]:
    try:
        return re.compile(_line(node, key))
    except (re.error, OverflowError) as error:
        raise node.error(f"{key} isn't a regular expression ({error}); escape or mend it", key) from None


def _date(node: _Node, key: str) -> date:
    value = node.value[key]
    if isinstance(value, datetime) or not isinstance(value, date):
        raise node.error(f"{key} '{value}' isn't a day; write it as 2026-02-17", key)
    return value


def _url(node: _Node, key: str) -> str:
    value = node.value[key]
    expected = "write it as https://host/path"
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise node.error(f"{key} '{value}' isn't a URL; {expected}", key)
    return str(value)


def _toolchains(node: _Node) -> dict[str, SpecifierSet]:
    value = node.value["toolchain"]
    if not isinstance(value, dict) or not value:
        raise node.error("toolchain must be a map such as {reference: '*', dfc: '>=3.33,<3.35'}", "toolchain")
    inner = _Node(node.path, value, node.about)
    scopes: dict[str, SpecifierSet] = {}
    for name, text in value.items():
        if name not in TOOLCHAINS:
            raise inner.error(f"unknown toolchain '{name}'; one of {', '.join(TOOLCHAINS)}", name)
        try:
            if not isinstance(text, str) or not text.strip():
                raise InvalidSpecifier
            scopes[name] = SpecifierSet("" if text.strip() == "*" else text)
        except InvalidSpecifier:
            raise inner.error(
                f"toolchain {name}: '{text}' isn't a range of versions; write '*' or such as '>=3.33,<3.35'",
                name,
            ) from None
    return scopes


def _where(node: _Node) -> tuple[Claim, ...]:
    try:
        return read_where(node.value["where"])
    except WhereError as error:
        place, value = node.place("where"), node.value["where"]
        for key in error.at:
            place, value = _Node(node.path, value).place(key), value[key]
        raise LedgerError(f"{place}: {node.about}where: {error}") from None
