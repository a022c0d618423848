"""Every case must translate to a HAR: the embedded parser, or the vendor's, takes the graph."""

import pytest

from tasnet.suite.plugin import Judged, conclude


@pytest.mark.compile
def test_translate(translated: Judged) -> None:
    conclude(translated)
