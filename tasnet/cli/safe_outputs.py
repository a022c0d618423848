"""What keeps a command from writing over what it reads, before any work and whatever link leads to it.

What a command writes is declared at its option, by `writable=True`. What else may name a file or a folder is read: a
parameter of type Path, or a word that is a file's name or another's, which its option declares by `path_type=str`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from tasnet.cli.options import UsageError

_DEFAULT_INPUTS = ("expected_failures.yaml", "thresholds.yaml")
"""what is read in the root without being named"""
_MAY_BE_OVERWRITTEN = frozenset({".html", ".md", ".png", ".py", ".svg", ".toml"})
"""endings of files that no command reads from a folder that it is given: they may be written there again"""


def outputs_are_not_inputs(command: Callable[..., int]) -> Callable[..., int]:
    """The command, which looks at its paths before it begins."""

    @wraps(command)
    def called(**values: Any) -> int:
        written = written_names(command)
        check_outputs_are_not_inputs(
            [path for name in written for path in _paths(values[name])],
            [path for name in path_names(command) if name not in (*written, "root") for path in _paths(values[name])],
            values.get("root"),
        )
        return command(**values)

    return called


def written_names(command: Callable[..., int]) -> list[str]:
    """The parameters of a command that name what it writes."""
    return [name for name, hint in _hints(command) if _declares(hint, lambda each: getattr(each, "writable", False))]


def path_names(command: Callable[..., int]) -> list[str]:
    """The parameters of a command that may name a file or a folder."""
    return [
        name
        for name, hint in _hints(command)
        if _declares(hint, lambda each: each is Path or getattr(each, "path_type", None) is str)
    ]


def _hints(command: Callable[..., int]) -> Iterator[tuple[str, object]]:
    # That name is imported for type checkers alone.
    hints = get_type_hints(command, localns={"RunOptions": object}, include_extras=True)
    return ((name, hint) for name, hint in hints.items() if name != "return")


def _declares(hint: object, what: Callable[[object], object]) -> bool:
    return bool(what(hint)) or any(_declares(each, what) for each in get_args(hint))


def output_option(metavar: str, what: str) -> Any:
    """`-o`, of what a command writes."""
    return typer.Option("-o", "--output", writable=True, metavar=metavar, help=what)


def check_outputs_are_not_inputs(outputs: Iterable[Path], inputs: Iterable[Path], root: Path | None = None) -> None:
    """Raises UsageError for an output that is an input, that would overwrite a file in one, or that is two outputs."""
    from tasnet.suite.ledger import root_folder

    outputs = list(outputs)
    usual = [root_folder(root) / name for name in _DEFAULT_INPUTS] if outputs else []
    read = (*inputs, *usual)
    seen: list[Path] = []
    for output in outputs:
        if twice := next((each for each in seen if os.path.realpath(each) == os.path.realpath(output)), None):
            raise UsageError(f"{output}: would be written twice, as {twice} too; name two files")
        seen.append(output)
        if not (os.path.isfile(output) or os.path.isdir(output)):
            # Not there yet; or a pipe, a terminal or /dev/null, where nothing can be lost.
            continue
        for each in read:
            if not os.path.exists(each):
                continue
            if output.samefile(each):
                raise UsageError(f"{output}: is read here, as {each}, and would be lost; name another output")
            if (
                output.is_file()
                and each.is_dir()
                and _within(output, each)
                and output.suffix not in _MAY_BE_OVERWRITTEN
            ):
                raise UsageError(f"{output}: is a file of {each}, which is read here; name another output")


def _within(path: Path, folder: Path) -> bool:
    return any(above.samefile(folder) for above in Path(os.path.realpath(path)).parents)


def _paths(value: object) -> Iterator[Path]:
    """The path or the paths that a parameter names, if any."""
    if isinstance(value, (Path, str)):
        if value:
            yield Path(value)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _paths(each)
