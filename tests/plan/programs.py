"""A checkpoint that a plan is made of, and the program that comes of it, run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch

from tasnet.network import Size, asteroid_shapes, seeded_weights

ROOT = Path(__file__).parents[2]
RATE = 8000


def asteroids(path: Path, size: Size, norm: str = "gLN", *, causal: bool = False) -> Path:
    """A checkpoint as Asteroid 0.7 serializes one: norm, PReLU, its sizes and its rate beside the weights.

    In a causal one a depthwise convolution is the first of a Sequential.
    """
    weights = seeded_weights(size, 5)
    arguments = {"n_src": size.n_src, "n_filters": size.N, "kernel_size": size.L, "stride": size.L // 2}
    arguments |= {"bn_chan": size.B, "hid_chan": size.H, "skip_chan": size.Sc, "conv_kernel_size": size.P}
    arguments |= {"n_blocks": size.X, "n_repeats": size.R}
    torch.save(
        {
            "model_name": "ConvTasNet",
            "model_args": arguments
            | {"norm_type": norm, "causal": causal, "mask_act": "relu", "sample_rate": float(RATE)},
            "state_dict": {
                name.replace("block.3.", "block.3.0.") if causal else name: weights[name]
                for name in asteroid_shapes(size)
            },
        },
        path,
    )
    return path


def separated(
    program: Path, plan: Path, mix: Path, output: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, with the double of HailoRT whose chip computes the plan's segments."""
    script = plan / "chip.py"
    script.write_text(
        "from pathlib import Path\nfrom tests.plan.chips import computing\n"
        f"SCRIPT.compute = computing(Path({str(plan)!r}))\n"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "doubles")])
    told = {**os.environ, "PYTHONPATH": paths, "HAILO_PLATFORM_SCRIPT": str(script), **environment}
    command = [sys.executable, str(program), str(mix), str(output)]
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False)


def sources(folder: Path) -> np.ndarray:
    return np.array([soundfile.read(folder / f"source{source}.wav", dtype="float32")[0] for source in (1, 2)])


def quiet_noise(length: int) -> np.ndarray:
    """White noise in [-0.5, 0.5], float32."""
    return np.random.default_rng(1).uniform(-0.5, 0.5, length).astype(np.float32)


def wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path
