"""What the commands share: options, exit codes, and the guards that speak before any work is done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from tasnet.common import print_line, why_no_file

if TYPE_CHECKING:
    from tasnet.suite.cases import Case
    from tasnet.suite.ledger import Ledger
    from tasnet.suite.run import Pipeline, RunOptions

OK, NOT_CLEAR, USAGE = 0, 1, 2


def _chips() -> Iterable[str]:
    from tasnet.hailo import ARCHITECTURES

    return ARCHITECTURES


def _profiles() -> Iterable[str]:
    from tasnet.suite.cases import PLANS, PROFILES

    return (*PROFILES, PLANS)


def _toolchains() -> Iterable[str]:
    from tasnet.hailo import TOOLCHAINS

    return TOOLCHAINS


Model = Annotated[Path, typer.Argument(metavar="FILE", help="an .onnx, a .har or an .hn, told apart by content")]
Compiled = Annotated[Path, typer.Argument(metavar="FILE", help="an .onnx, .har, .hn or .hef, told apart by content")]
PlanAt = Annotated[Path, typer.Argument(metavar="PLAN", help="a plan's folder")]
Shapes = Annotated[
    list[str] | None,
    typer.Option("--shape", metavar="INPUT=1,1,1,16000", help="an input's sizes, where the ONNX file leaves some open"),
]
Arch = Annotated[str, typer.Option("--arch", metavar="CHIP", autocompletion=_chips, help="hailo8, hailo8l or hailo8r")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="weights: a file, or tasnet:small, a trained network"),
]
MaskActivation = Annotated[
    str | None, typer.Option(metavar="relu|sigmoid", help="of the checkpoint's masks, where it doesn't say (then relu)")
]
BlocksPerRepeat = Annotated[
    int | None, typer.Option(metavar="N", help="of the checkpoint, where it doesn't say (then 8, if that can be)")
]
Profile = Annotated[
    str,
    typer.Option(metavar="NAME", autocompletion=_profiles, help="matrix, notes, probes, faithful, trained, plans"),
]
StoreAt = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="artifacts and outcomes (default $TASNET_STORE, else .tasnet in the root)"),
]
RootAt = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="the folder with the ledger (default: the nearest one, here or above)"),
]
LedgerAt = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="the expected failures (default: expected_failures.yaml in the root)"),
]
Toolchain = Annotated[
    str,
    typer.Option(
        metavar="NAME", autocompletion=_toolchains, help="reference (embedded, predicts) or dfc (the compiler)"
    ),
]
DfcPython = Annotated[
    str | None, typer.Option(path_type=str, metavar="FILE", help="the compiler's interpreter ($TASNET_DFC_PYTHON)")
]
Limit = Annotated[list[str] | None, typer.Option(metavar="STAGE.WHAT=VALUE", help="such as compile.seconds=3600")]
Recordings = Annotated[
    Path | None, typer.Option(metavar="FOLDER|FILE", help="wavs or an npz, for dfc ($TASNET_CALIBRATION)")
]
Script = Annotated[Path | None, typer.Option(metavar="FILE", help="a model script, for dfc")]
Quick = Annotated[bool, typer.Option("--quick", help="for dfc: optimize without the slow algorithms")]


_RUN_OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "arch": (Arch, "hailo8"),
    "checkpoint": (Checkpoint, None),
    "mask_activation": (MaskActivation, None),
    "blocks_per_repeat": (BlocksPerRepeat, None),
    "store": (StoreAt, None),
    "toolchain": (Toolchain, "reference"),
    "dfc_python": (DfcPython, None),
    "limit": (Limit, None),
    "calibration": (Recordings, None),
    "script": (Script, None),
    "quick": (Quick, False),
    "root": (RootAt, None),
}
"""A field of RunOptions -> what the command line makes of it, and its default."""

WEIGHTS = ("checkpoint", "mask_activation", "blocks_per_repeat")
"""the options that say where the weights come from"""


class UsageError(ValueError):
    """Wrong usage that the parser of options can't see."""


def readable(path: Path, what: str = "an .onnx or a .har") -> Path:
    """`path`, if there is a file. Raises UsageError."""
    if instead := why_no_file(path):
        raise UsageError(f"{path}: {instead}; name {what}")
    return path


def sizes(shapes: list[str] | None) -> dict[str, tuple[int, ...]]:
    """`--shape INPUT=1,1,1,16000`, once per input, as sizes by the input's name. Raises UsageError."""
    given: dict[str, tuple[int, ...]] = {}
    for each in shapes or ():
        # An input's name may hold a '='.
        name, _, text = each.rpartition("=")
        numbers = text.replace("x", ",").split(",")
        if not name or not all(number.strip().isdecimal() and len(number) <= 12 for number in numbers):
            raise UsageError(f"--shape {each}: write an input's name and its sizes, as in --shape x=1,1,1,16000")
        if name in given:
            raise UsageError(f"--shape {name}: given twice; give each input once")
        given[name] = tuple(map(int, numbers))
    return given


def of_onnx(path: Path, shapes: list[str] | None) -> Path:
    """`path`, if no sizes are given or it is an ONNX file: others have theirs. Raises UsageError."""
    from tasnet.hailo.predict import is_onnx

    if shapes and not is_onnx(path):
        raise UsageError(f"{path}: its sizes are fixed; --shape is for an .onnx")
    return path


def with_run_options(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command the named options of RunOptions (without names: all), as its argument `options`."""

    def decorated(command: Callable[..., int]) -> Callable[..., int]:
        # RunOptions itself is imported by a command that runs, not by one that prints its help.
        hints = get_type_hints(command, localns={"RunOptions": object}, include_extras=True)
        taken = {name: _RUN_OPTIONS[name] for name in names or _RUN_OPTIONS}
        if "store" in taken:
            taken["root"] = _RUN_OPTIONS["root"]

        @wraps(command)
        def called(**values: Any) -> int:
            from tasnet.suite.run import RunOptions

            options = RunOptions.of({name: values.pop(name) for name in taken})
            return command(options=options, **values)

        own = [
            each.replace(annotation=hints[each.name], kind=each.KEYWORD_ONLY)
            for each in signature(command).parameters.values()
            if each.name != "options"
        ]
        added = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=usual, annotation=how)
            for name, (how, usual) in taken.items()
        ]
        called.__signature__ = Signature([*own, *added], return_annotation=int)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in (*own, *added)}
        return called

    return decorated


def embedded(options: RunOptions) -> Pipeline:
    """The pipeline of the embedded toolchain. What was assumed of the checkpoint is said on stderr."""
    from tasnet.suite.run import ToolchainOptions, open_pipeline

    pipeline = open_pipeline(options.store_root(), ToolchainOptions(), options.recipe())
    print_assumed(pipeline)
    return pipeline


def trained(options: RunOptions, cases: Iterable[Case]) -> RunOptions:
    """The options, with `tasnet:small` where they name no checkpoint: for what only a trained network can show.

    Raises UsageError for a case that names sizes, which the checkpoint's would replace.
    """
    from dataclasses import replace

    from tasnet.network import SMALL, Size

    if options.checkpoint is not None:
        return options
    if sized := [each.id for each in cases if each.size != Size()]:
        raise UsageError(f"{sized[0]}: {SMALL} has sizes of its own; leave them out, or name --checkpoint")
    options.recipe()
    return replace(options, checkpoint=Path(SMALL))


def print_assumed(pipeline: Pipeline) -> None:
    """On stderr, what a checkpoint doesn't say and was assumed. Raises what `Pipeline.resolve` raises."""
    for line in pipeline.assumed:
        print_line(f"note: {line}", error=True)


def store_at(given: Path | None, root: Path | None) -> Path:
    """The store that is given, else the environment's, else `.tasnet` in the root.

    Raises StoreOptionError, RootError.
    """
    from tasnet.suite.run import store_root

    return store_root(given, root)


def known_arch(arch: str) -> None:
    """Raises UsageError for an architecture that isn't known."""
    from tasnet.hailo import ARCHITECTURES

    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch {arch}: unknown; one of {', '.join(ARCHITECTURES)}")


def ledger_path(given: Path | None, root: Path | None) -> Path:
    """The ledger that is given, else the root's. Raises RootError."""
    from tasnet.suite.ledger import ledger_of, root_folder

    return given or ledger_of(root_folder(root))


def usual_ledger(given: Path | None, root: Path | None) -> Ledger | None:
    """The ledger that is given or the root's; None where the root has none. Raises LedgerError, RootError."""
    from tasnet.suite.ledger import read_ledger

    path = ledger_path(given, root)
    return read_ledger(path) if given or os.path.lexists(path) else None


def writable(path: Path, ending: str = "") -> None:
    """Before any work is done: that there is a place to write to, and that the name ends as it must."""
    if ending and path.suffix != ending:
        raise UsageError(f"{path}: name it with {ending} at its end")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: no directory {path.parent}; make it first")
    if path.is_dir():
        raise UsageError(f"{path}: a directory; name a file")


def show(output: object) -> None:
    """Lines, each of which is one whatever names it is made of; anything else as JSON, which has its own escapes."""
    if isinstance(output, Iterator):
        for line in output:
            print_line(line)
    else:
        print(json.dumps(output, indent=2))
