"""The keys of `expected_failures.yaml`: the one model that reads it and that its JSON Schema is made of.

What the schema can't say, and the reader refuses all the same: two entries of one id, more entries than the budget,
a family of another stage, a review before `since`, a regular expression or a range of versions that is none, a glob
that matches no value, and a flaky entry whose `over` is too few runs to tell its rate from a failure for good.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, StrictInt
from pydantic_core import CoreSchema, core_schema

from tasnet.hailo import ARCHITECTURES, FAMILIES, TOOLCHAINS
from tasnet.suite.cases import Stage
from tasnet.suite.ledger.pattern import Pattern, PatternError
from tasnet.suite.ledger.where import Claim, read_where, where_schema

SCHEMA = 1
SCHEMA_URI = "https://json-schema.org/draft/2020-12/schema"

MAX_TEXT_CHARS = 2000
"""characters of one text of an entry"""
MAX_ITEMS = 1000
"""of one list; a glob such as conv* stands for many layers"""

_ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_URL = r"^https?://[^\s/?#]+([/?#]\S*)?$"
_Node = dict[str, Any]


@dataclass(frozen=True, eq=False)
class FieldReader:
    """A field's annotation: `read` validates a value or raises ValueError, `schema` is the field's JSON Schema."""

    read: Callable[[object], Any]
    schema: _Node

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> _Node:
        return dict(self.schema)


class ItemError(ValueError):
    """Something wrong with one item of a list."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.at = (index,)


def _line(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text; write a line")
    if len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"is {len(value):,} characters long; at most {MAX_TEXT_CHARS:,}")
    return str(value)


def _id(value: object) -> str:
    if not re.match(_ID, _line(value)) or str(value).endswith("\n"):
        raise ValueError(f"'{value}' isn't of the form super-deconv-groups; use a-z, 0-9 and single '-'")
    return str(value)


def _one_of(known: Sequence[str]) -> FieldReader:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"'{value}' is unknown; one of {', '.join(known)}")
        return str(value)

    return FieldReader(read, {"enum": list(known)})


def _regex(value: object) -> Pattern:
    try:
        return Pattern(_line(value))
    except PatternError as error:
        raise ValueError(
            f"isn't a regular expression ({error}); escape or mend it (RE2: no lookaround, no backreferences)"
        ) from None


def _day(value: object) -> date:
    """YAML reads a bare day as a date, and a quoted one as text."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f"'{value}' isn't a day; write it as 2026-02-17")


def _url(value: object) -> str:
    try:
        parts = urlsplit(_line(value)) if isinstance(value, str) else None
    except ValueError:
        parts = None
    if parts is None or not parts.hostname or not re.fullmatch(_URL, str(value)):
        raise ValueError(f"'{value}' isn't a URL; write it as https://host/path")
    return str(value)


def _versions(value: object) -> str:
    try:
        if isinstance(value, str) and value.strip() == "*":
            return ""
        if not isinstance(value, str) or not len(SpecifierSet(_line(value))):
            raise InvalidSpecifier
        return str(value.strip())
    except InvalidSpecifier:
        raise ValueError(f"'{value}' isn't a range of versions; write '*' or such as '>=3.33,<3.35'") from None


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"'{value}' isn't a count; write how many entries there may be")
    return value


def _list_of(known: Sequence[str], item: str) -> FieldReader:
    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError(f"must be a list with at least one item, such as [{(known or ('conv*',))[0]}]")
        if len(value) > MAX_ITEMS:
            raise ValueError(f"has {len(value):,} items; at most {MAX_ITEMS:,}, and a glob stands for many")
        for index, each in enumerate(value):
            if not isinstance(each, str) or len(each) > MAX_TEXT_CHARS or not each or (known and each not in known):
                raise ItemError(f"unknown value '{each}'; {item}", index)
            if each in value[:index]:
                raise ItemError(f"'{each}' is given twice; remove one", index)
        return tuple(map(str, value))

    items: _Node = {"enum": list(known)} if known else {"type": "string", "minLength": 1}
    return FieldReader(read, {"type": "array", "items": items, "minItems": 1, "uniqueItems": True})


_TEXT: _Node = {"type": "string", "pattern": r"\S"}
Line = Annotated[str, FieldReader(_line, _TEXT)]
Day = Annotated[date, FieldReader(_day, {"type": "string", "format": "date"})]
Regex = Annotated[Pattern, FieldReader(_regex, {**_TEXT, "format": "regex"})]
Url = Annotated[str, FieldReader(_url, {"type": "string", "format": "uri", "pattern": _URL})]
Versions = Annotated[str, FieldReader(_versions, {**_TEXT, "examples": ["*", ">=3.33,<3.35"]})]
EntryCount = Annotated[int, FieldReader(_count, {"type": "integer", "minimum": 0})]
Where = Annotated[tuple[Claim, ...], FieldReader(read_where, {})]
"""Its schema names itself, so it is put in at the end, by `json_schema`."""


_ABSENT: Any = None
"""of a key that may be left out, and may not be null"""


class _Map(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ScopeModel(_Map):
    """Versions of a toolchain, and what must hold there beside the entry's own `where`."""

    version: Versions
    where: Where = _ABSENT


def _scope(value: object) -> object:
    """A range of versions alone is the usual scope."""
    return value if isinstance(value, dict) else {"version": value}


def _some(value: object) -> object:
    if not isinstance(value, dict) or not value:
        raise ValueError("must be a map such as {reference: '*', dfc: '>=3.33,<3.35'}")
    return value


class FlakyModel(_Map):
    """The failure comes and goes: `rate` of the runs fail, as seen in the last `over` stored runs."""

    rate: Annotated[float, Field(gt=0, lt=1, strict=True)]
    over: Annotated[StrictInt, Field(ge=2)]


ScopeValue = Annotated[ScopeModel, BeforeValidator(_scope)]


class ToolchainModel(_Map):
    """Toolchain -> the versions that the entry speaks of."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    reference: ScopeValue = _ABSENT
    dfc: ScopeValue = _ABSENT


class EntryModel(_Map):
    """One root cause of expected failures."""

    id: Annotated[str, FieldReader(_id, {"type": "string", "pattern": _ID})]
    summary: Line
    where: Where
    stage: Annotated[str, _one_of([stage.value for stage in Stage])]
    family: Annotated[str, _one_of(list(FAMILIES))]
    message: Regex
    layers: Annotated[tuple[str, ...], _list_of((), "write a layer's name or a glob")] = ()
    toolchain: Annotated[ToolchainModel, BeforeValidator(_some)]
    arch: Annotated[tuple[str, ...], _list_of(ARCHITECTURES, f"one of {', '.join(ARCHITECTURES)}")]
    evidence: Line
    since: Day
    review: Day
    issue: Annotated[Url, Field(description="a link, checked for form")] = ""
    owner: Annotated[Line, Field(description="who looks again by `review`; default: the ledger's owner")] = ""
    flaky: FlakyModel = _ABSENT


class LedgerModel(_Map):
    """What is expected to fail, one entry per root cause."""

    # `schema` is a method of pydantic's own.
    schema_: Annotated[Literal[1], Field(alias="schema")]
    budget: Annotated[EntryCount, Field(description="entries may not grow past this; it may only shrink")]
    budget_reason: Annotated[Line, Field(description="why the budget was last raised")] = ""
    owner: Annotated[Line, Field(description="of the entries that name none")] = ""
    entries: list[EntryModel]


def json_schema() -> _Node:
    """The JSON Schema of the ledger, draft 2020-12."""
    schema = LedgerModel.model_json_schema(by_alias=True)
    defined = schema["$defs"]
    scope = {"anyOf": [{**_TEXT, "examples": ["*", ">=3.33,<3.35"]}, {"$ref": "#/$defs/ScopeModel"}]}
    defined["ToolchainModel"]["properties"] = dict.fromkeys(TOOLCHAINS, scope)
    for each in (schema, *defined.values()):
        for held in each["properties"].values():
            held.pop("default", None)
        if "where" in each["properties"]:
            each["properties"]["where"] = {"$ref": "#/$defs/where"}
    defined |= where_schema()
    return {"$schema": SCHEMA_URI, **schema, "title": "expected_failures.yaml"}
