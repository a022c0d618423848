"""A measured profile: the cost model's own terms are found again, what can't be told keeps its figure and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.hailo.chip import FrameTimes
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan.candidates import Bounds
from tasnet.plan.compiled import name_hefs
from tasnet.plan.cuts import plan_json, read_plan
from tasnet.plan.function import function_of_variant
from tasnet.plan.hardware import FIGURES, Figure, Hardware, read_profile
from tasnet.plan.make import make_plan, write_plan
from tasnet.plan.measure import Timed, fitted, profile_toml
from tests.doubles import hef_writer as written
from tests.doubles.hailort import as_hailo_platform
from tests.plan.running import HARDWARE

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=2, R=2, n_src=2)


def timed(moved: int, macs: int, weights: int, parts: tuple[float, float, float, float]) -> Timed:
    """A segment whose frames take what the model says of these figures."""
    invocation, link, rate, switch = parts
    loaded = invocation + moved / link + macs / rate
    return Timed(moved, macs, weights, FrameTimes((loaded,) * 3, (loaded + switch + weights / link,) * 3))


@given(
    st.tuples(st.floats(1e-4, 1e-2), st.floats(1e8, 3e9), st.floats(1e11, 4e12), st.floats(1e-3, 2e-2)),
    st.permutations([(10**5, 10**6), (4 * 10**6, 10**8), (10**6, 5 * 10**9), (2 * 10**6, 10**9)]),
)
@settings(max_examples=30)
def test_the_models_own_figures_are_found_again(
    parts: tuple[float, float, float, float], sizes: list[tuple[int, int]]
) -> None:
    found = fitted([timed(moved, macs, 50_000, parts) for moved, macs in sizes], HARDWARE, "here")
    invocation, link, rate, switch = parts
    assert found.invocation_seconds.value == pytest.approx(invocation, rel=1e-4)
    assert found.link_bytes_per_second.value == pytest.approx(link, rel=1e-4)
    assert found.macs_per_second.value == pytest.approx(rate, rel=1e-4)
    assert found.switch_seconds.value == pytest.approx(switch, rel=1e-3)
    assert all("here" in getattr(found, name).source for name in FIGURES if not name.startswith("host"))


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_hefs_keep_the_figures_and_say_so(count: int) -> None:
    segments = [timed(10**6 * (i + 1), 10**9, 50_000, (1e-3, 1e9, 1e12, 5e-3)) for i in range(count)]
    found = fitted(segments, HARDWARE, "here")
    for name in ("invocation_seconds", "link_bytes_per_second", "macs_per_second"):
        assert getattr(found, name).value == getattr(HARDWARE, name).value
        assert getattr(found, name).source.startswith("not measured (")


def test_a_term_that_is_lost_in_the_others_keeps_its_figure() -> None:
    # no more seconds for more MACs, and a switch that takes nothing
    segments = [timed(moved, macs, 0, (1e-3, 1e9, float("inf"), 0)) for moved, macs in ((1, 9), (10**6, 1), (9, 10**9))]
    found = fitted(segments, HARDWARE, "here")
    assert found.macs_per_second.value == HARDWARE.macs_per_second.value or found.macs_per_second.value > 1e15
    assert found.switch_seconds.value == HARDWARE.switch_seconds.value
    assert "not measured" in found.switch_seconds.source


@given(st.floats(1e-9, 1e15), st.text(min_size=1), st.text(min_size=1))
def test_a_written_profile_is_the_one_that_is_read(
    tmp_path_factory: pytest.TempPathFactory, value: float, name: str, source: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "profile.toml"
    figure = Figure(value, value / 2, value * 2, source.encode("utf-8", "replace").decode())
    name = "pi " + "".join(filter(str.isalnum, name.encode("ascii", "ignore").decode()))
    path.write_bytes(profile_toml(Hardware(name, **dict.fromkeys(FIGURES, figure))))
    assert read_profile(str(path)) == Hardware(name, **dict.fromkeys(FIGURES, figure))


@pytest.fixture
def double() -> Iterator[ModuleType]:
    with as_hailo_platform() as library:
        yield library


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """A plan of several segments, and for each a HEF without a program: the double runs any."""
    trained = function_of_variant(Variant(norm="identity", activation="relu"), SIZE, seeded_weights(SIZE, 5))
    plan = make_plan(trained, 1600, "hailo8", Bounds(max_blocks=1), "time", HARDWARE).plan
    plan = write_plan(plan, trained, tmp_path / "plan")
    hefs = {}
    for each in plan.on_chip:
        shape = (each.height, each.width)
        edges = [written.edge(f"net/in_{port.role}", (*shape, port.channels)) for port in each.inputs]
        edges += [written.edge(f"net/{port.role}", (*shape, port.channels), output=True) for port in each.outputs]
        group = written.group("net", [written.context(0, edges)], order=[f"net/{port.role}" for port in each.outputs])
        hefs[each.name] = written.sealed(2, written.proto([group], arch=1))
    name_hefs(plan, tmp_path / "plan", hefs, "dfc 3.33.0+double")
    return tmp_path / "plan"


def test_a_profile_is_measured_with_a_compiled_plan_and_a_double_is_called_one(
    tmp_path: Path, compiled: Path, double: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "measure", str(compiled), "-o", str(tmp_path / "pi.toml")]) == 0
    assert "nothing was measured" in capsys.readouterr().out
    found = read_profile(str(tmp_path / "pi.toml"))
    assert found.name.endswith("(test double)")
    assert double.SCRIPT.calls.count("VDevice") == 1
    assert double.SCRIPT.open == 0
    for name in ("host_bytes_per_second", "host_macs_per_second"):
        assert getattr(found, name).value != getattr(HARDWARE, name).value
        assert "numpy" in getattr(found, name).source or "ONNX Runtime" in getattr(found, name).source


def test_what_cant_be_measured_is_one_line_and_writes_nothing(
    tmp_path: Path, compiled: Path, double: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(told: str, *arguments: str) -> None:
        assert main(["plan", "measure", *arguments]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
        assert not list(tmp_path.glob("pi*"))

    file = str(tmp_path / "pi.toml")
    refused("with .toml at its end", str(compiled), "-o", str(tmp_path / "pi"))
    (compiled / "s2.hef").write_bytes(b"")
    refused("not the file that the plan was made with", str(compiled), "-o", file)
    plan = read_plan(compiled)
    bare = plan.model_copy(update={"segments": tuple(each.model_copy(update={"hef": None}) for each in plan.segments)})
    (compiled / "plan.json").write_bytes(plan_json(bare))
    refused("compile it first", str(compiled), "-o", file)


def test_without_a_device_nothing_is_measured(
    tmp_path: Path, compiled: Path, double: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    double.SCRIPT.devices.clear()
    assert main(["plan", "measure", str(compiled), "-o", str(tmp_path / "pi.toml")]) == 2
    assert "no Hailo device to run on" in capsys.readouterr().err
    assert not (tmp_path / "pi.toml").exists()
