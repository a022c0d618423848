"""Logs as other programs hand them on: what they put before each line, how they tell of a cut, what Python ignores.

The forms are those of syslog, moreutils' ts, Docker, BuildKit, containerd, kubectl, GitLab, GitHub, Buildkite, Slurm,
Open MPI, Ray, Celery, rich and Python's logging.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasnet.hailo.logs.classification import LogEnd, read_log
from tasnet.hailo.logs.event import log_level, without_tags

BEGAN = "[info] Starting Hailo allocation and compilation flow\n"
SEARCH = (
    f"{BEGAN}[info] Trying to compile the network in a single context\n"
    "[info] Single context flow failed: Recoverable single context error - Resources presolve failed: lcus=(>80)\n"
    "[debug] dw66 errors: Agent infeasible\n"
    "[info] Memory units capacity exceeded (available: 128, required: 138)\n"
)
FAILED = f"{SEARCH}[error] deconv1 errors:\n\tMemory units capacity exceeded (available: 128, required: 138)\n"
DONE = f"{SEARCH}[info] Successful Compilation (compilation time: 5s)\n"

BEFORE = (
    "2025-11-26T01:13:47.1234567Z ",
    "[2025-11-26T01:13:47.123Z] ",
    "01:13:47  ",
    "dfc-1  | ",
    "dfc-1  | 2025-11-26T01:13:47.123456789Z ",
    "2025-11-26T01:13:47.123456789Z stdout F ",
    "2025-11-26T01:13:47.123456789+00:00 stderr F ",
    "[pod/dfc-abc/main] ",
    "Nov 26 01:13:47 build-host dfc[1234]: ",
    "Nov  6 01:13:47 ",
    "#12 123.4 ",
    "(pid=1234) ",
    "\x1b[36m(compile pid=1234, ip=10.0.0.1)\x1b[0m ",
    "0: ",
    "[1,0]<stdout>: ",
    "\x1b_bk;t=1732585123123\x07",
    "2025-11-26T01:13:47.123456Z 01O ",
    "> ",
    "a-runner of nobody's: ",
    "    ",
)
INSTEAD = (
    "2026-02-17 10:11:12,345 - {} - parser.py:160 - ",
    "2026-02-17 10:11:12,345 - hailo_sdk_client - {} - ",
    "2026-02-17 10:11:12.345 | {}     | __main__:run:12 - ",
    "{}     hailo_sdk_client:runner.py:160 ",
    "{}:hailo_sdk_client:",
    "[2026-02-17 10:11:12,345: {}/MainProcess] ",
    "[{}/ForkPoolWorker-3] ",
    "{} ",
    "[10:11:12] {}    ",
    "[02/17/26 10:11:12] {}    ",
)


def read(tmp_path: Path, text: str) -> tuple[LogEnd, str, tuple[str, ...]]:
    (tmp_path / "log").write_text(text)
    told = read_log(tmp_path / "log")
    failure = told.failure
    return told.end, failure.family if failure else "", failure.layers if failure else ()


def dressed() -> list[pytest.param]:
    found = [pytest.param(lambda line, words=words: f"{words}{line}", id=words.strip() or "indent") for words in BEFORE]

    def levelled(line: str, words: str) -> str:
        for name in ("info", "debug", "error"):
            line = line.replace(f"[{name}] ", words.format(name.upper()))
        return line

    found += [pytest.param(lambda line, words=words: levelled(line, words), id=words) for words in INSTEAD]
    docker = {"stream": "stdout", "time": "2025-11-26T01:13:47.123456789Z"}
    found.append(
        pytest.param(lambda line: json.dumps({"log": f"{line}\n", **docker}, separators=(",", ":")), id="disk")
    )
    return found


@pytest.mark.parametrize("dress", dressed())
def test_what_a_search_tells_is_no_cause_whatever_stands_before_its_lines(tmp_path: Path, dress) -> None:
    def each(text: str) -> str:
        return "".join(f"{dress(line)}\n" for line in text.splitlines())

    assert read(tmp_path, each(SEARCH)) == (LogEnd.UNFINISHED, "", ())
    assert read(tmp_path, each(FAILED)) == (LogEnd.FAILED, "memory_units", ("deconv1",))
    assert read(tmp_path, each(DONE)) == (LogEnd.SUCCEEDED, "", ())
    assert read(tmp_path, each(f"{SEARCH}[error] The moon is blue\n")) == (LogEnd.FAILED, "unclassified", ())


def test_a_message_that_quotes_a_line_is_not_of_that_lines_level() -> None:
    for line in ("RuntimeError: it said: [info] all is well", "Failed to add spatial reshapes: [info] trying on"):
        assert (log_level(line), without_tags(line)) == ("", line)


CUT = (
    "Killed",
    "run.sh: line 12:  1234 Killed                  hailo compiler x.har",
    "Terminated",
    '^CTraceback (most recent call last):\n  File "x.py", line 1, in compile\nKeyboardInterrupt',
    "subprocess.TimeoutExpired: Command '['hailo', 'compiler']' timed out after 3600 seconds",
    "timeout: sending signal TERM to command 'hailo'",
    "slurmstepd: error: *** JOB 1234 ON node7 CANCELLED AT 2026-02-17T10:11:12 DUE TO TIME LIMIT ***",
    "##[error]The operation was canceled.",
    "##[error]The job running on runner A 2 has exceeded the maximum execution time of 360 minutes.",
    "##[error]The runner has received a shutdown signal.",
    "##[error]Process completed with exit code 143.",
    "ERROR: Job failed: execution took longer than 1h0m0s seconds",
)


@pytest.mark.parametrize("end", CUT)
def test_what_was_cut_from_outside_names_no_failure_of_the_network(tmp_path: Path, end: str) -> None:
    tried = "[error] dw66 errors:\n\tAgent infeasible\n"
    assert read(tmp_path, f"{SEARCH}{tried}{end}\n") == (LogEnd.UNFINISHED, "", ())
    # What had ended by itself stays so: whoever ran it was ended afterwards.
    assert read(tmp_path, f"{DONE}{end}\n") == (LogEnd.SUCCEEDED, "", ())
    raised = "hailo_sdk_client.BackendAllocatorException: Compilation failed: dw66 errors: Agent infeasible\n"
    assert read(tmp_path, f"{SEARCH}{tried}{raised}{end}\n") == (LogEnd.FAILED, "agent_infeasible", ("dw66",))


@pytest.mark.parametrize(
    ("end", "family"),
    [
        ("slurmstepd: error: Some of the step tasks have been OOM Killed.", "out_of_memory"),
        ("srun: error: node7: task 0: Out Of Memory", "out_of_memory"),
        ("    Reason:       OOMKilled", "out_of_memory"),
        ("InternalError: Failed copying input tensor: Dst tensor is not initialized.", "out_of_memory"),
        (
            "InternalError: Attempting to perform BLAS operation using StreamExecutor without BLAS support",
            "environment",
        ),
        ("NotFoundError: No algorithm worked!  Error messages:", "environment"),
        ("command terminated with exit code 137", "environment"),
    ],
)
def test_what_ran_out_is_the_machines(tmp_path: Path, end: str, family: str) -> None:
    assert read(tmp_path, f"{SEARCH}[error] dw66 errors:\n\tAgent infeasible\n{end}\n")[:2] == (LogEnd.FAILED, family)


@pytest.mark.parametrize(
    "ignored",
    [
        "Exception ignored in: <_io.TextIOWrapper name='<stdout>'>\nBrokenPipeError: [Errno 32] Broken pipe\n",
        "Exception ignored in: <function Pool.__del__ at 0x7f>\nTraceback (most recent call last):\n"
        "  File \"x.py\", line 1, in __del__\nTypeError: 'NoneType' object is not callable\n",
        "Error in atexit._run_exitfuncs:\nTraceback (most recent call last):\n"
        '  File "x.py", line 1, in shutdown\nOSError: handle is closed\n',
    ],
)
def test_what_python_ignores_on_its_way_out_fails_nothing(tmp_path: Path, ignored: str) -> None:
    assert read(tmp_path, f"{DONE}{ignored}") == (LogEnd.SUCCEEDED, "", ())
    after = f"{DONE}{ignored}OSError: [Errno 28] No space left on device\n"
    assert read(tmp_path, after)[:2] == (LogEnd.FAILED, "environment")


@pytest.mark.parametrize(
    "source",
    [
        '    raise MemoryError("No space left on device")',
        "    except MemoryError as error:",
        "    raise MisspellNodeError(name) from None",
        "---> 16     raise hailo_sdk_common.exceptions.OSError('symbol lookup error')",
        "    910         if full: raise MemoryError('no room')",
    ],
)
def test_a_program_that_a_traceback_shows_says_nothing(tmp_path: Path, source: str) -> None:
    trace = f'Traceback (most recent call last):\n  File "/sdk/client_runner.py", line 911, in compile\n{source}\n'
    end = "hailo_sdk_client.BackendAllocatorException: Reshape is needed for layers: conv2, conv3, but adding failed."
    assert read(tmp_path, f"{BEGAN}{trace}{end}\n") == (LogEnd.FAILED, "reshape_insertion", ("conv2", "conv3"))
    assert read(tmp_path, f"{BEGAN}{trace}MemoryError\n")[:2] == (LogEnd.FAILED, "out_of_memory")
