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
from tasnet.suite.report.blockers import tally
from tasnet.suite.report.layout import layout
from tasnet.suite.report.marks import PAINTS, SAID, run_by, run_said
from tasnet.suite.report.pack import commit, pack, state
from tasnet.suite.report.parity_table import parity
from tasnet.suite.report.sources import ReportError, Source
from tasnet.suite.report.tables import entries, grid, on_device, runs

FOLDER = Path(__file__).with_name("assets")
SCRIPTS = ("data.js", "filter.js", "map.js", "graph.js", "case.js", "blockers.js", "app.js")
"""in the order in which they stand in the page; together they are one function"""
STYLES = ("page.css", "map.css", "case.css", "print.css")
MOST_BYTES = 5_000_000
"""of a report: what a mail still takes"""


@dataclass(frozen=True)
class Written:
    """A report that was written. `too_big` when it is larger than a report should be."""

    path: Path
    size: int
    runs: int
    cases: int
    unreadable: tuple[str, ...]

    @property
    def too_big(self) -> bool:
        """True past MOST_BYTES."""
        return self.size > MOST_BYTES


def page(source: Source) -> str:
    """The report's HTML."""
    run = source.shown
    code = script()
    return render_page(
        FOLDER / "page.html",
        run=run,
        said=run_said(run),
        words=SAID,
        state=state(run),
        commit=commit(run),
        plan=layout(run.records),
        grid=grid(run),
        paints=PAINTS,
        runs=runs(source),
        unreadable=source.unreadable,
        parity=parity(source.runs),
        ran=on_device(source),
        by=run_by(run),
        entries=entries(source, run),
        tallies=tally(run.records),
        graphs=len({record.graph for record in run.records}),
        ledger=source.ledger,
        today=source.today,
        data=Markup(_embedded(pack(source))),
        script=Markup(code),
        script_hash=base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
        style=Markup(_joined(STYLES)),
    )


def write(source: Source, path: Path) -> Written:
    """Writes the report to `path`, whole or not at all. Raises ReportError."""
    content = page(source).encode()
    try:
        write_whole(path, content)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}; the report was not written: name another file") from None
    cases = sum(len(run.records) for run in source.runs)
    return Written(path, len(content), len(source.runs), cases, tuple(each.reason for each in source.unreadable))


@cache
def script() -> str:
    """The page's code, as one function that leaves nothing behind."""
    return f'(() => {{\n"use strict";\n{_joined(SCRIPTS)}}})();\n'


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def _embedded(told: object) -> str:
    """JSON that can stand in a script element: no `<` can end it or begin a comment."""
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
