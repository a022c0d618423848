"""The table of a plan says of each segment which evidence carries it, by the sizes of its own graph."""

from __future__ import annotations

import re

import pytest

from tasnet.network import Size
from tasnet.plan.compiled import network_name
from tasnet.plan.cuts import Plan
from tasnet.plan.function import Function, TrainedFunction
from tasnet.plan.table import plan_lines
from tests.plan.running import planned

PAPER = Size(N=512, L=16, B=128, H=512, Sc=128, P=3, X=8, R=3, n_src=2)


def plan_of(norm: str, **bounds: object) -> Plan:
    trained = TrainedFunction(Function(PAPER, 24, norm, "prelu", "relu"), {}, 8000)
    trained.__dict__["digest"] = ""
    return planned(trained, 16_000, **bounds)


@pytest.mark.parametrize(
    ("bounds", "row", "several", "high"),
    [
        ({}, 384_000, True, True),
        ({"rows": 262_144}, 262_144, True, True),
        ({"max_height": 1}, 384_000, True, False),
    ],
)
def test_a_segment_stands_on_rows_that_compiled_and_says_what_nobody_has_seen(
    bounds: dict[str, int], row: int, several: bool, high: bool
) -> None:
    plan = plan_of("cln", **bounds)
    lines = list(plan_lines(plan))
    assert lines[0].split()[-1] == "evidence"
    told = {line.split()[0]: line for line in lines[1 : len(plan.segments) + 1]}
    for each in plan.on_chip:
        line = told[each.name]
        (seen,) = re.findall(r"rows up to ([\d,]+)", line)
        assert each.widest_row <= int(seen.replace(",", "")) <= row
        assert (f"{each.layers} layers together" in line) == several
        assert (f"{each.height} rows side by side" in line) == (each.height > 1)
    assert (max(each.height for each in plan.on_chip) > 1) == high


def test_observed_pieces_are_called_so_and_the_host_needs_no_evidence() -> None:
    plan = plan_of("gln", observed=True)
    lines = list(plan_lines(plan))[1 : len(plan.segments) + 1]
    for each, line in zip(plan.segments, lines, strict=True):
        assert line.endswith("clear, observed  observed piece") == (each.place == "chip")


def test_what_is_compiled_needs_no_other_evidence() -> None:
    plan = plan_of("cln")
    for by in ("dfc 3.33.0", "dfc 3.33.0+double"):
        segments = tuple(each.model_copy(update={"compiled_by": by}) for each in plan.segments)
        lines = list(plan_lines(plan.model_copy(update={"segments": segments})))[1 : len(segments) + 1]
        for each, line in zip(plan.segments, lines, strict=True):
            # A double's word is none.
            end = f"  {', '.join(each.evidence)}" if by.endswith("+double") else ""
            assert each.place == "host" or line.endswith(f"compiled by {by}{end}")


def test_a_networks_name_tells_every_segment_from_every_other() -> None:
    for plan in (plan_of("cln"), plan_of("gln"), plan_of("gln", observed=True)):
        names = [network_name(each) for each in plan.on_chip]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
