"""Night runs: the conversion notes' `summary.tsv` and its files, read as observed outcomes; `exporting.py` writes them.

A folder holds `summary.tsv` (or other tables `*_summary.tsv`) and `<YYYYMMDD_HHMMSS>/<run_tag>.log`,
`.failure.txt` and `.failure.txt.json`. Tables are read by the names of their columns, in any order. A row that can't
be placed is left out with its reason, never guessed at: a tag that no case has, flags that say another variant than
the tag, a prediction. Files that a table names are looked for in the table's own folder and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import printable
from tasnet.suite.cases import (
    BASE_ARCH,
    DOUBLE_SUFFIX,
    LEARNED_NOTHING,
    NOTES_TAGS,
    Case,
    CaseError,
    Outcome,
    Stage,
    graph_key,
    parse_case,
)
from tasnet.suite.notes.run_row import TOOLCHAIN, RowSkipped, boolean, files_of_row, stages_of
from tasnet.suite.notes.run_tables import RunFolder, rows_of, tables_of
from tasnet.suite.observed import Evidence, keep_evidence
from tasnet.suite.run import Store

UNKNOWN_VERSION = "unknown"
"""No version at all: entries of the ledger that are bound to a range don't speak of it."""
_FLAGS = ("disable_skip", "mask_mul_mode", "force_n_src_1", "bypass_concat", "skip_topology_mode", "deconv_mode")


@dataclass(frozen=True)
class NightRun:
    """One row. `stages` has translate, optimize and compile, all observed; `source` is `file:line`."""

    tag: str
    case: Case
    run: str
    source: str
    stages: Mapping[Stage, Outcome]
    log: Path | None = None

    @property
    def evidence(self) -> Evidence:
        """The row as evidence for the store."""
        return Evidence(
            case_id=self.case.id, tag=self.tag, run=self.run, source=self.source, outcomes=tuple(self.stages.values())
        )


@dataclass(frozen=True)
class SkippedRow:
    """A row (or file) that is no outcome, and why."""

    source: str
    tag: str
    reason: str


@dataclass(frozen=True)
class NightRuns:
    """What was read, in the order of the tables."""

    runs: tuple[NightRun, ...]
    left_out: tuple[SkippedRow, ...]


@dataclass(frozen=True)
class Imported:
    """What an import did: `kept` is new in the store, `known` was there."""

    kept: int
    known: int
    left_out: tuple[SkippedRow, ...]


def import_night_runs(store: Store, path: Path, *, version: str = "", arch: str = BASE_ARCH) -> Imported:
    """Reads night runs and keeps them as evidence. Doing so twice, or in two processes, keeps each once."""
    reading = read_night_runs(path, version=version, arch=arch)
    learned = [run for run in reading.runs if run.evidence.end.status not in LEARNED_NOTHING]
    new = [keep_evidence(store, run.evidence) for run in learned]
    left = [SkippedRow(run.source, run.tag, _nothing_learned(run)) for run in reading.runs if run not in learned]
    return Imported(sum(new), len(new) - sum(new), (*reading.left_out, *left))


def _nothing_learned(run: NightRun) -> str:
    end = run.evidence.end
    return f"{end.status.value} at {end.stage.value}, no evidence: {printable(end.reason)}"


def read_night_runs(path: Path, *, version: str = "", arch: str = BASE_ARCH) -> NightRuns:
    """The night runs of a folder or of one table. Raises OldRunsError.

    `version` is the compiler's where neither table nor log says it; without it, it stays `unknown`. `arch` is the
    architecture of rows that name none.
    """
    tables = [path] if path.exists() and not path.is_dir() else tables_of(path)
    runs: list[NightRun] = []
    left_out: list[SkippedRow] = []
    for table in tables:
        folder = RunFolder.of(table.parent)
        name = table.relative_to(path).as_posix() if path.is_dir() else table.name
        for row in rows_of(table):
            source = f"{name}:{row.number}"
            tag = printable(row.cells.get("run_tag") or row.cells.get("case_id") or "")
            try:
                if row.unfit:
                    raise RowSkipped(row.unfit)
                runs.append(_run(row.cells, tag, source, folder, version, arch))
            except RowSkipped as reason:
                left_out.append(SkippedRow(source, tag, printable(str(reason), most=600)))
    return NightRuns(tuple(runs), tuple(left_out))


def _run(row: Mapping[str, str], tag: str, source: str, folder: RunFolder, version: str, arch: str) -> NightRun:
    """The row as a run. Raises RowLeftOut."""
    if boolean(row, "predicted") or row.get("toolchain", TOOLCHAIN) not in ("", TOOLCHAIN):
        raise RowSkipped(f"said by {row.get('toolchain') or 'a prediction'}: not observed by a compiler")
    if row.get("toolchain_version", "").endswith(DOUBLE_SUFFIX):
        raise RowSkipped("said by a test double: not observed by a compiler")
    case = _case(row, tag, arch)
    texts = files_of_row(row, tag, folder)
    if texts.note.get("predicted") is True:
        raise RowSkipped("its failure.txt.json is a prediction")
    compiler_version = row.get("toolchain_version") or texts.version or version or UNKNOWN_VERSION
    stages = stages_of(row, texts, case, compiler_version)
    return NightRun(tag, case, texts.run, source, stages, texts.log)


def _case(row: Mapping[str, str], tag: str, arch: str) -> Case:
    """The case of a row: its own id, else its tag, else its flags; the flags may not contradict it."""
    arch = row.get("arch") or arch
    flags = row.get("export_flags", "")
    try:
        flagged = parse_case(flags, arch) if flags else None
        name = row.get("case_id") or tag
        if flagged and name not in NOTES_TAGS and not row.get("case_id") and not _is_id(name):
            if not all(f"{flag}=" in flags for flag in _FLAGS):
                raise RowSkipped(f"no case has the tag '{tag}', and its flags don't say all of a variant")
            return flagged
        case = parse_case(name, arch)
    except CaseError as error:
        raise RowSkipped(str(error)) from None
    complete = all(f"{flag}=" in flags for flag in _FLAGS)
    # Of equal graphs, whatever the flags leave open: 24 kept blocks are all.
    if flagged and complete and graph_key(flagged) != graph_key(case):
        raise RowSkipped(f"the tag means {case.id}, the flags mean {flagged.id}")
    return case


def _is_id(name: str) -> bool:
    try:
        parse_case(name)
    except CaseError:
        return False
    return True
