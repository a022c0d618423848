"""The figures that are told on success: the worst of each form and stage, beside its limit."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tasnet.cli.parity_figures import print_breaches
from tasnet.hailo.predict import Reference
from tasnet.network import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics import parity_report
from tasnet.suite.numerics.thresholds import StageFigure, parse_thresholds
from tasnet.suite.numerics.worst import worst_lines
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store

LIMITS = parse_thresholds(
    """\
schema: 1
margin_db: {onnx: 3}
thresholds:
  - {stage: onnx, form: any, T: any, snr_db: 100, of_peak: 1e-4, measured: }
""",
    Path("thresholds.yaml"),
)


def _figure(case: str, snr: float, of_peak: float, stage: str = "onnx", form: str = "gln prelu") -> StageFigure:
    return StageFigure(stage, form, 16000, snr, of_peak, case)


def _cells(line: str) -> list[str]:
    return [each.strip() for each in line.split("  ") if each.strip()]


def test_the_worst_of_each_form_and_stage_stands_beside_its_limit() -> None:
    figures = [
        _figure("a", 120.04, 1e-6),
        _figure("b", 104.06, 2e-5),
        _figure("b", math.inf, 0.0, form="bypass"),
        _figure("b", 130, 1e-7, stage="har"),
    ]
    _, *rows = worst_lines(figures, LIMITS)
    assert [_cells(row) for row in rows] == [
        ["gln prelu", "onnx", "2", "104.1", "100", "2.0e-05", "1.0e-04", "b"],
        ["bypass", "onnx", "1", "inf", "100", "0.0e+00", "1.0e-04", "b"],
        ["gln prelu", "har", "1", "130.0", "-", "1.0e-07", "-", "b"],
    ]
    assert [*worst_lines([])] == []


def test_a_figure_that_is_no_number_is_the_worst() -> None:
    _, row = worst_lines([_figure("a", 90, 1e-3), _figure("b", math.nan, math.nan)])
    assert _cells(row)[-1] == "b"


def test_a_check_that_finds_nothing_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_breaches(LIMITS, [_figure("a", 120, 1e-6)])
    out = capsys.readouterr().out
    assert "120.0" in out
    assert out.endswith("thresholds.yaml: 1 measured, 0 beyond their limits\n")


@pytest.mark.parametrize(
    ("variants", "norms", "costs"),
    [
        ([Variant()], (), False),
        ([Variant(norm="gln_pool")], ("gln_pool",), False),
        ([Variant(norm="gln", mask="bypass")], (), False),
        ([Variant("split", decoder="polyphase", activation="prelu", norm="gln"), Variant()], ("gln",), True),
    ],
)
def test_a_parity_page_is_about_the_named_cases_alone(
    variants: list[Variant], norms: tuple[str, ...], costs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, object, dict[str, object]]] = []
    monkeypatch.setattr(
        parity_report, "gather_parity", lambda cases, eight, _, **how: asked.append((cases, eight, how))
    )
    size = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)
    cases = [Case(variant, size, 400) for variant in variants]
    parity_report.full_parity_report(cases, Pipeline(open_store(tmp_path), Reference()))
    ((rows, eight, how),) = asked
    assert rows == eight == cases
    assert (how["growth_norms"], how["costs"]) == (norms, costs)
    assert how["growth_size"] == (size if norms else None)
