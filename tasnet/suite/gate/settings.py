"""What the gate lets pass: `[tool.tasnet.gate]` of pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasnet.suite.gate.checkout import GateError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Settings(BaseModel):
    """The gate's limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size_share: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    """how much a graph may grow: MACs, weights, its widest row, the ONNX file"""
    parity_graphs: int = Field(default=6, ge=0)
    """how many changed graphs are run at every stage, ten seconds each; more are sampled, every kind of change first"""


def settings(pyproject: Path) -> Settings:
    """The settings in a pyproject.toml; what it doesn't say is as above. Raises GateError."""
    try:
        told = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise GateError(f"{pyproject}: can't be read ({' '.join(str(error).split())}); mend the file") from None
    try:
        return Settings.model_validate(told.get("tool", {}).get("tasnet", {}).get("gate", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("tool.tasnet.gate", *first["loc"])))
        known = ", ".join(Settings.model_fields)
        raise GateError(f"{pyproject}: {where}: {first['msg']}; {known} are known") from None
