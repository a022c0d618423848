"""The training: Adam on SI-SDR, a fixed number of steps, a state that a kill can't lose, a log with a line a check.

Equal seeds and torch give equal weights on one machine: what is heard depends on seed and step alone, the batch is
always parted alike, and the operations used have no random order on a CPU.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.train.corpus import Spoken
from benchmarks.train.pairs import Sources, drawn
from benchmarks.train.quick import THREADS, gradient
from benchmarks.train.score import score
from benchmarks.train.separator import Form, leaves, pit_si_sdr, separate
from tasnet.common import TasnetError, write_whole
from tasnet.suite.numerics.speech import RATE

CLIP = 5.0
"""the largest norm of a step's gradient"""
_WARM = 200
"""steps in which the rate rises from nothing"""
_FELL = 6.0
"""dB below its best that a training doesn't come back from"""


class Diverged(TasnetError):
    """The training broke down. One line: at which step, and what to change."""


class StateError(TasnetError):
    """What the folder holds can't be gone on with. One line: why, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What decides a training's outcome, beside its data. `seconds` is the length of what is heard in a step.

    `check` steps lie between two lines of the log; a kill loses as many at most.
    """

    form: Form = field(default_factory=Form)
    steps: int = 13000
    rate: float = 2e-3
    batch: int = 4
    seconds: float = 2.0
    seed: int = 0
    check: int = 500


@dataclass
class _State:
    """Where a training is: `step` steps done in `seconds`, `now` its weights, and the best of all checks."""

    now: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best_db: float = -math.inf
    best: dict[str, Tensor] = field(default_factory=dict)

    def read(self, path: Path, plan: str) -> None:
        """Raises StateError for a damaged file, or one of another training."""
        try:
            saved = torch.load(path, weights_only=True)
            theirs = saved["plan"]
            if theirs == plan:
                self.optimizer.load_state_dict(saved["optimizer"])
                with torch.no_grad():
                    for name, tensor in self.now.items():
                        tensor.copy_(saved["now"][name])
                self.step, self.seconds = saved["step"], saved["seconds"]
                self.best_db, self.best = saved["best_db"], saved["best"]
        except OSError:
            raise
        except Exception:  # what damaged bytes make torch raise is of any kind
            raise StateError(f"{path} is damaged: remove it, and the training starts anew") from None
        if theirs != plan:
            raise StateError(f"{path} is of another training: name another folder, or remove it")

    def write(self, path: Path, plan: str) -> None:
        """Whole or not at all."""
        content = io.BytesIO()
        kept = {name: getattr(self, name) for name in ("step", "seconds", "best_db", "best")}
        now = {name: tensor.detach() for name, tensor in self.now.items()}
        torch.save(kept | {"plan": plan, "optimizer": self.optimizer.state_dict(), "now": now}, content)
        write_whole(path, content.getvalue())


def fit(
    plan: Plan, spoken: Sequence[Spoken], validation: Sources, folder: Path, start: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """The weights of the best check of `plan.steps` steps. Goes on with what `folder` holds of this training.

    Writes `state.pt` and `log.jsonl` there. Raises Diverged where the loss is no number, or fell far back;
    StateError where `folder` holds another training, or a damaged one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept, log, identity = folder / "state.pt", folder / "log.jsonl", _identity(plan, start)
    weights = leaves(plan.form.size, start, plan.seed)
    state = _State(weights, torch.optim.Adam(list(weights.values()), plan.rate))
    if kept.exists():
        state.read(kept, identity)
        print(f"goes on at step {state.step} of {plan.steps}", flush=True)
    lines = _lines(log, state.step)
    length = int(plan.seconds * RATE) // plan.form.size.stride * plan.form.size.stride
    began, heard = time.perf_counter() - state.seconds, []
    with ThreadPoolExecutor(THREADS) as pool:
        for step in range(state.step, plan.steps):
            sources = drawn(spoken, step, plan.seed, plan.batch, length)
            heard.append(_step(plan, step, state, pool, sources))
            if (step + 1) % plan.check and step + 1 != plan.steps:
                continue
            found = score(plan.form, weights, validation).mean
            state.step, state.seconds = step + 1, time.perf_counter() - began
            if not math.isfinite(found) or found < state.best_db - _FELL:
                raise Diverged(
                    f"step {step + 1}: {found:.1f} dB after {state.best_db:.1f}; start again in another folder with a "
                    f"lower --rate than {plan.rate:g}"
                )
            if found > state.best_db:
                state.best_db = found
                state.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
            line = {"step": step + 1, "train_db": sum(heard) / len(heard), "validation_db": found}
            lines.append(json.dumps(line | {"seconds": round(state.seconds, 1)}) + "\n")
            # The log first: a line too many is dropped at the next start, a missing one would stay missing.
            write_whole(log, "".join(lines).encode())
            state.write(kept, identity)
            left = state.seconds / (step + 1) * (plan.steps - step - 1)
            print(
                f"step {step + 1}/{plan.steps}: {line['train_db']:.2f} dB on what it hears, {found:.2f} dB SI-SDRi on "
                f"what it doesn't; {left / 60:.0f} min left",
                flush=True,
            )
            heard = []
    return state.best


def _step(plan: Plan, step: int, state: _State, pool: ThreadPoolExecutor, sources: Sources) -> float:
    """One step of the optimizer; the SI-SDR before it, in dB. Raises Diverged, and changes nothing then."""

    def loss(truth: Tensor) -> Tensor:
        return -pit_si_sdr(separate(plan.form, state.now, truth.sum(1)), truth)

    weights = list(state.now.values())
    lost, found = gradient(pool, loss, weights, sources)
    for tensor, each in zip(weights, found, strict=True):
        tensor.grad = each
    norm = torch.nn.utils.clip_grad_norm_(weights, CLIP)
    if not (math.isfinite(lost) and torch.isfinite(norm)):
        raise Diverged(
            f"step {step}: the loss is {lost:g}, its gradient's norm {norm.item():g}; start again in another folder "
            f"with a lower --rate than {plan.rate:g}"
        )
    for group in state.optimizer.param_groups:
        group["lr"] = plan.rate * _share(step, plan.steps)
    state.optimizer.step()
    return -lost


def _share(step: int, steps: int) -> float:
    """Of the rate: up over the first steps, then down a half cosine."""
    return min(1.0, (step + 1) / _WARM) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _identity(plan: Plan, start: Mapping[str, Tensor] | None) -> str:
    """What two trainings must share for one to go on where the other stopped."""
    digest = hashlib.sha256()
    for name, tensor in sorted((start or {}).items()):
        digest.update(name.encode() + tensor.detach().contiguous().numpy().tobytes())
    return json.dumps(asdict(plan) | {"start": digest.hexdigest()}, sort_keys=True)


def _lines(log: Path, step: int) -> list[str]:
    """The log as far as the state goes: without the line that a kill left too many, or cut."""
    kept: list[Any] = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []:
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue
    return kept
