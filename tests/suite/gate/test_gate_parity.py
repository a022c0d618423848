"""Changed graphs at every stage: held against their limits, and against the base's graph where they can be."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Stage
from tasnet.suite.gate.result import GraphParity
from tasnet.suite.gate.stage_parity import ParityPair, measure_parity
from tasnet.suite.numerics.thresholds import Thresholds, parse_thresholds
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tests.network.sizes import SMALL

CASE = Case(Variant(), SMALL, 1600)


def limits(snr_db: float, stage: str = "onnx") -> Thresholds:
    return parse_thresholds(
        f"schema: 1\nmargin_db: {{onnx: 6}}\nthresholds:\n"
        f"  - {{stage: {stage}, form: any, T: any, snr_db: {snr_db}, of_peak: 1.0, measured: null}}\n"
    )


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(open_store(tmp_path_factory.mktemp("store")), Reference())


def onnx(pipeline: Pipeline, case: Case) -> Path:
    return pipeline.store.path(pipeline.run(case, until=Stage.EXPORT)[Stage.EXPORT].artifact)


def distance(pipeline: Pipeline, base: Case, held: Thresholds | None) -> GraphParity:
    said: list[str] = []
    graph = ParityPair(CASE, ("a cause",), onnx(pipeline, base), onnx(pipeline, CASE))
    (found,) = measure_parity([graph], pipeline, held, said.append)
    assert said == [f"parity: 1 of 1, {CASE.id}"]
    return found


def test_a_stage_beyond_its_limit_is_a_breach_and_one_without_is_said(pipeline: Pipeline) -> None:
    found = distance(pipeline, CASE, limits(299.0))
    (breach,) = found.breaches
    assert breach.startswith(f"{CASE.id}: onnx: SNR ")
    assert set(found.unlimited) == {"torch", "har", "har8"}
    assert distance(pipeline, CASE, limits(60.0)).breaches == ()


def test_what_was_beyond_its_limit_at_the_base_too_is_no_news(pipeline: Pipeline) -> None:
    found = distance(pipeline, CASE, limits(200.0, "har8"))
    assert found.breaches == ()
    (known,) = found.known
    assert known.startswith(f"{CASE.id}: har8: SNR ")


def test_what_the_base_kept_is_a_breach(pipeline: Pipeline) -> None:
    now = distance(pipeline, CASE, None).snr_db["har8"]
    # A base whose mask is bypassed loses little in 8 bits.
    easy = replace(CASE, variant=Variant(mask="bypass"))
    found = distance(pipeline, easy, limits(now + 0.5, "har8"))
    assert (len(found.breaches), found.known) == (1, ())


def test_without_limits_nothing_is_held_against_them(pipeline: Pipeline) -> None:
    found = distance(pipeline, CASE, None)
    assert (found.breaches, found.unlimited) == ((), ())
    assert found.snr_db["onnx"] > 100


@pytest.mark.parametrize(
    ("base", "least", "most"),
    [
        (CASE, math.inf, math.inf),
        (replace(CASE, variant=Variant(decoder="ungrouped_blockdiag")), 100, math.inf),
        (replace(CASE, variant=Variant(blocks=1)), -math.inf, 60),
    ],
    ids=["the same", "an exact rewrite", "another function"],
)
def test_the_distance_to_the_base(pipeline: Pipeline, base: Case, least: float, most: float) -> None:
    found = distance(pipeline, base, None).to_base
    assert found is not None
    assert least <= found <= most


def test_a_base_that_takes_or_gives_other_tensors_has_no_distance(pipeline: Pipeline) -> None:
    assert distance(pipeline, replace(CASE, length=800), None).to_base is None
    assert distance(pipeline, replace(CASE, variant=Variant(expansion="split")), None).to_base is None
