"""Logs as the compiler writes them, put together at random from its documented lines, and what is read of each.

A log holds models, each with tries, each with phases; it has colours, times, progress bars, search lines, warnings and
messages broken over lines, and comes in the encodings and line ends that shells write. Right is what was put together:
how the last try ended, where, by which message and with which layers or nodes.
"""

from __future__ import annotations

import random
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasnet.hailo.logs.classification import LogEnd, read_log
from tasnet.hailo.process.bounded_log import BoundedLog

COUNT = 4000


@dataclass(frozen=True)
class Cause:
    """A message as documented: the family, layers and nodes that stand in it, and the exception that carries it."""

    stage: str
    text: str
    family: str
    layers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    exception: str = "hailo_sdk_client.sdk_backend.sdk_backend_exceptions.BackendAllocatorException"


_ALLOCATOR = "hailo_sdk_client.sdk_backend.sdk_backend_exceptions.BackendAllocatorException"
_ACCELERAS = "hailo_model_optimization.acceleras.utils.acceleras_exceptions"
_PARSER = "hailo_sdk_client.model_translator.exceptions.ParsingWithRecommendationException"
_NODES = (
    " UnsupportedShuffleLayerError in op /decoder/Reshape_3: Failed to determine type of layer to create\n"
    " UnexpectedNodeError in op Squeeze_77: Unexpected node Squeeze_77 (Squeeze)"
)

CAUSES: tuple[Cause, ...] = (
    Cause(
        "compile",
        "Reshape is needed for layers: net/conv5, net/conv8, net/ew_mult1, but adding a reshape has failed.",
        "reshape_insertion",
        ("conv5", "conv8", "ew_mult1"),
    ),
    Cause("compile", "Validator failed on node: concat3 with Agent infeasible", "agent_infeasible", ("concat3",)),
    Cause("compile", "No successful assignment for: format_conversion2, concat18", "agent_infeasible", ("concat18",)),
    Cause("compile", "Super deconv is not supported with groups", "unsupported_kernel"),
    Cause("compile", "Memory units capacity exceeded (available: 128, required: 138)", "memory_units"),
    Cause("compile", "Resources presolve failed: lcus=(180/80)", "resource_presolve"),
    Cause("compile", "Compiler could not find a valid partition to contexts", "partition"),
    Cause(
        "compile",
        "activation2 failed on kernel validation: 16x4 is not supported in activation2",
        "kernel_validation",
        ("activation2",),
    ),
    Cause("compile", "No format for fc1 -> conv33", "format", ("fc1", "conv33")),
    Cause("compile", "shmifo in capacity exceeded (available: 20, required: 37)", "inter_context_stream"),
    Cause("compile", "buffers key conv1_ws doesn't exist", "missing_buffer", ("conv1",)),
    Cause(
        "compile", "microcode exceeded size for resize1_sd0 (cluster_index=0, layer_index=0)", "microcode", ("resize1",)
    ),
    Cause("compile", "Mapping Failed (Timeout, allocation time: 31m 42s)", "mapping_timeout"),
    Cause(
        "optimize",
        "Quantization failed in layer convtas/ne_activation_avgpool6 due to unsupported required slope. Desired shift "
        "is 10.0, but op has only 8 data bits.",
        "negative_slope",
        ("avgpool6",),
        exception=f"{_ACCELERAS}.NegativeSlopeExponentNonFixable",
    ),
    Cause(
        "optimize",
        "Shift delta in net/avgpool2/avgpool_op is larger than 2, cannot quantize",
        "shift_delta",
        ("avgpool2",),
        exception=f"{_ACCELERAS}.AccelerasNumerizationError",
    ),
    Cause(
        "optimize",
        "Inference input shapes [[-1,1,19,64]] for layer conv3 does not match HN shapes [[-1,19,75,64]]",
        "shape_mismatch",
        ("conv3",),
        exception=f"{_ACCELERAS}.AccelerasValueError",
    ),
    Cause(
        "optimize",
        "OOM when allocating tensor with shape[8,512,1,1999] and type float",
        "out_of_memory",
        exception="tensorflow.python.framework.errors_impl.ResourceExhaustedError",
    ),
    Cause(
        "translate",
        f"Parsing failed. The errors found in the graph are:\n{_NODES}",
        "unsupported_op",
        nodes=("/decoder/Reshape_3", "Squeeze_77"),
        exception=_PARSER,
    ),
    Cause(
        "translate",
        "Invalid kernel shape for base conv layer base_conv1 (translated from /fc/Gemm)",
        "unsupported_op",
        ("base_conv1",),
        ("/fc/Gemm",),
        "hailo_sdk_client.model_translator.exceptions.UnsupportedModelError",
    ),
    Cause("translate", "Unable to find end node names: ['x']", "node_name", exception="MisspellNodeError"),
)


@dataclass(frozen=True)
class Composed:
    """A log and what is right of it."""

    data: bytes
    end: LogEnd
    stage: str
    cause: Cause | None


_BEGINS = {
    "translate": ("Translation started on ONNX model {net}", "Starting Translation..."),
    "optimize": ("Starting Model Optimization", "Starting Optimization"),
    "compile": ("Starting Hailo allocation and compilation flow", "Starting Compilation..."),
}
_ENDS = {
    "translate": (
        "Translation completed on ONNX model {net} (completion time: 00:00:00.41)",
        "Saved HAR to: /w/{net}.har",
        "Step 3 Success",
    ),
    "optimize": ("Model Optimization is done", "Saved HAR to: /w/{net}_optimized.har"),
    "compile": (
        "Successful Compilation (compilation time: 6s)",
        "HEF file written to {net}.hef",
        "Step 4 Success",
    ),
}
_SEARCH = (
    "[info] Trying to compile the network in a single context",
    "[info] dw66 errors: Agent infeasible",
    "[info] Iteration #12 - Contexts: 5",
    "[info] Validating layers feasibility",
    "[info] Single context flow failed: Recoverable single context error - Resources presolve failed: lcus=(>80)",
    "[debug] Reshape is needed for layers: conv2, conv3, but adding a reshape has failed.",
)
_OVERCOME = (
    "[error] Has occured during the layer latency calculation",
    "[error] dw7 errors:\n\tAgent infeasible",
    "[warning] conv7: features not aligned to 8",
)
_BAR = "\rCalibration: {n:3d}%|####      | {n}/100 [00:0{d}<00:09, 3.2entries/s, error: 0.1{d}]"


def composed(seed: int) -> Composed:
    """The log of this number."""
    draw = random.Random(seed)
    lines: list[str] = []
    end, stage, cause = LogEnd.SILENT, "", None
    for model in range(draw.randint(1, 3)):
        for _ in range(draw.randint(1, 2)):
            end, stage, cause = _try(draw, lines, f"net_{'abc'[model]}")
    return Composed(_bytes(draw, lines), end, stage, cause)


def _try(draw: random.Random, lines: list[str], net: str) -> tuple[LogEnd, str, Cause | None]:
    ends = draw.choice(("well", "fails", "fails", "cut"))
    last = draw.choice(tuple(_BEGINS)) if ends != "well" else "compile"
    for stage in _BEGINS:
        own = draw.randint(0, 1)
        lines.append(f"[info] {_BEGINS[stage][own].format(net=net)}" if not own else _BEGINS[stage][own])
        _work(draw, lines, stage)
        if stage == last and ends == "cut":
            if draw.random() < 0.5:
                lines.append(draw.choice(("Killed", "Terminated", "^C")))
            return LogEnd.UNFINISHED, stage, None
        if stage == last and ends == "fails":
            cause = draw.choice([each for each in CAUSES if each.stage == stage])
            _fail(draw, lines, cause)
            return LogEnd.FAILED, stage, cause
        for mark in _ENDS[stage][: draw.randint(1, len(_ENDS[stage]))]:
            lines.append(f"[info] {mark.format(net=net)}")
    return LogEnd.SUCCEEDED, "compile", None


def _work(draw: random.Random, lines: list[str], stage: str) -> None:
    """What a phase prints at work; what it overcame is said to be."""
    for _ in range(draw.randint(0, 4)):
        lines.append("".join(_BAR.format(n=n, d=n % 10) for n in range(0, 100, 7)))
    if stage != "compile":
        return
    lines.extend(draw.sample(_SEARCH, draw.randint(0, len(_SEARCH))))
    if draw.random() < 0.5:
        lines.extend(draw.sample(_OVERCOME, draw.randint(0, len(_OVERCOME))))
        lines.append("[info] Using Multi-context flow")
    if draw.random() < 0.3:
        lines.extend(draw.sample(_OVERCOME, 1))
        lines.append("[info] Successful Mapping (allocation time: 1m 4s)")


def _fail(draw: random.Random, lines: list[str], cause: Cause) -> None:
    """The message: of a compile as an [error] line, an exception, or both; of the stages before as an exception."""
    text = cause.text
    if draw.random() < 0.5 and "\n" not in text:
        width, indent = draw.randint(40, 100), " " * draw.choice((0, 0, 4, 12))
        text = "\n".join(textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False))
    how = draw.choice(("line", "exception", "both")) if cause.exception == _ALLOCATOR else "exception"
    if how != "exception":
        lines.append(f"[error] {text}")
        lines.append("[error] Failed to produce compiled graph")
    if draw.random() < 0.6:
        call = {"translate": "translate_onnx_model", "optimize": "optimize", "compile": "compile"}[cause.stage]
        lines.append("Traceback (most recent call last):")
        lines.append(f'  File "/sdk/runner/client_runner.py", line 16, in wrapped_func\n    self.{call}(x)')
    carried = "Compilation failed" if how != "exception" and draw.random() < 0.5 else text
    if carried is text and cause.exception == _ALLOCATOR:
        carried = f"Compilation failed: {text}"
    if how != "line" or draw.random() < 0.5:
        lines.append(f"{cause.exception}: {carried}")
    if cause.stage == "compile" and draw.random() < 0.2:
        lines.append("Step 4 Failed")


def _bytes(draw: random.Random, lines: list[str]) -> bytes:
    """The lines with colours, times, line ends and an encoding."""
    coloured, stamp = draw.random() < 0.5, draw.choice(("", "", "2026-02-17 08:15:00,123 - ", "dfc_1  | "))
    end = draw.choice(("\n", "\n", "\r\n"))
    text = end.join(
        "\n".join(_told(part, coloured, stamp if number == 0 else "") for number, part in enumerate(line.split("\n")))
        for line in lines
    )
    if not coloured and end == "\n" and draw.random() < 0.4:
        text = "\n".join(_broken(line, 80) for line in text.split("\n"))
    encoding = draw.choice(("utf-8",) * 4 + ("utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"))
    return f"{text}\n".encode(encoding)


def _broken(line: str, columns: int) -> str:
    """A line as a terminal of so many columns shows it, and `script` keeps it; a bar goes over itself."""
    if "\r" in line:
        return line
    return "\n".join(line[at : at + columns] for at in range(0, len(line), columns))


def _told(line: str, coloured: bool, stamp: str) -> str:
    if coloured and line.startswith("["):
        tag, bracket, rest = line.partition("]")
        line = f"\x1b[32m{tag}{bracket}\x1b[0m{rest}"
    return line if line.startswith("\r") else f"{stamp}{line}"


def wrong(log: Composed, folder: Path, *, bounded: bool) -> str:
    """How the log is read otherwise than it was put together; empty where it isn't."""
    path = folder / "log"
    if bounded:
        with BoundedLog(path, head=4096, tail=4096) as kept:
            for start in range(0, len(log.data), 1000):
                kept.write(log.data[start : start + 1000])
    else:
        path.write_bytes(log.data)
    told = read_log(path)
    right = (log.end, log.stage)
    if (told.end, told.stage) != right:
        return f"{told.end.value} at {told.stage}, and not {right[0].value} at {right[1]}"
    found, cause = told.failure, log.cause
    if cause is None or found is None:
        return "" if cause is found else f"{found}, and not {cause}"
    if (found.family, set(found.layers), set(found.nodes)) != (cause.family, set(cause.layers), set(cause.nodes)):
        return f"{found.family} {found.layers} {found.nodes}, and not {cause.family} {cause.layers} {cause.nodes}"
    return ""


def tried(seeds: range) -> Iterator[tuple[int, str]]:
    """The logs that are read wrongly, whole or as a bounded log keeps them, by their number."""
    with tempfile.TemporaryDirectory(prefix="tasnet-logs-") as folder:
        for seed in seeds:
            log = composed(seed)
            utf8 = b"\0" not in log.data
            if found := wrong(log, Path(folder), bounded=utf8 and seed % 2 == 1):
                yield seed, found


def figures() -> list[str]:
    """How many logs were tried, and which were read wrongly."""
    found = list(tried(range(COUNT)))
    shown = [f"log {number}: {each}" for number, each in found[:20]]
    return [f"{COUNT} logs tried", f"{len(found)} read wrongly (goal 0)", *shown]


if __name__ == "__main__":
    print("\n".join(figures()))
