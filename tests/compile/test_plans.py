"""Every network of the profile `plans` must have a plan; the segments of it are cases like any others."""

import pytest

from tasnet.suite.plugin import conclude_plan
from tasnet.suite.run import KeptPlan


@pytest.mark.compile
def test_plan(planned: KeptPlan, request: pytest.FixtureRequest) -> None:
    conclude_plan(planned, request)
