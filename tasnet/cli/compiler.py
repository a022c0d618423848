"""The commands around the compiler: the recordings that it is calibrated on, and its emulation for the device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    Arch,
    AsJson,
    BlocksPerRepeat,
    Checkpoint,
    DfcPython,
    Limit,
    MaskActivation,
    Quick,
    Recordings,
    Script,
    StoreAt,
    if_there,
    recipe_of,
    show,
    store_at,
    writable,
)


def calibrate(
    recordings: Annotated[Path, typer.Argument(metavar="DIR|FILE.npz", help="wavs, or arrays NT, NCT, NCHW or NHWC")],
    case: Annotated[str, typer.Option("--case", help="an id, a run tag of the notes, or axis=value pairs")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="NPY", help="the data, for optimize")] = None,
    as_json: AsJson = False,
) -> int:
    """Say what the compiler would be calibrated on for a case: the layout recognised, levels, what is left out.

    The runs do this by themselves; here it is seen before hours of quantization. With -o the array (N, H, W, C) is
    written, and the report beside it.

    Example: tasnet calibrate speech --case baseline -o calibration.npy
    """
    from tasnet.suite.cases import parse_case
    from tasnet.suite.run import calibration_lines, load_calibration, save_calibration

    if output is not None:
        writable(output)
    made = load_calibration(recordings, parse_case(case))
    show(made.report.as_json() if as_json else calibration_lines(made.report))
    if output is not None:
        save_calibration(made, output)
    return OK


def emulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="compiled files, <case id>.hef")],
    arch: Arch = "hailo8",
    windows: Annotated[int, typer.Option(min=1, help="windows of speech that each is given")] = 2,
    checkpoint: Checkpoint = None,
    mask_activation: MaskActivation = None,
    blocks_per_repeat: BlocksPerRepeat = None,
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
    from tasnet.cli.emulated_shown import shown
    from tasnet.suite.run import toolchain_options

    recipe = recipe_of(checkpoint, mask_activation, blocks_per_repeat)
    choice = toolchain_options(
        "dfc",
        arch,
        dfc_python=dfc_python,
        limit=limit or (),
        calibration=calibration,
        script=script,
        quick=quick,
        pyproject=if_there(Path("pyproject.toml")),
    )
    return OK if shown(folder, choice, store_at(store), recipe, windows) else NOT_CLEAR
