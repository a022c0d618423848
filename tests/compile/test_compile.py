"""Every case must end as the ledger says: it compiles, or fails by an entry's root cause."""

import pytest

from tasnet.suite.plugin import Judged, conclude


@pytest.mark.compile
def test_compile(compiled: Judged) -> None:
    conclude(compiled)
