"""What every stage's distance is held against."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.numerics.thresholds import THRESHOLDS_FILE, read_thresholds

LIMITS = read_thresholds(Path(__file__).resolve().parents[2] / THRESHOLDS_FILE)

EXACT_DB = 100.0
"""SI-SDR of the HAR against PyTorch"""
