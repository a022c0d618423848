"""Where a case stands in a map: topologies down, decoders x truncation (x length, where there are several) across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasnet.network import SameFunction
from tasnet.suite.cases import SEGMENT_PARTS
from tasnet.suite.history import CaseRecord
from tasnet.suite.ledger import is_segment

Column = tuple[str, str]
"""(blocks, length or '')"""

Row = tuple[str, SameFunction]
"""what `row_label` says, and whether the cases keep the trained network's function: those that do stand apart"""

_NOT_IN_LABEL = frozenset({"T", "arch", *SEGMENT_PARTS})


def row_of(record: CaseRecord) -> Row:
    """The row in which a case stands. Cases of one label that differ in the function stand in two."""
    return row_label(record), record.function.same


def row_label(record: CaseRecord) -> str:
    """The case's id without decoder, blocks and length: its topology, and what else departs from the base.

    A segment stands in the row of its network.
    """
    head, *rest = record.case_id.split("+")
    topology = head.rsplit("-", 2)[0]
    return "+".join((topology, *(part for part in rest if part.partition("=")[0] not in _NOT_IN_LABEL)))


def column(record: CaseRecord, with_length: bool) -> tuple[str, Column]:
    """The decoder under which a case stands, or a segment's form, and its column there."""
    axes = record.axes
    if is_segment(axes):
        return f"{axes['segment']} segment", (f"{axes['start']}-{axes['stop']}", "")
    return str(record.axes["decoder"]), (str(record.axes["blocks"]), str(record.axes["T"]) if with_length else "")


def column_order(column: Column) -> tuple[int, int, int]:
    """All blocks first, then the counts upward; the longest window first. Of segments by their stages."""
    blocks, length = column
    first, _, last = blocks.partition("-")
    return (0 if blocks == "all" else int(first), int(last or 0), -int(length or 0))


@dataclass(frozen=True)
class MapLayout:
    """`at` is a case's row x width + column; the columns are those of the groups, one after the other."""

    rows: tuple[Row, ...]
    groups: tuple[tuple[str, tuple[Column, ...]], ...]
    """decoder -> its columns"""
    at: Mapping[str, int]

    @property
    def width(self) -> int:
        """How many columns all groups have."""
        return sum(len(columns) for _, columns in self.groups)


def map_layout(records: Sequence[CaseRecord]) -> MapLayout:
    """The layout of a run's cases: topologies down, decoder x blocks (x length, where there are several) across."""
    with_length = len({record.axes["T"] for record in records if not is_segment(record.axes)}) > 1
    placed = {record.case_id: (row_of(record), column(record, with_length)) for record in records}
    rows = tuple(dict.fromkeys(row for row, _ in placed.values()))
    decoders = dict.fromkeys(decoder for _, (decoder, _) in placed.values())
    groups = tuple(
        (decoder, tuple(sorted({each for _, (of, each) in placed.values() if of == decoder}, key=column_order)))
        for decoder in decoders
    )
    flat = {(decoder, each): at for at, (decoder, each) in enumerate((d, c) for d, columns in groups for c in columns)}
    down = {row: at for at, row in enumerate(rows)}
    at = {case_id: down[row] * len(flat) + flat[where] for case_id, (row, where) in placed.items()}
    return MapLayout(rows, groups, at)
