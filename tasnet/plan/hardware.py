"""A hardware profile: the figures that a plan's times are modelled with, each with its range and its source."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from tasnet.common import printable, read_text
from tasnet.plan.function import PlanError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_PROFILE_BYTES = 1 << 16
"""bytes of a profile"""

MAX_HEFS = 256
"""core-ops that a device can hold: HailoRT 4.23 casts their index to uint8"""

SHIPPED = {"raspberry-pi-5": "raspberry_pi_5.toml", "x86": "x86_gen3_x4.toml"}
"""the profiles that come with the package, by their names on the command line"""


@dataclass(frozen=True)
class Figure:
    """One figure, in the unit that its name ends in. `low` and `high` are what it may be as well."""

    value: float
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Hardware:
    """What the model knows of a host, its link and a chip."""

    name: str
    link_bytes_per_second: Figure
    switch_seconds: Figure
    invocation_seconds: Figure
    macs_per_second: Figure
    host_bytes_per_second: Figure
    host_macs_per_second: Figure

    @property
    def figures(self) -> dict[str, float]:
        """The values in use, by name."""
        return {name: getattr(self, name).value for name in FIGURES}


def hardware_of(name: str, figures: Mapping[str, float]) -> Hardware:
    """A profile of a plan's own figures, which have no ranges there."""
    return Hardware(name, **{each: Figure(figures[each], figures[each], figures[each], "the plan") for each in FIGURES})


FIGURES = tuple(each.name for each in fields(Hardware) if each.name != "name")


def read_profile(asked: str) -> Hardware:
    """A shipped profile by its name, or the TOML file at that path. Raises PlanError, one line."""
    if asked in SHIPPED:
        return _parsed((files("tasnet.plan") / "profiles" / SHIPPED[asked]).read_text("utf-8"), asked)
    path = Path(asked)
    if not path.suffix and not path.exists():
        raise PlanError(f"--hardware {printable(asked)}: unknown; one of {', '.join(SHIPPED)}, or a .toml file")
    return _parsed(read_text(path, most=MAX_PROFILE_BYTES, what="a hardware profile", error=PlanError), str(path))


def _parsed(content: str, where: str) -> Hardware:
    try:
        given = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{where}: not TOML ({printable(str(error), 120)}); mend it there") from None
    name = given.pop("name", None)
    if not isinstance(name, str) or not name:
        raise PlanError(f'{where}: no name; begin with name = "…"')
    if unknown := sorted(given.keys() - set(FIGURES)):
        raise PlanError(f"{where}: {printable(unknown[0])} is unknown; the figures are {', '.join(FIGURES)}")
    if missing := [each for each in FIGURES if each not in given]:
        raise PlanError(f"{where}: [{missing[0]}] is missing; write its value, range and source")
    return Hardware(printable(name), **{each: _figure(each, given[each], where) for each in FIGURES})


def _figure(name: str, given: Any, where: str) -> Figure:
    if not isinstance(given, dict) or set(given) != {"value", "range", "source"}:
        raise PlanError(f"{where}: [{name}] must have value, range and source, and nothing else")
    span, source = given["range"], given["source"]
    numbers = [given["value"], *(span if isinstance(span, list) else ())]
    fit = len(numbers) == 3 and all(type(each) in (int, float) and 0 < each < float("inf") for each in numbers)
    if not fit or not numbers[1] <= numbers[0] <= numbers[2]:
        raise PlanError(f"{where}: [{name}] needs a value above 0 and a range [low, high] around it")
    if not isinstance(source, str) or not source:
        raise PlanError(f"{where}: [{name}] needs a source: where its value is from, in words")
    return Figure(float(numbers[0]), float(numbers[1]), float(numbers[2]), source)
