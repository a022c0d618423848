"""Remembered or not, a digest is sha256's."""

import hashlib
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tasnet.common import files as digest
from tasnet.common.files import sha256


def test_it_is_sha256_the_first_time_and_the_second() -> None:
    contents = [b"", b"a", bytes(5000), bytes(5001)]
    expected = [hashlib.sha256(data).hexdigest() for data in contents]
    assert [sha256(data) for data in contents] == expected
    assert [sha256(memoryview(data)) for data in contents] == expected


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_it_is_sha256_of_any_contents_in_any_order(contents: list[bytes]) -> None:
    assert [sha256(data) for data in contents] == [hashlib.sha256(data).hexdigest() for data in contents]


def test_contents_are_not_kept() -> None:
    tracemalloc.start()
    for index in range(20):
        sha256(index.to_bytes(1, "big") * (1 << 20))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1 << 19


def test_the_fingerprint_is_no_ones_to_foresee() -> None:
    first = digest._seed()
    digest._seed.cache_clear()
    assert digest._seed() != first
