"""The blockers of a run, counted: which family, in how many cases, at which layers, covered by which entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from tasnet.common import folded_name, in_ascii, natural_order, printable, short_layers
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


def blockers_table(tallies: Sequence[Tally], letters: Mapping[str, str], width: int, ascii_only: bool) -> Table:
    """The tallies as a table without lines, `width` columns wide; `letters` are those of the map."""
    layers = [short_layers(each.layers) or "-" for each in tallies]
    if ascii_only:
        layers = list(map(in_ascii, layers))
    named = [printable(", ".join(f"{letters[name]} {name}" for name in each.entries)) for each in tallies]
    taken = max(len("family"), *(len(printable(each.family)) for each in tallies)) + len("  cases  graphs    ")
    if taken + max(map(len, layers)) + max(map(len, named)) > width:
        # The map's legend has the names.
        named = ["".join(letters[name] for name in each.entries) for each in tallies]
    room = max(width - taken - max(map(len, (*named, "entry"))), len("layers"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("family", no_wrap=True)
    table.add_column("cases", justify="right")
    table.add_column("graphs", justify="right")
    table.add_column("layers")
    table.add_column("entry")
    for each, where, entry in zip(tallies, layers, named, strict=True):
        table.add_row(
            printable(each.family),
            str(each.cases),
            str(each.graphs),
            "\n".join(folded_name(where, room)),
            entry or "none: not expected",
            style="" if each.entries else "bold red",
        )
    return table
