"""What a script makes a call of the double do: raise, print, hang, die, fill the memory and so on; see `_ACTIONS`.

A stage is an interpreter of its own, which starts for this: what an action alone needs is imported there.
"""

import builtins
import json
import os
import signal
import sys
import time


def _script():
    text = os.environ.get("HAILO_DOUBLE", "{}")
    if not text.lstrip().startswith("{"):
        with open(text, encoding="utf-8") as file:
            text = file.read()
    return json.loads(text)


SCRIPT = _script()


def _raise(action):
    kind = getattr(builtins, action["type"], None) or type(
        action["type"], (Exception,), {"__module__": action.get("module", "hailo_sdk_client")}
    )
    if "errno" in action:
        raise OSError(action["errno"], os.strerror(action["errno"]))
    raise kind(action.get("text", ""))


def _say(action):
    for _ in range(action.get("times", 1)):
        print(action["text"], flush=True)


def _hang(action):
    if action.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)


def _spin_with_the_gil(action):
    pattern_that_never_ends = "(a+)+b"
    import re

    re.match(pattern_that_never_ends, "a" * 64)


def _die(action):
    number = getattr(signal, action.get("signal", "SIGSEGV"))
    os.kill(os.getpid(), number)
    time.sleep(60)


def _allocate(action):
    held = []
    for _ in range(action["megabytes"] // 16):
        held.append(bytearray(os.urandom(1 << 20) * 16))
    _hang(action)


def _print_much(action):
    line = b"\x1b[32m[info]\x1b[0m " + b"x" * 1000 + b"\r\n"
    block = line * 256
    for _ in range(action["megabytes"] * 1024 * 1024 // len(block)):
        os.write(1, block)


def _print_rubbish(action):
    for end in (1, 2):
        os.write(end, bytes(range(256)) * 64 + b'{"kind": "done", "protocol": 1, "result": {}}\n')


def _write_everywhere(action):
    """Rubbish on every descriptor that is open, whoever it belongs to."""
    for end in range(3, 64):
        try:
            os.write(end, b"\x00\xff{not json\n[1, 2]\n")
        except OSError:
            continue


def _close_everything(action):
    # A run of many tests hands over descriptors with high numbers too.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _fork(action):
    """Grandchildren that ignore SIGTERM: in the group, in a session of their own, and after a double fork."""
    import subprocess

    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code])
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)
        os._exit(0)


def _kill_parent(action):
    os.kill(os.getppid(), signal.SIGKILL)


def _once(action):
    """Do `then` the first time alone; the file `marker` remembers."""
    try:
        os.close(os.open(action["marker"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    _ACTIONS[action["then"]["do"]](action["then"])


class SubprocessTracebackFailure(Exception):
    """What the SDK raises where a process that it forked failed: the child's traceback as text."""


def _forked(action):
    """Do `then` in a child, as the optimization does; what becomes of it arrives as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _ACTIONS[action["then"]["do"]](action["then"])
        except BaseException:
            import traceback

            os.write(writing, traceback.format_exc().encode())
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    status = os.WEXITSTATUS(code) if os.WIFEXITED(code := os.waitpid(child, 0)[1]) else -os.WTERMSIG(code)
    raise SubprocessTracebackFailure(text or f"Subprocess failed with exit code {status}")


_ACTIONS = {
    "forked": _forked,
    # standard input is empty here
    "prompt": lambda action: input(action.get("text", "Continue? [y/n] ")),
    "path": lambda action: os.path.join(None, "tools"),
    "raise": _raise,
    "say": _say,
    "hang": _hang,
    "spin": _spin_with_the_gil,
    "die": _die,
    "allocate": _allocate,
    "print_much": _print_much,
    "print_rubbish": _print_rubbish,
    "write_everywhere": _write_everywhere,
    "close_everything": _close_everything,
    "fork": _fork,
    "kill_parent": _kill_parent,
    "exit": lambda action: sys.exit(action.get("code", 1)),
    "hard_exit": lambda action: os._exit(action.get("code", 3)),
    "once": _once,
}


def act(name):
    """Does what the script says of this call."""
    actions = SCRIPT.get(name, [])
    for action in actions if isinstance(actions, list) else [actions]:
        _ACTIONS[action["do"]](action)
