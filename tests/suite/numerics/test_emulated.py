"""The compiler's contexts as stages of the parity, through a double that runs the graphs it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.emulated import CONTEXTS, EmulationError, aligned_distance, emulate
from tasnet.suite.numerics.measuring import ContextParity, measure_contexts
from tasnet.suite.numerics.thresholds import read_thresholds
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tests.doubles.forked_compiler import forked_compiler
from tests.suite.numerics.emulating_dfc import dfc_of

SIZE = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)
GROUPED = Case(Variant(), SIZE, 400)
LIMITS = read_thresholds(Path(__file__).resolve().parents[3] / "thresholds.yaml")

Through = Callable[..., ContextParity]


@pytest.fixture(autouse=True)
def forked() -> Iterator[None]:
    with forked_compiler():
        yield


@pytest.fixture
def through(tmp_path: Path, shared_folder: Path) -> Through:
    """What the contexts make of a case, by a compiler that acts so. What it translated and optimized is made once."""

    def run(case: Case, act: str = "") -> ContextParity:
        store = open_store(shared_folder / "contexts-store")
        pipeline = Pipeline(store, dfc_of(tmp_path, case, act))
        return measure_contexts(case, Pipeline(store, Reference()), pipeline, LIMITS)

    return run


@pytest.mark.parametrize(
    "case", [GROUPED, Case(Variant("split", decoder="polyphase", encoder="polyphase"), SIZE, 400)], ids=lambda c: c.id
)
def test_every_context_is_compared_over_the_samples_that_it_has(through: Through, case: Case) -> None:
    made = through(case)
    assert made.complaints == ()
    assert set(made.found) == set(CONTEXTS)
    # a double observes nothing: no limit is ever proposed from it
    assert made.figures == ()
    # the vendor's deconvolution ends L - stride samples early
    short = 4 if case.variant.decoder == "grouped" else 0
    assert {(each.missing, each.offset) for each in made.found.values()} == {(short, 0)}
    assert made.distance("sdk_native").snr > 110
    assert 5 < made.distance("sdk_quantized").snr < 60


def test_what_breaks_a_limit_is_named_with_it(through: Through) -> None:
    (complaint,) = through(GROUPED, "wrong").complaints
    assert GROUPED.id in complaint
    assert "sdk_fp_optimized: SNR 6.0 dB" in complaint
    assert "at least 60 dB" in complaint


def test_a_crop_at_the_centre_is_told_as_a_shift(through: Through) -> None:
    complaints = through(GROUPED, "centred").complaints
    assert len(complaints) == 2
    assert all("4 samples short and shifted by 2" in each for each in complaints)


def test_a_context_that_breaks_leaves_the_others(through: Through) -> None:
    made = through(GROUPED, "breaks")
    (complaint,) = made.complaints
    assert "sdk_quantized: gave nothing" in complaint
    assert "the emulator fell over" in complaint
    assert set(made.found) == {"sdk_native", "sdk_fp_optimized"}


def test_a_har_that_was_not_optimized_has_no_quantized_context(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    from tasnet.suite.cases.outcome import Stage

    name = Pipeline(store, Reference()).run(GROUPED, until=Stage.TRANSLATE)[Stage.TRANSLATE].artifact
    har = store.get_har(name, tmp_path / "net.har")
    with pytest.raises(EmulationError, match=r"^sdk_quantized: .*needs an optimized model"):
        emulate(dfc_of(tmp_path, GROUPED), har, GROUPED, "sdk_quantized", np.zeros((1, 400), np.float32))


def test_waves_that_are_not_this_cases() -> None:
    with pytest.raises(EmulationError, match="not this case's outputs"):
        aligned_distance(np.zeros((1, 2, 10)), np.zeros((1, 2, 9)))
    with pytest.raises(EmulationError, match="not this case's outputs"):
        aligned_distance(np.zeros((1, 1, 9)), np.zeros((1, 2, 9)))


def test_what_a_compiler_says_is_kept_for_limits(tmp_path: Path) -> None:
    """The double, called a compiler for once: its figures are those that were compared."""
    store = open_store(tmp_path / "store")
    dfc = replace(dfc_of(tmp_path, GROUPED), double=False)
    made = measure_contexts(GROUPED, Pipeline(store, Reference()), Pipeline(store, dfc), LIMITS)
    assert [each.stage for each in made.figures] == list(CONTEXTS)
    assert [each.snr_db for each in made.figures] == [made.distance(stage).snr for stage in CONTEXTS]
