"""The tables of night runs as rows by column name, and the files beside them. A table's folder is all that is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tasnet.common import TasnetError, open_regular, printable

_MAX_LINE_BYTES = 1 << 20
"""bytes; what is longer is no row"""
MAX_TABLE_BYTES = 64 << 20
"""bytes of a table; the notes' have a few thousand"""
MAX_ROWS, MAX_COLUMNS, MAX_FILES = 10_000, 500, 200_000
"""of a table, and in the folders beside it: a night has 840 runs at most, a table of all that is told 30 columns"""


class NightRunsError(TasnetError, ValueError):
    """Night runs that can't be read. One line: what is wrong, where, what to do."""


def tables_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise NightRunsError(f"{folder}: no such folder or file; name the folder of night runs, or a summary.tsv")
    for pattern in ("*summary.tsv", "*/*summary.tsv"):
        if found := sorted(each for each in folder.glob(pattern) if each.is_file()):
            return found
    raise NightRunsError(f"{folder}: no summary.tsv in it; name the folder that holds one")


@dataclass(frozen=True)
class TableRow:
    """A row: its line's number, its cells by their column, and why it is none that can be read (empty: it is one)."""

    number: int
    cells: Mapping[str, str]
    unfit: str = ""


def rows_of(table: Path) -> Iterator[TableRow]:
    """The rows of a tab-separated table, read line by line. Raises OldRunsError."""
    with open_regular(table, most=MAX_TABLE_BYTES, what="a table of night runs", error=NightRunsError) as file:
        header: list[str] = []
        try:
            for number, raw in enumerate(iter(partial(_line, file), b""), 1):
                if len(raw) > _MAX_LINE_BYTES:
                    if not header:
                        raise NightRunsError(f"{table}:1: a line of over {_MAX_LINE_BYTES:,} bytes; is it a table?")
                    yield TableRow(number, {}, f"a line of more than {_MAX_LINE_BYTES:,} bytes")
                    continue
                cells = [cell.strip() for cell in raw.decode("utf-8-sig", "replace").rstrip("\r\n").split("\t")]
                if not header:
                    header = cells
                    _check_header(table, header)
                elif any(cells):
                    if number > MAX_ROWS:
                        raise NightRunsError(f"{table}:{number}: at most {MAX_ROWS:,} rows are read; split the table")
                    unfit = "" if len(cells) == len(header) else f"{len(cells)} of {len(header)} cells"
                    yield TableRow(number, dict(zip(header, cells, strict=False)), unfit)
        except OSError as error:
            raise NightRunsError(f"{table}: {error.strerror}; name a table that can be read") from None
    if not header:
        raise NightRunsError(f"{table}: empty; name a table with a header line")


def _line(file: BinaryIO) -> bytes:
    """The next line; of one that is too long a byte too many, and the rest of it passed over."""
    found = file.readline(_MAX_LINE_BYTES + 1)
    rest = found
    while len(rest) > _MAX_LINE_BYTES and not rest.endswith(b"\n"):
        rest = file.readline(_MAX_LINE_BYTES + 1)
    return found


def _check_header(table: Path, header: Sequence[str]) -> None:
    if len(header) > MAX_COLUMNS:
        raise NightRunsError(f"{table}:1: {len(header):,} columns; at most {MAX_COLUMNS}, is it the right table?")
    columns = set(header)
    doubled = sorted({each for each in header if header.count(each) > 1 and each})
    if doubled:
        raise NightRunsError(f"{table}:1: column {printable(doubled[0])} stands twice; remove one")
    missing = [] if columns & {"run_tag", "case_id"} else ["run_tag"]
    if "case_status" not in columns:
        missing += ["har_success"] * ("har_success" not in columns)
        missing += ["hef_success"] * (not columns & {"hef_success", "compile_success"})
    if missing:
        shown = printable(", ".join(header), most=120)
        raise NightRunsError(
            f"{table}:1: no column {', '.join(missing)} (it has: {shown}); give a tab-separated table with run_tag, "
            "har_success and hef_success, or with run_tag and case_status"
        )


@dataclass(frozen=True)
class RunFolder:
    """A table's folder and the runs' folders in it: `names` has where each name stands, in whichever of them."""

    root: Path
    names: Mapping[str, tuple[Path, ...]]

    @staticmethod
    def of(root: Path) -> RunFolder:
        """The folder and its folders, listed once. Raises OldRunsError."""
        root = root.resolve()
        names: dict[str, list[Path]] = {}
        count = 0
        try:
            inner = sorted(each for each in root.iterdir() if each.is_dir())
            for folder in (root, *inner):
                with os.scandir(folder) as listed:
                    for each in listed:
                        count += 1
                        names.setdefault(each.name, []).append(folder / each.name)
                if count > MAX_FILES:
                    raise NightRunsError(f"{root}: more than {MAX_FILES:,} files; name the folder of night runs alone")
        except OSError as error:
            raise NightRunsError(f"{error.filename}: {error.strerror}; name a folder that can be read") from None
        return RunFolder(root, {name: tuple(places) for name, places in names.items()})

    def named(self, cell: str) -> Path | None:
        """The file that a cell means: the last two parts of its path, or the last, below this folder."""
        if "\0" in cell:
            return None
        parts = PurePosixPath(cell.replace("\\", "/")).parts
        for tail in (parts[-2:], parts[-1:]):
            found = self.root.joinpath(*tail)
            if tail and os.path.isfile(found) and found.resolve().is_relative_to(self.root):
                return found
        return None

    def beside(self, name: str) -> Path | None:
        """The file of that name in this folder, or in the one folder that has it; None if several have."""
        found = [each for each in self.names.get(name, ()) if os.path.isfile(each)]
        return found[0] if len(found) == 1 and found[0].resolve().is_relative_to(self.root) else None
