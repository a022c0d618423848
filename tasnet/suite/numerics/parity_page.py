"""The parity page: how far every stage is from the reference, in tables and plots. One file, nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasnet.common import render_page, write_whole
from tasnet.suite.numerics.eight_bits import GROUPS, WHERE, EightBitCosts
from tasnet.suite.numerics.float64_reference import NormErrorGrowth
from tasnet.suite.numerics.parity_report import PUBLISHED_DB, EightBitParity, ParityReport, published_loss
from tasnet.suite.numerics.plots import bars, curves, data_uri
from tasnet.suite.numerics.stages import STAGE_LABELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GLN = {"gln": "ReduceMean", "gln_pool": "pooling"}
"""the forms that gLN is exported in"""

DRAWN_DB = 15
"""what ranges from silence lose is more, and is in the table alone"""

TITLE = "Numerical parity: PyTorch, ONNX, HAR, 8 bits"


def write_parity_page(path: Path, report: ParityReport) -> Path:
    """Writes the page, whole or not at all. Raises OSError."""
    write_whole(path, parity_html(report).encode())
    return path


def parity_html(report: ParityReport) -> str:
    """The page as HTML."""
    asked = {stage for row in report.rows for stage in (*row.distances, *row.missing)}
    return render_page(
        Path(__file__).with_suffix(".html"),
        title=TITLE,
        report=report,
        stages=[stage for stage in STAGE_LABELS if stage in asked],
        names=STAGE_LABELS,
        predicted=frozenset().union(*(row.predicted for row in report.rows)),
        worst=[(stage, worst) for stage in STAGE_LABELS if (worst := _worst(report, stage)) is not None],
        gln=GLN,
        growth_plot=_growth(report.growth) if report.growth else "",
        eight=[(each, _curve(each), _layers(each)) for each in report.eight],
        bracket=published_loss(),
        groups=GROUPS,
        costs_plot=data_uri(cost_bars(report.costs)) if report.costs else "",
        published=PUBLISHED_DB,
    )


def cost_bars(costs: EightBitCosts) -> Figure:
    """SI-SDRi of every row that lost no more than can be drawn beside the others, with the error of the loss."""
    rows = [
        (each.what if each.group == WHERE else f"{each.group}: {each.what}", each.si_sdri, each.error)
        for each in costs.rows
        if each.lost < DRAWN_DB
    ]
    return bars(rows, "SI-SDRi, dB; the line is float")


def _worst(report: ParityReport, stage: str) -> float | None:
    found = [row.distances[stage].snr for row in report.rows if stage in row.distances]
    return min(found, default=None)


def _growth(growth: Sequence[NormErrorGrowth]) -> str:
    """Error over peak by length; a line for each form and stage."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for each in growth:
        xs, ys = lines.setdefault(f"{GLN[each.norm]}, {STAGE_LABELS[each.stage]}", ([], []))
        xs.append(each.length)
        ys.append(each.relative)
    ticks = sorted({each.length for each in growth})
    return curves(lines, "samples T", "largest error / peak", log_x=True, log_y=True, ticks=ticks)


def _curve(eight: EightBitParity) -> str:
    points = eight.curve
    low, high = published_loss()
    ends = [points[0].mean_bits, points[-1].mean_bits]
    lines: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        "SI-SDR against float": ([each.mean_bits for each in points], [each.score for each in points]),
        "published loss, trained for 8 bits": (ends, [low, low]),
        "the same with wider input and output": (ends, [high, high]),
    }
    return curves(lines, "mean bits of weights and results", "SI-SDR against float, dB")


def _layers(eight: EightBitParity) -> str:
    xs = list(range(1, len(eight.layers) + 1))
    return curves({"SNR": (xs, [each.snr for each in eight.layers])}, "layer, in the order of the run", "SNR, dB")
