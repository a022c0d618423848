"""The command that makes a folder a suite, and says what to do with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.options import OK, show
from tasnet.common import labelled_line

if TYPE_CHECKING:
    from tasnet.suite.starter import StartedSuite


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="made where it is missing (default: here)")] = Path(),
) -> int:
    """Make a folder a suite of your own.

    For who has tasnet and no checkout of it: the ledger, the limits of the numerics, the settings and the tests are
    written there. What is there already is left as it is, and named.

    Example: tasnet init conv-tasnet-on-hailo
    """
    from tasnet.suite.ledger import nearest_root
    from tasnet.suite.starter import start_suite

    outer = nearest_root(folder.absolute().parent)
    show(_lines(start_suite(folder), outer))
    return OK


def _lines(made: StartedSuite, outer: Path | None) -> Iterator[str]:
    from tasnet import __version__

    if made.written:
        yield labelled_line("wrote", f"{_names(made.written)}, in {made.folder.absolute()}")
    if made.there:
        yield labelled_line("there", f"{len(made.there)} of {_count(made)} files already, as they are in {__version__}")
    if made.other:
        yield labelled_line("yours", f"{_names(made.other)}: not what tasnet {__version__} has, and left as they are")
    if made.plugin_missing:
        yield labelled_line("add", 'pytest_plugins = ["tasnet.suite.plugin"] to conftest.py, or pytest knows no case')
    if outer and made.written:
        yield labelled_line("note", f"it lies in the suite {outer}; in it commands mean this one from now on")
    if str(made.folder) != ".":
        yield labelled_line("next", f"cd {made.folder}")
    yield labelled_line("next" if str(made.folder) == "." else "", "tasnet matrix --profile notes -n auto")
    yield labelled_line("", "pytest -m compile -n auto")
    yield labelled_line("", "tasnet report")
    yield labelled_line("in CI", f"pip install tasnet=={__version__}, and the first of these: it exits 1 where a case")
    yield labelled_line("", "isn't as expected_failures.yaml says. Commit these files; keep .tasnet, the store, out of")
    yield labelled_line("", "git and in the CI's cache")


def _count(made: StartedSuite) -> int:
    return len(made.written) + len(made.there) + len(made.other)


def _names(files: tuple[str, ...]) -> str:
    """Those at the top by name; tests by folder and number."""
    top = [each for each in files if "/" not in each]
    deep = len(files) - len(top)
    tests = [f"{deep} file{'s' * (deep != 1)} in tests"] if deep else []
    return ", ".join([*top, *tests])
