"""ONNX's whole table of ops through the embedded toolchain: each right or unknown, none called blocked or failed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.outside.operators import Told, alone, told


def test_no_op_of_the_table_is_blocked_nor_read_as_another_function(tmp_path: Path) -> None:
    ends = {case.op: told(case, tmp_path) for case in alone()}
    counted = Counter(ends.values())
    assert set(counted) == {Told.RIGHT, Told.UNKNOWN}, ends
    right = {op for op, end in ends.items() if end is Told.RIGHT}
    # what a parser of the compiler's is reported to take as a network of one layer, as far as it needs no attribute
    assert right >= {"Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Add", "Mul", "PRelu"}
    # and one that nobody was heard of
    assert ends["Sinh"] is Told.UNKNOWN
