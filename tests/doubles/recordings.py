"""Recordings to calibrate with: a tone that comes and goes, no voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def recordings(path: Path) -> Path:
    """Three windows of something with a rhythm, as an npz."""
    time = np.arange(48000) / 8000
    wave = 0.3 * np.sin(2 * np.pi * 3 * time) * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * time) > 0)
    np.savez(path, speech=wave[None].astype(np.float32), rate=8000)
    return path
