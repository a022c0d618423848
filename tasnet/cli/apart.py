"""What keeps a command from writing over what it reads, before any work and whatever link leads to it.

What a command writes is declared at its option, by `writable=True`; whatever else names a file or a folder is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from tasnet.cli.options import UsageError

_UNNAMED = ("expected_failures.yaml", "thresholds.yaml")
"""what is read in the root without being named"""
_ONLY_WRITTEN = frozenset({".html", ".md", ".png", ".py", ".svg", ".toml"})
"""endings of what is written and never read from a folder: these may be written there again"""


def kept_apart(command: Callable[..., int]) -> Callable[..., int]:
    """The command, which looks at its paths before it begins."""

    @wraps(command)
    def called(**values: Any) -> int:
        written = written_names(command)
        check_apart(
            [path for name in written for path in _paths(values[name])],
            [path for name, value in values.items() if name not in (*written, "root") for path in _paths(value)],
            values.get("root"),
        )
        return command(**values)

    return called


def written_names(command: Callable[..., int]) -> list[str]:
    """The parameters of a command that name what it writes."""
    hints = get_type_hints(command, localns={"RunOptions": object}, include_extras=True)
    return [name for name, hint in hints.items() if _is_written(hint)]


def _is_written(hint: object) -> bool:
    return any(getattr(each, "writable", False) or _is_written(each) for each in get_args(hint))


def output_option(metavar: str, what: str) -> Any:
    """`-o`, of what a command writes."""
    return typer.Option("-o", "--output", writable=True, metavar=metavar, help=what)


def check_apart(outputs: Iterable[Path], inputs: Iterable[Path], root: Path | None = None) -> None:
    """Raises UsageError for an output that is an input, that would overwrite a file in one, or that is two outputs."""
    from tasnet.suite.ledger import root_folder

    outputs = list(outputs)
    usual = [root_folder(root) / name for name in _UNNAMED] if outputs else []
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
            if output.is_file() and each.is_dir() and _within(output, each) and output.suffix not in _ONLY_WRITTEN:
                raise UsageError(f"{output}: is a file of {each}, which is read here; name another output")


def _within(path: Path, folder: Path) -> bool:
    return any(above.samefile(folder) for above in Path(os.path.realpath(path)).parents)


def _paths(value: object) -> Iterator[Path]:
    """The files and folders that a value may name. A word is a path if it has a folder or an ending."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, str):
        if os.sep in value or Path(value).suffix:
            yield Path(value)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _paths(each)
