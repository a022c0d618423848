"""The commands of the history: the stored runs, two of them compared, and one case or entry over all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from tasnet.cli.options import NOT_CLEAR, OK, AsJson, StoreAt, show, store_at

Name = Annotated[str, typer.Argument(metavar="RUN", help="an id, its beginning, last, or last~1 for the one before")]


def runs(store: StoreAt = None, as_json: AsJson = False) -> int:
    """List the stored runs.

    When, what, by which toolchain (predicted or observed), of which commit, how it ended.

    Example: tasnet runs
    """
    from tasnet.suite.history import runs_json, runs_lines

    root = store_at(store)
    show(runs_json(root) if as_json else runs_lines(root))
    return OK


def compare(before: Name, after: Name, store: StoreAt = None, as_json: AsJson = False) -> int:
    """Say what changed from one run to another.

    Verdicts, failures, kinds, numbers, times, cases that only one has.

    Exits 0 when nothing got worse, 1 when something did.

    Example: tasnet compare last~1 last
    """
    from tasnet.suite.history import compare_runs, comparison_json, comparison_lines, find_run

    root = store_at(store)
    found = compare_runs(find_run(root, before), find_run(root, after))
    show(comparison_json(found) if as_json else comparison_lines(found))
    return NOT_CLEAR if found.worse else OK


def trend(
    name: Annotated[str, typer.Argument(metavar="CASE|ENTRY", help="a case's id, or the id of an entry of the ledger")],
    store: StoreAt = None,
    as_json: AsJson = False,
) -> int:
    """Show a case, or an entry of the ledger, over all stored runs.

    Of a case: verdict, families, times, size, parity; of an entry, how many cases it covers.

    Example: tasnet trend wide-row-agent
    """
    from tasnet.suite.history import find_trend, trend_json, trend_lines

    found = find_trend(store_at(store), name)
    show(trend_json(found) if as_json else trend_lines(found))
    return OK
