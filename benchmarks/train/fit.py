"""The training: Adam on SI-SDR, a fixed number of steps, a state that a kill can't lose, a log with a line a check.

Equal seeds, threads and torch give equal weights: what is heard depends on seed and step alone, and the operations
used have no random order on a CPU.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.train.corpus import Spoken
from benchmarks.train.pairs import Sources, drawn
from benchmarks.train.score import score
from benchmarks.train.separator import leaves, pit_si_sdr, separate
from tasnet.network.variant import Size, Variant
from tasnet.suite.numerics.speech import RATE

CLIP = 5.0
"""the largest norm of a step's gradient"""
CHECK = 100
"""steps between two lines of the log"""
_WARM = 200
"""steps in which the rate rises from nothing"""


class Diverged(RuntimeError):
    """The training broke down. One line: at which step, and what to change."""


@dataclass(frozen=True)
class Plan:
    """What decides a training's outcome, beside its data. `seconds` is the length of what is heard in a step."""

    variant: Variant
    size: Size
    steps: int
    rate: float = 1e-3
    batch: int = 8
    seconds: float = 2.0
    seed: int = 0


def fit(
    plan: Plan,
    spoken: Sequence[Spoken],
    validation: Sources,
    folder: Path,
    start: dict[str, torch.Tensor] | None = None,
) -> dict[str, torch.Tensor]:
    """The weights after `plan.steps` steps; those of the best validation. Goes on with what `folder` holds of it.

    Writes `state.pt` and `log.jsonl` there. Raises Diverged where the loss is no number, or fell far back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = leaves(plan.size, start, plan.seed)
    optimizer = torch.optim.Adam(list(weights.values()), plan.rate)
    state: dict[str, Any] = {"step": 0, "best": -math.inf, "weights": {}, "seconds": 0.0}
    kept = folder / "state.pt"
    if kept.is_file():
        saved = torch.load(kept, weights_only=True)
        if saved["plan"] != _words(plan):
            raise Diverged(f"{kept} is of another training; name another folder, or remove it")
        optimizer.load_state_dict(saved["optimizer"])
        with torch.no_grad():
            for name, tensor in weights.items():
                tensor.copy_(saved["now"][name])
        state = {name: saved[name] for name in state}
        print(f"goes on at step {state['step']} of {plan.steps}", flush=True)
    _cut(folder / "log.jsonl", state["step"])
    length = int(plan.seconds * RATE) // plan.size.stride * plan.size.stride
    began, losses = time.perf_counter() - state["seconds"], []
    for step in range(state["step"], plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * _share(step, plan.steps)
        sources = torch.from_numpy(drawn(spoken, step, plan.seed, plan.batch, length))
        optimizer.zero_grad()
        loss = -pit_si_sdr(separate(weights, plan.variant, plan.size, sources.sum(1)), sources).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_([w for w in weights.values() if w.grad is not None], CLIP)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise Diverged(f"step {step}: the loss is {loss.item()}; start again with a lower --rate than {plan.rate}")
        optimizer.step()
        losses.append(-loss.item())
        if (step + 1) % CHECK and step + 1 != plan.steps:
            continue
        found = score(weights, plan.variant, plan.size, validation).mean
        state |= {"step": step + 1, "seconds": time.perf_counter() - began}
        if found > state["best"]:
            state |= {"best": found, "weights": {name: tensor.detach().clone() for name, tensor in weights.items()}}
        if step + 1 > 10 * CHECK and found < state["best"] - 6:
            raise Diverged(f"step {step + 1}: {found:.1f} dB after {state['best']:.1f}; start with a lower --rate")
        line = {"step": step + 1, "train_db": sum(losses) / len(losses), "validation_db": found}
        losses = []
        with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line | {"seconds": round(state["seconds"], 1)}) + "\n")
        _keep(kept, state | {"plan": _words(plan), "optimizer": optimizer.state_dict(), "now": _plain(weights)})
        left = state["seconds"] / (step + 1) * (plan.steps - step - 1)
        print(
            f"step {step + 1}/{plan.steps}: {line['train_db']:.2f} dB on what it hears, {found:.2f} dB SI-SDRi on what "
            f"it doesn't; {left / 60:.0f} min left",
            flush=True,
        )
    best: dict[str, torch.Tensor] = state["weights"]
    return best


def _share(step: int, steps: int) -> float:
    """Of the rate: up over the first steps, then down a half cosine."""
    return min(1.0, (step + 1) / _WARM) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _words(plan: Plan) -> str:
    return json.dumps(asdict(plan), sort_keys=True)


def _plain(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach() for name, tensor in weights.items()}


def _keep(path: Path, state: dict[str, Any]) -> None:
    """Whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    torch.save(state, unfinished)
    os.replace(unfinished, path)


def _cut(log: Path, step: int) -> None:
    """The log as far as the state goes: a kill between the two, or in a line, leaves one line too many."""
    lines = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else []:
        try:
            if json.loads(line)["step"] <= step:
                lines.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue
    log.write_text("".join(lines), encoding="utf-8")
