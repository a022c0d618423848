"""Every prediction must agree with what was observed: old runs that were imported, and the compiler's own runs."""

import pytest

from tasnet.suite.observed.confusions import ConfusionTable
from tasnet.suite.plugin import conclude_evidence

pytestmark = pytest.mark.compile


def test_predictions_agree_with_the_evidence(recalled: ConfusionTable) -> None:
    conclude_evidence(recalled)
