"""Observed: what a real compiler or chip said, today or in an old run, and how predictions fare against it.

- `evidence`: what was observed of a case, kept in the store
- `old_runs`, `run_row`, `run_tables`, `night_run`, `failure_note`: the conversion notes' files, read and written
- `confusion`, `pair`: predictions beside observations: agreement, refutations, layers, compiled files
- `calibration`, `recordings`, `looks_like`: what the compiler is calibrated with
- `on_device`, `bit_exact`, `emulated_shown`: a compiled file on the chip, and against the emulation bit for bit
"""
