"""SUPPORT.md: what compiles and what stands in the way, from the ledger and the last stored runs.

The same for the same outcomes: the one date in it is the day on which something else in it last changed. What a
compiler said stands in a section of its own. A store without a run of the compiler leaves that section as it is.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from tasnet.common import MAX_LINE_CHARS, TasnetError, printable
from tasnet.network import SameFunction
from tasnet.suite.ask import ASSUMED, by_case, survey_of_run, with_evidence
from tasnet.suite.cases import PLANS, VERDICT_WORDS
from tasnet.suite.history import HEADS, CaseRecord, EvidenceWord, RunHead, StoredRun
from tasnet.suite.ledger import PASSING_KINDS, Entry, Ledger
from tasnet.suite.report.map import Row, column, column_order, row_of
from tasnet.suite.report.signs import entries_of_case, entry_letters
from tasnet.suite.report.sources import ordered
from tasnet.suite.report.terminal import function_counts
from tasnet.suite.run import Store, file_sha256
from tasnet.suite.upkeep import last_whole_runs

PROFILES = ("matrix", "probes", "trained")
"""whose cases are told one by one"""
NEEDED = (*PROFILES, PLANS)
"""what `make matrix` runs"""
SUPPORT_COMMAND = "tasnet support --write"

_FUNCTION = (
    "*Function*: whether a case computes what the trained network (PReLU, gLN, all blocks) computes on a clip of its "
    "length: *exact*, up to float rounding and the layout of inputs and outputs, or *another function*, and how."
)
_BEGIN, _END = "<!-- observed: begin -->", "<!-- observed: end -->"
_CHANGED = "Last changed: "
_NOTHING = (
    "No run of the compiler or of a chip is kept here. What the entries above rest on was seen by others, and stands "
    "in their evidence."
)
_WORDS = ("clear", "blocked", *(word for word in VERDICT_WORDS if word not in ("clear", "blocked")))
"""of the verdicts, in the order of the columns"""


class SupportError(TasnetError, ValueError):
    """A support matrix that can't be made. One line: what is missing and which command brings it."""


def predicted_runs(store: Path, ledger: Ledger, arch: str) -> dict[str, StoredRun]:
    """The last whole predicted run of each of NEEDED, judged by this ledger. Raises SupportError."""
    found: dict[str, StoredRun] = {}
    for profile in NEEDED:
        run = _last_whole_run(store, profile, arch, "reference")
        if run is None:
            raise SupportError(f"{store}: no whole run of {profile} on {arch} is stored; run `{_run_command(profile)}`")
        if run.head.ledger_sha256 != file_sha256(ledger.path):
            raise SupportError(
                f"run {run.id}: another ledger than {ledger.path} judged it; run `{_run_command(profile)}`"
            )
        found[profile] = replace(run, records=_by_evidence(store, arch, run))
    return found


def _by_evidence(store: Path, arch: str, run: StoredRun) -> tuple[CaseRecord, ...]:
    """The run's records with what the store's evidence says of them."""
    return with_evidence(run.records, by_case(survey_of_run(Store(store), arch, run.records)))


def observed_runs(store: Path, arch: str) -> dict[str, StoredRun]:
    """The last whole observed run of each of PROFILES that has one."""
    runs = {profile: _last_whole_run(store, profile, arch, "dfc") for profile in PROFILES}
    return {profile: run for profile, run in runs.items() if run}


def current_support_text(path: Path) -> str:
    """The file's text, empty where there is none. Raises SupportError for one that is no text, OSError."""
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except UnicodeDecodeError as error:
        raise SupportError(f"{path}: byte {error.start} isn't UTF-8; delete the file and write it again") from None


def support_document(
    ledger: Ledger, predicted: Mapping[str, StoredRun], observed: Mapping[str, StoredRun], before: str = ""
) -> str:
    """The text of SUPPORT.md. `before` is the file as it is: for its date, and its observed section."""
    letters = entry_letters(entry.id for entry in ledger.entries)
    newest = max(run.head.started.date() for run in (*predicted.values(), *observed.values()))
    lines = [
        "# Support matrix",
        "",
        f"Made by `{SUPPORT_COMMAND}` from `{ledger.path.name}` and the last run of each profile; do not edit.",
        f"{_CHANGED}{newest}.",
        "",
        *_predicted_part(ledger, letters, predicted),
        "## Observed",
        "",
        *(_observed_part(letters, observed) if observed else _kept_section(before)),
    ]
    text = "\n".join(lines).rstrip() + "\n"
    # Nothing but the date is new: then the date isn't either.
    return before if _undated(text) == _undated(before) else text


def support_diff(before: str, after: str, path: Path) -> tuple[str, ...]:
    """What would change in the file, as the lines of a unified diff without context; none where it is current."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(path), f"{path} as it should be", lineterm="", n=0
    )
    return tuple(lines)


# --- the parts ---------------------------------------------------------------------------------------------


def _predicted_part(ledger: Ledger, letters: Mapping[str, str], runs: Mapping[str, StoredRun]) -> Iterator[str]:
    yield "## Predicted"
    yield ""
    yield "The embedded toolchain's word. It is not the compiler, and nothing in this section was observed."
    yield ""
    yield _FUNCTION
    yield ""
    yield from _summary("predicted", runs)
    yield from _rests_on(runs)
    yield "### What stands in the way"
    yield ""
    yield from _entries(ledger.entries, letters, runs)
    if PLANS in runs:
        yield from _plans(runs[PLANS], letters)
    yield from _matrices("predicted", letters, {profile: run for profile, run in runs.items() if profile != PLANS})


def _rests_on(runs: Mapping[str, StoredRun]) -> Iterator[str]:
    """What predictions rest on beside the public record."""
    for profile, run in runs.items():
        if run.head.rows is not None:
            passes, fails = run.head.rows
            end = f"from {fails:,} on none does" if fails is not None else "with no known end"
            yield f"In {profile} by the store's evidence: rows of up to {passes:,} elements compile, {end}."
            yield ""


def _plans(run: StoredRun, letters: Mapping[str, str]) -> Iterator[str]:
    """What keeps the function: each planned network, whole and in segments."""
    yield "### What keeps the function"
    yield ""
    hardware = ", ".join(dict.fromkeys(plan.hardware for plan in run.plans if plan.hardware))
    yield (
        "Networks as they are published, gLN and PReLU kept: whole, laid out horizontally, and in the segments of "
        "`tasnet plan`, which are exact together; other exact forms are in profile trained below. Every verdict is "
        "predicted, every time modelled"
        f"{f' for {hardware}' if hardware else ''}."
    )
    yield ""
    records = {record.case_id: record for record in run.records}
    rows = []
    for plan in run.plans:
        whole = _ending(records[plan.network], letters) if plan.network in records else "not run"
        segments = [record for name, record in records.items() if name.startswith(f"{plan.network}+segment=")]
        rows.append((f"{plan.name}: `{plan.network}`", whole, _segments(segments, letters), *plan.cells[1:-1]))
    heads = (*("network", "predicted whole", "predicted, its distinct segments"), *HEADS[1:-1])
    yield from _table(heads, rows, right=3)
    yield ""
    yield from (f"- {plan.name}: no plan: {plan.trouble}" for plan in run.plans if plan.trouble)
    yield from [""] * any(plan.trouble for plan in run.plans)


def _segments(records: Sequence[CaseRecord], letters: Mapping[str, str]) -> str:
    """`10 clear (extrapolated)`."""
    counts: dict[str, int] = {}
    for record in records:
        ending = _ending(record, letters)
        counts[ending] = counts.get(ending, 0) + 1
    return ", ".join(f"{count} {ending}" for ending, count in counts.items()) or "none"


def _observed_part(letters: Mapping[str, str], runs: Mapping[str, StoredRun]) -> Iterator[str]:
    yield _BEGIN
    yield "A real compiler's word."
    yield ""
    yield from _summary("observed", runs)
    yield from _matrices("observed", letters, runs)
    yield _END


def _matrices(word: str, letters: Mapping[str, str], runs: Mapping[str, StoredRun]) -> Iterator[str]:
    for profile, run in runs.items():
        yield f"### {word.capitalize()}, profile {profile}"
        yield ""
        yield from _matrix(run, letters, word)
    yield f"### {word.capitalize()} clear"
    yield ""
    yield from _clear(runs, word)


def _kept_section(before: str) -> list[str]:
    """The observed section of the file as it is."""
    found = re.search(f"{_BEGIN}\n(.*?){_END}", before, re.DOTALL)
    return [_BEGIN, *(found[1].removesuffix("\n").split("\n") if found else [_NOTHING]), _END]


def _summary(word: str, runs: Mapping[str, StoredRun]) -> Iterator[str]:
    rows = []
    for profile, run in runs.items():
        counts = Counter(record.verdict.word for record in run.records)
        graphs = len({record.graph for record in run.records})
        exact = sum(record.function.same is SameFunction.EXACT for record in run.records)
        by = f"{run.head.toolchain} {run.head.version}"
        rows.append((profile, run.head.arch, by, len(run.records), graphs, exact, *map(counts.__getitem__, _WORDS)))
    heads_of = ("profile", "chip", f"{word} by", "cases", "graphs", "exact", *(f"{word} {each}" for each in _WORDS))
    keep = [index for index in range(len(heads_of)) if index < 8 or any(row[index] for row in rows)]
    yield from _table([heads_of[index] for index in keep], [[row[index] for index in keep] for row in rows], right=3)
    yield ""


def _entries(entries: Sequence[Entry], letters: Mapping[str, str], runs: Mapping[str, StoredRun]) -> Iterator[str]:
    rows = [
        (
            letters[entry.id],
            entry.id,
            entry.summary,
            f"{entry.family} at {entry.stage.value}",
            *(sum(entry.id in entries_of_case(record) for record in run.records) for run in runs.values()),
            entry.evidence,
            entry.review,
        )
        for entry in entries
    ]
    profiles = [f"predicted in {profile}, cases" for profile in runs]
    yield from _table(("", "entry", "root cause", "fails as", *profiles, "evidence", "review by"), rows)
    yield ""


def _matrix(run: StoredRun, letters: Mapping[str, str], word: str) -> Iterator[str]:
    """Topologies down, decoders across; blocks kept, and lengths, are folded where they make no difference."""
    lengths = len({record.axes["T"] for record in run.records}) > 1
    decoders = list(dict.fromkeys(str(record.axes["decoder"]) for record in run.records))
    cells: dict[Row, dict[str, list[CaseRecord]]] = {}
    for record in run.records:
        cells.setdefault(row_of(record), {}).setdefault(str(record.axes["decoder"]), []).append(record)
    rows = [
        (f"`{name}`", same.value, *(_cell(row.get(decoder, ()), letters, lengths) for decoder in decoders))
        for (name, same), row in cells.items()
    ]
    known = [record.by_evidence for record in run.records if record.by_evidence]
    where = "that says no other word " if known else ""
    letters_are = "Letters are the entries above; what names no number of TCN blocks holds for all."
    yield f"Every cell {where}is {word}. {letters_are}"
    yield f"The function: {function_counts(run.records)}."
    yield ""
    yield from _table((f"{word}, by topology", "function", *decoders), rows)
    yield ""
    yield from _known(run.records)


def _known(records: Iterable[CaseRecord]) -> Iterator[str]:
    """Where cells that the evidence knows come from."""
    said = {record.case_id: record.by_evidence for record in records if record.by_evidence}
    if not said:
        return
    yield f"Inferred is what nobody asked, and what follows of an observation; {ASSUMED}."
    yield ""
    yield from ("<details><summary>by which observations</summary>", "")
    yield from (f"- `{name}`: {each.word.value}: {printable(each.text, MAX_LINE_CHARS)}" for name, each in said.items())
    yield from ("", "</details>", "")


def _cell(records: Iterable[CaseRecord], letters: Mapping[str, str], lengths: bool) -> str:
    """`blocked A C`, or `all: blocked A; k1, k2: clear` where truncation or length makes a difference."""
    placed = sorted(
        ((column(record, lengths)[1], _ending(record, letters)) for record in records),
        key=lambda each: column_order(each[0]),
    )
    if len({ending for _, ending in placed}) <= 1 and (not lengths or len(placed) > 1 or not placed):
        return placed[0][1] if placed else "–"
    parts = []
    for ending, group in groupby(placed, key=lambda each: each[1]):
        where = ", ".join(_where(*each) for each, _ in group)
        parts.append(f"{where}: {ending}")
    return "; ".join(parts)


def _where(blocks: str, length: str) -> str:
    words = ([] if blocks == "all" and length else ["all" if blocks == "all" else f"k{blocks}"]) + (
        [f"T {length}"] if length else []
    )
    return " ".join(words)


def _ending(record: CaseRecord, letters: Mapping[str, str]) -> str:
    if (said := record.by_evidence) and said.word is not EvidenceWord.DISPUTED:
        return f"{said.word.value} {'clear' if said.clear else 'blocked'}"
    if record.by_evidence:
        return "disputed"
    named = sorted(letters.get(name, "?") for name in entries_of_case(record))
    if certainty := record.certainty:
        return f"clear ({certainty.value})" if record.predicted else "clear"
    surprise = "" if record.kind in PASSING_KINDS else " **not as expected**"
    return " ".join((record.verdict.word, *named)) + surprise


def _clear(runs: Mapping[str, StoredRun], word: str) -> Iterator[str]:
    told = [(record, record.verdict) for run in runs.values() for record in run.records]
    clear = [(record, verdict.certainty) for record, verdict in told if verdict.is_clear]
    if not clear:
        yield f"No case is {word} clear."
        yield ""
        return
    how = {
        "observed": "every layer is of a kind and size that was seen to compile",
        "extrapolated": "no rule objects, and nobody has tried",
    }
    for certainty, meaning in how.items():
        names = [record.case_id for record, known in clear if known and known.value == certainty]
        if word == "observed":
            names = [record.case_id for record, _ in clear] if certainty == "observed" else []
            meaning = "compiled"
        if names or word == "predicted":
            yield f"{len(names)} {word} clear, {certainty}: {meaning}."
            yield ""
        if names:
            functions = {record.case_id: record.function.text for record, _ in clear}
            yield from ("<details><summary>which</summary>", "")
            yield from _table(("case", "function"), [(f"`{name}`", functions[name]) for name in names])
            yield from ("", "</details>", "")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], right: int = 99) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---:' if index >= right else '---' for index in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(printable(str(cell), MAX_LINE_CHARS).replace('|', '/') for cell in row)} |"


# --- which runs --------------------------------------------------------------------------------------------


def _run_command(profile: str) -> str:
    return f"tasnet matrix --profile {profile}"


def _last_whole_run(store: Path, profile: str, arch: str, toolchain: str) -> StoredRun | None:
    """The last whole run of a profile by a toolchain. One of a checkpoint is of another network, and no support."""

    def wanted(head: RunHead) -> bool:
        return (head.toolchain, head.profile, head.arch) == (toolchain, profile, arch) and not head.checkpoint

    return next(map(ordered, last_whole_runs(store, wanted)), None)


def _undated(text: str) -> str:
    return re.sub(f"^{_CHANGED}.*$", "", text, flags=re.MULTILINE)
