"""The command that prepares for a device: what the compiler's emulation makes of speech, beside each compiled file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    Arch,
    Checkpoint,
    DfcPython,
    Limit,
    Quick,
    Recordings,
    Script,
    StoreAt,
    if_there,
    store_at,
)


def emulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="compiled files, <case id>.hef")],
    arch: Arch = "hailo8",
    windows: Annotated[int, typer.Option(min=1, help="windows of speech that each is given")] = 2,
    checkpoint: Checkpoint = None,
    store: StoreAt = None,
    dfc_python: DfcPython = None,
    limit: Limit = None,
    calibration: Recordings = None,
    script: Script = None,
    quick: Quick = False,
) -> int:
    """Write what the compiler's bit-exact emulation makes of speech beside each compiled file, for `pytest -m device`.

    Needs the compiler, and the options and the store that the files were compiled with. Exits 1 when it offers none.

    Example: tasnet emulate .tasnet/runs/20260217T101500Z/hef
    """
    from tasnet.suite.emulated_shown import shown
    from tasnet.suite.toolchains import choose

    choice = choose(
        "dfc",
        arch,
        dfc_python=dfc_python,
        limit=limit or (),
        calibration=calibration,
        script=script,
        quick=quick,
        pyproject=if_there(Path("pyproject.toml")),
    )
    return OK if shown(folder, choice, store_at(store), checkpoint, windows) else NOT_CLEAR
