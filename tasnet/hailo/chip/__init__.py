"""The device: found, run, measured, through HailoRT."""
