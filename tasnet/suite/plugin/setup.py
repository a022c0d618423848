"""Setup: what the options of a run mean, read once per process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasnet.common import MAX_ERROR_CHARS, TasnetError, error_line, printable, why_no_folder
from tasnet.hailo import TOOLCHAINS
from tasnet.suite.cases import BASE_ARCH, Case, profile_cases
from tasnet.suite.ledger import Ledger, read_ledger
from tasnet.suite.run import Recipe, ToolchainOptions, from_options, open_compiler, toolchain_options

if TYPE_CHECKING:
    from tasnet.hailo.compiler import Dfc

MARKS: Mapping[str, str] = {
    "compile": "HAR translation and HEF compile against the ledger",
    "numerics": "parity at every stage",
    "device": "on a Hailo-8",
}

DEFAULT_PROFILE = "matrix"


@dataclass(frozen=True)
class Setup:
    """What the options mean, read once per process."""

    profile: str
    arch: str
    choice: ToolchainOptions
    compiler: Dfc | None
    """asked for its version; None for the embedded toolchain"""
    repeat: tuple[tuple[str, str], ...]
    """the options that a command needs to repeat this run"""
    recipe: Recipe
    """where the weights come from"""
    store: Path
    ledger: Ledger
    cases: tuple[Case, ...]


SETUP = pytest.StashKey[Setup]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tasnet", "Conv-TasNet on Hailo-8")
    if group.options:
        return  # early_options.py was here first
    group.addoption("--profile", default=DEFAULT_PROFILE, help="cases: matrix (default), notes, probes, faithful")
    group.addoption("--arch", default=BASE_ARCH, help="architecture: hailo8 (default), hailo8l, hailo8r")
    group.addoption("--toolchain", default=TOOLCHAINS[0], help="reference (default; embedded, predicts) or dfc")
    group.addoption("--dfc-python", metavar="PATH", help="the compiler's interpreter; default: $TASNET_DFC_PYTHON")
    group.addoption(
        "--limit", action="append", default=[], metavar="STAGE.WHAT=VALUE", help="such as compile.seconds=3600; repeats"
    )
    group.addoption("--calibration", metavar="PATH", help="wavs or an npz; default: $TASNET_CALIBRATION")
    group.addoption("--script", metavar="FILE", help="a model script for the compiler")
    group.addoption("--quick", action="store_true", help="the compiler's optimization without its slow algorithms")
    group.addoption("--checkpoint", metavar="FILE", help="weights to export; default: random ones from a fixed seed")
    group.addoption("--mask-activation", metavar="relu|sigmoid", help="of a checkpoint that doesn't say it (then relu)")
    group.addoption(
        "--blocks-per-repeat",
        type=int,
        metavar="N",
        help="of a checkpoint that doesn't say it (then 8)",
    )
    group.addoption("--store", metavar="DIR", help="artifacts and outcomes; default: $TASNET_STORE, else .tasnet")
    group.addoption("--hef", metavar="DIR", help="compiled files `<case id>.hef` to run; default: $TASNET_HEF")
    group.addoption(
        "--require-device",
        action="store_true",
        help="fail where the device or the compiled files are missing, not skip",
    )
    group.addoption("--ledger", metavar="FILE", help="expected failures; default: expected_failures.yaml")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    setup = config.stash[SETUP] = _setup(config)
    if setup.compiler:
        # Workers are started with these options: they needn't search again.
        config.option.dfc_python = str(setup.compiler.python)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which compiler was found, what it is calibrated with, and what was assumed of the weights."""
    setup = config.stash[SETUP]
    notes = [f"note: {line}" for line in _assumed(setup)]
    if setup.compiler is None:
        return notes
    double = ", a test double: nothing it says is observed" if setup.compiler.double else ""
    return [
        f"compiler: {setup.compiler.name} {setup.compiler.version} at {setup.compiler.python}{double}",
        f"calibration: {setup.choice.calibration}",
        *([f"warning: {setup.compiler.warning}"] if setup.compiler.warning else []),
        *notes,
    ]


def _assumed(setup: Setup) -> tuple[str, ...]:
    """What the checkpoint doesn't say and was assumed. Raises UsageError for one that can't be read."""
    if setup.recipe.checkpoint is None:
        return ()
    # Only now: without a checkpoint there is nothing to ask.
    from tasnet.hailo.predict import Reference
    from tasnet.suite.run import Pipeline, open_store

    try:
        return Pipeline(open_store(setup.store), Reference(), setup.recipe).assumed
    except TasnetError as error:
        raise pytest.UsageError(error_line(error)) from None


def _setup(config: pytest.Config) -> Setup:
    """Reads the options. Raises UsageError, one line."""
    option = config.option
    try:
        cases = profile_cases(option.profile, option.arch)
        ledger = read_ledger(
            Path(option.ledger) if option.ledger else _from_here(config.rootpath / "expected_failures.yaml")
        )
        choice = _choice(config)
        # Only now: without a compiler nothing of its adapter is needed.
        dfc = open_compiler(choice) if choice.name == "dfc" else None
        checkpoint = Path(option.checkpoint) if option.checkpoint else None
        recipe = from_options(checkpoint, option.mask_activation, option.blocks_per_repeat)
    except TasnetError as error:
        raise pytest.UsageError(error_line(error)) from None
    store = Path(option.store or os.environ.get("TASNET_STORE") or config.rootpath / ".tasnet")
    if instead := why_no_folder(store.absolute()):
        raise pytest.UsageError(printable(f"--store {store}: {instead}", MAX_ERROR_CHARS))
    repeat = _repeated(option)
    return Setup(option.profile, option.arch, choice, dfc, repeat, recipe, store.absolute(), ledger, cases)


def _choice(config: pytest.Config) -> ToolchainOptions:
    """The toolchain that the options mean. Raises ToolchainError."""
    option = config.option
    return toolchain_options(
        option.toolchain,
        option.arch,
        dfc_python=option.dfc_python,
        limit=option.limit,
        calibration=option.calibration,
        script=option.script,
        quick=option.quick,
        pyproject=_if_there(config.rootpath / "pyproject.toml"),
    )


def _from_here(path: Path) -> Path:
    """The path as a person would write it here: entries are named by it in every failure."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _repeated(option: Any) -> tuple[tuple[str, str], ...]:
    """The options that a command needs to repeat this run, without those that have their usual value."""
    given = [
        ("--profile", option.profile, DEFAULT_PROFILE),
        ("--arch", option.arch, BASE_ARCH),
        ("--toolchain", option.toolchain, TOOLCHAINS[0]),
        ("--checkpoint", option.checkpoint, None),
        ("--mask-activation", option.mask_activation, None),
        ("--blocks-per-repeat", option.blocks_per_repeat, None),
        ("--dfc-python", option.dfc_python, None),
        *(("--limit", limit, None) for limit in option.limit),
        ("--calibration", option.calibration, None),
        ("--script", option.script, None),
        ("--store", option.store, None),
        ("--ledger", option.ledger, None),
    ]
    named = tuple((name, f" '{value}'") for name, value, usual in given if value and value != usual)
    return (*named, *((("--quick", ""),) if option.quick else ()))


def repeated(nodeid: str, setup: Setup) -> str:
    """The command that runs this test alone. A node id: `-k` can't tell k1 from k12, nor read a `=`."""
    return f'pytest "{nodeid}"' + "".join(f" {name}{value}" for name, value in setup.repeat)
