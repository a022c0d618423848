"""Updating changes only the lines that must change, whatever the file looks like, and writes it whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.history.run import StoredRun
from tasnet.suite.ledger import LedgerError, parse_ledger
from tasnet.suite.upkeep.updating import LedgerUpdate, update_ledger
from tests.doubles.ledgers import PATH, cause, entry_text, ledger_text, one_each
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import of_other_cases, store_profile
from tests.suite.upkeep.grouped_ledger import MATRIX, TODAY, done, surprises, tell

# --- text --------------------------------------------------------------------------------------------------

TEXTS = {
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "no line end at the end": lambda text: text.rstrip("\n"),
    "a comment at the end": lambda text: text + "# the end\n",
    "entries in the key's column": lambda text: text.replace("\n  - ", "\n- ").replace("\n    ", "\n  "),
    "quoted keys": lambda text: text.replace("where:", '"where":'),
    "a signed head": lambda text: "# of the team\n%YAML 1.2\n---\n" + text,
    "letters beyond a byte": lambda text: text.replace("a summary", "größer als 𝟏"),
}  # fmt: skip


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_whatever_the_form_of_the_file_only_two_lines_change(form, base: StoredRun) -> None:  # type: ignore[no-untyped-def]
    text = form(ledger_text(entry_text("one", "{decoder: grouped}"), entry_text("two", "{norm: gln}"), budget=5))
    found = done(text, base, allow_new="")
    assert found.after == text.replace("{decoder: grouped}", "{decoder: grouped, sources: all}")
    added = done(form(ledger_text(entry_text("two", "{norm: gln}"), budget=5)), base, allow_new="x")
    lines = [line for line in added.diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert lines == [] or form is TEXTS["no line end at the end"]
    assert len(parse_ledger(added.after, PATH).entries) == 2


ALIASED = {
    "an anchored where": (
        entry_text("one", "&all {decoder: grouped}")
        + "\n"
        + entry_text("two", "*all", "negative_slope", "optimize", "slope", '{dfc: "*"}')
    ),
    "a merged entry": (
        entry_text("one").replace("- id: one", "- &one\n    id: one")
        + "  - <<: *one\n    id: two\n    arch: [hailo8l]\n"
    ),
}


@pytest.mark.parametrize("entries", ALIASED.values(), ids=ALIASED)
def test_a_change_that_would_change_another_entry_too_is_refused(entries: str, base: StoredRun) -> None:
    with pytest.raises(LedgerError, match=r"entry (one|two): its YAML can't be changed in place; write out"):
        done(ledger_text(entries, budget=2), base)


def test_of_a_hundred_entries_only_the_lines_that_must_change_do(base: StoredRun) -> None:
    text = one_each(MATRIX[:100])
    numbers = {case.id: number for number, case in enumerate(MATRIX)}
    gone = {20, 21, 50, 99}

    def ends(case: Case) -> Mapping[Stage, Outcome]:
        number = numbers[case.id]
        return outcomes(*([cause(number)] if number < 100 and number not in gone else []))

    run = of_other_cases(base, ends, MATRIX[:110])
    found = done(text, run)
    assert {each.entry for each in found.changes} == {f"entry-{number}" for number in gone}
    removed = [line for line in found.diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    added = [line for line in found.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == ["+budget: 96"]
    # 11 keys an entry, the comments right above them, an empty line after each, and the budget
    assert sum(line[1:].strip().startswith("- id") for line in removed) == 4
    assert all(line.lstrip("- #").split(":")[0] for line in removed if line.strip() != "-")
    assert len(removed) <= 1 + 4 * (11 + 3)
    assert not surprises(found.after, run)
    assert done(found.after, run).after == found.after


# --- the file ----------------------------------------------------------------------------------------------


def test_the_file_is_written_whole_with_its_mode_and_through_a_link(tmp_path: Path, base: StoredRun) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(ledger_text(entry_text("one")))
    real.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(real)
    found = update_ledger(tmp_path / "link.yaml", base, {}, TODAY)
    assert real.read_text() == found.after != found.before
    assert (real.stat().st_mode & 0o777, (tmp_path / "link.yaml").is_symlink()) == (0o640, True)
    assert {path.name for path in tmp_path.iterdir()} <= {"real.yaml", "link.yaml", ".real.yaml.lock"}


def test_what_an_editor_saved_meanwhile_is_not_lost(
    tmp_path: Path, base: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.yaml"
    path.write_text(ledger_text(entry_text("one")))
    from tasnet.suite.upkeep import updating as module

    true = module.plan_update

    def saved_meanwhile(text: str, *rest: object, **more: object) -> LedgerUpdate:
        found = true(text, *rest, **more)  # type: ignore[arg-type]
        path.write_text(text + "# saved\n")
        return found

    monkeypatch.setattr(module, "plan_update", saved_meanwhile)
    with pytest.raises(LedgerError, match="changed while the update was made; run it again"):
        module.update_ledger(path, base, {}, TODAY)
    assert path.read_text().endswith("# saved\n")
    assert not list(tmp_path.glob("*.tmp"))


def test_the_command_shows_first_and_writes_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = tmp_path / "ledger.yaml", tmp_path / "store"
    text = ledger_text(entry_text("one"))
    path.write_text(text)
    store_profile(store, tell)
    store_profile(store, lambda case: outcomes(), run="20260602T000000Z", double=True)
    options = ["ledger", "update", "--ledger", str(path), "--store", str(store)]
    assert main(options) == 0
    printed = capsys.readouterr().out
    assert "+    where: {decoder: grouped, sources: all}\n" in printed
    assert "run 20260601T000000Z: 20 of 20 cases, predicted by reference 0.1.0 on hailo8\n" in printed
    assert printed.endswith(f"{path}: not written; add --write\n")
    assert path.read_text() == text
    assert main([*options, "--write"]) == 0
    assert "sources: all" in path.read_text()
    assert main([*options, "--write"]) == 0
    assert "the ledger is in line with it" in capsys.readouterr().out
    assert main([*options, "--run", "20260602T000000Z"]) == 2
    assert "made with a test double, so nothing of it holds" in capsys.readouterr().err


def test_the_command_says_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = tmp_path / "ledger.yaml", tmp_path / "store"
    path.write_text(ledger_text())
    store_profile(store, tell)
    options = ["ledger", "update", "--ledger", str(path), "--store", str(store)]
    assert main(options) == 1
    assert "tasnet ledger update --allow-new REASON proposes entries" in capsys.readouterr().out
    assert main([*options, "--shrink-only"]) == 0
    assert main([*options, "--shrink-only", "--allow-new", "x"]) == 2
    assert main([*options, "--allow-new", " "]) == 2
    capsys.readouterr()
    assert main([*options, "--allow-new", "we know", "--json", "--write"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["written"], [each["what"] for each in told["changes"]]) == (True, ["added"])
    assert len(parse_ledger(path.read_text(), path).entries) == 1


def _forked(command: list[str], begin: int, told: int) -> int:
    """The id of a process that runs a command once nobody can write to `begin` any more."""
    child = os.fork()
    if not child:
        code = 70
        try:
            os.close(told)
            os.read(begin, 1)
            code = main(command)
        finally:
            os._exit(code)
    return child


def test_two_updates_at_once_lose_nothing(tmp_path: Path) -> None:
    store_profile(tmp_path / "store", tell)
    path = tmp_path / "ledger.yaml"
    gone = entry_text("gone", "{decoder: conv1x1_head, T: 16000, N: 512, blocks: 1, mask: bypass}", arch="[hailo8]")
    path.write_text(ledger_text(entry_text("one", message="Super"), gone))
    command = ["ledger", "update", "--write", "--ledger", str(path), "--store", str(tmp_path / "store")]
    begin, told = os.pipe()
    running = [_forked(command, begin, told) for _ in range(3)]
    # All of them are there: now they may begin.
    os.close(told)
    assert [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in running] == [0, 0, 0]
    os.close(begin)
    ledger = parse_ledger(path.read_text(), path)
    run = store_profile(tmp_path / "again", tell)
    assert not surprises(path.read_text(), run)
    assert "sources: all" in path.read_text()
    assert len(ledger.entries) >= 1
