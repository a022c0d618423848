"""Plots as pictures inside a page: spectrograms and curves, as data URIs of PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANGE_DB = 70.0
"""what a spectrogram shows below its loudest point"""

_WINDOW = 256
_COLOURS = 96


def spectrogram(wave: npt.NDArray[Any], rate: int, loudest: float) -> str:
    """A wave [T] at `rate` Hz over time and frequency, `loudest` dB being the brightest colour."""
    figure, axes = _figure(5.2, 1.5)
    level = levels(wave)
    # imshow and not specgram: one range of colours for all pictures of a page
    axes.imshow(
        level,
        origin="lower",
        aspect="auto",
        extent=(0, len(wave) / rate, 0, rate / 2000),
        vmin=loudest - RANGE_DB,
        vmax=loudest,
        cmap="magma",
    )
    axes.set_xlabel("s", fontsize=7, labelpad=0)
    axes.set_ylabel("kHz", fontsize=7)
    axes.tick_params(labelsize=7)
    return _uri(figure)


def levels(wave: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The spectrogram of a wave [T] in dB, frequencies x times; silence is at -200 dB."""
    from scipy.signal import stft  # type: ignore[import-untyped, unused-ignore]

    _, _, bins = stft(np.asarray(wave, np.float64), nperseg=_WINDOW, noverlap=_WINDOW * 3 // 4)
    return np.asarray(20 * np.log10(np.maximum(np.abs(bins), 1e-10)), np.float64)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    ticks: Sequence[float] = (),
) -> str:
    """Lines by name, each (xs, ys), with their points marked; `ticks` are where the x axis is labelled."""
    figure, axes = _figure(6.4, 3.2)
    for index, (name, (xs, ys)) in enumerate(lines.items()):
        # told apart without colours too
        axes.plot(xs, ys, marker="os^vDxP*"[index % 8], linestyle=("-", "--", ":", "-.")[index % 4], label=name, ms=4)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    if ticks:
        axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks], minor=False)
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    if len(lines) > 1:
        # below the plot: inside it, it hides whatever runs there
        figure.legend(fontsize=7, loc="outside lower center", ncols=min(3, len(lines)))
    return _uri(figure)


def bars(rows: Sequence[tuple[str, float, float]], x: str) -> Figure:
    """Horizontal bars from the top down, (name, value, error of it); the first is the mark for the others."""
    figure, axes = _figure(7.2, 0.6 + 0.26 * len(rows))
    names, values, errors = zip(*rows, strict=True)
    axes.barh(range(len(rows)), values, xerr=errors, color=["0.35"] + ["tab:blue"] * (len(rows) - 1), height=0.7)
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(values[0], color="0.35", lw=0.8, ls="--")
    axes.set_xlabel(x, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3, axis="x")
    return figure


def data_uri(figure: Figure) -> str:
    """A figure as a data URI of a PNG."""
    return _uri(figure)


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    # without pyplot: it keeps every figure in a list of its own
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    return figure, figure.subplots()


def _uri(figure: Figure) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    # colours of a palette are a third of the bytes, and no software or date is in it: equal data gives equal bytes
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(_COLOURS)
    stream = io.BytesIO()
    picture.save(stream, format="png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
