"""How far a plan's run is, in the last line of a terminal; nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Tell = Callable[[str, int, int], None]


@contextmanager
def invocations_bar(file: TextIO) -> Iterator[Tell | None]:
    """What hears of a run's invocations as `separate_wav` tells of them; None where `file` is no terminal."""
    if not file.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("invocations, left"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    console = Console(file=file, force_terminal=True, markup=False, highlight=False)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        task = progress.add_task("", total=None)

        def tell(segment: str, done: int, total: int) -> None:
            progress.update(task, description=segment, advance=done, total=total)

        yield tell
