"""What every stage's distance is held against, beside the limits of thresholds.yaml."""

EXACT_DB = 100.0
"""SI-SDR of the HAR against PyTorch"""
