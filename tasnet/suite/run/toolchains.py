"""From options to a toolchain: its name, and for the compiler its interpreter, limits, calibration and script."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tasnet.common import Notify, TasnetError, notify_on_stderr
from tasnet.hailo import TOOLCHAINS, Toolchain
from tasnet.network import Size, Variant
from tasnet.suite.cases import BASE_ARCH, Case
from tasnet.suite.run.recipe import Recipe
from tasnet.suite.run.store import open_store

if TYPE_CHECKING:
    from tasnet.hailo.compiler import CompilerLimits, Dfc
    from tasnet.suite.run.pipeline import Pipeline

CALIBRATION = "TASNET_CALIBRATION"
"""the environment variable that names the recordings where `--calibration` doesn't"""


class ToolchainError(TasnetError, ValueError):
    """Options that no toolchain can be made of. One line: which, and what to do."""


class CalibrationWarning(UserWarning):
    """Something to know of the recordings before hours of quantization."""


@dataclass(frozen=True)
class ToolchainOptions:
    """What the options say. `limits` are texts such as `compile.seconds=3600`; all from `dfc_python` on is for dfc."""

    name: str = TOOLCHAINS[0]
    arch: str = BASE_ARCH
    dfc_python: str = ""
    limits: tuple[str, ...] = ()
    calibration: Path | None = None
    script: Path | None = None
    quick: bool = False
    pyproject: Path | None = None


def toolchain_options(
    name: str,
    arch: str,
    *,
    dfc_python: str | None = None,
    limit: Sequence[str] = (),
    calibration: str | Path | None = None,
    script: str | Path | None = None,
    quick: bool = False,
    pyproject: Path | None = None,
) -> ToolchainOptions:
    """The options as given on a command line. Raises ToolchainError where one isn't known, or means nothing here."""
    if name not in TOOLCHAINS:
        raise ToolchainError(f"--toolchain {name}: unknown; one of {', '.join(TOOLCHAINS)}")
    given = {
        "--dfc-python": dfc_python,
        "--limit": limit,
        "--calibration": calibration,
        "--script": script,
        "--quick": quick,
    }
    idle = [option for option, value in given.items() if value]
    if name != "dfc":
        if idle:
            raise ToolchainError(f"{idle[0]}: only the compiler has it; add --toolchain dfc, or leave it out")
        return ToolchainOptions(name, arch)
    recordings = calibration or os.environ.get(CALIBRATION)
    folder = Path(recordings).absolute() if recordings else None
    if folder and not folder.exists():
        raise ToolchainError(f"--calibration {recordings}: no such folder or file; name a folder of wavs or an npz")
    if script and not Path(script).is_file():
        raise ToolchainError(f"--script {script}: no such file; name a model script")
    lines = Path(script).absolute() if script else None
    return ToolchainOptions(name, arch, dfc_python or "", tuple(limit), folder, lines, quick, pyproject)


def open_pipeline(
    store: Path,
    options: ToolchainOptions,
    recipe: Recipe,
    *,
    toolchain: Toolchain | None = None,
    notify: Notify = notify_on_stderr,
) -> Pipeline:
    """The pipeline of a store's folder, with calibration data where the options name some.

    `toolchain` is one that was opened already. Raises what `open_toolchain` and `open_store` raise.
    """
    # Only now: who lists cases needs no pipeline.
    from tasnet.suite.run.pipeline import Pipeline

    fit = CaseCalibration(options.calibration, store) if options.calibration else None
    # The store's folder is made last: where there is no toolchain, nothing is left behind.
    opened = toolchain or open_toolchain(options)
    return Pipeline(open_store(store, notify), opened, recipe, fit=fit)


def open_toolchain(choice: ToolchainOptions, *, recordings: bool = True) -> Toolchain:
    """The toolchain. Raises what `open_compiler` raises."""
    # Imported where it is needed: who lists cases needs neither of the two.
    from tasnet.hailo.predict import Reference

    return open_compiler(choice, recordings=recordings) if choice.name == "dfc" else Reference()


def open_compiler(choice: ToolchainOptions, *, recordings: bool = True) -> Dfc:
    """The compiler, found and asked for its version. Without `recordings` whoever asks it brings calibration data.

    Raises DfcError (with where it looked) where there is none, ToolchainError (no calibration), and LimitsError.
    """
    from tasnet.hailo.compiler import connect_compiler

    script = _text(choice.script) if choice.script else ""
    limits = _limits(choice)
    python = choice.dfc_python or None
    dfc = connect_compiler(python, arch=choice.arch, limits=limits, script=script, quick=choice.quick)
    if recordings and not choice.calibration:
        raise ToolchainError(
            f"--toolchain dfc: no calibration; name recordings with --calibration DIR|FILE.npz or {CALIBRATION}"
        )
    return dfc


@dataclass(frozen=True)
class CaseCalibration:
    """Gives the compiler the calibration data that fits a case, kept in a store; other toolchains are left alone."""

    recordings: Path
    root: Path
    """the store's"""

    def __call__(self, toolchain: Toolchain, case: Case) -> Toolchain:
        """The toolchain for the case's optimize. Raises CalibrationError for recordings that can't be used."""
        from tasnet.hailo.compiler import Dfc

        if not isinstance(toolchain, Dfc):
            return toolchain
        # One set of data for all cases with the same input: what is inside the network doesn't matter here.
        variant = Variant(encoder=case.variant.encoder, layout=case.variant.layout)
        data = _calibration(self.recordings, self.root, variant, case.size, case.length)
        return replace(toolchain, calibration=data)


def _limits(choice: ToolchainOptions) -> CompilerLimits:
    from tasnet.hailo.compiler import read_limits

    overrides: dict[str, object] = {}
    for text in choice.limits:
        name, equals, value = text.partition("=")
        if not equals:
            raise ToolchainError(f"--limit {text}: write STAGE.WHAT=VALUE, such as compile.seconds=3600")
        overrides[name.strip()] = _number(value.strip())
    return read_limits(choice.pyproject, overrides)


def _number(text: str) -> object:
    """Limits take no text for a number; sizes such as `8 GiB` stay text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _text(script: Path) -> str:
    try:
        return script.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolchainError(f"--script {script}: can't be read ({error}); name a model script of text") from None


@lru_cache(maxsize=8)
def _calibration(recordings: Path, root: Path, variant: Variant, size: Size, length: int) -> Path:
    """An npy (N, H, W, C) in the store, made of the recordings once per process."""
    import numpy as np

    from tasnet.suite.run.calibration import load_calibration

    made = load_calibration(recordings, Case(variant, size, length))
    for warning in made.report.warnings:
        warnings.warn(f"calibration {recordings.name}: {warning}", CalibrationWarning, stacklevel=2)
    data = io.BytesIO()
    np.save(data, made.data)
    store = open_store(root)
    return store.path(store.put_file(data.getvalue(), ".npy"))
