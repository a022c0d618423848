"""The suite in a folder of its own, for the plugin's tests."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.suite.plugin.small_suite import LEDGER, tells

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session", autouse=True)
def _loaded() -> None:
    """Each loads but once in a process: a run in this one finds them there.

    And only now: pytest may read this file before tests/conftest.py says how many threads torch is to have.
    """
    for package in ("numpy", "onnx", "scipy.signal", "torch"):
        import_module(package)


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
