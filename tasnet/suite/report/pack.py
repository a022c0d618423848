"""The page's data: what a report shows as one compact JSON object, in which equal values are stored once.

Twenty runs of the matrix are 16,800 cases of 285 graphs and few ends. So the object holds tables (`words`, `signs`,
`layers`, `graphs`, `failures`, `bodies`, …) and the runs point into them by index; -1 is none. A case in a run is
`[case, body, by, times, at]`, `at` its place in the run's
map (row x columns + column). The page's `data.js` is the reader, and names every column.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from tasnet.common import counted
from tasnet.hailo import Failure
from tasnet.hailo.predict import ROW_FAIL, ROW_PASS
from tasnet.network import Size, VariantError
from tasnet.suite.ask import vacuous_by_key
from tasnet.suite.cases import PROFILE_MEANINGS, SIZE_LETTERS, CaseError, Outcome, parse_case
from tasnet.suite.history import CaseRecord, EvidenceWord, StoredRun
from tasnet.suite.ledger import Entry
from tasnet.suite.report.graphs import LayerList, LayerRow
from tasnet.suite.report.map import map_layout
from tasnet.suite.report.signs import (
    BY_EVIDENCE,
    FUNCTION_SIGNS,
    paints_in,
    run_source,
    run_toolchain,
    sign_of,
    verdict_source,
)
from tasnet.suite.report.sources import ReportSource, har_of
from tasnet.suite.run import content_of

_TABLES = (
    *("words", "cases", "marks", "bodies", "signs", "layers"),
    *("graphs", "failures", "by", "times", "tails"),
)
_HERE = "\x00"
"""stands for the case's id in a command that repeats it"""


class UniqueRows:
    """Distinct rows in the order in which they were added."""

    def __init__(self) -> None:
        self._index: dict[Hashable, int] = {}
        self.rows: list[Any] = []

    def add(self, row: Hashable) -> int:
        """The index of `row`, which may have been there already."""
        found = self._index.get(row)
        if found is None:
            found = self._index[row] = len(self.rows)
            self.rows.append(row)
        return found


class Packer:
    """The tables of one report."""

    def __init__(self, source: ReportSource) -> None:
        self.source = source
        self.words, self.cases, self.marks, self.bodies = UniqueRows(), UniqueRows(), UniqueRows(), UniqueRows()
        self.signs, self.layers, self.graphs, self.failures = UniqueRows(), UniqueRows(), UniqueRows(), UniqueRows()
        self.by, self.times, self.tails = UniqueRows(), UniqueRows(), UniqueRows()
        self._known: dict[str, int] = {}
        # What was packed already, by what it was packed from: the same cases and failures come in every run.
        self._cases: dict[Hashable, int] = {}
        self._failures: dict[Hashable, int] = {}

    def packed(self) -> dict[str, Any]:
        """The whole object."""
        runs = [self._run(run) for run in self.source.runs]
        return {
            "bracket": list(self.source.shown.head.rows or (ROW_PASS, ROW_FAIL)),
            "sizes": list(SIZE_LETTERS),
            "paints": paints_in(self.source.runs),
            "evidence": [each.paint for each in BY_EVIDENCE.values()],
            "functions": {same.value: (each.sign, each.meaning) for same, each in FUNCTION_SIGNS.items()},
            "shown": self.source.runs.index(self.source.shown),
            "entries": {each.id: _entry(each, self.source) for each in self._entries()},
            "runs": runs,
            **{name: getattr(self, name).rows for name in _TABLES},
        }

    def _entries(self) -> Iterable[Any]:
        return self.source.ledger.entries if self.source.ledger else ()

    def _run(self, run: StoredRun) -> dict[str, Any]:
        plan = map_layout(run.records)
        return {
            "id": run.id,
            "said": run_source(run),
            "profile": run.head.profile,
            "meaning": PROFILE_MEANINGS.get(run.head.profile, ""),
            "arch": run.head.arch,
            "toolchain": run_toolchain(run),
            "started": f"{run.head.started:%Y-%m-%d %H:%M} UTC",
            "state": state(run),
            "origin": commit(run),
            "rows": plan.rows,
            "groups": plan.groups,
            "cases": [(*self._record(run, record), plan.at[record.case_id]) for record in run.records],
            "measures": [
                [self.word(each.case_id), self.word(each.stage), self.word(each.form), *_numbers(each)]
                for each in run.measures
            ],
        }

    def word(self, text: str) -> int:
        """The index of a text."""
        return self.words.add(text)

    def _record(self, run: StoredRun, record: CaseRecord) -> tuple[int, ...]:
        sign = sign_of(record)
        body = (
            self.marks.add((sign.sign, sign.paint, sign.meaning)),
            ("predicted", "observed", "double").index(verdict_source(run, record)),
            self.word(record.verdict.word),
            self.word(record.certainty.value if record.certainty else ""),
            self.word(record.kind.value),
            tuple(map(self.word, record.entries)),
            self.word(record.expected),
            self.word(record.happened),
            self.word(record.hint),
            self._graph(record),
            self.word(record.graph),
            tuple(self._outcome(outcome, record) for outcome in record.outcomes),
            self.word(record.repeat.replace(record.case_id, _HERE)),
            self.word(record.hef),
            self.word(_of_evidence(record)),
        )
        by = tuple(self.word(_by(outcome)) for outcome in record.outcomes)
        times = tuple(round(outcome.seconds * 1000) for outcome in record.outcomes)
        return self._case(record), self.bodies.add(body), self.by.add(by), self.times.add(times)

    def _case(self, record: CaseRecord) -> int:
        """The index of a case: of the same axes in another run too, unless a checkpoint brought another size."""
        key = (record.case_id, *record.axes.values(), record.function)
        found = self._cases.get(key)
        if found is None:
            axes = tuple((self.word(name), self.word(str(value))) for name, value in record.axes.items())
            tag = record.run_tag if record.run_tag != record.case_id else ""
            vacuous = tuple(map(self.word, _vacuous(record)))
            function = (self.word(record.function.same.value), self.word(record.function.text))
            found = self._cases[key] = self.cases.add((record.case_id, tag, axes, vacuous, *function))
        return found

    def _outcome(self, outcome: Outcome, record: CaseRecord) -> tuple[Any, ...]:
        before = 0
        for each in record.outcomes:
            if each is outcome:
                break
            before += len(each.failures)
        # A record of another hand may name fewer; what isn't named isn't covered.
        covering = (*record.covering, *[()] * len(outcome.failures))[before : before + len(outcome.failures)]
        log = str(outcome.figures.get("log", ""))
        figures = {name: _plain(value) for name, value in outcome.figures.items() if name != "log"}
        return (
            self.word(outcome.stage.value),
            self.word(outcome.status.value),
            self.word(outcome.reason),
            tuple(
                (self._failure(failure), tuple(map(self.word, entries)))
                for failure, entries in zip(outcome.failures, covering, strict=True)
            ),
            tuple(map(self._failure, outcome.doubts)),
            tuple((self.word(name), value) for name, value in figures.items()),
            self.tails.add(self.source.tails[log]) if log in self.source.tails else -1,
            self.word(log),
        )

    def _failure(self, failure: Failure) -> int:
        key = tuple(tuple(value.items()) if isinstance(value, Mapping) else value for _, value in failure)
        found = self._failures.get(key)
        if found is None:
            found = self._failures[key] = self.failures.add(
                (
                    self.word(failure.stage),
                    self.word(failure.family),
                    self._message(failure),
                    self.word(failure.exception),
                    tuple(map(self.word, failure.layers)),
                    tuple((self.word(name), _plain(value)) for name, value in failure.figures.items()),
                    self.word(failure.evidence),
                    self.word(failure.certainty.value),
                    self.word(failure.first_cause),
                    self.word(failure.terminal_event),
                )
            )
        return found

    def _message(self, failure: Failure) -> tuple[int, ...]:
        """A message's words, each once in the report: long ones are lists of layers."""
        return tuple(map(self.word, failure.message.split(" ")))

    def _graph(self, record: CaseRecord) -> int | str:
        """The index of the graph, or why there is none."""
        name = har_of(record)
        if not name:
            return "never translated"
        if name in self.source.gone:
            return self.source.gone[name]
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self.graphs.add(self._layers(self.source.graphs[name]))
        return found

    def _layers(self, graph: LayerList) -> tuple[int, ...]:
        return tuple(self.layers.add((self.word(layer.name), self._sign(layer))) for layer in graph.layers)

    def _sign(self, layer: LayerRow) -> int:
        return self.signs.add(tuple(self.word(part) if isinstance(part, str) else part for part in layer.sign))


def _vacuous(record: CaseRecord) -> tuple[str, ...]:
    """What is vacuous in the case that was run: the id's, at the size that its axes say. Nothing of an unknown case."""
    try:
        size = Size(**{letter: int(record.axes[letter]) for letter in SIZE_LETTERS if letter in record.axes})
        return vacuous_by_key(replace(parse_case(record.case_id), size=size))
    except (CaseError, VariantError):
        return ()


def _of_evidence(record: CaseRecord) -> str:
    """`Inferred clear: inferred from …`; empty where the evidence says nothing."""
    said = record.by_evidence
    if said is None:
        return ""
    verdict = "" if said.word is EvidenceWord.DISPUTED else f" {'clear' if said.clear else 'blocked'}"
    return f"{said.word.value.capitalize()}{verdict}: {said.text}"


def page_data(source: ReportSource) -> dict[str, Any]:
    """The object that the page reads."""
    return Packer(source).packed()


def state(run: StoredRun) -> str:
    """`ended` for a run that did; one that was killed says how far it got."""
    if run.end is None:
        return f"killed, or still going: {len(run.records)} of {counted(run.head.cases, 'case')}"
    return "ended" if run.end.exit_status in (0, 1) else f"ended by pytest's exit status {run.end.exit_status}"


def commit(run: StoredRun) -> str:
    """The first letters of the commit, with `+` where files differed from it."""
    origin = run.head.origin
    return f"{origin.commit[:9]}{'+' if origin.dirty else ''}" if origin.commit else ""


def _by(outcome: Outcome) -> str:
    by = outcome.provenance
    return f"{by.toolchain} {by.version}" + (f" ({content_of(by.inputs)[:12]})" if by.inputs else "")


def _numbers(measure: Any) -> tuple[Any, ...]:
    """Length, SNR in dB and error over peak, in the digits that are shown. JSON knows no infinity."""
    snr = f"{measure.snr_db:.1f}" if math.isfinite(measure.snr_db) else str(measure.snr_db).replace("inf", "∞")
    return measure.length, snr, f"{measure.of_peak:.2e}"


def _plain(value: float | str) -> float | str:
    """A figure that JSON can hold: it knows no infinity."""
    return value if isinstance(value, str) or math.isfinite(value) else str(value)


def _entry(entry: Entry, source: ReportSource) -> Mapping[str, Any]:
    return {
        "summary": entry.summary,
        "stage": entry.stage.value,
        "family": entry.family,
        "evidence": entry.evidence,
        "owner": entry.owner,
        "flaky": f"{entry.flaky.rate:.0%} of {entry.flaky.over} runs" if entry.flaky else "",
        "since": entry.since.isoformat(),
        "review": entry.review.isoformat(),
        "left": (entry.review - source.today).days,
        "issue": entry.issue,
    }
