"""A page of real stored runs in a headless Chromium, which asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tasnet.suite.report.browser import BrowserError, chromium
from tasnet.suite.report.page import write_page
from tasnet.suite.report.sources import ReportSource
from tests.browser.filled_store import filled, source
from tests.browser.reading import Look, Visit, follow


@pytest.fixture(scope="session")
def stored(shared_folder: Path, notes_store: Path) -> Path:
    """The store that all workers of a run share."""
    return filled(shared_folder / "report-store", notes_store)


@pytest.fixture(scope="session")
def shown(stored: Path) -> ReportSource:
    return source(stored)


@pytest.fixture(scope="session")
def address(shown: ReportSource, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The `file://` address of the report."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_page(shown, path)
    return path.as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; a test that needs it is skipped, with the reason, where there is none."""
    try:
        with chromium() as started:
            yield started
    except BrowserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def opened(browser: Any) -> tuple[Any, list[str]]:
    """The page of all tests, and its troubles: opened once, as opening takes longer than loading."""
    page, trouble = browser.new_context().new_page(), []
    page.set_default_timeout(10_000)
    page.on("console", lambda message: trouble.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or trouble.append(request.url))
    return page, trouble


@pytest.fixture
def quiet_page(opened: tuple[Any, list[str]]) -> Iterator[Any]:
    """The page, which must say nothing on the console and ask for nothing but itself."""
    page, trouble = opened
    yield page
    said, trouble[:] = list(trouble), []
    assert said == []


@pytest.fixture
def visit(quiet_page: Any, address: str) -> Iterator[Visit]:
    """Loads the report anew at a hash."""

    def open_at(
        hash_: str = "",
        *,
        width: int = 1440,
        height: int = 600,
        color_scheme: str = "light",
        name: str = "",
    ) -> Any:
        quiet_page.set_viewport_size({"width": width, "height": height})
        quiet_page.emulate_media(media="screen", color_scheme=color_scheme)
        # At the same address only the hash would change.
        quiet_page.goto(f"{address}?{name or uuid4()}{hash_}")
        return quiet_page

    yield open_at
    quiet_page.evaluate("localStorage.clear()")


@pytest.fixture
def look(quiet_page: Any, address: str, visit: Visit) -> Look:
    """The report at a hash, for a test that changes nothing but the hash: loaded once for all that follow each other.

    Whoever changes the page's size or colours, where the focus is or what is unfolded needs a `visit`.
    """

    def turn_to(hash_: str = "") -> Any:
        if quiet_page.url.partition("#")[0] != f"{address}?look":
            return visit(hash_, name="look")
        follow(quiet_page, hash_)
        return quiet_page

    return turn_to
