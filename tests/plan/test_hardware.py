"""A hardware profile: shipped ones say their sources; what isn't one is refused by the figure at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.plan.function import PlanError
from tasnet.plan.hardware import FIGURES, SHIPPED, read_profile

FIGURE = 'value = 1e9\nrange = [1e8, 2e9]\nsource = "measured on a bench"\n'


def whole(**changes: str) -> str:
    return 'name = "mine"\n' + "".join(f"[{name}]\n{changes.get(name, FIGURE)}" for name in FIGURES)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_figure_lies_in_its_range_and_has_a_source(name: str) -> None:
    hardware = read_profile(name)
    for each in FIGURES:
        figure = getattr(hardware, each)
        assert figure.low <= figure.value <= figure.high
        assert len(figure.source) > 20


def test_a_profile_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(whole(switch_seconds='value = 0.01\nrange = [0.01, 0.02]\nsource = "a bench"\n'))
    assert read_profile(str(path)).switch_seconds.value == 0.01
    assert read_profile(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name = ", "not TOML"),
        (whole().replace('name = "mine"', ""), "no name"),
        (whole() + "[speed]\nvalue = 1\n", "speed is unknown"),
        (whole().replace("[switch_seconds]\n" + FIGURE, ""), r"\[switch_seconds\] is missing"),
        (whole(macs_per_second='value = -1\nrange = [1, 2]\nsource = "x"\n'), r"\[macs_per_second\] needs a value"),
        (whole(macs_per_second='value = 3\nrange = [1, 2]\nsource = "x"\n'), r"\[macs_per_second\] needs a value"),
        (whole(macs_per_second='value = nan\nrange = [1, 2]\nsource = "x"\n'), r"\[macs_per_second\] needs a value"),
        (whole(macs_per_second="value = 1\nrange = [1, 2]\n"), "must have value, range and source"),
        (whole(macs_per_second='value = 1\nrange = [1, 2]\nsource = ""\n'), "needs a source"),
    ],
)
def test_what_is_no_profile_is_one_line(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(PlanError, match=told) as error:
        read_profile(str(path))
    assert "\n" not in str(error.value)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(PlanError, match="one of raspberry-pi-5, x86"):
        read_profile("raspberry")
