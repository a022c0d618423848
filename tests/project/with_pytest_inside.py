"""`tasnet`, with the pytest that `tasnet matrix` starts in its own process: an interpreter less, and its imports."""

import subprocess
import sys
from typing import Any

import pytest

from tasnet.cli import main


def called(command: list[str], **_: Any) -> int:
    """`python -c PROGRAM WORDS`, whose program is no more than pytest."""
    return int(pytest.main(command[3:]))


subprocess.call = called  # type: ignore[assignment]
sys.exit(main())
