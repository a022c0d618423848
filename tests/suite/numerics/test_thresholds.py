"""thresholds.yaml: what is a breach, what a proposal may change, and that the committed file can be read."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.cli.parity_figures import print_breaches, print_proposal
from tasnet.network.variant import Variant
from tasnet.suite.numerics.thresholds import (
    THRESHOLDS_FILE,
    Proposal,
    StageFigure,
    ThresholdError,
    Thresholds,
    parse_thresholds,
    propose_thresholds,
    read_thresholds,
    threshold_form,
)

TODAY = date(2026, 3, 1)
COMMITTED = Path(__file__).resolve().parents[3] / THRESHOLDS_FILE

TEXT = """\
# the head
schema: 1
margin_db: {torch: 6, har8: 2}  # beside
thresholds:
  # by hand
  - stage: torch
    form: any
    T: any
    snr_db: 60.0
    of_peak: 1.0e-2
    measured:
  - stage: torch
    form: gln prelu
    T: 1600
    # why it is so
    snr_db: 100.0
    of_peak: 1.0e-4
    measured: {snr_db: 107.3, of_peak: 4.0e-5, cases: 2, worst: a, date: 2026-02-01, how: by hand}
"""
BASE = parse_thresholds(TEXT)


def run(snr: float, of_peak: float = 1e-6, **changes: object) -> StageFigure:
    given = {"stage": "torch", "form": "gln prelu", "length": 1600, "case": "a"} | changes
    return StageFigure(snr_db=snr, of_peak=of_peak, **given)  # type: ignore[arg-type]


def made(runs: list[StageFigure], base: Thresholds = BASE, reason: str = "") -> Proposal:
    return propose_thresholds(base, runs, today=TODAY, how="test", allow_looser=reason)


def test_the_limit_is_that_of_the_form_then_that_of_the_shortest_length_that_holds_it() -> None:
    def least(stage: str, form: str, length: int) -> float | None:
        limit = BASE.of(stage, form, length)
        return limit.snr_db if limit else None

    assert least("torch", "gln prelu", 1600) == 100
    assert least("torch", "gln prelu", 400) == 100
    assert least("torch", "gln prelu", 1601) == 60
    assert least("torch", "cln relu", 1) == 60
    assert least("har8", "gln prelu", 1600) is None


def test_breaches_name_case_figures_and_limit() -> None:
    good, bad, loud = run(100.0), run(99.9), run(120.0, 2e-4)
    found = BASE.check([good, bad, loud, run(math.nan), run(50, stage="har8")])
    assert [each.figure.snr_db for each in found] == [99.9, 120.0, pytest.approx(math.nan, nan_ok=True), 50]
    assert str(found[0]) == (
        "a: torch: SNR 99.9 dB, error over peak 1.0e-06; at least 100 dB and at most 1.0e-04 for gln prelu"
    )
    assert "no limit for gln prelu at T=1600: tasnet thresholds propose --write" in str(found[3])
    assert BASE.check([run(math.inf, 0.0)]) == ()


def test_a_tighter_limit_is_written_with_its_measure_and_comments_stay() -> None:
    cases = [run(118.25, 1e-6, case=f"c{i}") for i in range(8)]
    proposal = made(cases)
    assert "-    snr_db: 100.0\n" in proposal.diff
    assert "+    snr_db: 112.0\n" in proposal.diff
    assert "cases: 8, worst: c0, date: 2026-03-01, how: test" in proposal.text
    for comment in ("# the head", "# beside", "# by hand", "# why it is so"):
        assert comment in proposal.text
    assert [line for line in proposal.text.splitlines() if "stage" in line] == [
        line for line in TEXT.splitlines() if "stage" in line
    ]


def test_few_cases_get_twice_the_margin_and_fewer_than_before_change_nothing() -> None:
    assert "snr_db: 108.0" in made([run(120.0, case="a"), run(121.0, case="b")]).text
    proposal = made([run(120.0)])
    assert proposal.diff == ""
    assert proposal.left == ("torch, gln prelu, T=1600: 1 case now, 2 when it was measured; run as many",)


def test_a_looser_limit_needs_a_reason_and_keeps_it() -> None:
    runs = [run(80.0, case="a"), run(90.0, case="b")]
    refused = made(runs)
    assert refused.diff == ""
    assert "SNR 80.0 dB" in refused.refused[0]
    assert "--allow-looser" in refused.refused[0]
    allowed = made(runs, reason="another BLAS")
    assert allowed.refused == ()
    assert "reason: another BLAS" in allowed.text
    assert parse_thresholds(allowed.text).check(runs) == ()


def test_runs_near_a_limit_leave_it_and_are_written_beside_it() -> None:
    proposal = made([run(104.0, 5e-5, case="a"), run(105.0, case="b")])
    assert "snr_db: 100.0\n" in proposal.text
    assert "measured: {snr_db: 104.0" in proposal.text
    assert not proposal.refused


def test_runs_without_figures_propose_nothing() -> None:
    with pytest.raises(ThresholdError, match="no figures"):
        made([run(math.nan)])


FORMS = st.sampled_from(["gln prelu", "identity relu", "bypass"])
RUNS = st.lists(
    st.builds(
        StageFigure,
        stage=st.sampled_from(["torch", "har8", "sdk_native"]),
        form=FORMS,
        length=st.sampled_from([400, 1600, 16000]),
        snr_db=st.one_of(st.floats(-20, 200), st.just(math.inf)),
        of_peak=st.one_of(st.floats(1e-9, 10), st.just(0.0)),
        case=st.sampled_from("abcdefghijkl"),
    ),
    max_size=12,
)


@settings(max_examples=12)
@given(RUNS, st.sampled_from(["", "a reason"]))
def test_proposing_twice_changes_nothing(runs: list[StageFigure], reason: str) -> None:
    once = parse_thresholds(made(runs, reason=reason).text)
    again = propose_thresholds(once, runs, today=date(2027, 1, 1), how="later", allow_looser=reason)
    assert again.diff == ""


@settings(max_examples=12)
@given(RUNS, RUNS)
def test_without_a_reason_no_limit_gets_looser(first: list[StageFigure], second: list[StageFigure]) -> None:
    base = BASE
    for runs in (first, second):
        after = parse_thresholds(made(runs, base).text)
        for stage in ("torch", "har8", "sdk_native"):
            for form in ("gln prelu", "identity relu", "bypass", "cln relu"):
                for length in (1, 400, 401, 1600, 1601, 16000):
                    old, new = base.of(stage, form, length), after.of(stage, form, length)
                    if old is not None:
                        assert new is not None
                        assert new.snr_db >= old.snr_db
                        assert new.of_peak <= old.of_peak
        base = after


@settings(max_examples=20)
@given(RUNS)
def test_what_is_proposed_with_a_reason_holds_for_its_own_runs(runs: list[StageFigure]) -> None:
    assert parse_thresholds(made(runs, reason="new").text).check(runs) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "1:2: expected the node content"),
        ("[]", "not a mapping"),
        (TEXT.replace("schema: 1", "schema: 2"), "schema 2; this version reads schema 1"),
        (TEXT.replace("of_peak: 1.0e-4", "of_peek: 1.0e-4"), "threshold 2: of_peak is missing or unknown"),
        (TEXT.replace("snr_db: 100.0", "snr_db: high"), "threshold 2: snr_db is high; a number is needed"),
        (TEXT.replace("snr_db: 100.0", "snr_db: .nan"), "threshold 2: snr_db is nan"),
        (TEXT.replace("T: 1600", "T: 0"), "threshold 2: T is 0; a count of samples, or any"),
        (TEXT.replace("T: 1600", "T: any").replace("gln prelu", "any"), "torch, any, T=any stands there twice"),
        (TEXT + "other: 1\n", "other is unknown"),
        (TEXT.replace("thresholds:", "thresholds: 1\nx:"), "x is unknown"),
    ],
)
def test_a_file_that_cannot_be_meant(text: str, told: str) -> None:
    with pytest.raises(ThresholdError, match=told) as error:
        parse_thresholds(text)
    assert "\n" not in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ThresholdError, match=r"no such file; name a suite's thresholds\.yaml \(tasnet init"):
        read_thresholds(tmp_path / THRESHOLDS_FILE)


def test_the_committed_file_has_a_limit_for_every_stage_and_a_measure_for_ours() -> None:
    committed = read_thresholds(COMMITTED)
    for stage in ("torch", "onnx", "har", "har8"):
        for form in ("identity relu", "gln prelu", "gln_pool prelu", "bypass"):
            limit = committed.of(stage, form, 16000)
            assert limit is not None
            assert limit.cases > 0
            assert stage == "har8" or limit.snr_db >= 100
    for stage in ("sdk_native", "sdk_fp_optimized", "sdk_quantized"):
        assert committed.of(stage, "gln prelu", 16000) is not None
    # as a proposal writes it: nothing is to change by reading and writing
    assert propose_thresholds(committed, [], today=TODAY, how="").diff == ""


def test_forms() -> None:
    assert threshold_form(Variant(), "seed 0") == "identity relu"
    assert threshold_form(Variant(norm="gln", activation="prelu"), "best.pth 0123") == "gln prelu"
    assert threshold_form(Variant(mask="bypass", norm="gln"), "seed 1") == "bypass"
    assert threshold_form(Variant(norm="gln", activation="prelu"), "tasnet:small 0123") == "gln prelu, tasnet:small"


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / THRESHOLDS_FILE
    path.write_text(TEXT)
    runs = [run(130.0, case="a"), run(131.0, case="b")]
    assert print_breaches(read_thresholds(path), runs)
    assert print_proposal(read_thresholds(path), runs, TODAY)
    assert path.read_text() == TEXT
    assert print_proposal(read_thresholds(path), runs, TODAY, write_it=True)
    assert "snr_db: 118.0" in path.read_text()
    assert not print_proposal(read_thresholds(path), [run(10.0, case="a"), run(10.0, case="b")], TODAY, write_it=True)
    assert not print_breaches(read_thresholds(path), [run(10.0)])
    told = capsys.readouterr().out
    assert "thresholds.yaml: written" in told
    assert "refused: torch, gln prelu, T=1600" in told
    assert "1 measured, 1 beyond their limits" in told
    assert list(tmp_path.iterdir()) == [path]


def test_the_packages_network_has_limits_of_its_own_before_those_of_its_form() -> None:
    known = parse_thresholds("""\
schema: 1
margin_db: {}
thresholds:
  - {stage: har8, form: gln prelu, T: any, snr_db: 12, of_peak: 0.1, measured: }
  - {stage: har8, form: "gln prelu, tasnet:small", T: 16000, snr_db: 16, of_peak: 0.3, measured: }
  - {stage: har8, form: any, T: any, snr_db: 5, of_peak: 1, measured: }
""")

    def least(form: str, length: int = 16000) -> float:
        limit = known.of("har8", form, length)
        assert limit is not None
        return limit.snr_db

    assert least("gln prelu, tasnet:small") == 16
    assert least("gln prelu") == 12
    # a longer window than the limit's
    assert least("gln prelu, tasnet:small", 32000) == 12
    assert least("cln prelu, tasnet:small") == 5
