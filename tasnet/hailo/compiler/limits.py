"""Limits of the compiler's stages in time, memory and retries: `[tool.tasnet.limits]`.

[tool.tasnet.limits]
grace_seconds = 5
[tool.tasnet.limits.compile]
seconds = 10800
memory = "16 GiB"
retries = 1
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tasnet.common import TasnetError, printable, settings_table

GIB = 1 << 30

_TABLE = "tool.tasnet.limits"
_UNITS: Mapping[str, int] = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 1 << 10,
    "MIB": 1 << 20,
    "GIB": 1 << 30,
    "TIB": 1 << 40,
}
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]i?B|B)?\s*", re.IGNORECASE)


class LimitsError(TasnetError, ValueError):
    """Limits that can't be used. The message says which, where, and what can be written instead."""


def _bytes(value: object) -> object:
    if isinstance(value, str):
        found = _SIZE.fullmatch(value)
        if not found:
            raise ValueError("not a size; write bytes, or a number with MiB, GiB, MB or GB")
        return int(float(found[1]) * _UNITS[(found[2] or "B").upper()])
    return _no_boolean(value)


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


class StageLimits(BaseModel):
    """The limits of one stage. `retries` is how often it is tried again after `infra`, and after nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Annotated[float, BeforeValidator(_no_boolean), Field(gt=0, le=30 * 86400, allow_inf_nan=False)]
    memory: Annotated[int, BeforeValidator(_bytes), Field(ge=1 << 20)]
    """bytes of resident memory, of the stage and all that it starts"""
    retries: Annotated[int, BeforeValidator(_no_boolean), Field(ge=0, le=10)] = 1


class CompilerLimits(BaseModel):
    """The limits of every stage that the compiler runs.

    A compile has been seen to take 2 h 45 min; 16 GB of memory are the least that the compiler asks for, as
    documented.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    translate: StageLimits = StageLimits(seconds=1800, memory=8 * GIB)
    optimize: StageLimits = StageLimits(seconds=7200, memory=16 * GIB)
    compile: StageLimits = StageLimits(seconds=10800, memory=16 * GIB)
    infer: StageLimits = StageLimits(seconds=3600, memory=16 * GIB)
    grace_seconds: Annotated[float, BeforeValidator(_no_boolean), Field(ge=0, le=600, allow_inf_nan=False)] = 5.0
    """between SIGTERM and SIGKILL when a stage is over its time"""

    def of(self, stage: str) -> StageLimits:
        """The limits of `stage`; reading a graph has those of a translation."""
        limits = getattr(self, stage, self.translate)
        assert isinstance(limits, StageLimits)
        return limits


def read_limits(pyproject: Path | None = None, overrides: Mapping[str, object] | None = None) -> CompilerLimits:
    """The defaults, over them the table of `pyproject` (if it is given and has one), over it `overrides`.

    Keys of `overrides` are dotted: `{"compile.seconds": 60, "optimize.memory": "8 GiB"}`. Raises LimitsError.
    """
    table = CompilerLimits().model_dump()
    if pyproject is not None:
        _merge(table, settings_table(pyproject, _TABLE, LimitsError), f"{pyproject.name} [{_TABLE}]")
    for key, value in (overrides or {}).items():
        *outer, name = key.split(".")
        nested: dict[str, Any] = {name: value}
        for part in reversed(outer):
            nested = {part: nested}
        _merge(table, nested, f"limit {key}")
    try:
        return CompilerLimits.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        given = first["input"]
        raise LimitsError(
            f"[{_TABLE}] {where} = {printable(repr(given))}: {_lower_first(first['msg'].removeprefix('Value error, '))}"
        ) from None


def _lower_first(text: str) -> str:
    """A sentence within another: only its first letter becomes small."""
    return text[:1].lower() + text[1:]


def _merge(table: dict[str, Any], over: Mapping[str, Any], where: str) -> None:
    for key, value in over.items():
        if key not in table:
            raise LimitsError(f"{where}: there is no {printable(repr(key))}; known are {', '.join(table)}")
        if isinstance(table[key], dict) is not isinstance(value, Mapping):
            kind = "a table of seconds, memory and retries" if isinstance(table[key], dict) else "a value"
            raise LimitsError(f"{where}: {key} = {printable(repr(value))} must be {kind}")
        if isinstance(value, Mapping):
            _merge(table[key], value, f"{where} {key}")
        else:
            table[key] = value
