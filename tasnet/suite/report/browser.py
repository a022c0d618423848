"""The page in a headless Chromium: its picture. Needs `tasnet[picture]` and a Chromium on this machine."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from PIL import Image

from tasnet.common import TasnetError, unfinished, write_whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""what Chromium is called on the path"""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It shows one page that we wrote, asks no network for anything, and may run as root in a container.
Without a GPU a process for it only costs its start."""

PICTURE_WIDTH = 1200
"""CSS pixels: the whole map of the default matrix"""
_APART = 12
"""CSS pixels between two runs' maps"""
_MAPS_ALONE = ".filters, .hint, #theme, .run-choice, h1 { display: none !important } .page { display: block }"
"""what there is to be clicked is no part of a picture"""


class BrowserError(TasnetError, RuntimeError):
    """No browser to look at a page with. One line: what is missing and what brings it."""


def executable() -> str:
    """Chromium's path. Raises BrowserError."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BrowserError(f"no {NAMES[0]} on the path; install one, such as Debian's package chromium")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, gone when left. Raises BrowserError."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise BrowserError("playwright is not installed; pip install 'tasnet[picture]'") from None
    path = executable()
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        except Error as error:
            raise BrowserError(f"{path} doesn't start: {error.message.splitlines()[0]}") from None
        try:
            yield browser
        finally:
            browser.close()


def screenshot(html: str, path: Path, runs: Sequence[str], *, dark: bool = False) -> None:
    """Writes a PNG of the maps of these runs of the page, one below the other, whole or not at all.

    Raises BrowserError, OSError.
    """
    shots = []
    with unfinished.folder(prefix="tasnet-page") as folder, chromium() as browser:
        page_file = Path(folder, "report.html")
        page_file.write_text(html, encoding="utf-8")
        page = browser.new_page(
            viewport={"width": PICTURE_WIDTH, "height": 900},
            color_scheme="dark" if dark else "light",
            device_scale_factor=2,
        )
        for run in runs:
            page.goto(f"{page_file.as_uri()}#{urlencode({'run': run})}")
            page.add_style_tag(content=_MAPS_ALONE)
            bottom = page.locator(".map-section").bounding_box()
            height = bottom["y"] + bottom["height"] if bottom else 900
            taken = page.screenshot(
                clip={"x": 0, "y": 0, "width": PICTURE_WIDTH, "height": height + _APART}, full_page=True
            )
            shots.append(Image.open(io.BytesIO(taken)).convert("RGB"))
    whole = Image.new("RGB", (shots[0].width, sum(shot.height for shot in shots)))
    down = 0
    for shot in shots:
        whole.paste(shot, (0, down))
        down += shot.height
    # A page has few colours: a palette takes a third of the bytes, and loses nothing that is seen.
    content = io.BytesIO()
    whole.quantize(64, dither=Image.Dither.NONE).save(content, format="PNG", optimize=True)
    write_whole(path, content.getvalue())
