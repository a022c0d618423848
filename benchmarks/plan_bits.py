"""What cutting costs at 8 bits: a network uncut, and in plans' segments, in simulated 8 bits against its own float.

The weights are drawn: the figures' differences mean something, the figures alone don't. A few minutes.

python -m benchmarks.plan_bits
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from tasnet.hailo.quantize import quantize_network, run_quantized
from tasnet.hailo.translate import translate
from tasnet.network import Size, Variant, seeded_weights, to_onnx
from tasnet.plan import Bounds, function_of_variant, make_plan, read_profile, write_plan
from tasnet.plan.executors import NativeHar, read_host_weights
from tasnet.plan.run import separate
from tasnet.plan.simulated import Simulated
from tasnet.suite.numerics.metrics import snr
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.waves import frames_waveform, host_frames

SIZE = Size(N=128, L=40, B=128, H=256, Sc=128, P=3, X=7, R=2)
"""the paper's small network"""
LENGTH = 16_000
CALIBRATED = 8
PI = read_profile("raspberry-pi-5")
NO_HOST = replace(PI, host_macs_per_second=replace(PI.host_macs_per_second, value=1.0))
"""a host so slow that whatever can be is on the chip"""
COLUMNS = {
    "affine, PReLU": Variant(norm="affine", activation="prelu"),
    "gLN, PReLU": Variant(norm="gln", activation="prelu"),
    "identity, ReLU": Variant(norm="identity", activation="relu"),
}
ROWS: dict[str, Bounds] = {
    "one segment": Bounds(coders="chip"),
    "at most 3 blocks a segment": Bounds(coders="chip", max_blocks=3),
    "the same; encoder, product and decoder on the host": Bounds(max_blocks=3),
    "1x1s on the chip, the rest on the host": Bounds(observed=True),
}


def uncut(variant: Variant, waves: np.ndarray) -> float:
    """The whole network's graph on the last wave, calibrated by the others: dB of its result in float."""
    form = replace(variant, expansion="split", encoder="polyphase", decoder="polyphase")
    network = translate(to_onnx(form, SIZE, seeded_weights(SIZE, 1), LENGTH), "net")
    frames = host_frames(form, SIZE, waves)
    rounded = run_quantized(quantize_network(network, frames[:-1]), frames[-1:])
    found = frames_waveform(form, SIZE, rounded)[0]
    exact = in_float(variant, waves)
    return snr(found, exact[:, : found.shape[1]])


def in_float(variant: Variant, waves: np.ndarray) -> np.ndarray:
    """What the uncut network gives for the last wave."""
    import torch

    from tasnet.network.convtasnet import build_network
    from tasnet.network.host_side import to_host_input, to_waveform

    network = build_network(variant, SIZE, seeded_weights(SIZE, 1))
    with torch.no_grad():
        made = to_waveform(variant, SIZE, network(to_host_input(variant, SIZE, torch.from_numpy(waves[-1:]))))
    return made[0].numpy()


def planned(variant: Variant, bounds: Bounds, waves: np.ndarray, folder: Path) -> tuple[int, float, float] | None:
    """HEFs, and dB at 8 bits and with 16 at the cuts; None where no such plan is."""
    trained = function_of_variant(variant, SIZE, seeded_weights(SIZE, 1))
    hardware = NO_HOST if bounds.coders == "chip" else PI
    plan = make_plan(trained, LENGTH, "hailo8", bounds, "time", hardware).plan
    if bounds.max_blocks is None and not bounds.observed and len(plan.on_chip) > 1:
        return None
    plan = write_plan(plan, trained, folder, list(waves[:-1]))
    weights = read_host_weights(plan, folder)
    exact = separate(plan, weights, NativeHar(folder), waves[-1])
    eight, sixteen = (snr(separate(plan, weights, Simulated(folder, bits), waves[-1]), exact) for bits in (8, 16))
    return len(plan.on_chip), eight, sixteen


def figures() -> Iterator[str]:
    yield describe()
    waves = np.stack([each.mix for each in mixtures(CALIBRATED + 1, LENGTH)])
    yield f"SNR in dB; {CALIBRATED} recordings calibrate, another is run ({', '.join(COLUMNS)})"
    yield "uncut: " + " | ".join(f"{uncut(variant, waves):.1f}" for variant in COLUMNS.values())
    with tempfile.TemporaryDirectory() as name:
        for number, (row, bounds) in enumerate(ROWS.items()):
            found = [
                planned(variant, bounds, waves, Path(name) / f"{number}{column}")
                for column, variant in enumerate(COLUMNS.values())
            ]
            for what, index in (("", 1), (", 16 bits at the cuts", 2)):
                told = " | ".join(f"{each[index]:.1f} ({each[0]} HEFs)" if each else "-" for each in found)
                yield f"{row}{what}: {told}"


if __name__ == "__main__":
    for line in figures():
        print(line, flush=True)
