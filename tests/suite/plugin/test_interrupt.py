"""Ctrl-C, or a kill, while the compiler hangs: the run ends and leaves no process and no half of anything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from tests.doubles.dfc_python import dfc_python
from tests.doubles.processes import TOKEN, left, until
from tests.doubles.recordings import recordings
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).resolve().parents[3]
CASES = ("project-bypass-conv1x1_head-k1", "project-bypass-reduced_deconv_64-k1")


def test_an_interrupt_of_all_in_the_foreground_leaves_nothing(tmp_path: Path, notes_store: Path) -> None:
    with hanging(tmp_path, notes_store, workers=2) as run:
        run.interrupt()
        run.left_nothing()


def test_neither_does_a_kill_of_the_run_alone_nor_the_interrupt_of_another_without_workers(
    tmp_path: Path, notes_store: Path
) -> None:
    """The killed run's worker finds out by itself, and execnet gives it five seconds: the other is run meanwhile."""
    with hanging(tmp_path / "killed", notes_store, workers=1) as killed:
        killed.process.kill()
        killed.process.wait()
        with hanging(tmp_path / "interrupted", notes_store, workers=0) as run:
            run.interrupt()
            run.left_nothing()
        killed.left_nothing(unfinished=True)


@dataclass(frozen=True)
class Hanging:
    """A run whose compiler hangs: its process, what its environment is known by, and its store."""

    process: subprocess.Popen[str]
    token: str
    store: Path

    def interrupt(self) -> None:
        """As a terminal does: to all that run in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)
        said, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 2, said
        assert "KeyboardInterrupt" in said

    def left_nothing(self, *, unfinished: bool = False) -> None:
        """No process, no HAR, and no file that was being written but where nobody could take it away."""
        assert until(lambda: not left(self.token), 60, 0.1), left(self.token)
        assert not list((self.store / "har").glob("*"))
        assert unfinished or not list((self.store / "tmp").iterdir())


@contextmanager
def hanging(folder: Path, notes_store: Path, *, workers: int) -> Iterator[Hanging]:
    """Starts a run in a session of its own, and goes on when each worker's compiler hangs."""
    token, store = uuid4().hex, folder / "store"
    # the graphs are exported: it is about the compiler; HARs are not, none may be left
    copy_store(notes_store, store)
    shutil.rmtree(store / "har")
    acts = [{"do": "fork"}, {"do": "hang", "stubborn": True}]
    # the double's HARs are all alike, and a compile of two would be one
    python = dfc_python(folder / "dfc", {"translate_onnx_model": acts})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    command += ["-n", str(workers), "--tasnet-profile", "notes"]
    command += [f"tests/compile/test_compile.py::test_compile[{case}]" for case in CASES]
    command += [f"--tasnet-store={store}", "--tasnet-toolchain=dfc", f"--tasnet-dfc-python={python}"]
    command += [f"--tasnet-calibration={recordings(folder / 'speech.npz')}"]
    command += [f"--tasnet-limit={stage}.memory=1 GiB" for stage in ("translate", "optimize", "compile")]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TASNET_"))}
    run = subprocess.Popen(
        command,
        cwd=ROOT,
        # memory is shared by locks in the folder for temporary files: this run's own, for others may hold it
        env={**environ, TOKEN: token, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        # of each stage two children that are deaf to SIGTERM, beside a third after a double fork
        assert until(lambda: run.poll() is not None or len(_deaf(token)) >= 2 * max(1, workers), 120, 0.1)
        assert run.poll() is None
        yield Hanging(run, token, store)
    finally:
        run.kill()


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
