"""The commands of the report: the page of stored runs, its picture, and the support matrix."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tasnet.cli.options import NOT_CLEAR, OK, StoreAt, UsageError, if_there, store_at, writable

LedgerAt = Annotated[Path, typer.Option(help="whose entries are told of")]
_LEDGER = Path("expected_failures.yaml")


def report(
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="HTML", help="the page to write")] = None,
    run: Annotated[list[str] | None, typer.Option("--run", metavar="ID", help="a stored run; repeats")] = None,
    last: Annotated[int, typer.Option("--last", min=1, help="how many runs, without --run")] = 20,
    picture: Annotated[Path | None, typer.Option(metavar="PNG", help="a picture of the map; needs Chromium")] = None,
    dark: Annotated[bool, typer.Option("--dark", help="the picture in the dark colours")] = False,
    ledger: LedgerAt = _LEDGER,
    store: StoreAt = None,
) -> int:
    """Write the report of stored runs as one HTML file: map, cases, ledger, trends. It asks no network for anything.

    Example: tasnet report --last 5 -o report.html
    """
    from datetime import date

    from tasnet.suite.ledger import read
    from tasnet.suite.report.runs_page import write
    from tasnet.suite.report.sources import gather
    from tasnet.suite.store import Store

    targets = [path for path in (output, picture) if path]
    if not targets:
        raise UsageError("report: nothing to write; name a page with -o report.html, or a --picture")
    for target in targets:
        writable(target)
    entries = read(ledger) if if_there(ledger) or ledger != _LEDGER else None
    source = gather(Store(store_at(store)), date.today(), ledger=entries, names=run or (), last=last)
    if output:
        done = write(source, output)
        print(f"{output}: {done.runs} runs, {done.cases} cases, {done.size / 1e6:.2f} MB")
        for reason in done.unreadable:
            print(f"  left out {reason}")
        if done.too_big:
            print(f"tasnet: {output} is over 5 MB: take fewer runs with --last or --run", file=sys.stderr)
    if picture:
        from tasnet.suite.report.picture_of import draw

        draw(source, picture, dark=dark)
        print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")
    return OK
