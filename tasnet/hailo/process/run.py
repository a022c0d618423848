"""One command in a process tree of its own, with a time limit, a memory limit and a log; no process of it is left.

The command sends its messages as JSON lines on a file descriptor of its own; whatever it prints goes to the log. A
keeper process (`keeper.py`) between the two ends the tree even if this process is killed. Linux only, as the compiler
is.
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
from dataclasses import dataclass, field, replace
from enum import Enum
from io import FileIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from tasnet.hailo.process.bounded_log import BoundedLog

Message = Mapping[str, Any]

MARK = "TASNET_STAGE_MARK"
"""environment variable of every process of a tree, by which they are found when the keeper was killed too"""

_KEEPER = Path(__file__).with_name("keeper.py")
_MEMORY_EVERY = 0.2
_KEEPER_SECONDS = 10.0
"""time for the keeper, beyond the grace, before the tree is ended from here"""
_MAX_MESSAGE_BYTES = 16 << 20
_BLOCK = 1 << 18


class Resource(str, Enum):
    """What a limit is on. The value is the limit's unit."""

    TIME = "seconds"
    MEMORY = "bytes"


@dataclass(frozen=True)
class ExceededLimit:
    """The limit for which a command was ended from outside. `limit` is in the resource's unit."""

    resource: Resource
    limit: float

    @property
    def figures(self) -> dict[str, int | float | str]:
        """`{"limit_seconds": 60.0}` or `{"limit_bytes": 1073741824}`: the form in which reports and records keep it."""
        return {f"limit_{self.resource.value}": self.limit}


@dataclass(frozen=True)
class ProcessEnd:
    """How a command ended. `code` is its exit code and `signal` the signal it died of; the other is None.

    Both are None if it never started (`unstarted` says why) or if the keeper was killed with it. `exceeded` is the
    limit that ended it.
    """

    messages: tuple[Message, ...] = ()
    code: int | None = None
    signal: int | None = None
    exceeded: ExceededLimit | None = None
    unstarted: str = ""


@dataclass
class _RunState:
    """A running command: what is known of its end so far, and whether the keeper says that its tree is gone."""

    end: ProcessEnd = ProcessEnd()
    messages: list[Message] = field(default_factory=list)
    gone: bool = False

    def update(self, **known: Any) -> None:
        self.end = replace(self.end, **known)


def run_process(
    command: Sequence[str],
    *,
    request: Message,
    log: Path,
    cwd: Path,
    seconds: float,
    memory_bytes: int,
    grace: float = 5.0,
    env: Mapping[str, str] | None = None,
    on_message: Callable[[Message], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> ProcessEnd:
    """Run `command` with two numbers after it: the descriptor to read `request` from (JSON, to its end), and the
    one to write messages to (JSON lines). stdout and stderr go to `log`, stdin is empty.

    Over `seconds` the tree gets SIGTERM and, `grace` seconds later, SIGKILL; over `memory_bytes` SIGKILL at once.
    `on_message` is called with each message as it comes, which isn't kept then; once `stopped` returns true the tree
    is ended. Any exception here (Ctrl-C, one raised by `on_message`) ends the tree first. Raises OSError if the log or
    `cwd` can't be used.
    """
    mark = uuid4().hex
    state = _RunState()
    on_message = on_message or state.messages.append
    with contextlib.ExitStack() as stack:
        log_file = stack.enter_context(BoundedLog(log))
        request_file = stack.enter_context(tempfile.TemporaryFile())
        request_file.write(json.dumps(request).encode())
        request_file.flush()
        request_file.seek(0)
        # FileIO and not numbers: closing one twice must not close what another thread opened since.
        lifeline_in, lifeline = _pipe(stack)
        status, status_in = _pipe(stack)
        messages, messages_in = _pipe(stack)
        output, output_in = _pipe(stack)
        for end in (status, messages, output, lifeline):
            os.set_blocking(end.fileno(), False)
        arguments = (os.getpid(), lifeline_in.fileno(), status_in.fileno(), grace)
        given = (*command, str(request_file.fileno()), str(messages_in.fileno()))
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_KEEPER), *map(str, arguments), *given],
            stdin=subprocess.DEVNULL,
            stdout=output_in,
            stderr=output_in,
            cwd=cwd,
            env={**(os.environ if env is None else env), MARK: mark},
            pass_fds=(lifeline_in.fileno(), status_in.fileno(), messages_in.fileno(), request_file.fileno()),
            start_new_session=True,
        )
        selector = stack.enter_context(selectors.DefaultSelector())
        try:
            for end in (lifeline_in, status_in, messages_in, output_in):
                end.close()
            selector.register(status, selectors.EVENT_READ, _lines(functools.partial(_on_status, state)))
            selector.register(
                messages,
                selectors.EVENT_READ,
                _lines(functools.partial(_on_message, on_message)),
            )
            selector.register(output, selectors.EVENT_READ, log_file.write)
            _follow(selector, status, state, keeper, lifeline, seconds, memory_bytes, grace, stopped)
        finally:
            _leave_nothing(keeper, lifeline, state, mark)
        _drain(selector)
    return replace(state.end, messages=tuple(state.messages))


def _follow(
    selector: selectors.BaseSelector,
    status: FileIO,
    state: _RunState,
    keeper: subprocess.Popen[bytes],
    lifeline: FileIO,
    seconds: float,
    memory_bytes: int,
    grace: float,
    stopped: Callable[[], bool],
) -> None:
    """Read what comes until the keeper is done; end the command at its limits."""
    deadline, look = time.monotonic() + seconds, time.monotonic() + _MEMORY_EVERY
    while status in selector.get_map():
        exceeded = state.end.exceeded
        until = deadline if exceeded else min(deadline, look)
        for key, _ in selector.select(max(0.0, until - time.monotonic())):
            _take(selector, key)
        if stopped():
            return
        now = time.monotonic()
        if exceeded is not None:
            if now >= deadline:
                return
        elif now >= deadline:
            state.update(exceeded=ExceededLimit(Resource.TIME, seconds))
            _order(lifeline, b"T")
            deadline = now + grace + _KEEPER_SECONDS
        elif now >= look:
            used = _tree_bytes(keeper.pid, memory_bytes)
            if used > memory_bytes:
                state.update(exceeded=ExceededLimit(Resource.MEMORY, memory_bytes))
                _order(lifeline, b"K")
                deadline = now + _KEEPER_SECONDS
            look = time.monotonic() + _MEMORY_EVERY


def _drain(selector: selectors.BaseSelector) -> None:
    """Read what is still in the pipes; their writers are gone."""
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
    """A reader that calls `take` with each whole line, and cuts a line that has no end."""
    held = bytearray()

    def read(data: bytes) -> None:
        held.extend(data)
        *lines, rest = held.split(b"\n")
        if len(rest) > _MAX_MESSAGE_BYTES:
            lines, rest = [*lines, rest], bytearray()
        held[:] = rest
        for line in lines:
            take(bytes(line))

    return read


def _on_message(on_message: Callable[[Message], None], line: bytes) -> None:
    """JSON objects are messages; any other line is skipped."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if isinstance(message, dict):
        on_message(message)


def _on_status(state: _RunState, line: bytes) -> None:
    word, _, rest = line.decode(errors="replace").partition(" ")
    if word == "unstarted":
        state.update(unstarted=rest)
    elif word == "gone":
        state.gone = True
    elif word == "status" and not state.end.unstarted:
        code = os.waitstatus_to_exitcode(int(rest))
        state.update(code=None, signal=-code) if code < 0 else state.update(code=code)


def _tree_bytes(pid: int, limit: int) -> int:
    """Resident bytes of the tree below `pid`. Shared pages count once if that decides whether the limit is exceeded."""
    try:
        tree = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    used = sum(_resident(process) for process in tree)
    # The proportional count is slow, and needed only if forks that share pages seem to exceed the limit.
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


def _leave_nothing(keeper: subprocess.Popen[bytes], lifeline: FileIO, state: _RunState, mark: str) -> None:
    """End the tree: by the keeper or, if that was killed, from here. It is gone when this returns."""
    if not state.gone:
        _order(lifeline, b"K")
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(_KEEPER_SECONDS)
        if keeper.returncode == 0:
            return
    keeper.kill()
    keeper.wait()
    # A process that forks meanwhile is found in the next round.
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
