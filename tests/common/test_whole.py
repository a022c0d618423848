"""What is written as a whole: a file by renaming, a link's target, a pipe by writing into it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tasnet.common.whole import write_whole


def test_a_links_target_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"before")
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", b"after")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"after"
    assert {path.name for path in tmp_path.iterdir()} == {"link", "target"}


def test_a_pipe_is_written_into_where_it_is_read_and_refused_at_once_where_not(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe"):
        write_whole(pipe, b"x")

    # More than a pipe holds, so that the writer has to wait for the reader.
    content, read = b"x" * 1_000_000, []
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    with os.fdopen(reading, "rb") as file:
        writer = threading.Thread(target=write_whole, args=(pipe, content))
        writer.start()
        while len(read) < len(content):
            read += file.read(len(content) - len(read))
        writer.join()
    assert bytes(read) == content
