"""Questions: how long a blocker of the 1179-layer graph takes to isolate, how small it gets, and in how many compiles.

By the embedded toolchain all blockers, and each by itself; then within the budget of a compiler, of compilers with a
hidden rule each: a limit on rows anywhere in the published bracket, on memory, or on dilated layers.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnx

from benchmarks.machine import describe
from tasnet.hailo.files import Network, row_elements, widest_shape
from tasnet.hailo.predict import Reference
from tasnet.hailo.translate import settled_model
from tasnet.network import Size, Variant, seeded_weights, to_onnx
from tasnet.suite.ask import Asker, Budget, isolate, size_line
from tasnet.suite.run import open_store
from tests.doubles.ruled_toolchain import RuledToolchain

GOAL_SECONDS, GOAL_LAYERS, GOAL_COMPILES = 60, 6, 40


def full() -> onnx.ModelProto:
    """The network as trained: 1179 layers of its HN, 883 nodes."""
    made = to_onnx(Variant(activation="prelu_maxmin", norm="gln"), Size(), seeded_weights(Size()), 16_000)
    return settled_model(made)


def rows_from(least: int) -> Callable[[Network], tuple[str, ...] | None]:
    """A compiler that places no row of so many elements, and names the first layer with one."""

    def rule(graph: Network) -> tuple[str, ...] | None:
        return tuple(layer.name for layer in graph if row_elements(widest_shape(layer)) >= least)[:1] or None

    return rule


def unnamed_rows(graph: Network) -> tuple[str, ...] | None:
    """The same in the middle of the bracket, without a word on the layer."""
    return () if rows_from(448_000)(graph) else None


def far_taps(graph: Network) -> tuple[str, ...] | None:
    """Depthwise convolutions dilated by 32 and more have no kernel."""
    return tuple(each.name for each in graph if each.type == "dw" and each.params["dilations"][2] >= 32)[:1] or None


RULES: dict[str, Callable[[Network], tuple[str, ...] | None]] = {
    "rows from 390,000": rows_from(390_000),
    "rows from 448,000": rows_from(448_000),
    "rows from 510,000": rows_from(510_000),
    "rows from 448,000, no layer named": unnamed_rows,
    "dilations from 32": far_taps,
}


def main() -> None:
    """Prints the figures, and fails where a goal is missed."""
    print(describe())
    model = full()
    for family in ("", "agent_infeasible", "reshape_insertion", "unsupported_kernel"):
        with tempfile.TemporaryDirectory() as folder:
            asker = Asker(open_store(Path(folder)), Reference(), "hailo8")
            begun = time.perf_counter()
            found = isolate(asker, model, family, lambda _: None)
            took = time.perf_counter() - begun
        print(f"embedded, {family or 'all of them'}: {took:.1f} s, {asker.compiles} questions (goal: {GOAL_SECONDS} s)")
        for each in found:
            assert each.network is not None
            assert len(each.network.layers) <= GOAL_LAYERS
            print(f"  {each.blocker.family}: {size_line(each)}")
        assert took < GOAL_SECONDS
    for name, rule in RULES.items():
        with tempfile.TemporaryDirectory() as folder:
            tool = RuledToolchain(rule)
            asker = Asker(open_store(Path(folder)), tool, "hailo8", Budget(compiles=GOAL_COMPILES))
            (each,) = isolate(asker, model, "", lambda _: None)
        assert len(tool.calls) == asker.compiles <= GOAL_COMPILES
        assert each.network is not None
        assert len(each.network.layers) <= GOAL_LAYERS
        left = f"; left: {each.unfinished}" if each.unfinished else ""
        print(f"a compiler with a hidden rule, {name}: {asker.compiles} compiles, {size_line(each)}{left}")


if __name__ == "__main__":
    main()
