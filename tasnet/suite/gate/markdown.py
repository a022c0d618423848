"""The gate's result as markdown: the answer first, then the changes by their cause, with details folded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from tasnet.common import MAX_LINE_CHARS, printable
from tasnet.suite.gate.difference import GROWN, GraphChangeKind, GraphDifference, LayerChange, layer_types
from tasnet.suite.gate.result import ChangedGraph, GateResult, GraphParity, RegressionGroup

SHOWN = 8
"""layers and cases named; JSON has them all"""


def markdown_lines(result: GateResult) -> Iterator[str]:
    """The summary, a line at a time."""
    unseen = ", not observed" if result.known == "predicted" else ""
    yield f"## tasnet gate: {_headline(result)}"
    yield ""
    yield (
        f"`{result.base}` → `{result.here}`, profile `{result.profile}` on {result.arch}. Both sides' graphs are "
        f"judged by this side's {result.toolchain}: **{result.known}**{unseen}."
    )
    for note in result.notes:
        yield f"- {_cell(note)}"
    if result.found:
        yield from _regressions(result.found)
    if result.same_sources:
        yield ""
        yield f"No file that decides a graph differs: all {result.unchanged} cases are what they were."
        return
    yield from _changes(result)
    yield from _plans(result)
    yield from _parity(result)
    yield from _details(result)


def _headline(result: GateResult) -> str:
    if result.found:
        cases = len({case for each in result.found for case in each.cases})
        return f"❌ {_count(len(result.found), 'regression')} in {_count(cases, 'case')}"
    if not (result.changed or result.new or result.gone):
        return f"✅ no graph changed{', and plans cost less' if result.plans else ''}"
    return f"✅ nothing got worse in {_count(_cases(result.changed) + len(result.new), 'changed case')}"


def _regressions(found: Sequence[RegressionGroup]) -> Iterator[str]:
    yield from ("", "### Regressions", "")
    yield "| why | what | cases | such as |"
    yield "|---|---|---:|---|"
    for each in found:
        such = f"`{each.cases[0]}`" + (f": {_cell(each.regression.detail)}" if each.regression.detail else "")
        yield f"| {each.regression.reason.value} | {_cell(each.regression.what)} | {len(each.cases)} | {such} |"


def _changes(result: GateResult) -> Iterator[str]:
    counts = [(_cases(result.changed), "changed"), (result.unchanged, "unchanged")]
    counts += [(len(result.new), "new"), (len(result.gone), "gone")]
    yield from ("", "### What changed", "")
    yield ", ".join(f"{count} {what}" for count, what in counts if count or what in ("changed", "unchanged")) + "."
    groups = by_cause(result.changed)
    if not groups:
        return
    yield from ("", "| change | cases (graphs) | layers | MACs | weights | widest row | ONNX | verdict |")
    yield "|---|---:|---|---:|---:|---:|---:|---|"
    for cause, those in groups:
        found = [each.difference for each in those if each.difference]
        cells = [
            _cause(cause),
            f"{_cases(those)} ({len(those)})",
            _layers(found),
            *(_range([each.grown[name] for each in found]) for name in GROWN),
            _verdicts(those),
        ]
        yield f"| {' | '.join(cells)} |"
    if any(each.difference and each.difference.kind is GraphChangeKind.NAMES for each in result.changed):
        yield from ("", "Graphs that differ in names alone are not run again.")


def by_cause(changed: Sequence[ChangedGraph]) -> list[tuple[tuple[str, ...], list[ChangedGraph]]]:
    """The changed graphs that changed for one reason together, the most cases first."""
    groups: dict[tuple[str, ...], list[ChangedGraph]] = {}
    for each in changed:
        cause = each.difference.cause if each.difference else ("a side has no HAR to compare",)
        groups.setdefault(cause, []).append(each)
    return sorted(groups.items(), key=lambda group: -_cases(group[1]))


def _cause(cause: Sequence[str]) -> str:
    shown = [_cell(each) for each in cause[:2]]
    return "<br>".join([*shown, *([f"and {len(cause) - 2} more"] if len(cause) > 2 else [])])


def _layers(found: Sequence[GraphDifference]) -> str:
    """`+1 conv, 3 other`: of the graph in which the most layers differ."""
    if not found:
        return ""
    most = max(found, key=lambda each: len(each.layers))
    added, removed = (layer_types([c for c in most.layers if c.what == what]) for what in ("added", "removed"))
    other = len(most.layers) - most.count("added") - most.count("removed")
    parts = [f"+{added}"] * bool(added) + [f"−{removed}"] * bool(removed) + [f"{other} other"] * bool(other)
    return ("up to " if len({len(each.layers) for each in found}) > 1 else "") + ", ".join(parts) if parts else "none"


def _range(shares: Sequence[float]) -> str:
    if not shares:
        return ""
    least, most = (_percent(value) for value in (min(shares), max(shares)))
    return least if least == most else f"{least} … {most}"


def _percent(share: float) -> str:
    return f"{share:+.1%}".replace("+0.0%", "0").replace("-0.0%", "0") if math.isfinite(share) else "new"


def _verdicts(those: Sequence[ChangedGraph]) -> str:
    moves: dict[str, int] = {}
    for each in those:
        if each.before and each.after:
            both = (each.before.verdict.word, each.after.verdict.word)
            word = both[0] if both[0] == both[1] else f"{both[0]} → {both[1]}"
            moves[word] = moves.get(word, 0) + len(each.cases)
    return ", ".join(f"{word} ({count})" if len(moves) > 1 else word for word, count in moves.items()) or "not run"


def _plans(result: GateResult) -> Iterator[str]:
    """Those that cost less, too: the regressions name those that cost more."""
    if not result.plans:
        return
    yield from ("", "### Plans", "", "Times are modelled, for the hardware of the plan.", "")
    yield from ("| network | its plan |", "|---|---|")
    yield from (f"| {_cell(each.name)} | {_cell(each.what)} |" for each in result.plans)


def _parity(result: GateResult) -> Iterator[str]:
    if not result.parity:
        return
    some = f"{len(result.parity)} of {result.measured_of} changed graphs, one of each change first"
    yield from ("", "### Parity", "")
    yield f"SNR in dB against the float64 reference ({some}); `to base` is this side's graph against the base's."
    yield ""
    stages = list(dict.fromkeys(stage for each in result.parity for stage in each.snr_db))
    yield f"| case | {' | '.join(stages)} | to base | limits |"
    yield f"|---|{'---:|' * (len(stages) + 1)}---|"
    for each in result.parity:
        cells = [_snr(each.snr_db.get(stage)) for stage in stages]
        yield f"| `{each.case}` | {' | '.join(cells)} | {_snr(each.to_base)} | {_limits(each)} |"


def _limits(each: GraphParity) -> str:
    bare = f"; no limit for {', '.join(each.unlimited)}" if each.unlimited else ""
    known = f"{len(each.known)} beyond as at the base" if each.known else ""
    beyond = f"{len(each.breaches)} beyond" if each.breaches else ""
    return f"{', '.join(filter(None, (beyond, known))) or 'kept'}{bare}"


def _snr(value: float | None) -> str:
    return "–" if value is None else "exact" if value == math.inf else f"{value:.1f}"


def _details(result: GateResult) -> Iterator[str]:
    for cause, those in by_cause(result.changed):
        yield from _folded(f"{_count(_cases(those), 'case')}: {_cell(cause[0])}", _of_change(those))
    for what, cases in (("new", result.new), ("gone", result.gone)):
        if cases:
            yield from _folded(f"{_count(len(cases), 'case')} {what}", [_listed(cases)])
    for found in result.found:
        title = f"{found.regression.reason.value}: {_cell(found.regression.what)}, {_count(len(found.cases), 'case')}"
        yield from _folded(title, [_listed(found.cases)])


def _folded(title: str, inside: Iterable[str]) -> Iterator[str]:
    yield from ("", f"<details><summary>{title}</summary>", "")
    yield from inside
    yield from ("", "</details>")


def _of_change(those: Sequence[ChangedGraph]) -> Iterator[str]:
    """The layers of the largest change among those of one cause, alike ones together; then the cases."""
    most = max(those, key=lambda each: len(each.difference.layers) if each.difference else 0)
    if most.difference and most.difference.layers:
        yield f"`{most.cases[0]}`:"
        yield ""
        alike: dict[str, list[LayerChange]] = {}
        for change in most.difference.layers:
            alike.setdefault(change.cause, []).append(change)
        for changes in alike.values():
            yield f"- {_same_cause(changes)}"
        yield ""
    yield _listed([case for each in those for case in each.cases])


def _same_cause(changes: Sequence[LayerChange]) -> str:
    """One line for layers with one cause: the first of them as it is, and which the others are."""
    first, names = changes[0], [f"`{change.layer}`" for change in changes]
    node = f" (`{first.node}`)" if first.node else ""
    others = (
        f"; so {', '.join(names[1:SHOWN])}{f' … ({len(names)})' if len(names) > SHOWN else ''}" if names[1:] else ""
    )
    return f"{names[0]}{node}: {_cell(first.what)}{others}"


def _listed(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    return ", ".join(f"`{case}`" for case in cases[:SHOWN]) + more


def _cases(changed: Sequence[ChangedGraph]) -> int:
    return sum(len(each.cases) for each in changed)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _cell(text: str) -> str:
    """Text that stays in its cell, and means nothing to a browser."""
    flat = (
        printable(" ".join(text.split()), MAX_LINE_CHARS)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return flat.replace("|", "\\|").replace("-&gt;", "→")
