"""Files made to harm whoever reads them end in a verdict or in one line, soon and in little memory."""

from __future__ import annotations

import pytest

from benchmarks.outside import hostile_graphs
from benchmarks.outside.hostile_graphs import KINDS, MAX_BYTES, hostile, mutated

# Those that take no time to write; `make bench` tries all of them.
QUICK = {
    "onnx": ("a terabyte of zeros by its dims", "60 constants of 128 MB made by the graph", "an op of a megabyte"),
    "har": ("sparse member of 6 GB", "member of 8 EB", "pax header of 2 GB", "an array of 16 TB", "up and away"),
    "hn": ("objects 1,000,000 deep", "a number of a million digits", "a name that prints a verdict"),
    "hef": ("3 GB of zeros",),
}


@pytest.mark.parametrize("kind", QUICK)
def test_a_hostile_file_costs_little_and_ends_in_few_words(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {kind: {name: KINDS[kind][name] for name in QUICK[kind]}}
    monkeypatch.setattr(hostile_graphs, "KINDS", chosen)

    for ended in hostile([kind]):
        assert not ended.wrong, ended
        assert ended.peak_bytes < MAX_BYTES
        assert ended.seconds < 10


def test_a_mutated_graph_is_read_or_refused_in_our_own_words() -> None:
    assert [ended.wrong for ended in mutated(100, seed=7)] == [""]
