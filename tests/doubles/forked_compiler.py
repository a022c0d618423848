"""The compiler's double in a fork of this process, for tests that aren't about the compiler's process.

Its stages then import neither numpy nor torch again, which takes longer than what they do. That a stage has an
interpreter of its own, its limits and its log, is what the tests in `tests/hailo/compiler` and `process` are about.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tasnet.hailo.compiler.worker import __name__ as worker
from tasnet.hailo.process import ProcessEnd
from tests.doubles.dfc_python import DOUBLES
from tests.forked import run_module


@contextmanager
def forked_compiler() -> Iterator[None]:
    """Stages of an interpreter made by `dfc_python` run in forks, inside of this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasnet.hailo.compiler.dfc.run_process", _run)
        yield


def _run(
    command: Sequence[str], *, request: Mapping[str, Any], log: Path, cwd: Path, env: Mapping[str, str], **_limits: Any
) -> ProcessEnd:
    """As `run_process`, with no limits."""
    acts = {"HAILO_DOUBLE": f"{command[0]}.json", "PYTHONPATH": str(DOUBLES)}
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        ran = run_module(worker, [str(asked.fileno()), str(told.fileno())], cwd, {**env, **acts})
        told.seek(0)
        messages = tuple(json.loads(line) for line in told)
    log.write_text(ran.stdout + ran.stderr, encoding="utf-8")
    code = ran.returncode
    return ProcessEnd(messages, code) if code >= 0 else ProcessEnd(messages, signal=-code)
