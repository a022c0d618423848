"""The suite in a folder of its own, for the plugin's tests."""

from __future__ import annotations

from pathlib import Path

# Each loads but once in a process: a run in this one finds them there.
import numpy  # noqa: F401
import onnx  # noqa: F401
import pytest
import scipy.signal  # noqa: F401
import torch  # noqa: F401

from tests.suite.plugin.small_suite import LEDGER, tells

ROOT = Path(__file__).parents[3]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with the compile tests, the ledger above and a pipeline in which all is as that says."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.delenv("TASNET_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    folder = pytester.mkdir("compile")
    for name in ("test_compile.py", "test_translate.py", "test_ledger.py"):
        (folder / name).write_text((ROOT / "tests" / "compile" / name).read_text())
    (pytester.path / "expected_failures.yaml").write_text(LEDGER)
    tells(pytester, "{}")
    return pytester
