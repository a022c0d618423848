"""ONNX, HAR, HN and HEF files made to harm their reader, and mutated ONNX graphs: how each ends.

Each hostile file is given to `tasnet check` (`inspect` for a HEF) in a process of its own, as the command line would:
it ends in a verdict or in one line, soon, and in little memory. `figures(count)` tries `count` mutated graphs.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import Message

from benchmarks.fuzz_hef import damaged
from benchmarks.outside._hostile_hars import HARS, HEFS, HNS
from benchmarks.outside._hostile_models import MODELS, whole

MAX_SECONDS = 20
MAX_BYTES = 2 << 30
MAX_PRINTED = 5_000
"""characters of a verdict with its doubts, or of an error, whatever the file is"""

KINDS: Mapping[str, Mapping[str, Callable[[Path], object]]] = {"onnx": MODELS, "har": HARS, "hn": HNS, "hef": HEFS}
_BATCH = 250


@dataclass(frozen=True)
class Ended:
    """How a command ended on one file. `wrong` is why it should have ended otherwise, empty where all is well."""

    name: str
    wrong: str
    seconds: float
    peak_bytes: int
    printed: str


def hostile(kinds: Sequence[str] = tuple(KINDS)) -> Iterator[Ended]:
    """Each hostile file of the kinds, written, read and removed."""
    from tasnet.cli import main

    for kind in kinds:
        for name, write in KINDS[kind].items():
            with tempfile.TemporaryDirectory(prefix="tasnet-hostile-") as folder:
                path = Path(folder) / f"model.{kind}"
                write(path)
                command = "inspect" if kind == "hef" else "check"
                yield _ended(f"{kind}: {name}", lambda path=path, command=command: main([command, str(path)]))


def mutated(count: int, seed: int = 1) -> Iterator[Ended]:
    """`count` mutated graphs, in processes of 250 each; a batch that ends wrong says which graph did it."""
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        yield _ended(f"mutated {start} to {start + size}", lambda start=start, size=size: _batch(start, size, seed))


def figures(count: int = 2_000) -> list[str]:
    """What is printed."""
    found, changed = list(hostile()), list(mutated(count))
    every = [*found, *changed]
    wrong = [each for each in every if each.wrong]
    large = [each for each in every if each.peak_bytes > MAX_BYTES]
    slow = [each for each in found if each.seconds > MAX_SECONDS]
    return [
        f"{len(found)} hostile ONNX, HAR, HN and HEF files, {count} mutated graphs",
        f"{len(wrong)} tracebacks, foreign errors or more than a line (goal: 0){_names(wrong)}",
        f"{len(large)} over 2 GB (goal: 0){_names(large)}; the largest {max(e.peak_bytes for e in every) >> 20} MiB",
        f"{len(slow)} over {MAX_SECONDS} s (goal: 0){_names(slow)}; the longest {max(e.seconds for e in found):.1f} s",
    ]


def _names(found: Sequence[Ended]) -> str:
    return "".join(f"; {each.name} ({each.wrong})" for each in found[:20])


def _batch(start: int, size: int, seed: int) -> int:
    from tasnet.hailo.predict.constraints import predict_network
    from tasnet.hailo.translate import TranslationError, translate

    base = whole().SerializeToString()
    with tempfile.TemporaryDirectory(prefix="tasnet-mutated-") as folder:
        path = Path(folder) / "m.onnx"
        for index in range(start, start + size):
            path.write_bytes(mutation(random.Random(seed * 1_000_003 + index), base))
            try:
                predict_network(translate(path, "net"), "hailo8")
            except TranslationError as error:
                if len(str(error).splitlines()) != 1:
                    raise RuntimeError(f"graph {index}: more than one line") from error
            except Exception as error:
                raise RuntimeError(f"graph {index} of seed {seed}") from error
    return 0


def mutation(rng: random.Random, base: bytes) -> bytes:
    """Bytes changed at random, or fields of the message's own: numbers, names, types, parts doubled or gone."""
    if rng.random() < 0.3:
        return damaged(rng, base)
    model = onnx.ModelProto.FromString(base)
    for _ in range(rng.randint(1, 4)):
        _mutate(rng, model)
    return model.SerializeToString()


_NUMBERS = (0, -1, 1, 2, 3, 7, 1 << 20, (1 << 31) - 1, -(1 << 31))
_WORDS = ("", "x", "y", "c", "w", "Conv", "Relu", "Add", "Reshape", "\x1b[2J", "\n", "a" * 300)


def _mutate(rng: random.Random, model: Message) -> None:
    """One field of one message, found on a random way down."""
    message = model
    while True:
        fields = message.ListFields()
        if not fields:
            return
        field, value = rng.choice(fields)
        if field.message_type is None:
            break
        inner = rng.choice(list(value)) if field.is_repeated else value
        if rng.random() < 0.15:
            if field.is_repeated and rng.random() < 0.5:
                value.add().CopyFrom(inner)
            else:
                message.ClearField(field.name)
            return
        message = inner
    choices = {"int": _NUMBERS, "str": _WORDS, "float": (0.0, float("nan"), 1e30, -1.0), "bytes": (b"", b"\0", b"\xff")}
    with suppress(TypeError, ValueError):
        one = value[0] if field.is_repeated else value
        new = rng.choice(choices[type(one).__name__])
        if field.is_repeated:
            how = rng.randrange(3)
            if how == 0:
                value[rng.randrange(len(value))] = new
            elif how == 1:
                value.append(new)
            else:
                del value[rng.randrange(len(value))]
        else:
            setattr(message, field.name, new)


def _ended(name: str, work: Callable[[], int]) -> Ended:
    """Forked, so that what is imported is imported once; its output is read whoever writes it."""
    with tempfile.TemporaryFile() as printed:
        started = time.perf_counter()
        child = os.fork()
        if child == 0:
            _work(work, printed.fileno())
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.alarm(MAX_SECONDS + 10)
        _, status, used = os.wait4(child, 0)
        signal.alarm(0)
        seconds = time.perf_counter() - started
        printed.seek(0)
        text = printed.read(1 << 20).decode("utf-8", "backslashreplace")
    wrong = ""
    if os.WIFSIGNALED(status):
        wrong = f"ended by signal {os.WTERMSIG(status)}"
    elif os.WEXITSTATUS(status) not in {0, 1, 2}:
        wrong = (text.strip().splitlines() or ["ended without a word"])[-1][:200]
    elif "Traceback" in text or len(text) > MAX_PRINTED or not all(line.isprintable() for line in text.split("\n")):
        wrong = f"printed {len(text)} characters: {text[:200]!r}"
    elif os.WEXITSTATUS(status) == 2 and len(text.splitlines()) != 1:
        wrong = f"an error of {len(text.splitlines())} lines: {text[:200]!r}"
    return Ended(name, wrong, seconds, used.ru_maxrss * 1024, text)


def _work(work: Callable[[], int], printed: int) -> None:
    """In the child: the work, its output to `printed`, and its end; 3 where it raised."""
    code = 3
    try:
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        # Far beyond the bound that is held: what grows without end ends here, and not the machine.
        resource.setrlimit(resource.RLIMIT_DATA, (6 << 30, resource.RLIM_INFINITY))
        code = work()
    except BaseException as error:
        import traceback

        traceback.print_exception(error)
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    for one in [*hostile(sys.argv[1:] or tuple(KINDS)), *mutated(2_000 if not sys.argv[1:] else 0)]:
        print(f"{one.seconds:5.1f} s {one.peak_bytes >> 20:5} MiB {one.name}: {one.wrong or one.printed[:150]!r}")
