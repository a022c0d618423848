"""A store whose files were damaged tells what an undamaged one tells: every kind of file, in every way.

The right value is what the same cases told before, from the same code on whole files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.outside import store_damage
from benchmarks.outside.store_damage import KINDS, WAYS, tried, undamaged
from tasnet.cli import main
from tasnet.common.seals import sealed, unsealed
from tasnet.suite.cases.outcome import Stage
from tasnet.suite.history.run import END, HEAD, MEASURES, RECORDS
from tasnet.suite.run.store import DamageWarning
from tests.doubles.ledgers import entry_text, ledger_text
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import ended_record, parity_measure, store_run

READ_BY_STAGES = {"graph", "weights", "HAR", "array of a HAR", "compiled file", "log"}
CASE = "project-bypass-conv1x1_head-k1"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damage")


@pytest.fixture(scope="module")
def before(scratch: Path) -> Mapping[bool, Mapping[str, Any]]:
    return undamaged(scratch)


def test_the_store_has_verdicts_of_each_sort(before: Mapping[bool, Mapping[str, Any]]) -> None:
    ends = [found[-1]["status"].value for case, found in before[True].items() if case.startswith(("concat", "project"))]
    assert "blocked" in ends or "failed" in ends
    assert len(before[True]["evidence"]) == 2
    assert len(before[True]["runs"]) == 2
    assert before[True]["figures"]
    assert before[True]["measured"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_damaged_nothing_is_told_otherwise(
    kind: str, scratch: Path, before: Mapping[bool, Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is measured anew takes a second each time; the benchmark does it for more.
    monkeypatch.setattr(store_damage, "MEASURED_ON", frozenset())
    # A later toolchain works all stages out anew; of what no stage reads each tells the same.
    rounds = store_damage.ROUNDS if kind == "outcome" else ((True, kind in READ_BY_STAGES),)
    found = [tried(scratch / "whole", kind, way, before, scratch, rounds) for way in WAYS]
    assert [(each.way, each.wrong) for each in found if each.wrong] == []
    assert [each.way for each in found if each.again] == [], "said once"
    # What is gone is absent, and a run's files are named where the run is read.
    loud = {way for way in WAYS if way != "removed"} if not kind.startswith("run's") else set()
    assert {each.way for each in found if each.said} >= loud


def test_a_figure_is_never_measured_on_damaged_weights(scratch: Path, before: Mapping[bool, Mapping[str, Any]]) -> None:
    found = tried(scratch / "whole", "weights", "a bit flipped", before, scratch, ((True, True),))
    assert (found.wrong, found.again) == ((), 0)
    assert found.said


def test_what_is_not_held_against_its_name_is_told_wrongly(
    scratch: Path, before: Mapping[bool, Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the comparison can fail: with the checks taken away it does."""
    monkeypatch.setattr("tasnet.suite.run.store.has_content", lambda path, digest: path.exists())
    monkeypatch.setattr("tasnet.suite.run.store.unsealed", lambda key, data: data[data.index(b'"kept":') + 7 : -1])
    for kind, way in (("outcome", "edited"), ("weights", "a bit flipped")):
        later = kind != "outcome"
        assert tried(scratch / "whole", kind, way, before, scratch, ((True, later),)).wrong, (kind, way)


def test_a_seal_is_json_and_broken_by_any_other_byte() -> None:
    whole = sealed("key", b'{"a":1}')
    assert json.loads(whole)["kept"] == {"a": 1}
    assert unsealed("key", whole) == b'{"a":1}'
    assert unsealed("other", whole) is None
    for at in range(len(whole)):
        for other in (whole[at] ^ 1, 0x20):
            if other != whole[at]:
                assert unsealed("key", whole[:at] + bytes([other]) + whole[at + 1 :]) is None
        assert unsealed("key", whole[:at]) is None
        assert unsealed("key", whole[:at] + b" " + whole[at:]) is None
    assert unsealed("key", b"") is None


# --- what commands say -------------------------------------------------------------------------------------


@pytest.fixture
def run_stored(tmp_path: Path) -> tuple[Path, list[str]]:
    """The folder of a run that was judged and measured, and the options of a command on its store and a ledger."""
    cases = [CASE, "concat-normal-grouped-all"]
    folder = tmp_path / "runs" / "20260601T120000Z"
    store_run(
        folder, [ended_record(case, outcomes(), stage=Stage.COMPILE) for case in cases], [parity_measure(CASE, 90.0)]
    )
    book = tmp_path / "ledger.yaml"
    book.write_text(ledger_text(entry_text("one")))
    return folder, ["--ledger", str(book), "--store", str(tmp_path)]


@pytest.mark.parametrize("name", [RECORDS, MEASURES])
@pytest.mark.parametrize("way", ["gone", "cut", "changed"])
def test_runs_and_ledger_check_notice_a_run_whose_files_are_not_as_they_were(
    run_stored: tuple[Path, list[str]], name: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, options = run_stored
    path = folder / name
    lines = path.read_bytes().splitlines(keepends=True)
    if way == "gone":
        path.unlink()
    elif way == "cut":
        path.write_bytes(b"".join(lines[:-1]))
    else:
        path.write_bytes(b"".join(lines).replace(b"e", b"a", 1))
    says = f"{path}: its lines are {'not as they were kept' if way == 'changed' else way}"
    main(["runs", *options[2:]])
    assert says in capsys.readouterr().out
    assert main(["ledger", "check", *options]) == 2
    assert says in capsys.readouterr().err


def test_ledger_check_names_a_run_without_its_head(
    run_stored: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, options = run_stored
    store_run(folder.with_name("20260531T120000Z"), [ended_record(CASE, outcomes())])
    (folder / HEAD).unlink()
    main(["ledger", "check", *options])
    assert f"note: run {folder.name} can't be read, and says nothing: " in capsys.readouterr().out


def test_a_run_of_a_double_is_no_real_one_by_an_edited_head(
    run_stored: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, options = run_stored
    text = (folder / HEAD).read_text()
    (folder / HEAD).write_text(text.replace('"toolchain": "reference"', '"toolchain": "dfc"'))
    assert (folder / HEAD).read_text() != text
    main(["runs", *options[2:]])
    out = capsys.readouterr().out
    assert f"{folder / END}: damaged, or of another {HEAD}" in out
    assert "observed" not in out


def test_a_command_says_damage_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "measures"
    folder.mkdir()
    (folder / f"{'a' * 64}.json").write_text('{"key":')
    assert main(["thresholds", "check", "--store", str(tmp_path)]) != 0
    err = capsys.readouterr().err
    assert f"tasnet: warning: measures/{'a' * 64}.json: not what was kept there; set aside in {tmp_path}" in err
    assert DamageWarning.__name__ not in err
    assert (tmp_path / "damaged" / f"measures_{'a' * 64}.json").is_file()
