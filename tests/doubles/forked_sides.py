"""Both sides of a gate in forks of this process, for tests that aren't about the sides' processes.

Either imports torch and onnx-ir, which takes longer than what it exports. That a side has an interpreter of its own,
its limits and its log, is what test_gate_hostile.py and test_gate_inputs.py are about, and the command in test_gate.py.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A fork finds them there.
import onnx_ir  # noqa: F401
import pytest
import torch  # noqa: F401

from tasnet.hailo.process import ProcessEnd
from tests.forked import run_module

_ONE_FORK = threading.Lock()
"""the sides are started by threads; while one forks, the other holds nothing"""


@contextmanager
def forked_sides() -> Iterator[None]:
    """Sides are forks, inside of this."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tasnet.suite.gate.sides.run_process", _run)
        yield


def _run(
    command: Sequence[str],
    *,
    request: Mapping[str, Any],
    log: Path,
    cwd: Path,
    env: Mapping[str, str],
    on_message: Callable[[Any], None],
    **_limits: Any,
) -> ProcessEnd:
    """As `run_process`, with no limits, and the messages when it has ended."""
    _, *words = command
    with _ONE_FORK, tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        ran = run_module(words[0], [*words[1:], str(asked.fileno()), str(told.fileno())], cwd, env)
        told.seek(0)
        messages = [json.loads(line) for line in told]
    log.write_text(ran.stdout + ran.stderr, encoding="utf-8")
    for each in messages:
        on_message(each)
    return ProcessEnd((), ran.returncode)
