"""The end of a stage in the compiler's interpreter -> a StageReport: a fault of the network, or of the tool.

`failed` is what the compiler said about the network, or a crash of the compiler while it compiled one. Faults of the
machine and of the set-up, and a limit of ours that ended the stage, whatever was logged by then, are `infra`. A message
that no rule matches is `unclassified`.
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
from tasnet.hailo import MACHINE_FAMILIES, SETUP_FAMILIES, UNKNOWN_MESSAGE, Certainty, Failure, StageEnd, StageReport
from tasnet.hailo.compiler.limits import GIB
from tasnet.hailo.logs import LogError, LogSummary, classify_failure, may_pass, read_log, remedy
from tasnet.hailo.process import Message, ProcessEnd, Resource, signal_name

_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE})
_MACHINE_SIGNALS: Mapping[int, str] = {
    signal.SIGBUS: "a full disk or a full /dev/shm ends so",
    signal.SIGILL: "a CPU without the instructions that it was built for ends so",
}
_NO_MEMORY = frozenset({errno.ENOMEM, errno.EAGAIN})
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS, *_NO_MEMORY})
_FORK_EXCEPTION = "SubprocessTracebackFailure"
"""the SDK's exception for a process that it forked, with that one's traceback if it left one"""
_SDK = "hailo"
"""the start of the SDK's package names: hailo_sdk_client, hailo_sdk_common, hailo_model_optimization"""
_SHELL_SIGNAL_OFFSET = 128
"""added by a shell that ran the interpreter to the signal it died of, for the shell's exit code"""
_LAST_KINDS = frozenset({"done", "failed", "lacks", "wrong", "unloaded", "exited"})
"""kinds of the worker's last message; `worker` says what each means"""


@dataclass(frozen=True)
class RetryableReport:
    """A stage's report, and whether another try may end otherwise: if the machine failed, and not the set-up."""

    report: StageReport
    retry: bool = False


@dataclass(frozen=True)
class StageRun:
    """A stage as it was started. `log` is the file of its output, `artifact` that of its result if it has one."""

    stage: str
    python: Path
    sdk: str
    log: Path
    artifact: Path | None
    double: bool


def stage_ending(process: ProcessEnd, run: StageRun) -> RetryableReport:
    """The Report of a stage whose process ended so. If the result is written, the stage passed, whatever came after."""
    hello = next((m for m in process.messages if m.get("kind") == "hello"), None)
    last = next((m for m in process.messages if m.get("kind") in _LAST_KINDS), None)
    if hello is not None and run.sdk and str(hello.get("sdk", "")) != run.sdk:
        return _infra(run, f"the SDK at {run.python} is {hello.get('sdk')} now and was {run.sdk}: start the run again")
    if last is not None:
        return _from_message(last, run)
    if process.unstarted:
        return _infra(run, f"{process.unstarted}; give another interpreter with --dfc-python")
    if exceeded := process.exceeded:
        # Whatever the compiler's search had logged by then: it might have gone on from there.
        if exceeded.resource is Resource.MEMORY:
            room = f"{exceeded.limit / GIB:.1f} GiB"
            over = f"{run.stage} exceeded its memory limit of {room}; raise [tool.tasnet.limits.{run.stage}]"
        else:
            limit = f"{exceeded.limit:g} s"
            over = f"{run.stage} exceeded its limit of {limit}; raise it with --limit {run.stage}.seconds=…"
        return _infra(run, over, figures=exceeded.figures)
    return _without_message(process, run, loaded=hello is not None)


def _from_message(last: Message, run: StageRun) -> RetryableReport:
    """What the worker's last message says."""
    kind = last["kind"]
    if kind == "done":
        return RetryableReport(_passed(run))
    if kind == "lacks":
        return _infra(
            run, f"SDK {run.sdk or '?'} has no {last.get('what')} as documented; use Dataflow Compiler 3.27 to 3.34"
        )
    if kind == "wrong":
        return _infra(run, f"SDK {run.sdk or '?'}: {last.get('what')}; use Dataflow Compiler 3.27 to 3.34")
    if kind == "unloaded":
        return _infra(
            run,
            f"hailo_sdk_client can't be loaded by {run.python}: {_exception_line(last)}; "
            "check its environment (numpy 1.26, protobuf 3.20, as documented)",
        )
    if kind == "exited":
        return _from_log(run, f"the SDK called sys.exit({last.get('code')}) in {last.get('call')}")
    return _from_exception(last, run)


def _passed(run: StageRun) -> StageReport:
    """A pass, with the warnings in its log."""
    certainty = Certainty.EXTRAPOLATED if run.double else Certainty.OBSERVED
    log = _log_summary(run)
    warned: dict[str, Any] = {}
    if log is not None and log.warnings:
        more = f" and {log.warnings - 1} more" if log.warnings > 1 else ""
        first = printable(" ".join(log.warning.split()), 160)
        warned = {"detail": f"ended well with a warning: {first}{more}", "figures": {"warnings": log.warnings}}
    return StageReport(StageEnd.PASSED, certainty=certainty, artifact=run.artifact, log=run.log, **warned)


def _from_exception(last: Message, run: StageRun) -> RetryableReport:
    """An exception of the SDK: a fault of the machine, of the set-up or of the network, by its class and its text."""
    bases = last.get("bases") or ()
    text = str(last.get("text", ""))
    if "MemoryError" in bases or last.get("errno") in _NO_MEMORY:
        return _infra(run, f"no memory: {_exception_line(last)}", retry=True)
    if last.get("errno") in _MACHINE or "No space left on device" in text:
        return _infra(run, f"{_exception_line(last)}; make room and run again", retry=True)
    if "KeyboardInterrupt" in bases:
        return _infra(run, f"interrupted in {last.get('call')}", retry=True)
    if "ImportError" in bases:
        return _infra(run, f"the environment of {run.python} lacks something: {_exception_line(last)}")
    kind = str(last.get("type", "")) or "Exception"
    if kind == _FORK_EXCEPTION and "Traceback" not in text and _classified(run, text or kind).family == "unclassified":
        return _infra(run, f"a process that the SDK forked ended without a word: {_exception_line(last)}", retry=True)
    exception = f"{kind}: {text}"
    failure = _classified(run, exception)
    if not str(last.get("module", "")).startswith(_SDK) and failure.family not in MACHINE_FAMILIES:
        # An exception of Python or of a library may come from anywhere: what was logged before it is not its cause.
        failure = classify_failure(exception=exception) or failure
    return _by_family(run, failure, {"exception": kind or failure.exception}, _exception_line(last))


def _without_message(process: ProcessEnd, run: StageRun, *, loaded: bool) -> RetryableReport:
    """The process ended without a last message."""
    if process.code is not None and process.code - _SHELL_SIGNAL_OFFSET in signal.valid_signals():
        process = replace(process, code=None, signal=process.code - _SHELL_SIGNAL_OFFSET)
    if process.signal is None:
        end = "was lost: its keeper was killed" if process.code is None else f"ended with exit code {process.code}"
        return _from_log(run, f"{run.stage} {end} and without a word")
    name = signal_name(process.signal)
    if process.signal == signal.SIGKILL:
        return _infra(run, f"{run.stage} was killed (SIGKILL): out of memory, or by a person", retry=True)
    if not loaded:
        return _infra(run, f"hailo_sdk_client can't be loaded by {run.python}: {name} (a CPU without AVX ends so)")
    end = f"the compiler crashed in {run.stage} ({name})"
    if why := _MACHINE_SIGNALS.get(process.signal):
        return _infra(run, f"{end}: {why}", retry=True)
    if process.signal not in _CRASHES:
        return _infra(run, f"{run.stage} was ended from outside ({name})", retry=True)
    log = _log_summary(run)
    before = log.failure if log is not None else None
    if run.stage != "compile" or (before is not None and before.family in MACHINE_FAMILIES):
        return _from_log(run, end)
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
    return _by_family(run, crash, {}, end)


def _from_log(run: StageRun, end: str) -> RetryableReport:
    """The failure that the log names, with `end` as its terminal event; `infra` if it names none."""
    log = _log_summary(run)
    if log is None or log.failure is None:
        return _infra(run, end, retry=True)
    failure = log.failure
    cause = failure.first_cause or failure.message
    return _by_family(run, failure, {"first_cause": cause, "terminal_event": end}, end)


def _by_family(run: StageRun, failure: Failure, update: Mapping[str, Any], end: str) -> RetryableReport:
    """The ending that a failure of this family has."""
    if failure.family in MACHINE_FAMILIES | SETUP_FAMILIES:
        words = _one_line(failure.message)
        words = words if words in end else f"{end}: {words}"
        what = "no memory: " if failure.family == "out_of_memory" else ""
        return _infra(run, f"{what}{words}; {remedy(failure.family, failure.message)}", retry=_worth_a_retry(failure))
    source = "a test double" if run.double else f"Dataflow Compiler {run.sdk}"
    known: dict[str, Any] = {"stage": run.stage, "evidence": f"{source}, its log of the {run.stage} stage"}
    if run.double:
        known["certainty"] = Certainty.EXTRAPOLATED
    failure = failure.model_copy(update={**known, **update})
    if failure.family == "unclassified":
        detail = f"{_one_line(failure.message)}: {UNKNOWN_MESSAGE}; read the log"
        return RetryableReport(StageReport(StageEnd.UNCLASSIFIED, doubts=(failure,), log=run.log, detail=detail))
    return RetryableReport(StageReport(StageEnd.FAILED, (failure,), log=run.log, detail=failure.message))


def _worth_a_retry(failure: Failure) -> bool:
    """Whether another try may end otherwise: faults of the loader, a script or a licence stay."""
    return failure.family == "out_of_memory" or may_pass(failure.message)


def _classified(run: StageRun, exception: str) -> Failure:
    """The failure of an exception and the log, or of the exception alone if the log can't be read."""
    try:
        found = read_log(run.log, exception).failure
    except LogError:
        found = classify_failure(exception=exception)
    # An exception's text always gives a failure.
    assert found is not None
    return found


def _log_summary(run: StageRun) -> LogSummary | None:
    try:
        return read_log(run.log)
    except LogError:
        return None


def _infra(
    run: StageRun, detail: str, *, retry: bool = False, figures: Mapping[str, int | float | str] = MappingProxyType({})
) -> RetryableReport:
    return RetryableReport(StageReport(StageEnd.INFRA, log=run.log, detail=detail, figures=figures), retry)


def _exception_line(last: Message) -> str:
    """`Type: text` in one line."""
    return _one_line(f"{last.get('type', '')}: {last.get('text', '')}")


def _one_line(text: str) -> str:
    """A message as one printable line of bounded length."""
    return printable(" ".join(text.split()), 400)
