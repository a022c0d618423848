"""The tables of night runs as rows by column name, and the files beside them. A table's folder is all that is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

_LONGEST_LINE = 1 << 20
"""bytes; what is longer is no row"""


class OldRunsError(ValueError):
    """Night runs that can't be read. One line: what is wrong, where, what to do."""


def tables_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise OldRunsError(f"{folder}: no such folder or file; name the folder of night runs, or a summary.tsv")
    for pattern in ("*summary.tsv", "*/*summary.tsv"):
        if found := sorted(each for each in folder.glob(pattern) if each.is_file()):
            return found
    raise OldRunsError(f"{folder}: no summary.tsv in it; name the folder that holds one")


def rows_of(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, column -> cell) of a tab-separated table, read line by line."""
    try:
        with table.open("rb") as file:
            header: list[str] = []
            for number, raw in enumerate(iter(partial(file.readline, _LONGEST_LINE), b""), 1):
                cells = raw.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r\n").split("\t")
                if not header:
                    header = [cell.strip() for cell in cells]
                    _check_header(table, header)
                elif any(cell.strip() for cell in cells):
                    row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
                    yield number, row if len(cells) == len(header) else {**row, "": f"{len(cells)} of {len(header)}"}
    except OSError as error:
        raise OldRunsError(f"{table}: {error.strerror}; name a table that can be read") from None
    if not header:
        raise OldRunsError(f"{table}: empty; name a table with a header line")


def _check_header(table: Path, header: Sequence[str]) -> None:
    columns = set(header)
    doubled = sorted({each for each in header if header.count(each) > 1 and each})
    if doubled:
        raise OldRunsError(f"{table}:1: column {doubled[0]} stands twice; remove one")
    missing = [] if columns & {"run_tag", "case_id"} else ["run_tag"]
    if "case_status" not in columns:
        missing += ["har_success"] * ("har_success" not in columns)
        missing += ["hef_success"] * (not columns & {"hef_success", "compile_success"})
    if missing:
        shown = ", ".join(header)[:120]
        raise OldRunsError(
            f"{table}:1: no column {', '.join(missing)} (it has: {shown}); give a tab-separated table with run_tag, "
            "har_success and hef_success, or with run_tag and case_status"
        )


@dataclass(frozen=True)
class RunFolder:
    """A table's folder and the runs' folders in it."""

    root: Path
    inner: tuple[Path, ...]

    @staticmethod
    def of(root: Path) -> RunFolder:
        return RunFolder(root.resolve(), tuple(sorted(each for each in root.resolve().iterdir() if each.is_dir())))

    def named(self, cell: str) -> Path | None:
        """The file that a cell means: the last two parts of its path, or the last, below this folder."""
        parts = PurePosixPath(cell.replace("\\", "/")).parts
        for tail in (parts[-2:], parts[-1:]):
            found = self.root.joinpath(*tail)
            if tail and os.path.isfile(found) and found.resolve().is_relative_to(self.root):
                return found
        return None

    def beside(self, name: str) -> Path | None:
        """The file of that name in this folder, or in the one folder that has it; None if several have."""
        if not name or "/" in name or "\0" in name:
            return None
        found = [each / name for each in (self.root, *self.inner) if os.path.isfile(each / name)]
        return found[0] if len(found) == 1 and found[0].resolve().is_relative_to(self.root) else None
