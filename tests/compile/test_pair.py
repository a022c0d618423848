"""What only the pair can tell: the compiler's graph, verdict and file beside the open ones. Skipped without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasnet.suite.plugin import conclude_differences, conclude_prediction

if TYPE_CHECKING:
    from tasnet.suite.observed import ToolchainPair, VerdictComparison

pytestmark = pytest.mark.compile


def test_same_layers(pair: ToolchainPair) -> None:
    from tasnet.suite.observed.pair import layer_differences

    conclude_differences(layer_differences, pair)


def test_prediction_holds(pair: ToolchainPair, verdicts: VerdictComparison) -> None:
    conclude_prediction(verdicts, pair)


def test_hef_fits_onnx(pair: ToolchainPair) -> None:
    from tasnet.suite.observed.pair import hef_differences

    conclude_differences(hef_differences, pair)
