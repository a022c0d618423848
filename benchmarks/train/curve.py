"""The log of a training as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure


def draw(log: Path, picture: Path) -> None:
    """SI-SDR on what was heard, SI-SDRi on held-out sentences, over steps; PNG or SVG by the name."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    steps = [line["step"] for line in lines]
    axes.plot(steps, [line["train_db"] for line in lines], label="SI-SDR, training mixtures", color="0.6", lw=1)
    axes.plot(steps, [line["validation_db"] for line in lines], label="SI-SDRi, held-out sentences", lw=1.8)
    axes.set(xlabel="steps", ylabel="dB", title=f"{lines[-1]['seconds'] / 60:.0f} minutes")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(picture, dpi=150)
