"""The report of stored runs: one HTML file that asks no network for anything, written whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from tasnet.common import render_page, write_whole
from tasnet.suite.ask import ASSUMED
from tasnet.suite.cases import PROFILE_MEANINGS
from tasnet.suite.report.blockers import tally
from tasnet.suite.report.map import map_layout
from tasnet.suite.report.pack import commit, page_data, state
from tasnet.suite.report.parity_table import parity_rows
from tasnet.suite.report.signs import BY_EVIDENCE, SOURCE_WORDS, paints_in, run_source, run_toolchain
from tasnet.suite.report.sources import ReportError, ReportSource
from tasnet.suite.report.tables import entry_rows, map_rows, on_device, run_rows

FOLDER = Path(__file__).with_name("assets")
SCRIPTS = ("data.js", "filter.js", "map.js", "graph.js", "case.js", "blockers.js", "app.js")
"""in the order in which they stand in the page; together they are one function"""
STYLES = ("page.css", "map.css", "case.css", "print.css")
MAX_BYTES = 5_000_000
"""of a report: what a mail still takes"""


@dataclass(frozen=True)
class WrittenPage:
    """A report that was written. `too_big` when it is larger than a report should be."""

    path: Path
    size: int
    runs: int
    cases: int
    unreadable: tuple[str, ...]

    @property
    def too_big(self) -> bool:
        """True past MAX_BYTES."""
        return self.size > MAX_BYTES


def page_html(source: ReportSource) -> str:
    """The report's HTML."""
    run = source.shown
    code = script()
    return render_page(
        FOLDER / "page.html",
        run=run,
        said=run_source(run),
        words=SOURCE_WORDS,
        meanings=PROFILE_MEANINGS,
        state=state(run),
        commit=commit(run),
        plan=map_layout(run.records),
        grid=map_rows(run),
        paints=paints_in(source.runs),
        evidence=[each.paint for each in BY_EVIDENCE.values()],
        questions=source.open_questions,
        assumed=ASSUMED,
        runs=run_rows(source),
        unreadable=source.unreadable,
        parity=parity_rows(source.runs),
        ran=on_device(source),
        plans=source.plans,
        by=run_toolchain(run),
        entries=entry_rows(source, run),
        tallies=tally(run.records),
        graphs=len({record.graph for record in run.records}),
        ledger=source.ledger,
        today=source.today,
        data=Markup(_embedded(page_data(source))),
        script=Markup(code),
        script_hash=base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
        style=Markup(_joined(STYLES)),
    )


def write_page(source: ReportSource, path: Path) -> WrittenPage:
    """Writes the report to `path`, whole or not at all. Raises ReportError."""
    content = page_html(source).encode()
    try:
        write_whole(path, content)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}; the report was not written: name another file") from None
    cases = sum(len(run.records) for run in source.runs)
    return WrittenPage(path, len(content), len(source.runs), cases, tuple(each.reason for each in source.unreadable))


def is_report(path: Path) -> bool:
    """Whether a file is a report that was written here, by its title. Raises OSError."""
    with path.open("rb") as file:
        return b": tasnet report</title>" in file.read(4096)


@cache
def script() -> str:
    """The page's code, as one function that leaves nothing behind."""
    return f'(() => {{\n"use strict";\n{_joined(SCRIPTS)}}})();\n'


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def _embedded(data: object) -> str:
    """JSON that can stand in a script element: no `<` can end it or begin a comment."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
