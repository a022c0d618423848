"""A store whose files were damaged: every kind of file, in every way, and what later runs tell of it.

A small store is filled once. For each kind and way one file of it, or each, is damaged in a copy; then the cases are
run again, by the toolchain that filled it and by a later one, which reads what the stages left. Whatever is told,
verdicts, failures, digests of what each stage was given, figures, evidence, must be what an undamaged store tells. A
run's own files can't be made anew: they must be named.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from tasnet.hailo.predict.reference import Reference
from tasnet.hailo.toolchain import StageReport
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.history.records import case_record
from tasnet.suite.history.run import ParityFigure, RunError, RunHead, read_run
from tasnet.suite.history.writer import begin_run
from tasnet.suite.ledger.judgement import judge
from tasnet.suite.numerics.kept_figures import keep_figures, read_figures
from tasnet.suite.numerics.measuring import measure_case
from tasnet.suite.observed import all_evidence, keep_run_evidence
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import DamageWarning, Store, file_sha256

TINY = Size(N=32, L=16, B=16, H=32, Sc=32, X=2, R=1)
CASES = (
    Case(Variant(), TINY, 160),
    Case(Variant("split", decoder="polyphase"), TINY, 160),
    Case(Variant("project", decoder="conv1x1_head", layout="vertical"), TINY, 320),
)
"""blocked, clear and extrapolated"""
DAY = date(2026, 6, 1)

KINDS: Mapping[str, str] = {
    "outcome": "outcomes/*/*.json",
    "note": "notes/*.json",
    "graph": "onnx/*.onnx",
    "weights": "onnx/*.bin",
    "HAR": "har/*.parts",
    "array of a HAR": "blobs/*",
    "compiled file": "files/*.hef",
    "log": "files/*.log",
    "figure": "measures/*.json",
    "evidence": "evidence/*/*.json",
    "run's records": "runs/*/records.jsonl",
    "run's measures": "runs/*/measures.jsonl",
    "run's head": "runs/*/run.json",
    "run's end": "runs/*/end.json",
}
MEASURED_ON = frozenset({"graph", "weights", "HAR", "array of a HAR"})
"""what a figure is measured on"""

AT_WORK = ("locks", "tmp")
"""folders of a store that hold nothing of it"""

Way = Callable[[Path, Path, random.Random], None]


def _flip(path: Path, other: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def _cut(path: Path, other: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(1, len(data))])


def _swap(path: Path, other: Path, rng: random.Random) -> None:
    path.write_bytes(other.read_bytes())


def _edit(path: Path, other: Path, rng: random.Random) -> None:
    """As a person would: predictions become observations, failures passes."""
    data = path.read_bytes()
    edited = data.replace(b'"predicted":true', b'"predicted":false').replace(b'"failed"', b'"passed"')
    path.write_bytes(edited if edited != data else data + b" ")


def _instead(make: Callable[[Path], object]) -> Way:
    """Something else lies in the file's place."""

    def way(path: Path, other: Path, rng: random.Random) -> None:
        path.unlink()
        make(path)

    return way


def _long(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


WAYS: Mapping[str, Way] = {
    "a bit flipped": _flip,
    "cut": _cut,
    "empty": lambda path, other, rng: path.write_bytes(b"") and None,
    "removed": lambda path, other, rng: path.unlink(),
    "swapped with another": _swap,
    "edited": _edit,
    "a pipe": _instead(os.mkfifo),
    "a folder": _instead(Path.mkdir),
    "a link to a device": _instead(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": _instead(lambda path: path.symlink_to(path.name)),
    "3 GB of zeros": _instead(_long),
}


@dataclass(frozen=True)
class Compiling(Reference):
    """The embedded toolchain, leaving what a compiler leaves: a file and a log, each of its HAR's content."""

    later: bool = False

    @property
    def fingerprint(self) -> str:
        """Another one makes all stages but the export be worked out anew."""
        return f"{super().fingerprint}{' later' if self.later else ''}"

    def compile(self, har: Path, arch: str, hef: Path) -> StageReport:
        """What the embedded toolchain says, with the two files."""
        report = super().compile(har, arch, hef)
        content = file_sha256(har).encode()
        hef.write_bytes(b"compiled " + content)
        log = hef.with_suffix(".log")
        log.write_bytes(b"log of " + content)
        return StageReport(
            report.ended, report.failures, report.doubts, report.certainty, hef, log, "as the embedded one says"
        )


def filled(root: Path) -> None:
    """Fills a store: the cases, a figure of one, what a compiler said of two, and a run of all."""
    store = Store(root)
    pipeline = Pipeline(store, Compiling())
    outcomes = {case: pipeline.run(case) for case in CASES}
    keep_figures(store, measure_case(CASES[1], pipeline))
    store.put_note("0" * 64, {"N": 512})
    store.put_note("1" * 64, {"N": 256})
    for case in CASES[:2]:
        keep_run_evidence(store, case, _observed(outcomes[case]))
    for name in ("20260601T000000Z", "20260602T000000Z"):
        _run(root / "runs" / name, outcomes, double=name.startswith("20260602"))


def _observed(outcomes: Mapping[Stage, Outcome]) -> dict[Stage, Outcome]:
    """The same as if a compiler had said it."""
    by = {"predicted": False, "toolchain": "dfc", "version": "3.33.1"}
    return {
        stage: each.model_copy(update={"provenance": each.provenance.model_copy(update=by), "seconds": 0.0})
        for stage, each in outcomes.items()
    }


def _run(folder: Path, outcomes: Mapping[Case, Mapping[Stage, Outcome]], double: bool) -> None:
    folder.mkdir(parents=True)
    started = datetime(2026, 6, 1, tzinfo=timezone.utc)
    head = {"started": started, "profile": "notes", "arch": "hailo8", "toolchain": "dfc", "version": "3.33.1"}
    writer = begin_run(folder, RunHead(**head, cases=len(CASES), chosen=len(CASES), double=double))
    records = [
        case_record(case.id, case, "notes", Stage.COMPILE, each, judge(case.axes(), each, [], DAY))
        for case, each in outcomes.items()
    ]
    for each in records:
        writer.add_record(each)
        writer.add_parity(
            ParityFigure(case_id=each.case_id, stage="onnx", form="identity", length=160, snr_db=99.0, of_peak=1e-5)
        )
    writer.end(records, 1 if double else 0)


def told(root: Path, later: bool, figures: bool = False) -> dict[str, Any]:
    """All that a later run tells of the store; with `figures`, the parity of one case measured anew."""
    store = Store(root)
    pipeline = Pipeline(store, Compiling(later=later))
    found: dict[str, Any] = {}
    for case in CASES:
        outcomes = pipeline.run(case, whole=later)
        # Times are of the day; all else, and what each stage was given, is of the network.
        found[case.id] = [each.model_dump(exclude={"seconds"}) for each in outcomes.values()]
        for outcome in outcomes.values() if later else ():
            for name in (outcome.artifact, str(outcome.figures.get("log", ""))):
                if name.startswith("files/"):
                    _content(store, name)
    if figures:
        found["measured"] = measure_case(CASES[1], pipeline)
    found["figures"] = {(each.case, each.stage): each for each in read_figures(store)}
    found["notes"] = {key: store.note(key) for key in ("0" * 64, "1" * 64)}
    found["evidence"] = {each.key: each for each in all_evidence(store)}
    found["runs"] = dict(_runs(root))
    return found


def _content(store: Store, name: str) -> bytes:
    try:
        return store.path(name).read_bytes()
    except RuntimeError:
        return b""


def _runs(root: Path) -> Iterator[tuple[str, Any]]:
    for name in ("20260601T000000Z", "20260602T000000Z"):
        try:
            run = read_run(root / "runs" / name)
        except RunError:
            continue
        # One without its end is one that was killed, and says no more than its records do.
        if run.end is not None:
            yield name, (run.head, run.records, run.measures, run.end)


def wrong(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is told otherwise than before. Less is told of what nobody can work out anew, and nothing else."""
    partly = ("figures", "notes", "evidence", "runs")
    found = [name for name in before if name not in partly and before[name] != after[name]]
    for part in partly:
        lost = {key: value for key, value in after[part].items() if value is not None}
        found += [f"{part} {key}" for key, value in lost.items() if before[part].get(key) != value]
    return found


@dataclass(frozen=True)
class Tried:
    """One kind of damage: what was told wrongly after it, how often it was said, and what a second run still said."""

    kind: str
    way: str
    wrong: tuple[str, ...]
    said: int
    again: int


Rounds = tuple[tuple[bool, bool], ...]
ROUNDS: Rounds = ((False, False), (True, True))
"""one file of a kind, and the toolchain as it was; each of them, and a later one"""


def tried(
    whole: Path, kind: str, way: str, before: Mapping[bool, Mapping[str, Any]], scratch: Path, rounds: Rounds = ROUNDS
) -> Tried:
    """Damages a copy of the store at `whole` for each round, and runs again, twice."""
    rng = random.Random(f"{kind} {way}")
    found: list[str] = []
    said = again = 0
    measured = kind in MEASURED_ON
    names = sorted(path.relative_to(whole) for path in whole.glob(KINDS[kind]))
    assert len(names) > 1, f"{kind}: the store has too few of them to swap"
    for each, later in rounds:
        root = scratch / "damaged"
        _put_right(root, whole)
        for name in names if each else [rng.choice(names)]:
            (root / name).unlink()
            shutil.copyfile(whole / name, root / name)
            WAYS[way](root / name, whole / next(other for other in names if other != name), rng)
        for second in (False, True):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                after = told(root, later, figures=later and measured and not second)
            damage = sum(issubclass(warning.category, DamageWarning) for warning in caught)
            said, again = (said, again + damage) if second else (said + damage, again)
            known = {name: value for name, value in before[later].items() if name in after}
            found += wrong(known, after)
    return Tried(kind, way, tuple(dict.fromkeys(found)), said, again)


def _put_right(root: Path, whole: Path) -> None:
    """Makes `root` the same as the store at `whole`, whatever was damaged or made there: its files are links.

    Files are never written over, but renamed into their places: those that stay whole may be the same.
    """
    for here, folders, names in os.walk(root, topdown=False):
        below = Path(here).relative_to(root)
        for name in (*folders, *names) if here == str(root) or below.parts[0] not in AT_WORK else ():
            path, kept = root / below / name, whole / below / name
            if not path.is_symlink() and path.is_dir():
                if not (kept.is_dir() or name in AT_WORK):
                    path.rmdir()
            elif not (os.path.lexists(kept) and os.path.samestat(path.lstat(), kept.lstat())):
                path.unlink()
    shutil.copytree(whole, root, copy_function=_link, ignore=shutil.ignore_patterns(*AT_WORK), dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    if not os.path.lexists(target):
        os.link(source, target)


def undamaged(scratch: Path) -> Mapping[bool, Mapping[str, Any]]:
    """Fills the store `scratch/whole`; what it tells the toolchain as it was, and a later one."""
    filled(scratch / "whole")
    before = {}
    for later in (False, True):
        # A copy, for a later toolchain's outcomes would be read instead of worked out.
        shutil.copytree(scratch / "whole", scratch / f"told {later}")
        before[later] = told(scratch / f"told {later}", later, figures=later)
    return before


def every(scratch: Path) -> Iterator[Tried]:
    """Every kind in every way."""
    before = undamaged(scratch)
    for kind in KINDS:
        for way in WAYS:
            yield tried(scratch / "whole", kind, way, before, scratch)


def figures() -> list[str]:
    """How many kinds of damage were tried, and how many were told wrongly, or again and again."""
    with tempfile.TemporaryDirectory(prefix="tasnet-damage-") as folder:
        found = list(every(Path(folder)))
    bad = [each for each in found if each.wrong]
    lines = [f"{len(found)} kinds of store damage tried, {len(bad)} told wrongly (goal 0)"]
    lines += [f"   {each.kind}, {each.way}: {', '.join(each.wrong)}" for each in bad]
    lines.append(f"{sum(each.again > 0 for each in found)} said again in the run after (goal 0)")
    return lines
