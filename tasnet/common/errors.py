"""The package's own exceptions: one line for a person, where anything else is a bug with its traceback."""

from __future__ import annotations

from tasnet.common.printing import printable

MAX_ERROR_CHARS = 1_000
"""characters of an error: with a path or two, what is wrong and what to do stay whole"""


class TasnetError(Exception):
    """What is wrong and what to do, in one line. Every error that the package raises for a person is one."""


def error_line(error: BaseException) -> str:
    """The error's message on one line, printable and of bounded length; its class's name if it has none."""
    return printable(" ".join(str(error).split()) or type(error).__name__, MAX_ERROR_CHARS)
