"""A page of real stored runs in a headless Chromium, which asks nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tasnet.suite.report.browser import BrowserError, chromium
from tasnet.suite.report.page import write_page
from tasnet.suite.report.sources import ReportSource
from tests.browser.filled_store import filled, source


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
def opened(browser: Any) -> Callable[..., tuple[Any, list[str]]]:
    """A page with the options that it has for life, and its troubles: opened once, as opening takes long."""

    @cache
    def page_with(**options: Any) -> tuple[Any, list[str]]:
        page, trouble = browser.new_context(**options).new_page(), []
        page.set_default_timeout(10_000)
        page.on("console", lambda message: trouble.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or trouble.append(request.url))
        return page, trouble

    return page_with


@pytest.fixture
def visit(opened: Callable[..., tuple[Any, list[str]]], address: str) -> Iterator[Callable[..., Any]]:
    """Loads the report anew at a hash, in the same page each time.

    It must say nothing on the console and ask for nothing but itself.
    """
    visited = []

    def open_at(
        hash_: str = "", *, width: int = 1440, height: int = 900, color_scheme: str = "light", **options: Any
    ) -> Any:
        page, trouble = opened(**options)
        visited.append((page, trouble))
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(media="screen", color_scheme=color_scheme)
        # At the same address only the hash would change.
        page.goto(f"{address}?{uuid4()}{hash_}")
        return page

    yield open_at
    for page, trouble in visited:
        page.evaluate("localStorage.clear()")
        said, trouble[:] = list(trouble), []
        assert said == []
