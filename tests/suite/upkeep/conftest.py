"""A run that the ledger is brought in line with."""

from __future__ import annotations

import pytest

from tasnet.suite.history.run import StoredRun
from tests.doubles.stored_runs import store_profile
from tests.suite.upkeep.grouped_ledger import tell


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A stored run of the notes in which every grouped case with all sources fails."""
    return store_profile(tmp_path_factory.mktemp("store"), tell)
