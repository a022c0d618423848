"""What the tests of listening share."""

from __future__ import annotations

import pytest


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn on the page of `tasnet listen`: a spectrogram takes as long as its tiny network."""
    monkeypatch.setattr("tasnet.suite.numerics.listen_page.spectrogram", lambda *_: "data:,")
