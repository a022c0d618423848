"""The parity page: everything that was gathered is on it, from a network that takes seconds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasnet.common.pages import db, share, tiny
from tasnet.hailo.predict.reference import Reference
from tasnet.hailo.quantize import PrecisionPoint
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.kept_figures import layer_gains
from tasnet.suite.numerics.parity_page import parity_html, write_parity_page
from tasnet.suite.numerics.parity_report import (
    EightBitParity,
    ParityReport,
    ParityReportError,
    gather_parity,
    in_eight_bits,
    long_mix,
    published_loss,
    shift_forecasts,
)
from tasnet.suite.numerics.stages import calibration_signals
from tasnet.suite.numerics.thresholds import parse_thresholds
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store

LIMITS = parse_thresholds("""\
schema: 1
margin_db: {}
thresholds:
  - {stage: torch, form: any, T: any, snr_db: 100, of_peak: 1e-4, measured: }
  - {stage: onnx, form: any, T: any, snr_db: 100, of_peak: 1e-4, measured: }
  - {stage: har, form: any, T: any, snr_db: 100, of_peak: 1e-4, measured: }
  - {stage: har8, form: any, T: any, snr_db: 90, of_peak: 1, measured: }
""")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ParityReport:
    """Three forms of a tiny network."""
    size = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)
    faithful = Case(Variant("split", decoder="polyphase", activation="prelu", norm="gln"), size, 400)
    cases = (Case(Variant(), size, 400), faithful, Case(Variant(mask="bypass"), size, 400))
    pipeline = Pipeline(open_store(tmp_path_factory.mktemp("store")), Reference())
    return gather_parity(
        cases, (faithful,), pipeline, thresholds=LIMITS, growth_size=size, growth_lengths=(400, 1600), points=4
    )


@pytest.fixture(scope="module")
def page(report: ParityReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page, alone in a folder."""
    return write_parity_page(tmp_path_factory.mktemp("page") / "parity.html", report)


def test_every_figure_is_gathered(report: ParityReport) -> None:
    assert [row.form for row in report.rows] == ["identity relu", "gln prelu", "bypass"]
    for row in report.rows:
        assert set(row.distances) == {"torch", "onnx", "har", "har8"}
        assert min(row.distances[stage].snr for stage in ("torch", "onnx", "har")) > 100
        # 8 bits aren't 90 dB, so that limit is broken, and no other
        assert {breach.figure.stage for breach in row.breaches} == {"har8"}
    assert {(each.norm, each.length) for each in report.growth} == {
        (norm, length) for norm in ("gln", "gln_pool") for length in (400, 1600)
    }
    (eight,) = report.eight
    assert eight.curve[0].mean_bits == 8
    assert eight.curve[-1].mean_bits == 16
    assert eight.curve[-1].score > eight.curve[0].score
    assert all(0 <= layer.clipped <= 1 for layer in eight.layers)
    assert (eight.calibrated_on, eight.judged_on) == (4, 3)
    # drawn weights separate nothing
    assert report.costs is None
    assert len(eight.slopes) == 3
    # an average over 99 frames always fits
    assert all(slope.needed <= 8 and not slope.failures for slope in eight.slopes)


def test_the_page_holds_it_all_and_asks_nobody(report: ParityReport, page: Path) -> None:
    assert list(page.parent.iterdir()) == [page]
    html = page.read_text(encoding="utf-8")
    for row in report.rows:
        assert row.case.id in html
        assert all(db(each.snr) in html for each in row.distances.values())
    for growth in report.growth:
        assert tiny(growth.relative) in html
    for layer in report.eight[0].layers:
        assert f"<td>{layer.layer}</td>" in html
    assert html.count("Beyond its limit") == 3
    # nobody may take the shift for a fact
    assert html.count("a guess") == 2
    assert "is a hypothesis, built on the one message that was seen" in html
    assert html.count("no such failure") == 3
    assert html.count("data:image/png;base64,") == 3
    assert not re.search(r"""(src|href)=["'](?!data:)|https?://|@import|<script""", html)


def test_a_slope_that_is_expected_says_by_what_right() -> None:
    variant = Variant("split", decoder="polyphase", activation="prelu", norm="gln")
    size = Size(N=12, L=8, B=6, H=10, Sc=6, X=1, R=1)
    case = Case(variant, size, 16000)
    network = translate(to_onnx(variant, size, seeded_weights(size), case.length), "net")
    speech, around_zero, positive = shift_forecasts(case, network, calibration_signals(case))
    assert not speech.failures
    assert not around_zero.failures
    assert positive.failures
    assert positive.needed > 8
    eight = EightBitParity(case, (), (PrecisionPoint((), frozenset(), 8.0, 20.0),), (positive,), 4, 3)
    html = parity_html(ParityReport((), (), (eight,), "voices", "seed 0"))
    assert "<code>negative_slope</code> (extrapolated)" in html


def test_equal_reports_give_equal_pages(report: ParityReport, page: Path) -> None:
    assert parity_html(report) == page.read_text(encoding="utf-8")


def test_a_case_without_a_har_cannot_be_shown_in_eight_bits(tmp_path: Path) -> None:
    case = Case(Variant(norm="cgln"), Size(N=12, L=8, B=6, H=10, Sc=6, X=1, R=1), 400)
    with pytest.raises(
        ParityReportError, match=r"translate ended unknown: .* has no rule for this op; .*take another case"
    ):
        in_eight_bits(case, Pipeline(open_store(tmp_path), Reference()))


def test_the_published_bracket() -> None:
    """14.78 dB and noise at 23.5 dB are 14.23 dB together."""
    assert published_loss() == pytest.approx((23.48, 36.36), abs=0.05)


def test_a_long_mix_does_not_repeat_itself() -> None:
    mix = long_mix(40000)
    assert mix.shape == (40000,)
    assert not (mix[:16000] == mix[16000:32000]).all()


def test_figures_that_have_no_meaning() -> None:
    assert [db(value) for value in (1.25, -3.0, float("inf"), float("-inf"), float("nan"))] == [
        "1.2",
        "−3.0",
        "∞",
        "−∞",
        "–",
    ]
    assert [tiny(value) for value in (1.5e-7, 0.0, None, float("nan"))] == ["1.5e−07", "0", "–", "–"]
    assert [tiny(value) for value in (0.144, -1.13, 12.5, 123.0)] == ["0.14", "−1.1", "12", "1.2e+02"]
    assert [share(value) for value in (0.0, 0.125)] == ["–", "12.5 %"]


def test_gains_are_noted_as_they_are_found_and_found_again(tmp_path: Path) -> None:
    pipeline = Pipeline(open_store(tmp_path), Reference())
    case = Case(Variant(), Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1), 400)
    layer_gains(case, pipeline)["conv1"] = 0.5
    assert dict(layer_gains(case, pipeline)) == {"conv1": 0.5}
    assert not layer_gains(Case(Variant(mask="bypass"), case.size, 400), pipeline)
