"""python -m benchmarks.train FOLDER: speaks, trains, scores; writes `small.pth`, `figures.json`, `curve.png` in FOLDER.

Goes on where it was killed. `--form CASE` trains on from a checkpoint, in the form of that case.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe
from benchmarks.train.corpus import corpus
from benchmarks.train.curve import draw
from benchmarks.train.fit import Diverged, Plan, fit
from benchmarks.train.pairs import fixed, sets
from benchmarks.train.score import score
from benchmarks.train.separator import SMALL, TRAINED, count
from benchmarks.train.voices import VoicesMissing
from tasnet.network.checkpoint import CheckpointError, load
from tasnet.network.variant import Size
from tasnet.network.weights import asteroid_shapes
from tasnet.suite.cases.case import CaseError
from tasnet.suite.cases.names import parse
from tasnet.suite.numerics.speech import RATE

STEPS = 4000
"""under an hour on two cores"""
SECONDS = 4.0
"""of a mixture that a figure is given on"""


def main(arguments: list[str]) -> int:
    """2 for wrong usage or missing voices, 1 for a training that broke down."""
    asked = _asked(arguments)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    try:
        plan, start = _plan(asked)
        spoken = corpus(asked.folder / "corpus")
        known = [each for each in spoken.values() if each.speaker.role == "train"]
        validation = fixed(known, 48, int(3 * RATE), seed=3)
        weights = fit(plan, known, validation, asked.folder, start)
    except (VoicesMissing, CheckpointError, CaseError) as error:
        print(f"benchmarks.train: {error}", file=sys.stderr)
        return 2
    except Diverged as error:
        print(f"benchmarks.train: {error}", file=sys.stderr)
        return 1
    torch.save(as_asteroid(plan.size, weights), asked.folder / "small.pth")
    draw(asked.folder / "log.jsonl", asked.folder / "curve.png")
    print(f"{describe()}; seed {plan.seed}, {plan.steps} steps, {count(plan.size):,} parameters")
    figures: dict[str, Any] = {}
    for name, made in sets(spoken, SECONDS).items():
        found = score(weights, plan.variant, plan.size, made())
        figures[name] = {"si_sdri_db": round(found.mean, 2), "mixtures": len(found.improvements)}
        print(f"{name}: {found}", flush=True)
    (asked.folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("folder", type=Path, help="where all of it is kept")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=Plan.rate, help="the highest learning rate")
    parser.add_argument("--checkpoint", type=Path, help="train on from this network")
    parser.add_argument("--form", metavar="CASE", help="in the form of this case; goes with --checkpoint")
    asked = parser.parse_args(arguments)
    if asked.form and not asked.checkpoint:
        parser.error("--form goes with --checkpoint")
    return asked


def _plan(asked: argparse.Namespace) -> tuple[Plan, dict[str, torch.Tensor] | None]:
    """What to train, and from which weights. Raises CheckpointError, CaseError."""
    variant, size, start = TRAINED, SMALL, None
    if asked.checkpoint:
        found = load(asked.checkpoint)
        size, start = found.size, dict(found.weights)
    if asked.form:
        variant = parse(asked.form).variant
    return Plan(variant, size, asked.steps, asked.rate, seed=asked.seed), start


def as_asteroid(size: Size, weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """A checkpoint as Asteroid's `serialize` lays it out, of the trained form's own tensors."""
    arguments = {
        **{"n_src": size.n_src, "out_chan": size.N, "n_blocks": size.X, "n_repeats": size.R, "bn_chan": size.B},
        **{"hid_chan": size.H, "skip_chan": size.Sc, "conv_kernel_size": size.P, "norm_type": "gLN"},
        **{"mask_act": "relu", "in_chan": size.N, "fb_name": "free", "kernel_size": size.L, "n_filters": size.N},
        **{"stride": size.stride, "encoder_activation": None, "sample_rate": RATE, "causal": False},
    }
    state = {name: weights[name].contiguous() for name in asteroid_shapes(size)}
    return {"model_name": "ConvTasNet", "model_args": arguments, "state_dict": state, "infos": {}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
