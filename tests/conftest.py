"""What tests of several rooms share: a folder, and a run that takes long, made once for all workers."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """One thread for each process of the project's own tests, those that they start too.

    Their networks are small: a second thread only waits for the first, at every layer, and waiting takes as much of a
    core as work does. Where the suite alone is run (`-m`), or a compiler, they may take what the machine has.
    """
    if not config.option.markexpr and config.option.tasnet_toolchain == "reference":
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection() -> None:
    """Next to nothing of what is imported and collected is garbage: looking for it takes a second in each worker."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is there by now stays: five thousand tests and torch needn't be looked through again."""
    gc.enable()
    gc.freeze()


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """No test asserts times: hypothesis gets no deadline, before the module is imported whose settings build on it.

    It is imported for those modules alone: the suite's own need it nowhere, and on a Pi it isn't installed.
    """
    if b"hypothesis" in module_path.read_bytes():
        from hypothesis import settings

        settings.register_profile("no deadline", deadline=None)
        settings.load_profile("no deadline")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """hypothesis's plugin imports it for the summary, in every worker too: in vain where no test of its is there.

    pytest and Python look for garbage five times more before they end, and what is there goes with the process.
    """
    if "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")
    gc.freeze()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share; what is made in it must bear that."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session")
def notes_store(shared_folder: Path) -> Path:
    """A store with one whole run of the profile `notes`, made by the first worker that asks. Take a copy of it.

    Whoever is about something else than an empty store needn't export the profile's twenty graphs again.
    """
    from filelock import FileLock

    from tests.doubles.repository import run_pytest

    store = shared_folder / "notes-store"
    with FileLock(shared_folder / "notes-store.lock"):
        done = shared_folder / "notes-store.done"
        if not done.exists():
            words = ["-q", "-p", "no:cacheprovider", "-m", "compile"]
            words += ["tests/compile/test_compile.py", "--tasnet-profile", "notes", f"--tasnet-store={store}"]
            ran = run_pytest(*words)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            done.touch()
    return store
