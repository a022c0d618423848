"""What a test reads off the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tasnet.suite.history.run import StoredRun

Visit = Callable[..., Any]
Look = Callable[..., Any]


def at(run: StoredRun, **more: str) -> str:
    return f"#{urlencode({'run': run.id, **more})}"


def count(page: Any) -> int:
    """How many cases the page says that it shows; as many cells must stand out."""
    text, cells = page.evaluate(
        """() => [document.getElementById("count").innerText,
                  document.querySelectorAll("#map button.cell:not(.off)").length]"""
    )
    said = int(re.match(r"[\d,]+", text)[0].replace(",", ""))  # type: ignore[index]
    assert cells == said
    return said


def open_case(page: Any) -> str:
    return str(page.locator("#case-title").inner_text()) if page.locator("#case").is_visible() else ""


def follow(page: Any, hash_: str) -> None:
    """Goes to another hash of a page that is open, as a link in it does, and waits until that is drawn."""
    page.evaluate(
        """hash => new Promise((done) => {
            if (location.hash === (hash === "#" ? "" : hash)) return done();
            addEventListener("hashchange", () => done(), { once: true });
            location.hash = hash;
        })""",
        hash_,
    )
