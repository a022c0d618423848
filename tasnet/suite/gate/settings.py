"""What the gate lets pass: `[tool.tasnet.gate]` of pyproject.toml."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasnet.common import printable, settings_table
from tasnet.suite.gate.checkout import GateError

TABLE = "tool.tasnet.gate"


class Settings(BaseModel):
    """The gate's limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size_share: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    """how much a graph may grow: MACs, weights, its widest row, the ONNX file"""
    seconds: float = Field(default=1800.0, gt=0, le=7 * 86400, allow_inf_nan=False)
    """what the code of each side may take to export the graphs"""
    parity_graphs: int = Field(default=6, ge=0)
    """how many changed graphs are run at every stage, ten seconds each; more are sampled, every kind of change first"""


def settings(pyproject: Path) -> Settings:
    """The settings in a pyproject.toml; what it doesn't say is as above. Raises GateError."""
    if not pyproject.exists():
        return Settings()
    try:
        return Settings.model_validate(settings_table(pyproject, TABLE, GateError))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (TABLE, *first["loc"])))
        known = ", ".join(Settings.model_fields)
        raise GateError(f"{pyproject}: {printable(where)}: {first['msg']}; {known} are known") from None
