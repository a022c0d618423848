"""What the stored runs measured: how far each stage is from PyTorch's function, by form and length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from tasnet.suite.history import ParityFigure, StoredRun

STAGES: Mapping[str, str] = {
    "torch": "PyTorch, float32",
    "onnx": "ONNX Runtime",
    "har": "the HAR, run natively: predicted",
    "har8": "the HAR at simulated 8 bits: predicted",
    "plan": "the plan's segments in ONNX Runtime",
    "sdk_native": "the compiler's emulation, float",
    "sdk_fp_optimized": "the compiler's emulation, float as optimized",
    "sdk_quantized": "the compiler's emulation, quantized",
}
"""Stage -> what ran. What the embedded toolchain ran of a HAR is a prediction of what the chip computes."""

BAR_DB = 5
MAX_DB = 140
"""the bars of a row: one for every 5 dB from 0 to 140; what is beyond is in the first or the last"""


@dataclass(frozen=True)
class ParityRow:
    """The measures of one stage, form and length: each case's newest. SNR in dB against float64."""

    stage: str
    ran: str
    form: str
    length: int
    cases: int
    worst_db: float
    median_db: float
    worst_case: str
    of_peak: float
    """the largest error over the reference's peak"""
    bars: tuple[int, ...]
    """how many cases have an SNR within each BAR_DB"""


def parity_rows(runs: Iterable[StoredRun]) -> tuple[ParityRow, ...]:
    """One row for each stage, form and length; `runs` with the oldest first."""
    newest: dict[tuple[str, str, str, int], ParityFigure] = {}
    for run in runs:
        for measure in run.measures:
            newest[measure.case_id, measure.stage, measure.form, measure.length] = measure
    groups: dict[tuple[str, str, int], list[ParityFigure]] = {}
    for measure in newest.values():
        groups.setdefault((measure.stage, measure.form, measure.length), []).append(measure)
    order = list(STAGES)
    rank = {stage: order.index(stage) if stage in order else len(order) for stage, _, _ in groups}
    return tuple(_row(*key, groups[key]) for key in sorted(groups, key=lambda key: (rank[key[0]], *key)))


def _row(stage: str, form: str, length: int, figures: list[ParityFigure]) -> ParityRow:
    worst = min(figures, key=lambda measure: measure.snr_db)
    bars = [0] * (MAX_DB // BAR_DB)
    for measure in figures:
        bars[int(min(max(measure.snr_db, 0), MAX_DB - 1) // BAR_DB)] += 1
    return ParityRow(
        stage=stage,
        ran=STAGES.get(stage, stage),
        form=form,
        length=length,
        cases=len(figures),
        worst_db=worst.snr_db,
        median_db=median(measure.snr_db for measure in figures),
        worst_case=worst.case_id,
        of_peak=max(measure.of_peak for measure in figures),
        bars=tuple(bars),
    )
