"""The compiler's double in forks of a small process, for tests that aren't about the compiler's process.

Its stages then import neither numpy nor torch again, which takes longer than what they do. A fork of pytest's own, with
all tests in its memory, takes longer too. That a stage has an interpreter of its own, its limits and its log, is what
the tests in `tests/hailo/compiler` and `process` are about.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tasnet.hailo.compiler.worker import __name__ as worker
from tasnet.hailo.process import ProcessEnd
from tests.doubles.dfc_python import DOUBLES
from tests.forked import run_module

_PACKAGES = {"read": ("onnx",), "run": ("onnx_ir", "torch")}
"""other people's that a graph of the double needs, which stay in the small process for the next stage"""


@contextmanager
def forked_compiler() -> Iterator[None]:
    """Stages of an interpreter made by `dfc_python` run in forks, inside of this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasnet.hailo.compiler.dfc.run_process", _run)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """A run of pytest that was given this as a plugin."""
    try:
        with forked_compiler():
            return (yield)
    finally:
        _small_process().shutdown()


def _run(
    command: Sequence[str], *, request: Mapping[str, Any], log: Path, cwd: Path, env: Mapping[str, str], **_limits: Any
) -> ProcessEnd:
    """As `run_process`, with no limits."""
    return _small_process().submit(_stage, command[0], request, log, cwd, env).result()


@cache
def _small_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _stage(python: str, request: Mapping[str, Any], log: Path, cwd: Path, env: Mapping[str, str]) -> ProcessEnd:
    acts = Path(f"{python}.json")
    for package in _PACKAGES.get(json.loads(acts.read_text()).get("graph"), ()):
        importlib.import_module(package)
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        words = [str(asked.fileno()), str(told.fileno())]
        ran = run_module(worker, words, cwd, {**env, "HAILO_DOUBLE": str(acts), "PYTHONPATH": str(DOUBLES)})
        told.seek(0)
        messages = tuple(json.loads(line) for line in told)
    log.write_text(ran.stdout + ran.stderr, encoding="utf-8")
    code = ran.returncode
    return ProcessEnd(messages, code) if code >= 0 else ProcessEnd(messages, signal=-code)
