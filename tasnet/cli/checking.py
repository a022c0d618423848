"""`tasnet check`: the embedded toolchain's verdict on files, and on what is piped in."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasnet.cli.graphs import function_of
from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    USAGE,
    Arch,
    AsJson,
    RootAt,
    Shapes,
    StoreAt,
    UsageError,
    known_arch,
    of_onnx,
    readable,
    show,
    sizes,
    store_at,
)
from tasnet.common import TasnetError, error_line, print_line

if TYPE_CHECKING:
    from tasnet.hailo.predict import Observations, Prediction
    from tasnet.suite.run import ModelFunction

STDIN = Path("-")


def check(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="an .onnx, a .har or an .hn, told apart by content; - reads stdin"),
    ],
    arch: Arch = "hailo8",
    as_json: AsJson = False,
    shape: Shapes = None,
    store: StoreAt = None,
    root: RootAt = None,
) -> int:
    """Predict whether graphs compile, and what blocks them.

    A verdict is clear, blocked or unknown. No compiler is run. What compilers said of rows and layers is read in the
    store, where there is one.

    Exits 0 when all are clear, 1 when one is blocked or unknown (not known to be clear), 2 for a file that can't be
    read: the others are judged all the same. With --json one object, and of several files a list of them.

    Example: tasnet check m.onnx --arch hailo8 --json
    """
    from tasnet.cli import verdict_lines
    from tasnet.suite.ask import known_observations
    from tasnet.suite.run import Store

    known_arch(arch)
    if sources.count(STDIN) > 1:
        raise UsageError("-: stdin can be read once; name it once")
    given = sizes(shape)
    known = known_observations(Store(store_at(store, root)), arch)
    found, code = [], OK
    for source in sources:
        judged = _judged(source, arch, shape, given, known)
        found.append(judged)
        code = max(code, judged.code)
        if judged.verdict is None:
            print_line(f"tasnet: {judged.why}", error=True)
        elif not as_json and judged.function:
            told = verdict_lines.lines(judged.verdict, arch, judged.function, known)
            if len(sources) > 1:
                print_line(f"{source}: {next(told)}")
            show(told)
    if as_json:
        objects = [_object(each, arch, known) for each in found]
        if len(sources) > 1:
            show([{"file": str(source), **told} for source, told in zip(sources, objects, strict=True)])
        elif found[0].verdict:
            show(objects[0])
    return code


@dataclass(frozen=True)
class _Judged:
    """A file's verdict; without one, why there is none. `code` is the exit code that it asks for."""

    code: int
    verdict: Prediction | None = None
    why: str = ""
    function: ModelFunction | None = None
    """of a file with a verdict"""


def _judged(
    source: Path, arch: str, shape: list[str] | None, given: dict[str, tuple[int, ...]], known: Observations
) -> _Judged:
    from tasnet.hailo.predict import predict_file

    with _file_of(source) as path:
        try:
            verdict = predict_file(of_onnx(readable(path), shape), arch, given, known)
        except (TasnetError, UsageError) as error:
            at_fault = isinstance(error, TasnetError) and error.graph_at_fault
            # Of stdin its copy is read, which nobody knows of.
            why = error_line(error).replace(str(path), str(source))
            return _Judged(NOT_CLEAR if at_fault else USAGE, why=why)
        function = function_of(path)
    return _Judged(OK if verdict.kind.value == "clear" else NOT_CLEAR, verdict, "", function)


def _object(judged: _Judged, arch: str, known: Observations) -> dict[str, Any]:
    from tasnet.cli import verdict_lines

    if judged.verdict and judged.function:
        return verdict_lines.as_json(judged.verdict, arch, judged.function, known)
    return {"error": judged.why}


@contextmanager
def _file_of(source: Path) -> Iterator[Path]:
    """The file; of stdin a copy, while it is needed."""
    if source != STDIN:
        yield source
        return
    if sys.stdin.isatty():
        raise UsageError("-: nothing is piped in; name a file, or pipe a model")
    with TemporaryDirectory(prefix="tasnet-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path
