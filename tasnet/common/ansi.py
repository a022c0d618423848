"""Text that a program wrote for a terminal, without what only a terminal reads."""

from __future__ import annotations

import re

# ECMA-48, 5.3 and 5.4; ECMA-35, 13.2 (charsets, as `tput sgr0` writes one). Every part has a bound: what starts like a
# sequence and never ends takes no longer than other text.
_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # colours, the cursor, modes
    rb"|[\]PX^_][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\)"  # titles, links
    rb"|[ -/]{1,8}[0-~]"  # charsets
    rb"|[0-Z\\^-~]"  # one character: a reset, the cursor kept
    rb")"
)


def without_ansi(data: bytes) -> bytes:
    """The bytes of a text, in ASCII or what begins like it, without escape sequences."""
    return _SEQUENCE.sub(b"", data) if b"\x1b" in data else data
