"""The commands of the report: the page of stored runs, its picture, and the support matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    Arch,
    LedgerAt,
    RootAt,
    StoreAt,
    UsageError,
    known_arch,
    ledger_path,
    store_at,
    usual_ledger,
    writable,
)
from tasnet.cli.reading_progress import reading_progress
from tasnet.cli.safe_outputs import output_option
from tasnet.common import counted, print_line, utc_today

USUAL_PAGE = Path("report.html")
"""where none is named"""
_SHOWN = 12
"""lines of a difference"""


def report(
    output: Annotated[Path | None, output_option("HTML", "the page to write (default: report.html)")] = None,
    run: Annotated[list[str] | None, typer.Option("--run", metavar="ID", help="a stored run; repeats")] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="how many runs, without --run")] = 20,
    picture: Annotated[
        Path | None,
        typer.Option(writable=True, metavar="PNG", help="a picture of the map, or of each --run; needs Chromium"),
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="the picture in the dark colours")] = False,
    ledger: LedgerAt = None,
    store: StoreAt = None,
    root: RootAt = None,
) -> int:
    """Write the report of stored runs as one HTML file.

    It has the map, the cases, the ledger and the trends, and asks no network for anything.

    Without -o it is report.html, unless only a --picture is asked for. A report that is there is written anew.

    Example: tasnet report --last 5 -o report.html
    """
    from tasnet.suite.report import gather_runs, is_report, write_page
    from tasnet.suite.run import Store

    if not output and not picture:
        output = USUAL_PAGE
        if output.is_file() and not is_report(output):
            raise UsageError(f"{output}: is no report of tasnet, and would be lost; name a page with -o")
    for target in filter(None, (output, picture)):
        writable(target)
    entries = usual_ledger(ledger, root)
    kept_in = Store(store_at(store, root))
    with reading_progress() as tell:
        source = gather_runs(kept_in, utc_today(), ledger=entries, names=run or (), last=last, tell=tell)
    if picture:
        # First: there may be no browser for it.
        from tasnet.suite.report import page_html, screenshot

        pictured = [each.id for each in source.runs] if run else [source.shown.id]
        screenshot(page_html(source), picture, pictured, dark=dark)
    if output:
        done = write_page(source, output)
        print_line(f"{output}: {counted(done.runs, 'run')}, {counted(done.cases, 'case')}, {done.size / 1e6:.2f} MB")
        for reason in done.unreadable:
            print_line(f"  left out {reason}")
        if done.too_big:
            print_line(f"tasnet: {output} is over 5 MB: take fewer runs with --last or --run", error=True)
    if picture:
        print_line(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")
    return OK


def support(
    write: Annotated[bool, typer.Option("--write", help="write the file; else it is printed")] = False,
    check: Annotated[bool, typer.Option("--check", help="compare the file; exits 1 when it is not current")] = False,
    file: Annotated[
        Path | None,
        typer.Option(writable=True, metavar="FILE", help="the support matrix (default: SUPPORT.md in the root)"),
    ] = None,
    arch: Arch = "hailo8",
    ledger: LedgerAt = None,
    store: StoreAt = None,
    root: RootAt = None,
) -> int:
    """Tell what compiles and what stands in the way, as markdown.

    From the ledger and the last stored runs.

    Example: tasnet support --check
    """
    from tasnet.common import write_whole
    from tasnet.suite.ledger import from_here, read_ledger, root_folder
    from tasnet.suite.report import (
        SUPPORT_COMMAND,
        current_support_text,
        observed_runs,
        predicted_runs,
        support_diff,
        support_document,
    )

    if write and check:
        raise UsageError("support: --write or --check, not both")
    known_arch(arch)
    file = file or from_here(root_folder(root) / "SUPPORT.md")
    if write:
        writable(file)
    known, place = read_ledger(ledger_path(ledger, root)), store_at(store, root)
    before = current_support_text(file)
    after = support_document(known, predicted_runs(place, known, arch), observed_runs(place, arch), before)
    if check:
        changed = support_diff(before, after, file)
        if not changed:
            print_line(f"{file}: current")
            return OK
        print_line(f"{file}: not current; {SUPPORT_COMMAND} makes it so")
        print("\n".join(changed[:_SHOWN]) + (f"\n… {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""))
        return NOT_CLEAR
    if not write:
        print(after, end="")
        return OK
    write_whole(file, after.encode())
    print_line(f"{file}: {'current already' if before == after else 'written'}")
    return OK
