"""Remembered or not, a digest is sha256's."""

import hashlib

from tasnet.digest import sha256


def test_it_is_sha256_the_first_time_and_the_second() -> None:
    contents = [b"", b"a", bytes(5000), bytes(5001)]
    expected = [hashlib.sha256(data).hexdigest() for data in contents]
    assert [sha256(data) for data in contents] == expected
    assert [sha256(memoryview(data)) for data in contents] == expected
