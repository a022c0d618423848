"""Ctrl-C, or a kill, while the compiler hangs: the run ends and leaves no process and no half of anything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.doubles.dfc_python import dfc_python
from tests.doubles.processes import TOKEN, left, until
from tests.doubles.recordings import recordings
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).resolve().parents[3]
CASES = ("project-bypass-conv1x1_head-k1", "project-bypass-reduced_deconv_64-k1")


@pytest.mark.parametrize(
    ("workers", "number"), [(0, signal.SIGINT), (2, signal.SIGINT), (1, signal.SIGKILL)], ids=["alone", "n2", "killed"]
)
def test_an_end_from_outside_leaves_nothing(
    tmp_path: Path, notes_store: Path, workers: int, number: signal.Signals
) -> None:
    token = uuid4().hex
    # the graphs are exported: it is about the compiler; HARs are not, none may be left
    copy_store(notes_store, tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "har")
    hanging = [{"do": "fork"}, {"do": "hang", "stubborn": True}]
    # the double's HARs are all alike, and a compile of two would be one
    python = dfc_python(tmp_path / "dfc", {"translate_onnx_model": hanging})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-n",
        str(workers),
        "--tasnet-profile",
        "notes",
    ]
    command += [f"tests/compile/test_compile.py::test_compile[{case}]" for case in CASES]
    command += [f"--tasnet-store={tmp_path / 'store'}", "--tasnet-toolchain=dfc", f"--tasnet-dfc-python={python}"]
    command += [f"--tasnet-calibration={recordings(tmp_path / 'speech.npz')}"]
    command += [f"--tasnet-limit={stage}.memory=1 GiB" for stage in ("translate", "optimize", "compile")]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TASNET_"))}
    run = subprocess.Popen(
        command,
        cwd=ROOT,
        # memory is shared by locks in the folder for temporary files: this run's own, for others may hold it
        env={**environ, TOKEN: token, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        # of each stage two children that are deaf to SIGTERM, beside a third after a double fork
        assert until(lambda: run.poll() is not None or len(_deaf(token)) >= 2 * max(1, workers), 120, 0.1)
        assert run.poll() is None
        if number is signal.SIGINT:
            # as a terminal does: to all that run in the foreground
            os.killpg(run.pid, signal.SIGINT)
            said, _ = run.communicate(timeout=120)
            assert run.returncode == 2, said
            assert "KeyboardInterrupt" in said
        else:
            # the run alone: its workers find out by themselves
            run.kill()
            run.wait()
    finally:
        run.kill()
    assert until(lambda: not left(token), 60, 0.1), left(token)
    assert not list((tmp_path / "store" / "har").glob("*"))
    assert number is signal.SIGKILL or not list((tmp_path / "store" / "tmp").iterdir())


def _deaf(token: str) -> list[psutil.Process]:
    """The stand-in's sleeping children."""
    found = []
    for process in left(token):
        try:
            if "time.sleep(3600)" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found
