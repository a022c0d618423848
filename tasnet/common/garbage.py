"""How often Python collects garbage: only its search through all objects, for those that refer to each other."""

import gc

_MADE = 50_000
"""objects made and not yet gone at which it searches; Python's own 700 are few beside what torch and ONNX import"""


def collect_garbage_rarely() -> None:
    """For a process of ours, at its start.

    What is imported and traced stays, and finding that out over and over took a tenth of a run from an empty store. No
    more memory is used (measured: 810 MB either way).
    """
    gc.set_threshold(_MADE, 20, 20)
