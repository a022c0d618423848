"""What was measured, in a few lines: the worst of each form and stage, beside its limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tasnet.common import table_lines
from tasnet.suite.numerics.thresholds import StageFigure, Thresholds

_HEADS = ["form", "stage", "cases", "worst SNR, dB", "at least", "error / peak", "at most", "in"]


def worst_lines(figures: Iterable[StageFigure], limits: Thresholds | None = None) -> Iterator[str]:
    """A row for each form and stage: how many cases, the worst of them in dB and over the peak, and what is allowed."""
    groups: dict[tuple[str, str], list[StageFigure]] = {}
    for each in figures:
        groups.setdefault((each.form, each.stage), []).append(each)
    rows = []
    for (form, stage), those in groups.items():
        # NaN is no number of decibels, and the worst.
        worst = min(those, key=lambda each: (each.snr_db == each.snr_db, each.snr_db))
        limit = limits.of(stage, form, worst.length) if limits else None
        rows.append(
            [
                *(form, stage, str(len({each.named for each in those}))),
                *(f"{worst.snr_db:.1f}", f"{limit.snr_db:g}" if limit else "-"),
                *(f"{max(each.of_peak for each in those):.1e}", f"{limit.of_peak:.1e}" if limit else "-", worst.named),
            ]
        )
    if rows:
        yield from table_lines([_HEADS, *rows])
