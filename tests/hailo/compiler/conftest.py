"""An adapter around the double of the SDK, whose processes are all gone at a test's end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tasnet.hailo.compiler.dfc import Dfc
from tests.doubles.dfc_python import QUANTIZED_HAR, dfc_python
from tests.doubles.processes import TOKEN, left
from tests.hailo.compiler.stages import QUICK_LIMITS, Make


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Marks every process of a test; none may be left at its end."""
    token = uuid4().hex
    monkeypatch.setenv(TOKEN, token)
    yield token
    monkeypatch.delenv(TOKEN)
    assert not left(token)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "m.onnx").write_bytes(b"onnx")
    np.savez(tmp_path / "calibration.npz", speech=np.zeros((2, 1, 16, 1), np.float32))
    (tmp_path / "m.har").write_text(QUANTIZED_HAR)
    return tmp_path


@pytest.fixture
def dfc(files: Path, token: str) -> Make:
    def make(acts: Mapping[str, Any] | None = None, /, **options: Any) -> Dfc:
        python = dfc_python(files / "env", acts)
        given = {
            "limits": QUICK_LIMITS,
            "calibration": files / "calibration.npz",
            "memory_slots": files / "places",
            **options,
        }
        return Dfc(python, "3.33.0", double=True, **given)

    return make
