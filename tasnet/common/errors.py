"""The package's own exceptions: one line for a person, where anything else is a bug with its traceback."""

from __future__ import annotations

from typing import ClassVar

from tasnet.common.printing import printable

MAX_ERROR_CHARS = 1_000
"""characters of an error: with a path or two, what is wrong and what to do stay whole"""


class TasnetError(Exception):
    """What is wrong and what to do, in one line. Every error that the package raises for a person is one."""

    graph_at_fault: ClassVar[bool] = False
    """True where the input was read well and the graph in it is at fault: exit code 1 and not 2"""


def error_line(error: BaseException, most: int = MAX_ERROR_CHARS) -> str:
    """The error's message on one line of at most `most` characters, printable; its class's name if it has none."""
    return printable(" ".join(str(error).split()) or type(error).__name__, most)


def cause_line(error: BaseException, most: int = 160) -> str:
    """The first line of a library's error, or of the error that caused it: for the middle of a message of ours."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip()[:2000].splitlines()
    return printable(lines[0] if lines else type(error).__name__, most)


def named_error_line(error: BaseException) -> str:
    """`ValueError: what is wrong`, on one line as `error_line` has it: for an error that is no TasnetError."""
    text = " ".join(str(error).split())
    return printable(f"{type(error).__name__}: {text}" if text else type(error).__name__, MAX_ERROR_CHARS)
