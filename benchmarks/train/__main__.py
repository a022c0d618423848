"""python -m benchmarks.train FOLDER: speaks, trains, scores; writes `small.pth`, `figures.json`, `curve.png` in FOLDER.

Goes on where it was killed. With `--checkpoint` it trains on from another network's weights, with `--form` in the
variant of that case.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe
from benchmarks.train.corpus import corpus
from benchmarks.train.curve import draw
from benchmarks.train.fit import Diverged, Plan, fit
from benchmarks.train.pairs import fixed, sets
from benchmarks.train.score import score
from benchmarks.train.separator import TRAINED, Form, count
from tasnet.common import TasnetError, error_line, write_whole
from tasnet.network import checkpoint_file, load_checkpoint
from tasnet.network.weights import asteroid_shapes, head_shapes
from tasnet.suite.cases import parse_case
from tasnet.suite.numerics.speech import RATE

SECONDS = 4.0
"""of a mixture that a figure is given on"""


class UsageError(TasnetError):
    """A network that can't be trained on these voices. One line: why not."""


def main(arguments: list[str]) -> int:
    """2 for wrong usage or missing voices, 1 for a training that broke down."""
    asked = _asked(arguments)
    torch.use_deterministic_algorithms(True)
    # The threads are the program's own: each takes a part of the mixtures.
    torch.set_num_threads(1)
    try:
        return _run(asked)
    except Diverged as error:
        print(f"benchmarks.train: {error}", file=sys.stderr)
        return 1
    except (TasnetError, OSError) as error:
        print(f"benchmarks.train: {error_line(error)}", file=sys.stderr)
        return 2


def _run(asked: argparse.Namespace) -> int:
    plan, start = _plan(asked)
    spoken = corpus(asked.corpus or asked.folder / "corpus")
    known = [each for each in spoken.values() if each.speaker.role == "train"]
    judged = sets(spoken, SECONDS)
    weights = fit(plan, known, fixed(known, 48, int(3 * RATE), seed=3), asked.folder, start)
    content = io.BytesIO()
    torch.save(as_asteroid(plan.form, weights), content)
    write_whole(asked.folder / "small.pth", content.getvalue())
    draw(asked.folder / "log.jsonl", asked.folder / "curve.png")
    print(f"{describe()}; seed {plan.seed}, {plan.steps} steps, {count(plan.form.size):,} parameters")
    figures: dict[str, Any] = {}
    for name, sources in judged.items():
        found = score(plan.form, weights, sources)
        figures[name] = {"si_sdri_db": round(found.mean, 2), "mixtures": len(found.improvements)}
        print(f"{name}: {found}", flush=True)
    write_whole(asked.folder / "figures.json", (json.dumps(figures, indent=1) + "\n").encode())
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("folder", type=Path, help="where all of it is kept")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="%(default)s take under an hour on two cores")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--rate", type=float, default=Plan.rate, help="the highest learning rate (%(default)s)")
    parser.add_argument("--checkpoint", type=Path, help="train on from this network, a file or tasnet:small")
    parser.add_argument("--corpus", type=Path, help="the recordings' folder, shared by trainings (FOLDER/corpus)")
    parser.add_argument("--form", metavar="CASE", help="in the variant of this case; goes with --checkpoint")
    asked = parser.parse_args(arguments)
    if asked.form and not asked.checkpoint:
        parser.error("--form goes with --checkpoint")
    if asked.steps < 1 or asked.seed < 0 or not 0 < asked.rate < 1:
        parser.error("--steps is at least 1, --seed at least 0, --rate between 0 and 1")
    return asked


def _plan(asked: argparse.Namespace) -> tuple[Plan, dict[str, torch.Tensor] | None]:
    """What to train, and from which weights. Raises CheckpointError, CaseError, VariantError, UsageError."""
    form, start = Form(), None
    if asked.checkpoint:
        found = load_checkpoint(checkpoint_file(asked.checkpoint))
        if found.sample_rate not in (None, RATE):
            raise UsageError(f"{asked.checkpoint} is of {found.sample_rate:g} Hz, and the voices here of {RATE} Hz")
        if found.source != "asteroid":
            raise UsageError(f"{asked.checkpoint} is torchaudio's, which pads the wave: take one of Asteroid's")
        variant = parse_case(asked.form).variant if asked.form else replace(TRAINED, norm=found.norm)
        if found.causal or variant.causal != "off":
            raise UsageError("a causal network: what is written here has the names of one that isn't")
        form, start = Form(variant, found.size, found.mask_activation), dict(found.weights)
    return Plan(form, asked.steps, asked.rate, seed=asked.seed), start


def as_asteroid(form: Form, weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """A checkpoint as Asteroid's `serialize` lays it out. What Asteroid has no word for is in `infos`.

    `infos` says in which variant it was trained, and holds the heads of a reduced decoder.
    """
    size, variant = form.size, form.variant
    norm = {"cgln": "cgLN", "cln": "cLN"}.get(variant.norm, "gLN")
    arguments = {
        **{"n_src": size.n_src, "out_chan": size.N, "n_blocks": size.X, "n_repeats": size.R, "bn_chan": size.B},
        **{"hid_chan": size.H, "skip_chan": size.Sc, "conv_kernel_size": size.P, "norm_type": norm},
        **{"mask_act": form.mask_activation, "in_chan": size.N, "fb_name": "free", "kernel_size": size.L},
        **{"n_filters": size.N, "stride": size.stride, "encoder_activation": None, "sample_rate": RATE},
        **{"causal": False},
    }
    head = variant.decoder.replace("_deconv", "")
    return {
        "model_name": "ConvTasNet",
        "model_args": arguments,
        "state_dict": {name: weights[name].contiguous() for name in asteroid_shapes(size)},
        "infos": {
            "variant": variant.axes(),
            "heads": {name: weights[name] for name in head_shapes(size) if name.startswith(f"{head}.")},
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
