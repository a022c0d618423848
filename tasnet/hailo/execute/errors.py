"""The one error of running a network."""

from __future__ import annotations

from tasnet.common import TasnetError


class ExecuteError(TasnetError, ValueError):
    """A network or an input that can't be run. One line: which layer or input, what is wrong, what to do."""
