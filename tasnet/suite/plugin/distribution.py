"""Which worker of pytest-xdist gets which case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasnet.suite.cases import graph_key
from tasnet.suite.plugin.pairs import PAIR_ID
from tasnet.suite.plugin.setup import SETUP

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """All cases of one graph go to one worker: it does the work once, and the others wait for no lock."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    graphs = {f"[{case.id}]": graph_key(case) for case in config.stash[SETUP].cases}

    class ByGraph(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            _, bracket, name = nodeid.partition("[")
            return graphs.get(bracket + name.removeprefix(PAIR_ID), nodeid)

    return ByGraph(config, log)
