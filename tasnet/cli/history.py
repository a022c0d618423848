"""The commands of the history: the stored runs, two of them compared, and one case or entry over all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from tasnet.cli.options import NOT_CLEAR, OK, AsJson, RootAt, StoreAt, show, store_at


def runs(
    last: Annotated[int | None, typer.Option(metavar="N", min=1, help="the newest ones alone")] = None,
    store: StoreAt = None,
    root: RootAt = None,
    as_json: AsJson = False,
) -> int:
    """List the stored runs.

    When, what, by which toolchain (predicted or observed), of which commit, how it ended. A run of a part of its
    profile, with a checkpoint's weights or by another ledger says so.

    Example: tasnet runs --last 5
    """
    from tasnet.suite.history import runs_json, runs_lines

    place = store_at(store, root)
    show(runs_json(place, last) if as_json else runs_lines(place, last))
    return OK


def compare(
    before: Annotated[
        str | None,
        typer.Argument(metavar="BEFORE", help="a run; default: the last one before AFTER that is of its kind"),
    ] = None,
    after: Annotated[
        str, typer.Argument(metavar="AFTER", help="a run: an id, its beginning, last, or last~1 for the one before")
    ] = "last",
    store: StoreAt = None,
    root: RootAt = None,
    as_json: AsJson = False,
) -> int:
    """Say what changed from one run to another.

    Verdicts, failures, kinds, numbers, times, cases that only one has. Runs are of one kind when profile, architecture,
    toolchain, checkpoint and ledger are the same; a whole run is preferred.

    Exits 0 when nothing got worse, 1 when something did.

    Example: tasnet compare last~1 last
    """
    from tasnet.suite.history import compare_runs, comparison_json, comparison_lines, find_run, run_before

    place = store_at(store, root)
    new = find_run(place, after)
    found = compare_runs(find_run(place, before) if before else run_before(place, new), new)
    show(comparison_json(found) if as_json else comparison_lines(found))
    return NOT_CLEAR if found.worse else OK


def trend(
    name: Annotated[str, typer.Argument(metavar="CASE|ENTRY", help="a case's id, or the id of an entry of the ledger")],
    store: StoreAt = None,
    root: RootAt = None,
    as_json: AsJson = False,
) -> int:
    """Show a case, or an entry of the ledger, over all stored runs.

    Of a case: verdict, families, times, size, parity; of an entry, how many cases it covers.

    Example: tasnet trend wide-row-agent
    """
    from tasnet.suite.history import find_trend, trend_json, trend_lines

    found = find_trend(store_at(store, root), name)
    show(trend_json(found) if as_json else trend_lines(found))
    return OK
