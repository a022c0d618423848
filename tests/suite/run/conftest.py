"""A store, and the file in which a scripted toolchain counts its calls."""

from __future__ import annotations

import pytest

from tasnet.suite.run.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def calls(tmp_path):
    return tmp_path / "calls"
