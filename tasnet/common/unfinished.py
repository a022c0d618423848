"""Unfinished files and folders: locked while their writer lives, so that whoever comes next can tell a killed one's.

A process id says too little: another machine or container that shares the folder has ids of its own, and they come
round again. The system frees a lock when its holder dies, however it dies. Where a file system has no locks, only age
tells, and nothing is taken for dead that is younger than a day.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

OLD_SECONDS = 24 * 3600
"""What can't be locked and is older than this belongs to nobody alive."""

_NAME = re.compile(r".*\.[0-9a-f]{16}\.unfinished", re.DOTALL)


def write(target: Path, content: bytes | memoryview, within: Path | None = None, *, lasting: bool = True) -> None:
    """Writes `target` whole or not at all, as `opened` does. Raises OSError, and leaves nothing behind then."""
    with opened(target, within, lasting=lasting) as file:
        file.write(content)


@contextmanager
def opened(target: Path, within: Path | None = None, *, lasting: bool = True) -> Iterator[BinaryIO]:
    """A file to write into: beside `target` (or in `within`, on the same disk), flushed and renamed when left.

    An exception leaves `target` as it was. A link stays one, and what it leads to is written; with `within` it is
    replaced. A file that was there keeps its mode, a new one has what the user's umask leaves. What is no file, such
    as a pipe or /dev/stdout, is written into at the end; a pipe that nobody reads would wait for ever, and is an
    OSError. What killed writers left in the folder is removed before the first file that a process writes there.
    Unless it is `lasting` nobody waits for the disk: a power cut may damage it, which its reader must be able to tell.
    """
    target = target if within else Path(os.path.realpath(target))
    found = _mode(target)
    if found is not None and not stat.S_ISREG(found) and not stat.S_ISDIR(found):
        content = io.BytesIO()
        yield content
        _written_into(target, content.getbuffer())
        return
    where = within or target.parent
    _swept(where)
    try:
        path, file = _begun(where, f".{target.name}" if within is None else "")
    except OSError as error:
        # Nobody knows the unfinished file's name.
        error.filename = str(target)
        raise
    try:
        with file:
            yield file
            file.flush()
            if found is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(found))
            if lasting:
                os.fsync(file.fileno())
            os.replace(path, target)
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, OSError) and error.filename is None:
            # A write that fails doesn't say where.
            error.filename = str(target)
        raise


def _mode(path: Path) -> int | None:
    """None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _written_into(path: Path, content: memoryview) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _begun(within: Path, prefix: str) -> tuple[Path, BinaryIO]:
    """A new file that is locked."""
    while True:
        path = _new(within, prefix)
        file = path.open("xb")
        if _held(file.fileno()):
            return path, file
        file.close()


@contextmanager
def folder(within: Path | None = None, prefix: str = "") -> Iterator[Path]:
    """An empty folder in `within` (None: the system's place for such), gone when left.

    What killed processes left there, of the same prefix, is removed first.
    """
    within = within or Path(tempfile.gettempdir())
    sweep(within, f"{prefix}.")
    while True:
        path = _new(within, prefix)
        path.mkdir(mode=0o700)
        with held(path) as own:
            # Between the two lines a sweeper may have taken it for a dead one's.
            if not own:
                continue
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)
            return


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Marks a folder as a living process's until it is left. False where it isn't there any more."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _held(handle)
    finally:
        os.close(handle)


def sweep(within: Path, prefix: str = "") -> None:
    """Removes the unfinished files and folders in `within`, of a prefix, that nobody alive holds."""
    with suppress(OSError), os.scandir(within) as listed:
        for each in listed:
            if each.name.startswith(prefix) and _NAME.fullmatch(each.name):
                _remove(Path(each.path))


@lru_cache(maxsize=256)
def _swept(within: Path) -> None:
    sweep(within)


def _remove(path: Path) -> None:
    """The lock is kept while it is removed: a writer that was about to lock it finds it gone, and begins anew."""
    try:
        handle = os.open(path, (os.O_RDONLY if path.is_dir() else os.O_RDWR) | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:
            if time.time() - os.fstat(handle).st_mtime <= OLD_SECONDS:
                return
        if os.fstat(handle).st_uid != os.geteuid():
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    finally:
        os.close(handle)


def _new(within: Path, prefix: str) -> Path:
    return within / f"{prefix}.{secrets.token_hex(8)}.unfinished"


def _held(handle: int) -> bool:
    """Locks what was just made; False where a sweeper was quicker. On a file system without locks it is held by age."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    found = os.fstat(handle)
    return found.st_nlink > 0
