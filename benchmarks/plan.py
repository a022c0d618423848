"""Plans: how long they take to find and to write, what they cost by the model, and how a run compares with the network.

Times of a chip are modelled, on the shipped profiles; seconds of this machine are measured.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.machine import describe
from tasnet.hailo.predict import predict_network
from tasnet.network import Size, Variant, seeded_weights, to_onnx
from tasnet.plan import Bounds, function_of_variant, make_plan, read_profile, separate_wav, write_plan
from tasnet.plan.cut import CHAIN, Cut, phases
from tasnet.plan.executors import OnnxRuntime, read_host_weights
from tasnet.plan.layers import checker, verdict
from tasnet.plan.run import separate
from tasnet.plan.segment_files import to_network
from tasnet.plan.segment_graph import to_onnx as segment_onnx

PAPER = Size()
SMALL = Size(N=128, L=40, B=128, H=256, Sc=128, P=3, X=7, R=2)
PI = read_profile("raspberry-pi-5")
MEMORY = "--memory"


def planned(size: Size, norm: str, length: int, objective: str = "time", **bounds: object):
    trained = function_of_variant(Variant(activation="prelu", norm=norm), size, seeded_weights(size, 1))
    begun = time.perf_counter()
    made = make_plan(trained, length, "hailo8", Bounds(**bounds), objective, PI)
    return made.plan, trained, time.perf_counter() - begun


def kit_seconds(size: Size, frames: int) -> tuple[int, int, float]:
    """HEFs, invocations and modelled seconds of convolutions of 64 channels, compiled one by one, windows of 256.

    With an exact halo, and a dilation of 64 or more in phases; sums and norms on the host are left out: the kit's due.
    """
    width, part = 256, 64
    plain = -(-frames // width)

    def pieces(given: int, made: int) -> int:
        return (given // part) * (made // part)

    hefs = pieces(size.N, size.B) + pieces(size.Sc, size.n_src * size.N)
    invocations, macs = hefs * plain, part * part * width
    for block in range(size.total_blocks):
        dilation = 2 ** (block % size.X)
        phase = max(1, dilation // 32)
        halo = dilation // phase
        windows = phase * -(-(-(-frames // phase) - 2 * halo) // (width - 2 * halo))
        ones = (
            pieces(size.B, size.H) + pieces(size.H, size.Sc) + (block + 1 < size.total_blocks) * pieces(size.H, size.B)
        )
        hefs += ones + size.H // part
        invocations += ones * plain + size.H // part * windows
    moved = invocations * 2 * part * width
    figure = PI.figures
    spent = hefs * (figure["switch_seconds"] + part * part / figure["link_bytes_per_second"])
    spent += invocations * (figure["invocation_seconds"] + macs / figure["macs_per_second"])
    return (
        hefs,
        invocations,
        spent + moved / figure["link_bytes_per_second"] + 8 * moved / figure["host_bytes_per_second"],
    )


def modelled() -> Iterator[str]:
    hefs, invocations, kit = kit_seconds(PAPER, PAPER.frames(16000))
    yield f"the hand-made kit over 8x3/512: {hefs:,} HEFs, {invocations:,} invocations, {1e3 * kit:.0f} ms modelled"
    for norm, length, bounds, goal in (
        ("cln", 16000, {"max_blocks": 4}, "<= 8 HEFs, <= 30 invocations, <= 1.4 MACs, >= 50 times the kit"),
        ("cln", 16000, {"max_blocks": 4, "max_height": 1}, "the same with H = 1"),
        ("cln", 80000, {"max_blocks": 4}, "<= 1.1 MACs"),
        ("cln", 16000, {}, ""),
        ("cln", 16000, {"coders": "chip"}, ""),
        ("cln", 16000, {"rows": 262_144, "max_blocks": 4}, ""),
        ("gln", 16000, {}, ">= 8 times the kit"),
    ):
        plan, _, seconds = planned(PAPER, norm, length, **bounds)
        named = ", ".join(f"{name} {value}" for name, value in bounds.items()) or "any depth"
        spent = plan.seconds.total
        against = f", {kit / spent:.0f} times cheaper than the kit" if length == 16000 else ""
        yield (
            f"8x3/512 {norm} T={length} {named}: {len(plan.on_chip)} HEFs, {plan.invocations} invocations, "
            f"{plan.macs / plan.uncut_macs:.2f} MACs, {1e3 * spent:.0f} ms modelled, host alone "
            f"{1e3 * plan.null_seconds:.0f}{against}; planned in {seconds:.2f} s"
            + (f" (asked: {goal})" if goal else "")
        )
    plan, _, _ = planned(SMALL, "cln", 16000, "hefs")
    yield f"the paper's small network (N128 L40 X7 R2): {len(plan.on_chip)} HEF (asked: 1)"


def checked() -> Iterator[str]:
    """A million candidates, and a sample against the checker on exported graphs."""
    function = function_of_variant(Variant(activation="prelu", norm="cln"), PAPER, seeded_weights(PAPER)).function
    stretches = [
        (start, stop, phase)
        for start in range(function.stages)
        for stop in range(start + 1, function.stages + 1)
        for phase in phases(function, Cut(CHAIN, start, stop, 1, 1, 1).blocks(function))
    ]
    check, count, kinds = checker(function, "hailo8"), 0, {}
    begun, cpu = time.perf_counter(), time.process_time()
    for start, stop, phase in stretches:
        for width in range(100, 1100, 5):
            for height in range(1, 9):
                told = check(Cut(CHAIN, start, stop, phase, width, height)).kind.value
                kinds[told] = kinds.get(told, 0) + 1
                count += 1
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    yield f"{count:,} candidates judged in {spent:.1f} s, {cpu:.1f} of the CPU (asked: < 10): {kinds}"
    chance, wrong, tried = random.Random(1), 0, 12
    trained = function_of_variant(Variant(activation="prelu", norm="cln"), PAPER, seeded_weights(PAPER))
    for _ in range(tried):
        start, stop, phase = chance.choice([each for each in stretches if each[1] - each[0] <= 5])
        cut = Cut(CHAIN, start, stop, phase, chance.randrange(500, 1100), chance.randrange(1, 4))
        found = predict_network(to_network(segment_onnx(trained, cut), "segment"), "hailo8")
        wrong += (found.kind, found.certainty) != ((told := verdict(function, cut, "hailo8")).kind, told.certainty)
    yield f"of {tried} of them the exported graph is judged otherwise: {wrong} (asked: 0)"


def run(folder: Path) -> Iterator[str]:
    """Writing a plan's files, and running them against the uncut network, both in ONNX Runtime."""
    import onnxruntime

    variant = Variant(activation="prelu", norm="cln", expansion="split", encoder="polyphase", decoder="polyphase")
    model = to_onnx(variant, PAPER, seeded_weights(PAPER, 1), 16000)
    options = onnxruntime.SessionOptions()
    # As a plan's segments are run: threads that wait busily count as work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    whole = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    mix = np.random.default_rng(1).uniform(-1, 1, 16000).astype(np.float32)
    given = {"mix": mix.reshape(1, 2000, 1, 8).transpose(0, 3, 2, 1).copy()}
    for bounds in ({"max_blocks": 4}, {"max_blocks": 1}, {}):
        plan, trained, planning = planned(PAPER, "cln", 16000, **bounds)
        place = folder / f"plan{bounds.get('max_blocks', 0)}"
        begun = time.perf_counter()
        plan = write_plan(plan, trained, place)
        writing = planning + time.perf_counter() - begun
        weights, sessions = read_host_weights(plan, place), {}

        def execute(segment, inputs, wanted, sessions=sessions, place=place):
            # All sessions are kept: loading a graph is no part of running it.
            made = sessions.setdefault(segment.name, OnnxRuntime(place))
            return made(segment, inputs, wanted)

        # The processor's seconds: the machine may have other work.
        best = {"whole": np.inf, "plan": np.inf}
        for _ in range(8):
            begun = time.process_time()
            whole.run(None, given)
            best["whole"] = min(best["whole"], time.process_time() - begun)
            begun = time.process_time()
            separate(plan, weights, execute, mix)
            best["plan"] = min(best["plan"], time.process_time() - begun)
        ratio, macs = best["plan"] / best["whole"], plan.macs / plan.uncut_macs
        yield (
            f"8x3/512 cln, {len(plan.on_chip)} segments: planned and written in {writing:.1f} s (asked: < 60); run in "
            f"{best['plan']:.2f} s of the CPU, the uncut network in {best['whole']:.2f}: {ratio:.2f} times "
            f"(asked: <= {1.25 * macs + 0.1:.2f} at {macs:.2f} MACs)"
        )


def memory(folder: Path) -> Iterator[str]:
    """The largest process that separates a minute, and ten."""
    size = replace(SMALL, N=64, B=32, H=64, Sc=32, L=16)
    plan, trained, _ = planned(size, "cln", 16000)
    write_plan(plan, trained, folder / "small")
    peaks = []
    for minutes in (1, 10):
        wav = folder / f"{minutes}.wav"
        noise = np.random.default_rng(1).uniform(-0.5, 0.5, 60 * minutes * 8000)
        soundfile.write(wav, noise.astype(np.float32), 8000, subtype="FLOAT")
        command = [
            sys.executable,
            "-m",
            "benchmarks.plan",
            MEMORY,
            str(folder / "small"),
            str(wav),
            str(folder / "out"),
        ]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    yield f"a minute in {peaks[0]} MiB, ten minutes in {peaks[1]} MiB (a small network; asked: no higher)"


def figures() -> Iterator[str]:
    yield describe()
    yield from modelled()
    yield from checked()
    with tempfile.TemporaryDirectory() as name:
        yield from run(Path(name))
        yield from memory(Path(name))


def main(arguments: list[str]) -> None:
    if arguments[:1] == [MEMORY]:
        plan, wav, out = map(Path, arguments[1:])
        separate_wav(plan, wav, out)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    for line in figures():
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
