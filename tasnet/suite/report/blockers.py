"""The blockers of a run, counted: which family, in how many cases, at which layers, covered by which entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table

from tasnet.common import natural_order, printable, short_layers
from tasnet.suite.history import CaseRecord


@dataclass(frozen=True)
class Tally:
    """One family at one stage under one set of entries; `layers` is the union over the cases."""

    stage: str
    family: str
    entries: tuple[str, ...]
    cases: int
    graphs: int
    layers: tuple[str, ...]


def tally(records: Iterable[CaseRecord]) -> list[Tally]:
    """The blockers of the records, those that no entry covers first, then the most frequent first."""
    found: dict[tuple[str, str, tuple[str, ...]], dict[str, set[str]]] = {}
    for record in records:
        for blocker in record.blockers:
            failure = blocker.failure
            seen = found.setdefault(
                (failure.stage, failure.family, blocker.entries), {"cases": set(), "graphs": set(), "layers": set()}
            )
            seen["cases"].add(record.case_id)
            seen["graphs"].add(record.graph)
            seen["layers"].update(failure.layers)
    tallies = [
        Tally(*key, len(seen["cases"]), len(seen["graphs"]), tuple(sorted(seen["layers"], key=natural_order)))
        for key, seen in found.items()
    ]
    return sorted(tallies, key=lambda each: (bool(each.entries), -each.cases, each.stage, each.family, each.entries))


def blockers_table(tallies: Sequence[Tally]) -> Table:
    """The tallies as a table without lines."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("family", no_wrap=True)
    table.add_column("cases", justify="right")
    table.add_column("graphs", justify="right")
    table.add_column("layers", overflow="fold")
    table.add_column("entry", overflow="fold")
    for each in tallies:
        entry = printable(", ".join(each.entries)) or "none: not expected"
        layers = short_layers(each.layers) or "-"
        style = "" if each.entries else "bold red"
        table.add_row(printable(each.family), str(each.cases), str(each.graphs), layers, entry, style=style)
    return table
