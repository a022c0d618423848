"""How the end of a stage in the compiler's interpreter becomes a Report: the network's fault, or the tool's.

`failed` is what the compiler said of the network, or a crash of the compiler while it compiled one. Memory, disk,
a killed process, an interpreter that doesn't fit and a limit that was met without a reason in the log are `infra`.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasnet.hailo.classify import LogError, classify_file
from tasnet.hailo.failures import MACHINES_FAULT, Certainty, Failure
from tasnet.hailo.limits import GIB, StageLimits
from tasnet.hailo.process import Cut, Finish, Message, signal_name
from tasnet.hailo.toolchain import Ended, Report

_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})
_NO_MEMORY = frozenset({errno.ENOMEM, errno.EAGAIN})
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS, *_NO_MEMORY})
_ENDINGS = frozenset({"done", "failed", "lacks", "wrong", "unloaded", "exited"})


@dataclass(frozen=True)
class Ending:
    """A report, and whether another try may end otherwise: only where the machine and not the setup is to blame."""

    report: Report
    again: bool = False


@dataclass(frozen=True)
class Told:
    """What an ending is judged by, besides the process itself."""

    stage: str
    python: Path
    sdk: str
    limits: StageLimits
    log: Path
    artifact: Path | None
    double: bool


def judge(finish: Finish, told: Told) -> Ending:
    """The Report of a stage that ended as `finish` says. A result that is in its place counts, whatever came after."""
    hello = next((m for m in finish.messages if m.get("kind") == "hello"), None)
    last = next((m for m in finish.messages if m.get("kind") in _ENDINGS), None)
    if hello is not None and told.sdk and str(hello.get("sdk", "")) != told.sdk:
        return _infra(
            told, f"the SDK at {told.python} is {hello.get('sdk')} now and was {told.sdk}: start the run again"
        )
    if last is not None:
        return _said(last, told)
    if finish.unstarted:
        return _infra(told, f"{finish.unstarted}; give another interpreter with --dfc-python")
    if finish.cut is Cut.MEMORY:
        room = f"{told.limits.memory / GIB:.1f} GiB"
        return _infra(
            told, f"{told.stage} exceeded its memory limit of {room}; raise [tool.tasnet.limits.{told.stage}]"
        )
    if finish.cut is Cut.TIME:
        over = f"{told.stage} exceeded its limit of {told.limits.seconds:g} s"
        return _named(told, f"time limit of {told.limits.seconds:g} s", over) or _infra(told, over)
    return _silent(finish, told, loaded=hello is not None)


def _said(last: Message, told: Told) -> Ending:
    """The worker's own last message."""
    kind = last["kind"]
    if kind == "done":
        certainty = Certainty.EXTRAPOLATED if told.double else Certainty.OBSERVED
        return Ending(Report(Ended.PASSED, certainty=certainty, artifact=told.artifact, log=told.log))
    if kind == "lacks":
        return _infra(
            told, f"SDK {told.sdk or '?'} has no {last.get('what')} as documented; use Dataflow Compiler 3.27 to 3.34"
        )
    if kind == "wrong":
        return _infra(told, f"SDK {told.sdk or '?'}: {last.get('what')}; use Dataflow Compiler 3.27 to 3.34")
    if kind == "unloaded":
        return _infra(
            told,
            f"hailo_sdk_client can't be loaded by {told.python}: {_line(last)}; "
            "check its environment (numpy 1.26, protobuf 3.20, as documented)",
        )
    if kind == "exited":
        end = f"the SDK called sys.exit({last.get('code')}) in {last.get('call')}"
        return _named(told, end, end) or _infra(told, end, again=True)
    return _raised(last, told)


def _raised(last: Message, told: Told) -> Ending:
    """An exception of the SDK: the machine's when it says so, the network's otherwise."""
    bases = last.get("bases") or ()
    text = str(last.get("text", ""))
    if "MemoryError" in bases or last.get("errno") in _NO_MEMORY:
        return _infra(told, f"no memory: {_line(last)}", again=True)
    if last.get("errno") in _MACHINE or "No space left on device" in text:
        return _infra(told, f"{_line(last)}; make room and run again", again=True)
    if "KeyboardInterrupt" in bases:
        return _infra(told, f"interrupted in {last.get('call')}", again=True)
    if "ImportError" in bases:
        return _infra(told, f"the environment of {told.python} lacks something: {_line(last)}")
    failure = _classified(told, f"{last.get('type', 'Exception')}: {text}")
    if failure is None:
        failure = Failure(stage=told.stage, family="unclassified", message=_line(last), certainty=Certainty.OBSERVED)
    if failure.family == "environment":
        return _infra(told, f"{_line(last)}; check the environment of {told.python}")
    if failure.family == "out_of_memory":
        return _infra(told, f"no memory: {_line(last)}; free the GPU, or give a smaller batch_size in the model script")
    return _failed(told, failure, {"exception": str(last.get("type", "")) or failure.exception})


def _silent(finish: Finish, told: Told, *, loaded: bool) -> Ending:
    """The process ended and said nothing of its end."""
    if finish.signal is None:
        end = "was lost: its keeper was killed" if finish.code is None else f"ended with exit code {finish.code}"
        end = f"{told.stage} {end} and without a word"
        return _named(told, end, end) or _infra(told, end, again=True)
    name = signal_name(finish.signal)
    if not loaded:
        return _infra(told, f"hailo_sdk_client can't be loaded by {told.python}: {name} (a CPU without AVX ends so)")
    if finish.signal == signal.SIGKILL:
        return _infra(told, f"{told.stage} was killed (SIGKILL): out of memory, or by a person", again=True)
    if finish.signal not in _CRASHES:
        return _infra(told, f"{told.stage} was ended from outside ({name})", again=True)
    end = f"the compiler crashed in {told.stage} ({name})"
    if told.stage != "compile":
        return _named(told, end, end) or _infra(told, end, again=True)
    before = _classified(told)
    cause = end if before is None else before.first_cause or before.message
    layers = () if before is None else before.layers
    crash = Failure(
        stage="compile",
        family="compiler_crash",
        message=end,
        layers=layers,
        figures={"signal": name},
        first_cause=cause,
        terminal_event=end,
        certainty=Certainty.OBSERVED,
    )
    return _failed(told, crash, {})


def _named(told: Told, end: str, detail: str) -> Ending | None:
    """A failure where the log names one: the end that came from elsewhere is its terminal event."""
    failure = _classified(told)
    if failure is None or failure.family in {"unclassified", *MACHINES_FAULT}:
        return None
    cause = failure.first_cause or failure.message
    return _failed(told, failure, {"first_cause": cause, "terminal_event": end}, detail)


def _classified(told: Told, exception: str = "") -> Failure | None:
    try:
        return classify_file(told.log, exception)
    except LogError:
        return None


def _failed(told: Told, failure: Failure, update: Mapping[str, Any], detail: str = "") -> Ending:
    source = "a test double" if told.double else f"Dataflow Compiler {told.sdk}"
    known: dict[str, Any] = {"stage": told.stage, "evidence": f"{source}, its log of the {told.stage} stage"}
    if told.double:
        known["certainty"] = Certainty.EXTRAPOLATED
    failure = failure.model_copy(update={**known, **update})
    return Ending(Report(Ended.FAILED, (failure,), log=told.log, detail=detail or failure.message))


def _infra(told: Told, detail: str, *, again: bool = False) -> Ending:
    return Ending(Report(Ended.INFRA, log=told.log, detail=detail), again)


def _line(last: Message) -> str:
    """`Type: text` in one line."""
    return " ".join(f"{last.get('type', '')}: {last.get('text', '')}".split())[:400]
