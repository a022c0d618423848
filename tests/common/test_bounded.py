"""A reader takes a regular file of a stated size, and says in one line why it takes no other."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tasnet.common.bounded import open_regular, read_bytes, read_text, why_no_file, why_no_folder


class OwnError(ValueError):
    """stands for a reader's own"""


def _refused(path: Path, most: int = 100) -> str:
    with pytest.raises(OwnError) as caught:
        read_bytes(path, most=most, what="a list", error=OwnError)
    told = str(caught.value)
    assert told.startswith(f"{path}: ")
    assert "\n" not in told
    assert caught.value.__cause__ is None
    return told.removeprefix(f"{path}: ")


def test_a_file_of_the_stated_size_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100)

    assert read_bytes(path, most=100, what="a list", error=OwnError) == b"x" * 100
    assert _refused(path, 99) == "100 bytes, and a list has at most 99; is it the right file?"


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "link").symlink_to("f")

    assert read_bytes(tmp_path / "link", most=1, what="a list", error=OwnError) == b"x"


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to_pipe").symlink_to("pipe")
    (tmp_path / "circle").symlink_to("circle")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))

        assert _refused(tmp_path) == "a directory; name a list"
        assert _refused(tmp_path / "pipe") == "a pipe; name a list"
        assert _refused(tmp_path / "to_pipe") == "a pipe; name a list"
        assert _refused(tmp_path / "s") == "a socket; name a list"
        assert _refused(Path("/dev/zero")) == "a device; name a list"
        assert _refused(tmp_path / "none") == "no such file; name a list"
        assert _refused(tmp_path / "none" / "f") == "no such file; name a list"
        assert _refused(tmp_path / "circle").endswith("; name a list")
        assert _refused(tmp_path / "a\0b").endswith("; name a list")


def test_a_file_that_tells_no_size_is_read_to_the_bound_alone() -> None:
    # Files of /proc have the size 0; so does one that grows after it was opened.
    assert read_bytes(Path("/proc/self/status"), most=1 << 20, what="a list", error=OwnError).startswith(b"Name:")
    assert "at most 10" in _refused(Path("/proc/self/status"), 10)


def test_a_file_is_closed_when_left(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")

    with open_regular(tmp_path / "f", most=1, what="a list", error=OwnError) as file:
        assert file.read() == b"x"
    assert file.closed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_in_every_encoding_that_says_what_it_is(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "f"
    path.write_bytes("größe\r\n".encode(encoding))

    assert read_text(path, most=100, what="a list", error=OwnError) == "größe\r\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"ab\xff", "not UTF-8 text (byte 2); save a list as UTF-8"),
        (b"\xff\xfea", "not UTF-16 text (byte 2); save a list as UTF-8"),
        # Windows writes UTF-16; without its mark and all in ASCII it is UTF-8 with zeros: whoever parses it says so.
        ("größe".encode("latin-1"), "not UTF-8 text (byte 2); save a list as UTF-8"),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_the_place(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(data)

    with pytest.raises(OwnError) as caught:
        read_text(path, most=100, what="a list", error=OwnError)
    assert str(caught.value) == f"{path}: {told}"


def test_what_is_no_file_and_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "to_f").symlink_to("f")
    (tmp_path / "to_folder").symlink_to(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "nowhere").symlink_to("none")
    os.mkfifo(tmp_path / "pipe")

    files = {name: why_no_file(tmp_path / name) for name in ("f", "to_f", "none", "pipe", "to_folder", "nowhere")}
    assert files == {"f": None, "to_f": None, "none": "no such file", "pipe": "a pipe"} | {
        "to_folder": "a directory",
        "nowhere": "no such file",
    }
    assert why_no_file(tmp_path / "circle")

    for can_be in ("", "none", "none/below", "to_folder", "to_folder/none"):
        assert why_no_folder(tmp_path / can_be) is None
    for in_the_way in ("f", "to_f", "circle", "nowhere", "pipe"):
        assert str(why_no_folder(tmp_path / in_the_way)).startswith("not a directory")
        assert str(why_no_folder(tmp_path / in_the_way / "below")).startswith(
            f"{tmp_path / in_the_way} is not a directory"
        )
