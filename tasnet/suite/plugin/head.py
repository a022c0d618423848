"""The head of a run: what it set out to do, as the history keeps it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tasnet import __version__
from tasnet.suite.history import RunHead, RunOrigin
from tasnet.suite.plugin.setup import SETUP
from tasnet.suite.run import file_sha256


def run_head(config: pytest.Config, chosen: int = 0, origin: RunOrigin | None = None) -> RunHead:
    """The head of the run that these options ask for."""
    setup = config.stash[SETUP]
    ledger = setup.ledger.path
    return RunHead(
        started=datetime.now(timezone.utc),
        profile=setup.profile,
        arch=setup.arch,
        toolchain=setup.choice.name,
        version=setup.compiler.version if setup.compiler else __version__,
        double=bool(setup.compiler and setup.compiler.double),
        repeat=tuple(f"{name}{value}" for name, value in setup.repeat),
        cases=len(setup.cases),
        chosen=chosen,
        checkpoint=str(setup.recipe.checkpoint or ""),
        ledger=str(ledger),
        ledger_sha256=file_sha256(ledger),
        origin=origin or RunOrigin(),
    )
