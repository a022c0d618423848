"""The options that say how cases are run: one list of them for the command line and for pytest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tasnet.common import TasnetError, unfinished, why_no_folder
from tasnet.hailo import TOOLCHAINS
from tasnet.suite.cases import BASE_ARCH
from tasnet.suite.ledger import root_folder
from tasnet.suite.run.recipe import Recipe, checked_recipe
from tasnet.suite.run.toolchains import ToolchainOptions, toolchain_options


class StoreOptionError(TasnetError, ValueError):
    """`--store` names what can't be a folder. One line."""


@dataclass(frozen=True)
class RunOptions:
    """The options as given; a field's name with dashes is the option's. The order is the one in which they are shown.

    `limit` are texts such as `compile.seconds=3600`. From `dfc_python` to `script`, and `quick`, they are for dfc.
    """

    arch: str = BASE_ARCH
    toolchain: str = TOOLCHAINS[0]
    checkpoint: Path | None = None
    mask_activation: str | None = None
    blocks_per_repeat: int | None = None
    dfc_python: str | None = None
    limit: Sequence[str] = ()
    calibration: Path | None = None
    script: Path | None = None
    store: Path | None = None
    quick: bool = False
    root: Path | None = None
    """where ledger, store, limits and tests are; None: found from where one stands"""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> RunOptions:
        """The options among parsed ones, paths as text or Path. What is None or missing has its default."""
        given: dict[str, Any] = {
            each.name: values[each.name] for each in fields(cls) if values.get(each.name) is not None
        }
        for name in ("checkpoint", "calibration", "script", "store", "root"):
            if given.get(name):
                given[name] = Path(given[name])
        return cls(**given)

    def recipe(self) -> Recipe:
        """The weights that are meant. Raises RecipeError."""
        return checked_recipe(self.checkpoint, self.mask_activation, self.blocks_per_repeat)

    def toolchain_options(self) -> ToolchainOptions:
        """The toolchain that is meant; limits also from the root's pyproject.toml. Raises ToolchainError, RootError."""
        pyproject = root_folder(self.root) / "pyproject.toml"
        return toolchain_options(
            self.toolchain,
            self.arch,
            dfc_python=self.dfc_python,
            limit=self.limit,
            calibration=self.calibration,
            script=self.script,
            quick=self.quick,
            pyproject=pyproject if pyproject.is_file() else None,
        )

    def store_root(self) -> Path:
        """The store's folder; `.tasnet` in the root where none is named. Raises StoreOptionError, RootError."""
        return store_root(self.store, self.root)

    def given(self) -> Iterator[tuple[str, str]]:
        """Name (without the dashes before it) and value of each option that hasn't its default; a switch's is "".

        A repeated one comes each time.
        """
        for each in fields(self):
            name, value = each.name.replace("_", "-"), getattr(self, each.name)
            if value == each.default or not value:
                continue
            for one in value if each.name == "limit" else [value]:
                yield name, "" if value is True else str(one)


def check_writable(store: Path) -> None:
    """Raises StoreOptionError unless the store's folder can be made and written. Leaves nothing behind."""
    there = next(each for each in (store, *store.parents) if each.is_dir())
    try:
        with unfinished.folder(there, ".tasnet"):
            pass
    except OSError as error:
        raise StoreOptionError(
            f"--store {store}: {there} can't be written ({error.strerror}); name another folder"
        ) from None


def store_root(given: Path | None, root: Path | None = None) -> Path:
    """The store that is named, else the environment's, else `.tasnet` in the root. Raises StoreOptionError, RootError.

    `root` is one that is named; None is the one that is found.
    """
    store = Path(given or os.environ.get("TASNET_STORE") or root_folder(root) / ".tasnet")
    if instead := why_no_folder(store.absolute()):
        raise StoreOptionError(f"--store {store}: {instead}")
    return store.absolute()
