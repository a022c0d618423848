"""SUPPORT.md: the same for the same outcomes, of whole runs only, and predicted never beside observed in one table."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.common.seals import sealed
from tasnet.plan.cut import Cut
from tasnet.suite.cases.case import AnyCase, SegmentCase
from tasnet.suite.cases.outcome import Provenance
from tasnet.suite.cases.profiles import PLANNED, profile_cases
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import read_run
from tasnet.suite.history.writer import begin_run
from tasnet.suite.ledger import claims, read_ledger
from tasnet.suite.report.support import SupportError, observed_runs, predicted_runs, support_diff, support_document
from tasnet.suite.run.store import file_sha256
from tests.doubles.outcomes import DFC, REFERENCE, SUPER_DECONV, outcomes
from tests.doubles.stored_runs import ended_record, plan_record, run_head, store_copy

ROOT = Path(__file__).resolve().parents[3]
LEDGER = read_ledger(ROOT / "expected_failures.yaml")
GROUPED = next(entry for entry in LEDGER.entries if entry.id == "grouped-super-deconv")


def of_the_ledger(case: AnyCase, by: Provenance) -> CaseRecord:
    """A case that fails where the entry of the grouped decoder claims it, and nowhere else."""
    ended = outcomes(*([SUPER_DECONV] if claims(GROUPED, case.axes()) else []), by=by)
    return ended_record(case, ended, [GROUPED], name="")


WHOLE = PLANNED[0].whole
PLAN = plan_record(WHOLE.id, "notes, 8 kHz")
SEGMENTS = [SegmentCase(WHOLE, Cut("scaled", start, start + 1, 1, 668, 3)) for start in (1, 9)]


@cache
def records(name: str, by: Provenance) -> list[CaseRecord]:
    """Of all cases of a profile."""
    cases = profile_cases(name) if name != "plans" else (WHOLE, *SEGMENTS)
    return [of_the_ledger(case, by) for case in cases]


def stored(store: Path, name: str, by: Provenance = REFERENCE, day: int = 1, **head: object) -> Path:
    folder = store / "runs" / f"202611{day:02}T{('matrix', 'probes', 'trained', 'plans').index(name):06}Z"
    folder.mkdir(parents=True)
    known = records(name, by)
    given = {"started": f"2026-11-{day:02}T00:00:00Z", "profile": name, "ledger_sha256": file_sha256(LEDGER.path)}
    writer = begin_run(folder, run_head(known, **given, toolchain=by.toolchain, version=by.version, **head))
    if name == "plans":
        writer.add_plan(PLAN)
    with (folder / "records.jsonl").open("ab") as file:
        lines = (each.model_dump_json(exclude_defaults=True).encode() for each in known)
        file.writelines(sealed(writer.key, line) + b"\n" for line in lines)
    writer.end(known, 0)
    return folder


def both(store: Path, by: Provenance = REFERENCE, day: int = 1, **head: object) -> None:
    for name in ("matrix", "probes", "trained", "plans"):
        stored(store, name, by, day, **head)


def text(store: Path, before: str = "") -> str:
    return support_document(LEDGER, predicted_runs(store, LEDGER, "hailo8"), observed_runs(store, "hailo8"), before)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def section(text: str, title: str) -> str:
    return text.partition(f"\n{title}\n")[2].partition("\n## ")[0]


def test_the_tables_say_what_the_records_say(store: Path) -> None:
    both(store)
    predicted = section(text(store), "## Predicted")
    assert "| matrix | hailo8 | reference 0.1.0 | 840 | 285 | 0 | 756 | 84 |" in predicted
    row = next(line for line in predicted.splitlines() if line.startswith("| `project-bypass` |"))
    assert row.split("|")[2:5] == [" another function ", " blocked A ", " clear (observed) "]
    assert "The function: 840 another function (ReLU for PReLU in 420, no masks in 420, " in predicted
    assert "| trained | hailo8 | reference 0.1.0 | 29 | 29 | 29 |" in predicted
    told = [case for name in ("matrix", "probes", "trained") for case in profile_cases(name)]
    clear = sum(not claims(GROUPED, case.axes()) for case in told)
    assert f"{clear} predicted clear, observed: " in predicted
    assert len(re.findall(r"^\| `[^`]*` \| (?:exact|another function: .*) \|$", predicted, re.MULTILINE)) == clear


def test_what_keeps_the_function_stands_whole_beside_its_segments(store: Path) -> None:
    both(store)
    told = section(text(store), "## Predicted").partition("### What keeps the function\n")[2].partition("\n###")[0]
    assert "modelled for a Pi." in told
    figures = "24 | 48 | 2.06 | 316.4 | 0.158 | 613.6 |"
    assert f"| notes, 8 kHz: `{WHOLE.id}` | clear (observed) | 2 clear (observed) | {figures}" in told
    assert "| plans | hailo8 | reference 0.1.0 | 3 | 3 | 3 | 3 | 0 |" in section(text(store), "## Predicted")


def test_a_network_that_no_plan_fits_is_told_with_what_binds(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.PLAN", PLAN.model_copy(update={"trouble": "block 8 alone takes more"}))
    both(store)
    assert "\n- notes, 8 kHz: no plan: block 8 alone takes more\n" in text(store)


def test_a_run_again_changes_nothing_not_even_the_date(store: Path) -> None:
    both(store, day=1)
    before = text(store)
    assert "Last changed: 2026-11-01." in before
    both(store, day=9)
    assert text(store, before) == before
    assert text(store, before.replace("blocked A", "blocked B", 1)).count("Last changed: 2026-11-09.") == 1


def test_what_a_compiler_said_has_a_section_of_its_own_and_stays_without_it(store: Path, tmp_path: Path) -> None:
    both(store)
    both(store, DFC, day=2)
    with_compiler = text(store)
    observed = section(with_compiler, "## Observed")
    assert "A real compiler's word." in observed
    assert "predicted" not in observed
    assert "observed" not in re.sub(
        r"clear, observed:|clear \(observed\)|was observed", "", section(with_compiler, "## Predicted")
    )
    elsewhere = tmp_path / "elsewhere"
    both(elsewhere, day=3)
    assert text(elsewhere, with_compiler) == with_compiler
    assert "No run of the compiler" in section(text(elsewhere), "## Observed")


def test_a_test_double_observes_nothing(store: Path) -> None:
    both(store)
    both(store, DFC, day=2, double=True)
    assert observed_runs(store, "hailo8") == {}


def test_only_whole_runs_of_this_ledger_and_no_checkpoint_count(store: Path) -> None:
    with pytest.raises(SupportError, match="no whole run of matrix on hailo8 is stored; run `tasnet matrix"):
        predicted_runs(store, LEDGER, "hailo8")
    both(store)
    whole = read_run(store / "runs" / "20261101T000000Z")
    store_copy(whole, store, killed=True, days=3)
    store_copy(whole, store, records=whole.records[:5], days=4)
    store_copy(whole, store, head={"checkpoint": "best.pth"}, days=5)
    assert predicted_runs(store, LEDGER, "hailo8")["matrix"].id == whole.id
    store_copy(whole, store, head={"ledger_sha256": "0" * 64}, days=6)
    with pytest.raises(SupportError, match=r"another ledger than .* judged it; run `tasnet matrix"):
        predicted_runs(store, LEDGER, "hailo8")


def test_the_command_writes_and_checks(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "SUPPORT.md"
    command = ["support", "--store", str(store), "--ledger", str(LEDGER.path), "--file", str(file)]
    assert main([*command, "--check"]) == 2
    assert "no whole run of matrix" in capsys.readouterr().err
    both(store)
    assert main([*command, "--check"]) == 1
    assert "not current; tasnet support --write makes it so" in capsys.readouterr().out
    assert not file.exists()
    assert main([*command, "--write"]) == 0
    assert main([*command, "--check"]) == 0
    assert capsys.readouterr().out.endswith(f"{file}: current\n")
    file.write_text(file.read_text().replace("| blocked A |", "| clear |", 1))
    assert main([*command, "--check"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("---")
    assert any(line.startswith("-| `concat-normal` | another function | clear |") for line in said)
    assert any(line.startswith("+| `concat-normal` | another function | blocked A |") for line in said)
    file.write_bytes(b"\xff")
    assert main([*command, "--write"]) == 2
    assert "byte 0 isn't UTF-8" in capsys.readouterr().err
    assert file.read_bytes() == b"\xff"
    assert main([*command, "--check", "--write"]) == 2
    assert main([*command, "--arch", "hailo9"]) == 2


def test_a_difference_is_empty_exactly_for_equal_texts() -> None:
    assert support_diff("a\n", "a\n", Path("x")) == ()
    assert support_diff("a\n", "b\n", Path("x"))[-2:] == ("-a", "+b")
