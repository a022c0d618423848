"""One command in a process tree of its own, with a time limit, a memory limit and a log; nothing of it is left.

The command talks in JSON lines on a file descriptor of its own, so whatever it prints goes to the log and breaks
nothing. A keeper (`keeper.py`) stands between and ends the tree even when this process is killed. Linux only, as the
compiler is.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from io import FileIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from tasnet.hailo.process.bounded_log import BoundedLog

Message = Mapping[str, Any]

MARK = "TASNET_STAGE_MARK"
"""environment variable that every process of a tree carries: what finds them when the keeper is gone too"""

_KEEPER = Path(__file__).with_name("keeper.py")
_MEMORY_EVERY = 0.2
_KEEPER_SECONDS = 10.0
"""what the keeper gets beyond the grace before the tree is ended from here"""
_LONGEST_MESSAGE = 16 << 20
_BLOCK = 1 << 18


class Cut(str, Enum):
    """Why a command was ended from outside."""

    TIME = "time"
    MEMORY = "memory"


@dataclass(frozen=True)
class Finish:
    """How a command ended. `code` is its exit code and `signal` the signal it died of; the other is None.

    Both are None when it never started (`unstarted` says why) or when the keeper was killed with it. `cut` says
    which limit ended it. `rubbish` counts lines on the message descriptor that are no messages.
    """

    messages: tuple[Message, ...] = ()
    code: int | None = None
    signal: int | None = None
    cut: Cut | None = None
    unstarted: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    """the largest resident memory of the tree that was seen, looked at every fifth of a second"""
    rubbish: int = 0


@dataclass
class _Watch:
    """What is known of a running command."""

    messages: list[Message] = field(default_factory=list)
    rubbish: int = 0
    code: int | None = None
    signal: int | None = None
    unstarted: str = ""
    gone: bool = False
    cut: Cut | None = None
    peak_bytes: int = 0


def run(
    command: Sequence[str],
    *,
    request: Message,
    log: Path,
    cwd: Path,
    seconds: float,
    memory_bytes: int,
    grace: float = 5.0,
    env: Mapping[str, str] | None = None,
    hear: Callable[[Message], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Finish:
    """Run `command` with two numbers after it: the descriptor to read `request` from (JSON, to its end), and the
    one to write messages to (JSON lines). stdout and stderr go to `log`, stdin is empty.

    Over `seconds` the tree gets SIGTERM and, `grace` seconds later, SIGKILL; over `memory_bytes` SIGKILL at once.
    `hear` takes each message as it comes, which is not kept then; once `stopped` says so the tree is ended.
    Any exception here (Ctrl-C, one that `hear` raises) ends the tree before it goes on. OSError where log or cwd can't
    be used.
    """
    started = time.monotonic()
    mark = uuid4().hex
    watch = _Watch()
    with contextlib.ExitStack() as stack:
        log_file = stack.enter_context(BoundedLog(log))
        asked = stack.enter_context(tempfile.TemporaryFile())
        asked.write(json.dumps(request).encode())
        asked.flush()
        asked.seek(0)
        # FileIO and not numbers: closing one twice must not close what another thread opened since.
        lifeline_in, lifeline = _pipe(stack)
        status, status_in = _pipe(stack)
        messages, messages_in = _pipe(stack)
        output, output_in = _pipe(stack)
        for end in (status, messages, output, lifeline):
            os.set_blocking(end.fileno(), False)
        told = (os.getpid(), lifeline_in.fileno(), status_in.fileno(), grace)
        asked_of = (*command, str(asked.fileno()), str(messages_in.fileno()))
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_KEEPER), *map(str, told), *asked_of],
            stdin=subprocess.DEVNULL,
            stdout=output_in,
            stderr=output_in,
            cwd=cwd,
            env={**(os.environ if env is None else env), MARK: mark},
            pass_fds=(lifeline_in.fileno(), status_in.fileno(), messages_in.fileno(), asked.fileno()),
            start_new_session=True,
        )
        selector = stack.enter_context(selectors.DefaultSelector())
        try:
            for end in (lifeline_in, status_in, messages_in, output_in):
                end.close()
            selector.register(status, selectors.EVENT_READ, _lines(functools.partial(_on_status, watch)))
            selector.register(messages, selectors.EVENT_READ, _lines(functools.partial(_on_message, watch, hear)))
            selector.register(output, selectors.EVENT_READ, log_file.write)
            _follow(selector, status, watch, keeper, lifeline, started + seconds, memory_bytes, grace, stopped)
        finally:
            _leave_nothing(keeper, lifeline, watch, mark)
        _drain(selector)
    return Finish(
        messages=tuple(watch.messages),
        code=watch.code,
        signal=watch.signal,
        cut=watch.cut,
        unstarted=watch.unstarted,
        seconds=time.monotonic() - started,
        peak_bytes=watch.peak_bytes,
        rubbish=watch.rubbish,
    )


def _follow(
    selector: selectors.BaseSelector,
    status: FileIO,
    watch: _Watch,
    keeper: subprocess.Popen[bytes],
    lifeline: FileIO,
    deadline: float,
    memory_bytes: int,
    grace: float,
    stopped: Callable[[], bool],
) -> None:
    """Take in what comes until the keeper is done; cut the command at its limits."""
    look = time.monotonic() + _MEMORY_EVERY
    while status in selector.get_map():
        now = time.monotonic()
        until = deadline if watch.cut else min(deadline, look)
        for key, _ in selector.select(max(0.0, until - now)):
            _take(selector, key)
        if stopped():
            return
        now = time.monotonic()
        if watch.cut is None and now >= deadline:
            watch.cut = Cut.TIME
            _order(lifeline, b"T")
            deadline = now + grace + _KEEPER_SECONDS
        elif watch.cut is not None and now >= deadline:
            return
        if watch.cut is None and now >= look:
            used = _tree_bytes(keeper.pid, memory_bytes)
            watch.peak_bytes = max(watch.peak_bytes, used)
            if used > memory_bytes:
                watch.cut = Cut.MEMORY
                _order(lifeline, b"K")
                deadline = now + _KEEPER_SECONDS
            look = time.monotonic() + _MEMORY_EVERY


def _drain(selector: selectors.BaseSelector) -> None:
    """What is still in the pipes; their writers are gone."""
    while ready := selector.select(0):
        for key, _ in ready:
            _take(selector, key)


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    try:
        data = os.read(key.fd, _BLOCK)
    except BlockingIOError:
        return
    if data:
        key.data(data)
    else:
        selector.unregister(key.fileobj)


def _lines(take: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A reader that hands on whole lines, and cuts one that has no end."""
    held = bytearray()

    def read(data: bytes) -> None:
        held.extend(data)
        *lines, rest = held.split(b"\n")
        if len(rest) > _LONGEST_MESSAGE:
            lines, rest = [*lines, rest], bytearray()
        held[:] = rest
        for line in lines:
            take(bytes(line))

    return read


def _on_message(watch: _Watch, hear: Callable[[Message], None] | None, line: bytes) -> None:
    """JSON objects are messages; a line of anything else can't stop them."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if isinstance(message, dict):
        if hear is None:
            watch.messages.append(message)
        else:
            hear(message)
    else:
        watch.rubbish += 1


def _on_status(watch: _Watch, line: bytes) -> None:
    word, _, rest = line.decode(errors="replace").partition(" ")
    if word == "unstarted":
        watch.unstarted = rest
    elif word == "gone":
        watch.gone = True
    elif word == "status" and not watch.unstarted:
        code = os.waitstatus_to_exitcode(int(rest))
        watch.code, watch.signal = (None, -code) if code < 0 else (code, None)


def _tree_bytes(pid: int, limit: int) -> int:
    """Resident memory of the tree below `pid`. Pages that processes share count once where it matters."""
    try:
        tree = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    used = sum(_resident(process) for process in tree)
    # The proportional count is dear, and only needed where forks that share their pages seem too many.
    return used if used <= limit else sum(_proportional(process) for process in tree)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return _resident(process)


def _leave_nothing(keeper: subprocess.Popen[bytes], lifeline: FileIO, watch: _Watch, mark: str) -> None:
    """The tree is gone when this returns, by the keeper or, if it can't any more, from here."""
    if not watch.gone:
        _order(lifeline, b"K")
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(_KEEPER_SECONDS)
        if keeper.returncode == 0:
            return
    keeper.kill()
    keeper.wait()
    # Whoever still forks is met in the next round.
    rounds = time.monotonic() + _KEEPER_SECONDS
    while (left := marked(mark)) and time.monotonic() < rounds:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=0.5)


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that carry `mark` in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11; `signal 99` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _order(lifeline: FileIO, order: bytes) -> None:
    with contextlib.suppress(OSError):
        lifeline.write(order)


def _pipe(stack: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    """The reading and the writing end of a pipe, closed with the stack at the latest."""
    out, into = os.pipe()
    return stack.enter_context(FileIO(out, "r")), stack.enter_context(FileIO(into, "w"))
