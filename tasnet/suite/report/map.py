"""The heat map: topologies down, decoders x truncation (x length, where a profile has several) across."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tasnet.network import SameFunction
from tasnet.suite.cases import SEGMENT_PARTS
from tasnet.suite.history import CaseRecord
from tasnet.suite.ledger import is_segment
from tasnet.suite.report.signs import FUNCTION_SIGNS, sign_of, signs_in

Column = tuple[str, str]
"""(blocks, length or '')"""

Row = tuple[str, SameFunction]
"""what `row_label` says, and whether the cases keep the trained network's function: those that do stand apart"""

_MIN_LABEL = 20
_GAP = 2
"""columns between two parts of a row"""


def heatmap(records: Sequence[CaseRecord], width: int, ascii_only: bool = False) -> RenderableType:
    """The map of the records, at most `width` columns wide: as many tables as that takes, then the legend."""
    lengths = {record.axes["T"] for record in records if not is_segment(record.axes)}
    cells: dict[Row, dict[tuple[str, Column], CaseRecord]] = {}
    for record in records:
        cells.setdefault(row_of(record), {})[column(record, len(lengths) > 1)] = record
    decoders = list(dict.fromkeys(column(record, False)[0] for record in records))
    columns = {
        decoder: sorted({key[1] for row in cells.values() for key in row if key[0] == decoder}, key=column_order)
        for decoder in decoders
    }
    label = min(max((len(name) for name, _ in cells), default=0), max(_MIN_LABEL, width // 2))
    mark = _GAP + max(len(_function(same, ascii_only)) for _, same in cells) if cells else 0
    letters = {decoder: chr(ord("A") + index) for index, decoder in enumerate(decoders)}
    tables = [
        _table(cells, group, columns, letters, label, ascii_only)
        for group in _fitting(decoders, columns, width - label - mark)
    ]
    return Group(*tables, Text(), _legend(records, letters, columns, width, ascii_only))


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


def _fitting(decoders: Sequence[str], columns: dict[str, list[Column]], width: int) -> Iterator[list[str]]:
    """The decoders, in as few groups as fit side by side into `width`."""
    group: list[str] = []
    taken = 0
    for decoder in decoders:
        need = len(columns[decoder]) + 2
        if group and taken + need > width:
            yield group
            group, taken = [], 0
        group.append(decoder)
        taken += need
    if group:
        yield group


def _table(
    cells: dict[Row, dict[tuple[str, Column], CaseRecord]],
    decoders: Sequence[str],
    columns: dict[str, list[Column]],
    letters: dict[str, str],
    label: int,
    ascii_only: bool,
) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(width=label, overflow="fold")
    table.add_column(no_wrap=True)
    for decoder in decoders:
        table.add_column(width=len(columns[decoder]), no_wrap=True)
    table.add_row("", "", *(Text(letters[decoder], style="bold") for decoder in decoders))
    heads = {decoder: _upright([_head(column) for column in columns[decoder]]) for decoder in decoders}
    height = max(len(lines) for lines in heads.values())
    for level in range(height):
        lines = [[""] * (height - len(heads[decoder])) + heads[decoder] for decoder in decoders]
        table.add_row("", "", *(Text(each[level], style="dim") for each in lines))
    for (name, same), row in cells.items():
        found = [[row.get((decoder, column)) for column in columns[decoder]] for decoder in decoders]
        marks = [_marks(each, ascii_only) for each in found]
        if any(mark.plain.strip() for mark in marks):
            table.add_row(name, Text(_function(same, ascii_only), FUNCTION_SIGNS[same].style), *marks)
    return table


def _function(same: SameFunction, ascii_only: bool) -> str:
    return FUNCTION_SIGNS[same].ascii if ascii_only else FUNCTION_SIGNS[same].sign


def _head(column: Column) -> str:
    blocks, length = column
    return f"{blocks} {length}" if length else blocks


def _upright(words: Sequence[str]) -> list[str]:
    """The words written downwards side by side, all ending on the last line."""
    height = max(len(word) for word in words)
    return ["".join(word.rjust(height)[level] for word in words) for level in range(height)]


def _marks(records: Sequence[CaseRecord | None], ascii_only: bool) -> Text:
    text = Text()
    for record in records:
        sign = sign_of(record) if record else None
        text.append((sign.ascii if ascii_only else sign.sign) if sign else " ", sign.style if sign else "")
    return text


def _legend(
    records: Sequence[CaseRecord],
    letters: dict[str, str],
    columns: dict[str, list[Column]],
    width: int,
    ascii_only: bool,
) -> Table:
    """What letters, columns and signs mean. An entry of it is never broken in two."""
    lengths = any(column[1] for each in columns.values() for column in each)
    blocks = "blocks kept (all, or the first N)" + (", samples T" if lengths else "")
    if any("-" in column[0] for each in columns.values() for column in each):
        blocks += ", a segment's stages from-to (not included)"
    blocks += ", read downwards"
    signs = [
        Text(each.ascii if ascii_only else each.sign, each.style) + f" {each.meaning}" for each in signs_in(records)
    ]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    room = width - len("columns  ")
    names = [Text(f"{letter} {name}") for name, letter in letters.items()]
    table.add_row("columns", _packed([*names, Text(blocks)], room))
    table.add_row("cells", _packed(signs, room))
    rows = {record.function.same for record in records}
    functions = [
        Text(_function(same, ascii_only), sign.style) + f" {sign.meaning}"
        for same, sign in FUNCTION_SIGNS.items()
        if same in rows
    ]
    table.add_row("rows", _packed(functions, room))
    return table


def _packed(items: Sequence[Text], width: int) -> Text:
    """The items two columns apart, on as many lines as that takes."""
    lines: list[Text] = []
    for item in items:
        if lines and len(lines[-1]) + 2 + len(item) <= width:
            lines[-1] = lines[-1] + "  " + item
        else:
            lines.append(item)
    return Text("\n").join(lines)


# --- on the page --------------------------------------------------------------------------------------------


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
