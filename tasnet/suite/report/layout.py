"""Layout: where each case of a run stands in the page's map, which has the rows and columns of the terminal's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasnet.suite.history import CaseRecord
from tasnet.suite.report.map import Column, column, column_order, row_label


@dataclass(frozen=True)
class MapLayout:
    """`at` is a case's row x width + column; the columns are those of the groups, one after the other."""

    rows: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Column, ...]], ...]
    """decoder -> its columns"""
    at: Mapping[str, int]

    @property
    def width(self) -> int:
        """How many columns all groups have."""
        return sum(len(columns) for _, columns in self.groups)


def map_layout(records: Sequence[CaseRecord]) -> MapLayout:
    """The layout of a run's cases: topologies down, decoder x blocks (x length, where there are several) across."""
    with_length = len({record.axes["T"] for record in records}) > 1
    placed = {record.case_id: (row_label(record), column(record, with_length)) for record in records}
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
