"""What of a stored log is shown."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.report import sources


def test_the_end_of_a_log_is_shown_without_what_only_a_terminal_reads(tmp_path: Path) -> None:
    path = tmp_path / "log"
    title, link, plain = b"\x1b]0;compile\x07", b"\x1b]8;;file:///log\x1b\\", b"\x1b(B\x1b[m"
    path.write_bytes(title + b"[error] \x1b[31mconv1" + plain + b" and " + link + b"conv2\x1b]8;;\x1b\\\x00\n")
    assert sources._tail(path) == "[error] conv1 and conv2"

    # The beginning of what is shown may be the end of a sequence: the line it is in goes.
    path.write_bytes(b"\x1b[31m" * sources.TAIL_BYTES + b"\nlast\x1b[0m line\n")
    assert sources._tail(path) == "last line"
