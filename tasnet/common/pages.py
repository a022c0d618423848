"""HTML pages: one file each, that asks no network for anything."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


def render_page(template: Path, **values: object) -> str:
    """The page of a template, which lies beside the module that fills it and may extend `page.html`; values escaped."""
    return _read(template).render(**values)


@cache
def _read(template: Path) -> Template:
    """Compiled once in a process, which takes longer than filling it."""
    # Only now: who writes no page needs no templates.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([template.parent, Path(__file__).parent])
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {"db": db, "tiny": tiny, "share": share}
    return pages.get_template(template.name)


def db(value: float) -> str:
    """A figure in dB; what has no meaning is a dash."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.1f}".replace("-", "−")


def tiny(value: float | None) -> str:
    """A number of any size in two digits."""
    if value is None or math.isnan(value):
        return "–"
    if 0.01 <= abs(value) < 99:
        return f"{value:.2g}".replace("-", "−")
    return f"{value:.1e}".replace("-", "−") if value else "0"


def share(value: float) -> str:
    """A share of 1 in percent; none at all is a dash."""
    return f"{100 * value:.3g} %" if value else "–"
