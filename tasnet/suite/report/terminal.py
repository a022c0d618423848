"""What a run prints at its end: the map, the blockers, the counts, what to do next, where the files lie."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from tasnet.common import counted, in_ascii, printable
from tasnet.network import SameFunction
from tasnet.suite.ask import ASSUMED
from tasnet.suite.cases import Verdict
from tasnet.suite.history import ByEvidence, CaseRecord, EvidenceWord
from tasnet.suite.ledger import PASSING_KINDS, JudgementKind
from tasnet.suite.report.blockers import blockers_table, tally
from tasnet.suite.report.signs import entries_of_case, entry_letters
from tasnet.suite.report.terminal_map import terminal_map

_SHOWN = 4
"""ways in which the cases of a run are another function: the commonest are named"""


def render(renderables: Iterable[RenderableType], width: int, colour: bool) -> str:
    """The renderables as text, `width` columns wide, with ANSI colours or none."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for each in renderables:
        console.print(each)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def summary_title(records: Sequence[CaseRecord]) -> str:
    """`matrix on hailo8: predicted by reference 0.1.0`: a map always has the source of its verdicts."""
    first = records[0]
    by = "predicted by" if first.predicted else "observed with"
    return printable(f"{first.profile} on {first.arch}: {by} {first.toolchain} {first.version}")


def summary_parts(
    records: Sequence[CaseRecord], entries: Sequence[str], width: int, ascii_only: bool
) -> Iterator[RenderableType]:
    """The whole of the end, but for the files. `entries` are the ledger's, in its order, which gives them letters."""
    predicted = "predicted " if records[0].predicted else ""
    letters = entry_letters((*entries, *sorted({name for record in records for name in entries_of_case(record)})))
    yield terminal_map(records, letters, width, ascii_only)
    tallies = tally(records)
    if tallies:
        yield Text()
        yield Text(f"{predicted}blockers", style="bold")
        yield blockers_table(tallies, letters, width, ascii_only)
    yield Text()
    yield Text(f"verdicts  {predicted}{verdict_counts(records)}")
    if known := [record.by_evidence for record in records if record.by_evidence]:
        yield Text(f"evidence  {evidence_counts(known)}")
        if any(each.word is EvidenceWord.INFERRED for each in known):
            yield Text(ASSUMED)
    yield Text(f"function  {function_counts(records)}")
    yield Text(f"graphs    {len({r.graph for r in records})} distinct in {counted(len(records), 'case')}")


def evidence_counts(known: Sequence[ByEvidence]) -> str:
    """`3 observed (1 clear, 2 blocked), 8 inferred (2 clear, 6 blocked)`: what isn't known by the rules alone."""
    counts = Counter((each.word, each.clear) for each in known)
    parts = []
    for word in EvidenceWord:
        clear, other = counts[(word, True)], counts[(word, False)]
        verdicts = f" ({clear} clear, {other} blocked)" if word is not EvidenceWord.DISPUTED else ""
        parts += [f"{clear + other} {word.value}{verdicts}"] if clear + other else []
    return ", ".join(parts)


def function_counts(records: Sequence[CaseRecord]) -> str:
    """`24 exact, 816 another function (no norms in 816, no masks in 420)`: what becomes of the trained function."""
    counts = Counter(record.function.same for record in records)
    gone = Counter(each for record in records for each in record.function.departures)
    ordered = sorted(gone.items(), key=lambda each: (-each[1], each[0]))
    shown = [f"{each} in {count}" for each, count in ordered[:_SHOWN]] + ["…"] * (len(gone) > _SHOWN)
    parts = [
        f"{counts[same]} {same.value}" for same in SameFunction if counts[same] and same is not SameFunction.ANOTHER
    ]
    if counts[SameFunction.ANOTHER]:
        parts.append(f"{counts[SameFunction.ANOTHER]} {SameFunction.ANOTHER.value} ({', '.join(shown)})")
    return ", ".join(parts)


def verdict_counts(records: Sequence[CaseRecord]) -> str:
    """`12 clear (2 observed, 10 extrapolated), 828 blocked`: what the verdicts are and how well clears are known."""
    verdicts = Counter(record.verdict for record in records)
    words: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=list(Verdict).index):
        words.setdefault(verdict.word, []).append(verdict)
    parts = []
    for word, those in sorted(words.items()):
        known = ", ".join(f"{verdicts[each]} {each.certainty.value}" for each in those if each.certainty)
        parts.append(f"{sum(verdicts[each] for each in those)} {word}" + (f" ({known})" if known else ""))
    return ", ".join(parts)


_COMMANDS: Mapping[JudgementKind, str] = {
    JudgementKind.UNEXPECTED_FAILURE: "tasnet ledger update --allow-new REASON",
    JudgementKind.WRONG_FAILURE: "tasnet ledger update --allow-new REASON",
    JudgementKind.UNEXPECTED_PASS: "tasnet ledger update",
    JudgementKind.UNCONFIRMED: "tasnet ledger update",
    JudgementKind.OVERLAP: "tasnet ledger check",
    JudgementKind.EXPIRED: "tasnet ledger check",
}
"""what helps with all cases of a kind; with the others, what helps with the first of them"""


def next_steps(records: Sequence[CaseRecord], store: str = "", ledger: str = "") -> list[str]:
    """What a person does now, and the command that fits; `store` and `ledger` are options that it needs."""
    found: dict[JudgementKind, list[CaseRecord]] = {}
    for record in records:
        if record.kind not in PASSING_KINDS:
            found.setdefault(record.kind, []).append(record)
    if not found:
        predicted = records[0].predicted
        untold = sum(record.verdict is Verdict.NOT_COMPILED for record in records)
        if untold:
            of = f"{untold} of {counted(len(records), 'case')} {'was' if untold == 1 else 'were'}"
            return [f"{of} not compiled: pytest -m compile compiles them"]
        clear = [record for record in records if record.verdict.is_clear]
        if not clear:
            pieces = "tasnet plan make CASE -o plan cuts a whole network into pieces that are clear"
            return ["all as the ledger says; no case is clear", *([f"  {pieces}"] if predicted else [])]
        if not predicted:
            return ["all as the ledger says; nothing to do"]
        # One that keeps the trained network's function before any other.
        first = min(clear, key=lambda each: each.function.same is not SameFunction.EXACT)
        return [
            "all as the ledger says; only the compiler can confirm a clear case",
            f"  such as {_named(first)}",
            f"  tasnet suggest{store} says which to compile first",
        ]
    return [
        line
        for kind, group in found.items()
        for line in (
            f"{_counted_kind(len(group), kind)}: {group[0].hint}",
            f"  such as {_named(group[0])}",
            f"  {_command(kind, group[0], store, ledger)}",
        )
    ]


def _counted_kind(number: int, kind: JudgementKind) -> str:
    """`1 unexpected failure`, `20 unexpected passes`, and of a kind whose word is no noun `20 cases: infra`."""
    word = kind.value.replace("_", " ")
    nouns = {"failure": "failures", "pass": "passes", "overlap": "overlaps"}
    last = word.split()[-1]
    if last in nouns:
        return counted(number, word, word.removesuffix(last) + nouns[last])
    return f"{counted(number, 'case')} {word}"


def _named(record: CaseRecord) -> str:
    """A case's id, and whether it keeps the trained network's function."""
    return f"{record.case_id} ({record.function.text})"


def _command(kind: JudgementKind, first: CaseRecord, store: str, ledger: str) -> str:
    if kind in _COMMANDS:
        return f"{_COMMANDS[kind]}{store}{ledger}"
    if kind is JudgementKind.OFF_RATE:
        return f"tasnet trend '{first.case_id}'{store}"
    return first.repeat


def summary_text(
    records: Sequence[CaseRecord],
    width: int,
    colour: bool,
    ascii_only: bool,
    files: Sequence[Path],
    *,
    entries: Sequence[str] = (),
    store: str = "",
    ledger: str = "",
) -> str:
    """The end of a run as text.

    `entries` are the ids of the ledger's, in its order; `store` and `ledger` the options with which a command finds
    them, if any.
    """
    text = render(summary_parts(records, entries, width, ascii_only), width, colour)
    # Ids, paths and commands are copied from the terminal: no line of these is ever folded.
    tail = [*_labelled("next", next_steps(records, store, ledger)), *_labelled("files", [str(path) for path in files])]
    text = "\n".join((text, "", *tail))
    return in_ascii(text) if ascii_only else text


def _labelled(label: str, lines: Sequence[str]) -> list[str]:
    return [f"{label if index == 0 else '':10}{line}" for index, line in enumerate(lines)]


# --- as a picture -------------------------------------------------------------------------------------------


WIDTH = 100
"""columns"""

# Rich's own frame asks the network for a font; this one takes what the reader's machine has.
_FRAME = """<svg class="{unique_id}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def svg(records: Sequence[CaseRecord], entries: Sequence[str] = ()) -> str:
    """The map, the blockers and the counts of a run. The title says whose word they are."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
    )
    for each in summary_parts(records, entries, WIDTH, ascii_only=False):
        console.print(each)
    return console.export_svg(title=summary_title(records), code_format=_FRAME, unique_id="tasnet")
