"""What only the pair can tell: the compiler's graph, verdict and file beside the open ones. Skipped without it."""

import pytest

from tasnet.suite.observed.confusions import Compared
from tasnet.suite.observed.pair import Pair, hef_differences, layer_differences
from tasnet.suite.plugin import conclude_differences, conclude_prediction

pytestmark = pytest.mark.compile


def test_same_layers(pair: Pair) -> None:
    conclude_differences(layer_differences, pair)


def test_prediction_holds(pair: Pair, verdicts: Compared) -> None:
    conclude_prediction(verdicts, pair)


def test_hef_fits_onnx(pair: Pair) -> None:
    conclude_differences(hef_differences, pair)
