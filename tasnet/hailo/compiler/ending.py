"""How the end of a stage in the compiler's interpreter becomes a Report: the network's fault, or the tool's.

`failed` is what the compiler said of the network, or a crash of the compiler while it compiled one. The machine's
faults, the set-up's (`faults.py`) and a limit of this side that cut it, whatever its log had said by then, are `infra`.
Words that nobody knows are `unclassified`.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tasnet.common import printable
from tasnet.hailo import MACHINE_FAMILIES, SETUP_FAMILIES, Certainty, Failure, StageEnd, StageReport
from tasnet.hailo.compiler.limits import GIB, StageLimits
from tasnet.hailo.logs import LogError, classify, passing, read_log, remedy
from tasnet.hailo.logs import Told as LogTold
from tasnet.hailo.process import Cut, Finish, Message, signal_name

_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE})
_OF_THE_MACHINE: Mapping[int, str] = {
    signal.SIGBUS: "a full disk or a full /dev/shm ends so",
    signal.SIGILL: "a CPU without the instructions that it was built for ends so",
}
_NO_MEMORY = frozenset({errno.ENOMEM, errno.EAGAIN})
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS, *_NO_MEMORY})
_OF_A_FORK = "SubprocessTracebackFailure"
"""what the SDK raises of a process that it forked, with its traceback where it left one"""
_SDK = "hailo"
"""how the SDK's packages begin: hailo_sdk_client, hailo_sdk_common, hailo_model_optimization"""
_BY_SIGNAL = 128
"""what a shell that ran the interpreter adds to the signal that it died of, for its own exit code"""
_ENDINGS = frozenset({"done", "failed", "lacks", "wrong", "unloaded", "exited"})


@dataclass(frozen=True)
class Ending:
    """A report, and whether another try may end otherwise: only where the machine and not the setup is to blame."""

    report: StageReport
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
        over = f"{told.stage} exceeded its memory limit of {room}; raise [tool.tasnet.limits.{told.stage}]"
        return _infra(told, over, figures={"limit_bytes": told.limits.memory})
    if finish.cut is Cut.TIME:
        # Whatever its search had said by then: it might have gone on from there.
        seconds = told.limits.seconds
        over = f"{told.stage} exceeded its limit of {seconds:g} s; raise it with --limit {told.stage}.seconds=…"
        return _infra(told, over, figures={"limit_seconds": seconds})
    return _silent(finish, told, loaded=hello is not None)


def _said(last: Message, told: Told) -> Ending:
    """The worker's own last message."""
    kind = last["kind"]
    if kind == "done":
        return Ending(_passed(told))
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
        return _named(told, f"the SDK called sys.exit({last.get('code')}) in {last.get('call')}")
    return _raised(last, told)


def _passed(told: Told) -> StageReport:
    """A success, with the warnings that its log has."""
    certainty = Certainty.EXTRAPOLATED if told.double else Certainty.OBSERVED
    log = _logged(told)
    warned: dict[str, Any] = {}
    if log is not None and log.warnings:
        more = f" and {log.warnings - 1} more" if log.warnings > 1 else ""
        first = printable(" ".join(log.warning.split()), 160)
        warned = {"detail": f"ended well with a warning: {first}{more}", "figures": {"warnings": log.warnings}}
    return StageReport(StageEnd.PASSED, certainty=certainty, artifact=told.artifact, log=told.log, **warned)


def _raised(last: Message, told: Told) -> Ending:
    """An exception of the SDK: the machine's or the set-up's when it says so, the network's where its words do."""
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
    kind = str(last.get("type", "")) or "Exception"
    if kind == _OF_A_FORK and "Traceback" not in text and _classified(told, text or kind).family == "unclassified":
        return _infra(told, f"a process that the SDK forked ended without a word: {_line(last)}", again=True)
    said = f"{kind}: {text}"
    failure = _classified(told, said)
    if not str(last.get("module", "")).startswith(_SDK) and failure.family not in MACHINE_FAMILIES:
        # Python's or a library's may come from anywhere: what a search had logged before it is not its cause.
        failure = classify("", said) or failure
    return _told_of(told, failure, {"exception": kind or failure.exception}, _line(last))


def _silent(finish: Finish, told: Told, *, loaded: bool) -> Ending:
    """The process ended and said nothing of its end."""
    if finish.code is not None and finish.code - _BY_SIGNAL in signal.valid_signals():
        finish = replace(finish, code=None, signal=finish.code - _BY_SIGNAL)
    if finish.signal is None:
        end = "was lost: its keeper was killed" if finish.code is None else f"ended with exit code {finish.code}"
        return _named(told, f"{told.stage} {end} and without a word")
    name = signal_name(finish.signal)
    if finish.signal == signal.SIGKILL:
        return _infra(told, f"{told.stage} was killed (SIGKILL): out of memory, or by a person", again=True)
    if not loaded:
        return _infra(told, f"hailo_sdk_client can't be loaded by {told.python}: {name} (a CPU without AVX ends so)")
    end = f"the compiler crashed in {told.stage} ({name})"
    if why := _OF_THE_MACHINE.get(finish.signal):
        return _infra(told, f"{end}: {why}", again=True)
    if finish.signal not in _CRASHES:
        return _infra(told, f"{told.stage} was ended from outside ({name})", again=True)
    log = _logged(told)
    before = log.failure if log is not None else None
    if told.stage != "compile" or (before is not None and before.family in MACHINE_FAMILIES):
        return _named(told, end)
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
    return _told_of(told, crash, {}, end)


def _named(told: Told, end: str) -> Ending:
    """The end came from elsewhere: what the log names, with that end as its terminal event; `infra` without."""
    log = _logged(told)
    if log is None or log.failure is None:
        return _infra(told, end, again=True)
    failure = log.failure
    cause = failure.first_cause or failure.message
    return _told_of(told, failure, {"first_cause": cause, "terminal_event": end}, end)


def _told_of(told: Told, failure: Failure, update: Mapping[str, Any], end: str) -> Ending:
    """What a failure comes to, by its family."""
    if failure.family in MACHINE_FAMILIES | SETUP_FAMILIES:
        words = _shown(failure.message)
        words = words if words in end else f"{end}: {words}"
        what = "no memory: " if failure.family == "out_of_memory" else ""
        return _infra(told, f"{what}{words}; {remedy(failure.family, failure.message)}", again=_may_pass(failure))
    source = "a test double" if told.double else f"Dataflow Compiler {told.sdk}"
    known: dict[str, Any] = {"stage": told.stage, "evidence": f"{source}, its log of the {told.stage} stage"}
    if told.double:
        known["certainty"] = Certainty.EXTRAPOLATED
    failure = failure.model_copy(update={**known, **update})
    if failure.family == "unclassified":
        detail = f"{_shown(failure.message)}: words that nobody knows; read the log"
        return Ending(StageReport(StageEnd.UNCLASSIFIED, doubts=(failure,), log=told.log, detail=detail))
    return Ending(StageReport(StageEnd.FAILED, (failure,), log=told.log, detail=failure.message))


def _may_pass(failure: Failure) -> bool:
    """Whether another try may end otherwise: what the loader, a script or a licence says stays as it is."""
    return failure.family == "out_of_memory" or passing(failure.message)


def _classified(told: Told, exception: str) -> Failure:
    """An exception beside the log, or by itself where there is no log to read."""
    try:
        found = read_log(told.log, exception).failure
    except LogError:
        found = classify("", exception)
    # An exception's text always tells of a failure.
    assert found is not None
    return found


def _logged(told: Told) -> LogTold | None:
    try:
        return read_log(told.log)
    except LogError:
        return None


def _infra(
    told: Told, detail: str, *, again: bool = False, figures: Mapping[str, int | float | str] = MappingProxyType({})
) -> Ending:
    return Ending(StageReport(StageEnd.INFRA, log=told.log, detail=detail, figures=figures), again)


def _line(last: Message) -> str:
    """`Type: text` in one line."""
    return _shown(f"{last.get('type', '')}: {last.get('text', '')}")


def _shown(text: str) -> str:
    """A message in one line that can be printed."""
    return printable(" ".join(text.split()), 400)
