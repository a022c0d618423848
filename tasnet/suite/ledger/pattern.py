"""The regular expression of an entry's `message`: found in time that grows with the text and not faster.

RE2 has no backtracking, so that no pattern and no message can hang a run; for that it knows neither lookaround nor
backreferences. `\\d` and `\\w` are ASCII, and `$` is the end of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2


class PatternError(ValueError):
    """The text isn't a regular expression of RE2. One line, without the pattern."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression. Raises PatternError."""

    pattern: str

    def __post_init__(self) -> None:
        _compiled(self.pattern)

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        # A lone surrogate, as a log in another encoding leaves it, is no text for RE2.
        return _compiled(self.pattern).search(text.encode(errors="replace").decode()) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    # It would print each error on stderr beside raising it.
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        what = error.args[0] if isinstance(error, re2.error) and error.args else error
        message = what.decode(errors="replace") if isinstance(what, bytes) else str(what)
        raise PatternError(message) from None
