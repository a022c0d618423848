"""The report of 20 runs of the matrix: seconds to write, its size, and how fast Chromium shows and filters it.

    python -m benchmarks.report [STORE]

The first run is real, made in a store of its own or in STORE; the other 19 are it again, at other times, every fourth
of another toolchain's version and with another verdict for every seventh case. A store with runs stays as it is: the
benchmark works on copies of its last run of the matrix.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, timed
from tasnet.common import utc_today
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import StoredRun, read_run, run_folders
from tasnet.suite.ledger import read_ledger
from tasnet.suite.report.browser import BrowserError, chromium
from tasnet.suite.report.page import write_page
from tasnet.suite.report.sources import gather_runs
from tasnet.suite.run.store import Store
from tests.doubles.stored_runs import said_by, store_copy

RUNS = 20
MATRIX = [
    "-m",
    "pytest",
    "-m",
    "compile",
    "tests/compile",
    "--tasnet-profile",
    "matrix",
    "-q",
    "-n",
    "2",
    "--tasnet-store",
]

FILTER = """async (button) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  await frame();
  const started = performance.now();
  button.click();
  const scripted = performance.now() - started;
  await frame();
  return [scripted, performance.now() - started];
}"""
"""Milliseconds until the page's code has ended, and until the next frame was drawn."""


def main() -> None:
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
        store = Path(folder, "store")
        if given is None:
            timed([*MATRIX, str(store)])
        else:
            # The artifacts are read where they lie; the runs, and what is noted of graphs, are the benchmark's own.
            store.mkdir()
            for name in ("har", "blobs", "files"):
                (store / name).symlink_to((given / name).absolute())
        run = _last(given or store)
        for day in range(RUNS if given else RUNS - 1):
            store_copy(run, store, days=day + 1, head={"version": f"0.{day // 4}.0"}, change=_changed(day))
        page = Path(folder, "report.html")
        for what in ("graphs read from the store", "graphs noted"):
            started, busy = time.perf_counter(), time.process_time()
            ledger = read_ledger(Path("expected_failures.yaml"))
            done = write_page(gather_runs(Store(store), utc_today(), ledger=ledger, last=RUNS), page)
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            print(f"write {done.runs} runs, {done.cases} cases, {what:<27} {seconds:.2f} s, {busy:.2f} s of processor")
        print(f"size{'':<55} {done.size / 1e6:.2f} MB")
        try:
            with chromium() as browser:
                _shown(browser, page)
        except BrowserError as error:
            print(f"not shown: {error}")


def _last(store: Path) -> StoredRun:
    runs = [read_run(folder) for folder in run_folders(store)]
    return next(run for run in reversed(runs) if run.head.profile == "matrix" and run.records)


def _changed(day: int) -> Any:
    """Each run was timed anew; every fourth day brings another version, and every seventh case another end."""

    def change(record: CaseRecord) -> CaseRecord:
        number = hash((record.case_id, day))
        told = said_by(record, "reference", f"0.{day // 4}.0", predicted=True)
        outcomes = tuple(
            each.model_copy(update={"seconds": each.seconds * (1 + (number % 100) / 100)}) for each in told.outcomes
        )
        if number % 7 == 0:
            told = told.model_copy(update={"happened": f"{told.happened}; day {day}"})
        return told.model_copy(update={"outcomes": outcomes})

    return change


def _shown(browser: Any, path: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    paints, drawn = [], []
    for _ in range(5):
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        drawn.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
    print(f"first paint, median of 5{'':<35} {statistics.median(paints):.0f} ms")
    print(f"drawn and ready, median of 5 (worst){'':<23} {statistics.median(drawn):.0f} ms ({max(drawn):.0f} ms)")
    for what, hash_ in (
        ("", ""),
        (", a case open", f"#case={page.evaluate('document.querySelector(`#map button`).dataset.id')}"),
    ):
        page.goto(f"{path.as_uri()}{hash_}")
        buttons = page.locator("#facets button").element_handles()
        times = [page.evaluate(FILTER, button) for button in buttons for _ in range(2)]
        print(f"filter{what}, {len(times)} clicks, median (worst)")
        for index, until in enumerate(("until the code ended", "until the next frame")):
            taken = [each[index] for each in times]
            print(f"  {until:<57} {statistics.median(taken):.0f} ms ({max(taken):.0f} ms)")


if __name__ == "__main__":
    main()
