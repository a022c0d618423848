"""The process between `run.py` and its command: it ends every process of the command, whatever happens.

Run as a script (`python -I -S keeper.py …`) by `run.py`, with the standard library alone. It adopts every
orphan below it (PR_SET_CHILD_SUBREAPER), so that a double fork or a session of its own hides no process. It ends
the whole tree when it is asked to, when its parent is gone (the lifeline closes, or PR_SET_PDEATHSIG), and when the
command ends. If the keeper itself is killed, the kernel kills the command.

Arguments: the parent's pid, the file descriptors of lifeline and status, the grace in seconds, the command.
Lifeline in: `T` SIGTERM, then SIGKILL after the grace; `K` or its end SIGKILL now.
Status out, lines: `unstarted TEXT`, `status NUMBER` (the wait status of the command), `gone` (no process is left).
Each stage waits for its start: it imports only what loads fast.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_GRACE_OF_ORPHANS = 0.5
"""seconds for children that outlive the command to end by themselves"""


def main(parent: int, lifeline: int, status: int, grace: float, command: list[str]) -> None:
    os.set_inheritable(lifeline, False)
    os.set_inheritable(status, False)
    os.set_blocking(lifeline, False)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return  # the parent was gone before the kernel could be asked to signal that
    pid = _start(command, prctl, status)
    poll = select.poll()  # select() takes no descriptor above 1023
    poll.register(wake, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    ended = False
    deadline = None  # when SIGKILL follows
    while True:
        ended = _reap(pid, status) or ended
        left = _descendants()
        if not left:
            break
        now = time.monotonic()
        if ended and deadline is None:
            # a child of the command that hasn't noticed its end yet, or never will
            _signal(left, signal.SIGTERM)
            deadline = now + min(_GRACE_OF_ORPHANS, grace)
        if stop or (deadline is not None and now >= deadline):
            _signal(left, signal.SIGKILL)
            pause: float | None = 0.01
        else:
            pause = None if deadline is None else max(0.0, deadline - now)
        ready = {end for end, _ in poll.poll(None if pause is None else pause * 1000)}
        if wake in ready:
            os.read(wake, 4096)
        if lifeline in ready:
            order = os.read(lifeline, 16)
            if order.endswith(b"T") and deadline is None:
                _signal(_descendants(), signal.SIGTERM)
                deadline = time.monotonic() + grace
            elif not order.endswith(b"T"):
                stop.append(0)
                poll.unregister(lifeline)
    _write_status(status, "gone")
    os._exit(0)  # faster than an ordinary exit, and there is nothing to clean up


def _start(command: list[str], prctl: Any, status: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _kill_first_when_out_of_memory()
        os.execvp(command[0], command)
    except OSError as error:
        _write_status(status, f"unstarted {command[0]}: {error.strerror}")
    finally:
        os._exit(127)


def _kill_first_when_out_of_memory() -> None:
    """When memory runs out, the kernel is to kill the command and not the process that waits for it."""
    try:
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
            score.write(b"1000")
    except OSError:
        return


def _reap(pid: int, status: int) -> bool:
    """Reap the children that have ended; whether the command is among them."""
    ours = False
    while True:
        try:
            found, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ours
        if found == 0:
            return ours
        if found == pid:
            ours = True
            _write_status(status, f"status {code}")


def _descendants() -> list[int]:
    """The pids of all processes below this one, nearest first, zombies of other parents among them."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # the name of the program may hold anything, and ends with the last parenthesis
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            parents.setdefault(parent, []).append(int(name))
    found, todo = [], [os.getpid()]
    while todo:
        below = parents.get(todo.pop(0), [])
        found.extend(below)
        todo.extend(below)
    return found


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _write_status(status: int, line: str) -> None:
    try:
        os.write(status, line.replace("\n", " ").encode(errors="replace") + b"\n")
    except OSError:
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
