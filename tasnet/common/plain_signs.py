"""Text for a terminal that can't show every sign: the project's own are written in ASCII, all else is escaped."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping
from typing import TextIO

SIGNS = {
    **{"…": "...", "–": "-", "−": "-", "×": "x", "→": "->", "≠": "!=", "∞": "inf", "°": "", "·": "."},
    **{"✓": "*", "✗": "#", "◇": "y", "◆": "n", "¿": "%"},
    **{"●": "o", "○": "c", "✅": "ok:", "❌": "not ok:", "█": "#", "▒": "+"},
    **dict(zip("▁▂▃▄▅▆▇", "_.-~=+*", strict=True)),
}
"""what tasnet prints beside ASCII, and what stands for it"""

_ERRORS = "tasnet-signs"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    out = error.object[error.start : error.end]
    return "".join(SIGNS.get(sign, sign).encode("ascii", "backslashreplace").decode() for sign in out), error.end


codecs.register_error(_ERRORS, _replaced)


def in_ascii(text: str) -> str:
    """The text in ASCII alone."""
    return text.encode("ascii", _ERRORS).decode("ascii")


def write_plainly(stream: TextIO, environment: Mapping[str, str] = os.environ) -> None:
    """Lets a stream write any text in its own encoding; in ASCII where the locale is C or POSIX by name.

    Python takes UTF-8 in these locales (PEP 538, PEP 540), which a terminal that was set so doesn't show.
    """
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    if _names_ascii(environment):
        reconfigure(encoding="ascii", errors=_ERRORS)
    elif not re.fullmatch("utf-?(8|16|32).*", stream.encoding or "", re.IGNORECASE):
        reconfigure(errors=_ERRORS)


def _names_ascii(environment: Mapping[str, str]) -> bool:
    if environment.get("PYTHONIOENCODING") or environment.get("PYTHONUTF8") == "1":
        return False
    # What Python itself sets where it was started in the C locale tells nothing.
    coerced = environment.get("LC_CTYPE", "") in ("C.UTF-8", "C.utf8", "UTF-8")
    names = ("LC_ALL", "LANG") if coerced else ("LC_ALL", "LC_CTYPE", "LANG")
    return next((environment[name] for name in names if environment.get(name)), "") in ("C", "POSIX")
