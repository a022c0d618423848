"""The end of a run as a picture: one self-contained SVG, readable on light and dark pages."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console

from tasnet.suite.history import CaseRecord
from tasnet.suite.report.terminal import overview, summary_title

WIDTH = 100
"""columns"""

# Rich's own frame asks the network for a font; this one takes what the reader's machine has.
_FRAME = """<svg class="{unique_id}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def svg(records: Sequence[CaseRecord]) -> str:
    """The heat map, the blockers and the counts of a run. The title says whose word they are."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
    )
    for each in overview(records, WIDTH, ascii_only=False):
        console.print(each)
    return console.export_svg(title=summary_title(records), code_format=_FRAME, unique_id="tasnet")
