"""Every documented way in which the SDK ends, through the adapter: the right value is what the documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.outside.endings import EVERY, wrong
from tests.doubles.forked_compiler import forked_compiler


@pytest.mark.parametrize("name", EVERY)
def test_each_way_that_a_stage_ends_is_told_rightly(tmp_path: Path, name: str) -> None:
    with forked_compiler():
        assert wrong(name, tmp_path) == ""
