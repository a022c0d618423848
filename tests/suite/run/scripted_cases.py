"""What a scripted toolchain was asked for, how its cases ended, and a checkpoint for them."""

from __future__ import annotations

from collections import Counter

from tests.suite.run.small_cases import TINY


def done(calls):
    """Method -> how often it was run to its end."""
    lines = calls.read_text().split("\n") if calls.exists() else []
    return Counter(line.split()[1] for line in lines if line.startswith("end"))


def statuses(outcomes):
    return {stage.value: outcome.status.value for stage, outcome in outcomes.items()}


ALL_PASSED = dict.fromkeys(("export", "translate", "optimize", "compile"), "passed")


def checkpoint_file(path, seed=3):
    import torch

    from tasnet.network.weights import asteroid_shapes, seeded_weights

    weights = seeded_weights(TINY, seed)
    torch.save({name: weights[name] for name in asteroid_shapes(TINY)}, path)
    return path
