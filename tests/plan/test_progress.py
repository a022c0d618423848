"""How far a run is: every invocation is told of once, and a terminal alone shows it."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.cli.plan_progress import invocations_bar
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan import run as run_module
from tasnet.plan.cuts import Plan
from tasnet.plan.function import function_of_variant
from tasnet.plan.make import write_plan
from tasnet.plan.on_wav import separate_wav
from tasnet.plan.progress import Told, invocations
from tasnet.plan.run import separate
from tests.plan.running import Modules, doubles, noise, planned

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=4, R=2, n_src=2)


class Ahead:
    """Starts invocations, three at a time, as a device does."""

    ahead = 2

    def __init__(self, run: Modules) -> None:
        self.run = run
        self.flying = self.most = 0

    def __call__(self, segment: Any, inputs: Mapping[str, Any], wanted: Collection[str]) -> Any:
        self.flying += 1
        self.most = max(self.most, self.flying)

        def wait() -> Mapping[str, Any]:
            self.flying -= 1
            return self.run(segment, inputs, wanted)

        return wait


@pytest.mark.parametrize("norm", ["cln", "gln", "cgln", "pieces"])
@pytest.mark.parametrize("length", [20, 1200, 2501])
@pytest.mark.parametrize("ahead", [False, True])
def test_each_invocation_is_told_once_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, norm: str, length: int, ahead: bool
) -> None:
    monkeypatch.setattr(run_module, "SPAN", 400)
    observed = norm == "pieces"
    variant = Variant(norm="cln" if observed else norm, activation="prelu")
    trained = function_of_variant(variant, SIZE, seeded_weights(SIZE, 3))
    bounds = {"observed": True} if observed else {"rows": 16 * 70, "max_height": 2}
    plan = planned(trained, 1200, **bounds)
    total = invocations(plan, (length - SIZE.L) // (SIZE.L // 2) + 1)
    told: list[tuple[str, int, int]] = []
    modules = Modules(plan, trained)
    under = Ahead(modules) if ahead else modules
    run = Told(under, total, lambda *each: told.append(each))
    mix = noise(length)
    got = separate(plan, doubles(trained), run, mix)
    np.testing.assert_array_equal(got, separate(plan, doubles(trained), Modules(plan, trained), mix))
    assert sum(done for _, done, _ in told) == total
    assert {each for _, _, each in told} <= {total}
    assert (total == 0) == (length == 20)
    assert [name for name, *_ in told] or not total
    if isinstance(under, Ahead) and length == 2501:
        assert under.most > 1


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    trained = function_of_variant(Variant(norm="cln"), SIZE, seeded_weights(SIZE, 3))
    return write_plan(
        planned(trained, 1200, rows=16 * 70), trained, tmp_path / "plan", [noise(1200).astype(np.float32)] * 2
    )


@pytest.mark.parametrize(("executor", "runs"), [("onnx", 1), ("har", 1), ("simulated", 2)])
def test_every_executor_tells(tmp_path: Path, plan: Plan, executor: str, runs: int) -> None:
    soundfile.write(tmp_path / "mix.wav", noise(1200), 8000)
    told: list[tuple[str, int, int]] = []
    separate_wav(
        tmp_path / "plan", tmp_path / "mix.wav", tmp_path / "out", executor, tell=lambda *each: told.append(each)
    )
    assert {name for name, *_ in told} == {each.name for each in plan.on_chip}
    assert {total for *_, total in told} == {runs * plan.invocations} == {sum(done for _, done, _ in told)}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_segment_what_is_done_and_the_time_left_and_nothing_stays() -> None:
    file = Terminal()
    with invocations_bar(file) as tell:
        assert tell is not None
        for done in range(4):
            tell(f"s{done}", 1, 8)
    shown = file.getvalue()
    assert "s3" in shown
    assert "4/8" in shown
    assert "left" in shown
    # The line is taken away again: the last thing written erases it.
    assert shown.endswith("\x1b[2K")


def test_what_is_no_terminal_hears_nothing() -> None:
    file = io.StringIO()
    with invocations_bar(file) as tell:
        assert tell is None
    assert not file.getvalue()


@pytest.mark.parametrize("shown", [True, False])
def test_the_command_draws_on_a_terminal_alone(
    tmp_path: Path, plan: Plan, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan.on_chip
    soundfile.write(tmp_path / "mix.wav", noise(1200), 8000)
    monkeypatch.setattr(sys, "stderr", Terminal() if shown else io.StringIO())
    assert (
        main(["plan", "run", str(tmp_path / "plan"), "--mix", str(tmp_path / "mix.wav"), "-o", str(tmp_path / "o")])
        == 0
    )
    assert ("invocations, left" in sys.stderr.getvalue()) == shown  # type: ignore[attr-defined]
