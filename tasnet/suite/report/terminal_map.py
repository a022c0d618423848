"""The map in a terminal: topologies down, decoders across; each cell has the letters of its root causes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tasnet.common import folded_name
from tasnet.suite.history import CaseRecord
from tasnet.suite.ledger import JudgementKind, is_segment
from tasnet.suite.report.map import Column, Row, column, column_order, row_of
from tasnet.suite.report.signs import FUNCTION_SIGNS, HEAT, entries_of_case, sign_of, signs_in

_MIN_LABEL = 20
_GAP = 2
"""columns between two parts of a row"""

Cells = dict[Column, CaseRecord]
"""what stands in one row below one decoder"""


def terminal_map(
    records: Sequence[CaseRecord], letters: Mapping[str, str], width: int, ascii_only: bool = False
) -> RenderableType:
    """The map of the records, at most `width` columns wide (60 or more): as many tables as that takes, then the legend.

    `letters` has one for each root cause of the records. A row is one line where blocks, length or segment make no
    difference, otherwise a line for each group of cases that ended alike.
    """
    lengths = {record.axes["T"] for record in records if not is_segment(record.axes)}
    rows: dict[Row, dict[str, Cells]] = {}
    for record in records:
        decoder, at = column(record, len(lengths) > 1)
        rows.setdefault(row_of(record), {}).setdefault(decoder, {})[at] = record
    blocks = [list(_lines(row, found, letters, ascii_only)) for row, found in rows.items()]
    lines = [line for block in blocks for line in block]
    decoders = list(dict.fromkeys(decoder for found in rows.values() for decoder in found))
    label = min(max((len(name) for name, _, _ in lines), default=0), max(_MIN_LABEL, width // 2))
    mark = _GAP + max((len(mark) for _, mark, _ in lines), default=0)
    widths = {
        decoder: max(
            *map(len, re.split("[_ ]", decoder)),
            *(len(cells[decoder]) for _, _, cells in lines if decoder in cells),
        )
        for decoder in decoders
    }
    tables = [_table(blocks, group, widths, label) for group in _fitting(widths, width - label - mark)]
    lines_told = _lines_told(records, len(lengths) > 1, any(len(block) > 1 for block in blocks))
    return Group(*tables, _legend(records, letters, width, ascii_only, lines_told))


Line = tuple[str, Text, dict[str, Text]]
"""label, what the function is, decoder -> cell"""


def _lines(row: Row, found: Mapping[str, Cells], letters: Mapping[str, str], ascii_only: bool) -> Iterator[Line]:
    name, same = row
    sign = FUNCTION_SIGNS[same]
    mark = Text(sign.ascii if ascii_only else sign.sign, sign.style)
    cells = {
        decoder: {at: _cell(record, letters, ascii_only) for at, record in each.items()}
        for decoder, each in found.items()
    }
    if all(len(set(map(str, each.values()))) == 1 for each in cells.values()):
        yield name, mark, {decoder: next(iter(each.values())) for decoder, each in cells.items()}
        return
    yield name, mark, {}
    groups: dict[tuple[tuple[str, str], ...], list[Column]] = {}
    for at in sorted({at for each in cells.values() for at in each}, key=column_order):
        ended = tuple((decoder, str(each[at])) for decoder, each in cells.items() if at in each)
        groups.setdefault(ended, []).append(at)
    several = len({blocks for each in groups.values() for blocks, _ in each}) > 1
    for those in groups.values():
        here = {decoder: each[those[0]] for decoder, each in cells.items() if those[0] in each}
        yield f"  {_named(those, several)}", Text(), here


def _named(columns: Sequence[Column], several: bool) -> str:
    """`all, k2`, `T 8000, 4000`, `k1 T 8000`, `stages 2-3`: which cases of its row a line is of."""
    parts: dict[str, list[str]] = {}
    for blocks, length in columns:
        kept = f"stages {blocks}" if "-" in blocks else blocks if blocks == "all" else f"k{blocks}"
        parts.setdefault(kept if several or not length else "", []).append(length)
    told = [
        " ".join(filter(None, (kept, f"T {', '.join(those)}" if those[0] else ""))) for kept, those in parts.items()
    ]
    return ", ".join(told)


def _cell(record: CaseRecord, letters: Mapping[str, str], ascii_only: bool) -> Text:
    """The letters of the root causes of a case that is blocked as expected; of a surprise a word, of others a sign.

    Where the evidence knows of the case, its sign stands before the letters.
    """
    sign = sign_of(record)
    drawn = sign.word or (sign.ascii if ascii_only else sign.sign)
    if record.kind is JudgementKind.EXPECTED_FAILURE:
        causes = sorted({letters[name] for name in entries_of_case(record)}, key=lambda each: (len(each), each))
        if record.by_evidence:
            return Text(drawn + "".join(causes), sign.style)
        return Text("".join(causes), HEAT[min(len(causes), len(HEAT)) - 1])
    return Text(drawn, sign.style)


def _head(decoder: str, width: int) -> list[str]:
    """A decoder's name, one below the other what doesn't fit side by side."""
    lines: list[str] = []
    for part in re.split("[_ ]", decoder):
        if lines and len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def _fitting(widths: Mapping[str, int], room: int) -> Iterator[list[str]]:
    """The decoders, in as few groups as fit side by side into `room`."""
    group: list[str] = []
    taken = 0
    for decoder, width in widths.items():
        if group and taken + _GAP + width > room:
            yield group
            group, taken = [], 0
        group.append(decoder)
        taken += _GAP + width
    if group:
        yield group


def _table(blocks: Sequence[Sequence[Line]], decoders: Sequence[str], widths: Mapping[str, int], label: int) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(width=label)
    table.add_column(no_wrap=True)
    for decoder in decoders:
        table.add_column(width=widths[decoder], no_wrap=True)
    heads = [_head(decoder, widths[decoder]) for decoder in decoders]
    height = max(map(len, heads))
    for parts in zip(*([""] * (height - len(each)) + each for each in heads), strict=True):
        table.add_row("", "", *(Text(part, "bold") for part in parts))
    for block in blocks:
        here = [line for line in block if any(decoder in line[2] for decoder in decoders)]
        # A row's own line stands above those that tell its cases apart.
        for name, mark, cells in here if not here or here[0] is block[0] else [block[0], *here]:
            table.add_row("\n".join(folded_name(name, label)), mark, *(cells.get(each, Text()) for each in decoders))
    table.add_row()
    return table


def _lines_told(records: Sequence[CaseRecord], lengths: bool, split: bool) -> list[Text]:
    """What a line of the map holds for."""
    told = [
        f"one holds for all TCN blocks kept{' and lengths' if lengths else ''}{', or those it names' if split else ''}"
    ]
    if split:
        told += ["kN: the first N blocks"] + ["T: samples"] * lengths
        if any(is_segment(record.axes) for record in records):
            told.append("stages: a segment's, from-to (not included)")
    return [Text(each) for each in told]


def _legend(
    records: Sequence[CaseRecord], letters: Mapping[str, str], width: int, ascii_only: bool, lines: Sequence[Text]
) -> Table:
    """What marks, letters, words and signs mean. An entry of it is broken between words only."""
    named = {name for record in records for name in entries_of_case(record)}
    causes = [Text(f"{letter} {name}") for name, letter in letters.items() if name in named]
    blocked = [Text("letters: blocked as expected, by these causes")]
    signs = [
        Text(each.word or (each.ascii if ascii_only else each.sign), each.style) + f" {each.meaning}"
        for each in signs_in(records)
        if not each.paint.startswith("c") or each.paint == "clear"
    ]
    expected = any(record.kind is JudgementKind.EXPECTED_FAILURE for record in records)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    room = width - len("columns  ")
    rows = {record.function.same for record in records}
    functions = [
        Text(sign.ascii if ascii_only else sign.sign, sign.style) + f" {sign.meaning}"
        for same, sign in FUNCTION_SIGNS.items()
        if same in rows
    ]
    table.add_row("rows", _packed(functions, room))
    table.add_row("lines", _packed(lines, room))
    table.add_row("cells", _packed([*(blocked if expected else []), *signs], room))
    if causes:
        table.add_row("causes", _packed(causes, room))
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
