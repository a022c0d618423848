"""The report's table of parity: the newest measure of each case, gathered by stage, form and length."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from tasnet.suite.history.run import ParityFigure, StoredRun
from tasnet.suite.report.parity_table import BAR_DB, MAX_DB, parity_rows
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import parity_measure, unstored_run

EMPTY: StoredRun = unstored_run(lambda case: outcomes(), [])


def run(*measures: ParityFigure) -> StoredRun:
    return replace(EMPTY, folder=Path("run"), measures=measures)


def measure(case: str, snr_db: float, stage: str = "har", length: int = 16000) -> ParityFigure:
    return parity_measure(case, snr_db, stage, length)


def test_a_case_counts_once_with_its_newest_measure() -> None:
    (row,) = parity_rows([run(measure("a", 50), measure("b", 90)), run(measure("a", 120))])
    assert (row.cases, row.worst_db, row.worst_case, row.median_db) == (2, 90, "b", 105)


def test_stages_forms_and_lengths_are_rows_of_their_own_in_the_order_of_the_stages() -> None:
    known = [measure("a", 20, "har8"), measure("a", 120), measure("a", 120, "torch"), measure("a", 120, length=8000)]
    rows = parity_rows([run(*known, measure("a", 30, "another"))])
    assert [(row.stage, row.length) for row in rows] == [
        ("torch", 16000),
        ("har", 8000),
        ("har", 16000),
        ("har8", 16000),
        ("another", 16000),
    ]


def test_what_the_embedded_toolchain_ran_is_called_predicted_and_nothing_is_called_observed() -> None:
    rows = parity_rows([run(*(measure("a", 20, stage) for stage in ("torch", "onnx", "har", "har8", "sdk_quantized")))])
    assert {row.stage for row in rows if "predicted" in row.ran} == {"har", "har8"}
    assert not [row for row in rows if "observed" in row.ran]


@given(st.lists(st.floats(-50, 400) | st.just(math.inf), min_size=1, max_size=30))
def test_every_case_is_in_one_bar(figures: list[float]) -> None:
    (row,) = parity_rows([run(*(measure(str(index), snr) for index, snr in enumerate(figures)))])
    assert len(row.bars) * BAR_DB == MAX_DB
    assert sum(row.bars) == row.cases == len(figures)
    assert row.worst_db == min(figures)
    assert row.median_db == median(figures)
