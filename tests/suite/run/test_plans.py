"""The profile `plans`: each network is planned once for all processes, and its segments go the way of cases."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasnet.hailo.files import Network, har
from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Size
from tasnet.network.weights import seeded_weights
from tasnet.plan import make
from tasnet.plan.cuts import cut_from_segment
from tasnet.plan.function import function_of_variant
from tasnet.plan.segment_files import to_network
from tasnet.plan.segment_graph import to_onnx
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import PLANNED, PROFILES, PlannedNetwork, profile_cases
from tasnet.suite.run.pipeline import NET_NAME, Pipeline, PipelineError
from tasnet.suite.run.plans import PlansProfileError, cases_of, kept_plans, plan_record, read_kept
from tasnet.suite.run.recipe import Recipe
from tasnet.suite.run.store import Store, open_store
from tests.suite.run.scripted_cases import checkpoint_file
from tests.suite.run.small_plans import NONE_FITS, SIZE, SMALL, TRAINED


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def kept(store: Store, network: PlannedNetwork = SMALL):
    return kept_plans(store, "hailo8", [network])[0]


def test_a_network_is_planned_once_and_read_without_torch_from_then_on(store: Store) -> None:
    first = kept(store)
    assert first.segments
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from tasnet.network import Size, Variant\nfrom tasnet.suite.cases import Case, PlannedNetwork\n"
        "from tasnet.suite.run.plans import kept_plans\nfrom tasnet.suite.run.store import Store\n"
        f"small = {SMALL!r}\n"
        "(kept,) = kept_plans(Store(Path(sys.argv[1])), 'hailo8', [small])\n"
        "print(*[each.id for each in kept.segments], sep='\\n')\n"
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules\n"
    )
    told = subprocess.run([sys.executable, "-c", code, str(store.root)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == [each.id for each in first.segments]


def test_a_plan_is_made_again_when_its_code_its_network_or_its_file_is_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    usual = make.make_plan
    monkeypatch.setattr("tasnet.plan.make_plan", lambda *given: made.append(given) or usual(*given))
    first = kept(store)
    assert kept(store) == first
    assert len(made) == 1
    kept(store, replace(SMALL, whole=replace(SMALL.whole, length=2400)))
    assert len(made) == 2
    kept_plans(store, "hailo8l", [SMALL])
    assert len(made) == 3
    (store.root / first.artifact).unlink()
    assert kept(store) == first
    assert len(made) == 4
    monkeypatch.setattr("tasnet.suite.run.plans.source_digest", lambda *rooms: "other code")
    assert kept(store) == first
    assert len(made) == 5


def test_where_no_plan_fits_the_reason_says_what_binds_and_is_kept(store: Store) -> None:
    found = kept(store, NONE_FITS)
    assert not found.artifact
    assert not found.segments
    assert "no plan fits: block 8 (dilation 128) alone takes 384 frames, 149 are allowed" in found.trouble
    assert kept(store, NONE_FITS) == found
    record = plan_record(store, found)
    assert (record.network, record.trouble, record.hefs) == (NONE_FITS.whole.id, found.trouble, 0)


def test_the_record_of_a_plan_has_the_plans_own_figures(store: Store) -> None:
    found = kept(store)
    plan, record = read_kept(store, found.artifact), plan_record(store, found)
    assert (record.hefs, record.invocations, record.macs) == (len(plan.on_chip), plan.invocations, plan.macs)
    assert record.seconds == plan.seconds.total
    assert record.null_seconds == plan.null_seconds
    assert record.clip_seconds == 0.25


def without_weights(network: Network) -> list[object]:
    return [(layer.type, layer.input_shapes, layer.output_shape, str(layer.params)) for layer in network]


def test_each_segment_of_the_plan_differs_from_a_case_in_weights_alone(store: Store) -> None:
    found = kept(store)
    plan = read_kept(store, found.artifact)
    assert 0 < len(found.segments) < len(plan.on_chip)
    trained = function_of_variant(TRAINED, SIZE, seeded_weights(SIZE))

    def graph(cut):
        return to_network(to_onnx(trained, cut), "s")

    graphs = [graph(each.cut) for each in found.segments]
    layers = list(map(without_weights, graphs))
    assert all(without_weights(graph(cut_from_segment(plan, each))) in layers for each in plan.on_chip)
    assert all(layers.count(each) == 1 for each in layers)


def test_a_segment_goes_through_the_stages_once_and_its_graph_is_the_plans(store: Store) -> None:
    case = kept(store).segments[0]
    pipeline = Pipeline(store, Reference())
    outcomes = pipeline.run(case)
    assert [each.status for each in outcomes.values()] == [Status.PASSED] * 4
    assert outcomes[Stage.COMPILE].provenance.predicted
    network = har.read(store.get_har(outcomes[Stage.TRANSLATE].artifact, store.root / "segment.har"))
    trained = function_of_variant(TRAINED, SIZE, seeded_weights(SIZE))
    expected = to_network(to_onnx(trained, case.cut), NET_NAME)
    assert without_weights(network) == without_weights(expected)
    assert expected.weights
    for name, array in expected.weights.items():
        np.testing.assert_array_equal(network.weights[name], array)
    # as it was told: nothing is run again, and the time is of when it was
    assert pipeline.run(case) == outcomes


def test_a_segment_and_its_network_are_different_work(store: Store) -> None:
    found = kept(store)
    pipeline = Pipeline(store, Reference())
    names = {pipeline.run(case, Stage.EXPORT)[Stage.EXPORT].artifact for case in (found.network.whole, *found.segments)}
    assert len(names) == 1 + len(found.segments)


def test_the_profile_is_each_whole_network_then_its_segments(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasnet.suite.run.plans.PLANNED", (SMALL, NONE_FITS))
    found = cases_of("plans", "hailo8", store.root)
    whole, segments = found.plans[0].network.whole, found.plans[0].segments
    assert found.cases == (whole, *segments, NONE_FITS.whole)
    assert len({case.id for case in found.cases}) == len(found.cases)


def test_other_profiles_are_what_they_were_and_touch_no_store(tmp_path: Path) -> None:
    for name in PROFILES:
        assert cases_of(name, "hailo8", tmp_path / "none").cases == profile_cases(name)
    assert not (tmp_path / "none").exists()


def test_the_networks_are_the_notes_at_two_rates_256_filters_and_the_papers_small_one_as_trained() -> None:
    sizes = {each.name: (each.whole.size, each.whole.length / each.rate) for each in PLANNED}
    assert sizes == {
        "notes, 8 kHz": (Size(512, 16, 128, 512, 128, 3, 8, 3), 2),
        "notes, 16 kHz": (Size(512, 32, 128, 512, 128, 3, 8, 3), 2),
        "256 filters": (Size(256, 16, 128, 256, 128, 3, 8, 3), 2),
        "the paper's small": (Size(128, 40, 128, 256, 128, 3, 7, 2), 2),
    }
    assert {(each.whole.variant.norm, each.whole.variant.activation) for each in PLANNED} == {("gln", "prelu")}
    assert all(not each.whole.variant.inexact_axes(each.whole.size) for each in PLANNED)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"checkpoint": Path("best.pth")}, "tasnet plan make --checkpoint"),
        ({"toolchain": "dfc"}, "tasnet plan compile"),
    ],
)
def test_what_a_plan_of_drawn_weights_cannot_take_is_refused_with_what_to_do(tmp_path: Path, given, words: str) -> None:
    with pytest.raises(PlansProfileError, match=words):
        cases_of("plans", "hailo8", tmp_path / "none", **given)
    assert not (tmp_path / "none").exists()


def test_a_segment_is_of_no_checkpoint(store: Store, tmp_path: Path) -> None:
    pipeline = Pipeline(store, Reference(), Recipe(checkpoint_file(tmp_path / "weights.pth"), blocks_per_repeat=2))
    with pytest.raises(PipelineError, match="a segment of drawn weights; leave --checkpoint out"):
        pipeline.run(kept(store).segments[0])
