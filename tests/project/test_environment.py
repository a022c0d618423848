"""The pinned environment of pyproject.toml is whole, is the one that runs here, and is read by uv and by make alike."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]


def pins(group: str) -> dict[str, Requirement]:
    return {canonicalize_name(each.name): each for each in map(Requirement, GROUPS[group])}


def asked_by(name: str) -> list[Requirement]:
    """What an installed distribution asks for on this machine, by its own metadata."""
    asked = map(Requirement, metadata.requires(name) or ())
    return [each for each in asked if each.marker is None or each.marker.evaluate({"extra": ""})]


def version(pin: Requirement) -> str:
    (only,) = pin.specifier
    return only.version


DEV, ORACLES = pins("dev"), pins("oracles")


@pytest.mark.parametrize("group", ["dev", "oracles"])
def test_each_line_is_one_exact_version(group: str) -> None:
    assert len(pins(group)) == len(GROUPS[group])
    assert all(re.fullmatch(r"==[0-9][^*,]*", str(each.specifier)) and not each.marker for each in pins(group).values())


def test_the_versions_that_are_installed_are_the_pinned_ones() -> None:
    installed = {name: Version(metadata.version(name)).public for name in DEV | ORACLES}
    assert installed == {name: version(pin) for name, pin in (DEV | ORACLES).items()}


def test_what_each_package_asks_for_is_pinned_in_a_version_that_fits() -> None:
    lists = (PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values())
    own = [Requirement(line) for lines in lists for line in lines]
    for name, asked in {"tasnet": own, **{name: asked_by(name) for name in DEV}}.items():
        for each in asked:
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                pin = DEV.get(canonicalize_name(each.name))
                assert pin, f"{name} asks for {each}, which is not pinned"
                assert each.specifier.contains(version(pin), prereleases=True), f"{name} asks for {each}, not for {pin}"


def test_torchs_pin_takes_the_build_for_a_cpu() -> None:
    assert DEV["torch"].specifier.contains("2.13.0+cpu")


def test_what_is_installed_without_its_dependencies_is_so_for_uv_too() -> None:
    emptied = PROJECT["tool"]["uv"]["dependency-metadata"]
    assert all(each["requires-dist"] == [] for each in emptied)
    assert {each["name"] for each in emptied} == ORACLES.keys()
    assert PROJECT["tool"]["uv"]["default-groups"] == list(GROUPS)


def test_make_installs_every_group() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", ".venv/installed"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in planned.splitlines() if "--group" in line]
    assert [line.rpartition(" ")[2] for line in lines] == list(GROUPS)
    assert ["--no-deps" in line for line in lines] == [False, True]


def test_uv_resolves_the_project_to_the_pins_alone(tmp_path: Path) -> None:
    """uv chooses from a folder with a stand-in for each installed wheel, its name, version and requirements the real
    ones, and beside each a newer one, which no pin allows."""
    for name in DEV | ORACLES:
        for one in (metadata.version(name), "9999"):
            stand_in(tmp_path, name, one)
    command = ["pip", "compile", "pyproject.toml", "--group", "dev", "--group", "oracles", "--all-extras"]
    only_here = ["--offline", "--no-index", "--find-links", str(tmp_path)]
    told = subprocess.run(
        [
            uv.find_uv_bin(),
            *command,
            *only_here,
            "--no-header",
            "--no-annotate",
            "--cache-dir",
            str(tmp_path / "cache"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    chosen = [Requirement(line) for line in told.stdout.splitlines() if re.match("[a-z]", line)]
    found = {canonicalize_name(each.name): Version(version(each)).public for each in chosen}
    assert found == {name: version(pin) for name, pin in (DEV | ORACLES).items()}


def stand_in(folder: Path, name: str, number: str) -> None:
    """Writes a wheel that holds metadata only (the format: packaging.python.org, "Binary distribution format")."""
    file_name = canonicalize_name(name).replace("-", "_")
    info = f"{file_name}-{number}.dist-info"
    asked = "".join(f"Requires-Dist: {each}\n" for each in asked_by(name))
    with zipfile.ZipFile(folder / f"{file_name}-{number}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n{asked}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
