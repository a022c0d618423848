"""Ids, ledgers, thresholds, settings and old runs past reason: read, or refused in one short line, and soon."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.outside import hostile_texts as hostile
from tasnet.hailo.compiler.limits import LimitsError, read_limits
from tasnet.suite.cases.case import CaseError
from tasnet.suite.cases.names import parse_case
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.gate.regression import gate_settings
from tasnet.suite.ledger import LedgerError, covers, read_ledger
from tasnet.suite.notes.importing import read_night_runs
from tasnet.suite.notes.run_tables import NightRunsError
from tasnet.suite.numerics import thresholds
from tests.doubles.ledgers import entry_text, ledger
from tests.doubles.outcomes import failure

SECONDS = 20
"""on a busy machine; each takes a fraction of one"""


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


def refused(work: Callable[[], object], error: type[Exception]) -> str:
    """What it said; empty where it was read."""
    try:
        work()
    except error as said:
        text = str(said)
    else:
        return ""
    assert text.isprintable()
    assert len(text) < 2000
    return text


def each(texts: Callable[[], Iterator[hostile.Text]]) -> pytest.MarkDecorator:
    """Each text by its name, made when it is its turn. A few seconds each is for the benchmark."""
    return pytest.mark.parametrize(
        "text", [pytest.param(make, id=name) for name, make in texts() if not name.endswith("entries")]
    )


@each(hostile.ids)
def test_an_id(text: Callable[[], str]) -> None:
    made = text()
    assert refused(lambda: parse_case(made), CaseError) or parse_case(made).size.weights < 1 << 26


@each(hostile.ledgers)
def test_a_ledger(text: Callable[[], str], tmp_path: Path) -> None:
    (tmp_path / "ledger.yaml").write_text(text(), encoding="utf-8")
    refused(lambda: read_ledger(tmp_path / "ledger.yaml"), LedgerError)


@each(hostile.thresholds)
def test_thresholds(text: Callable[[], str], tmp_path: Path) -> None:
    (tmp_path / "thresholds.yaml").write_text(text(), encoding="utf-8")
    assert refused(lambda: thresholds.read_thresholds(tmp_path / "thresholds.yaml"), thresholds.ThresholdError)


@each(hostile.settings)
def test_settings(text: Callable[[], str], tmp_path: Path) -> None:
    path, made = tmp_path / "pyproject.toml", text()
    path.write_text(made, encoding="utf-8")
    assert refused(lambda: read_limits(path), LimitsError) or "\ufeff" in made
    path.write_text(made.replace("limits", "gate"), encoding="utf-8")
    assert refused(lambda: gate_settings(path), GateError) or "\ufeff" in made


@pytest.mark.parametrize("write", [pytest.param(w, id=n) for n, w in hostile.old_runs() if "000 rows that" not in n])
def test_old_runs(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path)
    reading = None
    with suppress(NightRunsError):
        reading = read_night_runs(tmp_path)
    for each in reading.left_out if reading else ():
        assert f"{each.tag}{each.reason}".isprintable()
        assert len(each.tag) + len(each.reason) < 1000


def test_what_is_too_long_for_a_row_is_left_out_and_the_row_after_it_is_read(tmp_path: Path) -> None:
    long = "x" * (3 << 20)
    text = f"{hostile.TABLE}baseline\tTrue\tFalse\t{long}\nmask-bypass\tTrue\tTrue\t\n"
    (tmp_path / "summary.tsv").write_text(text)
    reading = read_night_runs(tmp_path)
    assert [run.source for run in reading.runs] == ["summary.tsv:3"]
    assert [each.reason for each in reading.left_out] == ["a line of more than 1,048,576 bytes"]


def test_a_message_that_would_backtrack_is_found_in_linear_time() -> None:
    """Python's own `re` takes 2^n steps for it: minutes at 30 characters."""
    (entry,) = ledger(entry_text("one", message="(a+)+b")).entries
    assert not covers(entry, failure("unsupported_kernel", "a" * 100_000 + "c", "deconv1"))
    assert covers(entry, failure("unsupported_kernel", "a" * 100_000 + "b", "deconv1"))


def test_a_message_with_what_is_no_text_is_searched() -> None:
    (entry,) = ledger(entry_text("one", message="Super deconv")).entries
    assert covers(entry, failure("unsupported_kernel", "\udcff Super deconv\n", "deconv1"))
