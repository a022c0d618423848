"""Whole logs: put together from documented lines with a known answer, and what is no log of the compiler at all."""

from __future__ import annotations

import bz2
import gzip
import lzma
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.outside.logs import Composed, composed, tried, wrong
from tasnet.hailo.logs.classification import LogEnd, LogError, classify_failure, read_log
from tasnet.hailo.process.bounded_log import BoundedLog

RESHAPE = "Reshape is needed for layers: net/conv5, net/conv8, net/ew_mult1, but adding a reshape has failed."
LAYERS = ("conv5", "conv8", "ew_mult1")


def test_logs_of_known_composition_are_read_right() -> None:
    assert list(tried(range(400))) == []


def test_the_compositions_hold_every_end_and_encoding() -> None:
    logs = [composed(seed) for seed in range(400)]
    assert {log.end for log in logs} == {LogEnd.FAILED, LogEnd.SUCCEEDED, LogEnd.UNFINISHED}
    assert len({log.cause for log in logs}) > 15
    assert any(b"\0" in log.data for log in logs)
    assert any(log.data.count(b"ONNX model") + log.data.count(b"Starting Translation") > 4 for log in logs)


def test_a_wrong_reading_of_a_composition_is_noticed(tmp_path: Path) -> None:
    """The measure itself: a log with another answer than its own is told."""
    log = next(log for log in map(composed, range(100)) if log.end is LogEnd.FAILED)
    assert wrong(log, tmp_path, bounded=False) == ""
    for other in (
        Composed(log.data, LogEnd.SUCCEEDED, log.stage, None),
        Composed(b"a\n", log.end, log.stage, log.cause),
    ):
        assert wrong(other, tmp_path, bounded=False)


# --- one try after another


@pytest.mark.parametrize(
    ("log", "end", "stage"),
    [
        ("[info] Starting Hailo allocation and compilation flow\n[info] Iteration #1\n", LogEnd.UNFINISHED, "compile"),
        (f"[info] Starting Hailo allocation and compilation flow\n[info] {RESHAPE}\n", LogEnd.UNFINISHED, "compile"),
        (f"[warning] {RESHAPE}\n", LogEnd.SILENT, ""),
        (f"{RESHAPE}\n[info] Using Multi-context flow\n", LogEnd.UNFINISHED, "compile"),
        (f"{RESHAPE}\n[info] Successful Mapping (allocation time: 9s)\n", LogEnd.UNFINISHED, "compile"),
        (f"{RESHAPE}\n[info] Successful Compilation (compilation time: 3s)\n", LogEnd.SUCCEEDED, "compile"),
        (f"{RESHAPE}\nHEF file written to a.hef\n", LogEnd.SUCCEEDED, "compile"),
        ("[info] Translation completed on ONNX model n (completion time: 0)\n", LogEnd.SUCCEEDED, "translate"),
        (f"[info] Successful Compilation (compilation time: 3s)\n{RESHAPE}\n", LogEnd.FAILED, "compile"),
        ("[info] Model Optimization is done\nStarting Compilation...\n", LogEnd.UNFINISHED, "compile"),
        ("one, two\n", LogEnd.SILENT, ""),
    ],
)
def test_the_last_phase_speaks(tmp_path: Path, log: str, end: LogEnd, stage: str) -> None:
    (tmp_path / "log").write_text(log)
    told = read_log(tmp_path / "log")
    assert (told.end, told.stage, told.failure is not None) == (end, stage, end is LogEnd.FAILED)


@pytest.mark.parametrize(
    ("exception", "frame", "stage"),
    [
        ("BackendAllocatorException: Compilation failed", "", "compile"),
        ("BackendAllocatorException: the moon is blue", "", "compile"),
        ("NMSConfigPostprocessException: the config is wrong", "    runner.optimize(data)", "optimize"),
        ("ValueError: 'onnx::Sub_640' is not in list", '  File "x.py", line 1, in translate_onnx_model', "translate"),
    ],
)
def test_an_exception_that_nobody_knows_has_its_stage(exception: str, frame: str, stage: str) -> None:
    failure = classify_failure(f"Traceback (most recent call last):\n{frame}\n{exception}\n")
    assert failure is not None
    assert (failure.family, failure.stage) == ("unclassified", stage)


def test_every_node_and_layer_counts_where_a_table_has_them_in_one_line() -> None:
    nodes = ["/decoder/Reshape_3", "/mask/onnx::Slice_1", "Squeeze_77"]
    refused = " ".join(f"UnsupportedShuffleLayerError in op {node}: Failed to determine" for node in nodes)
    failure = classify_failure("", f"ParsingWithRecommendationException: Parsing failed. {refused}")
    assert failure is not None
    assert (failure.family, failure.stage, list(failure.nodes)) == ("unsupported_op", "translate", nodes)
    failure = classify_failure(
        "", "BackendAllocatorException: dw66 errors: Agent infeasible conv68 errors: Agent infeasible"
    )
    assert failure is not None
    assert (failure.family, failure.layers) == ("agent_infeasible", ("dw66", "conv68"))


# --- wrapped


@pytest.mark.parametrize("width", range(40, 100, 3))
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_message_over_several_lines_keeps_its_layers(width: int, indent: str) -> None:
    import textwrap

    text = "\n".join(textwrap.wrap(f"[error] {RESHAPE}", width, subsequent_indent=indent))
    failure = classify_failure(f"{text}\n[error] Failed to produce compiled graph\n")
    assert failure is not None
    assert (failure.family, failure.layers) == ("reshape_insertion", LAYERS)


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("before", range(0, 90, 7))
def test_a_message_broken_within_words_keeps_its_layers(columns: int, before: int) -> None:
    text = f"[error] {'x' * before} {RESHAPE}"
    lines = "\n".join(text[at : at + columns] for at in range(0, len(text), columns))
    failure = classify_failure(f"[info] a\n{lines}\n[info] b\n")
    assert failure is not None
    assert (failure.family, failure.layers) == ("reshape_insertion", LAYERS)


# --- bounded

BARS = b"".join(
    b"\rCalibration: %3d%%|###    | %d/64 [00:01<00:09, 3.2entries/s, error: 0.2]" % (n, n) for n in range(64)
)


def test_a_cause_deep_in_progress_bars_is_kept(tmp_path: Path) -> None:
    """15 MB of bars before it, 35 MB after it: the file stays small, and says what the whole would."""
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"[info] Starting Hailo allocation and compilation flow\n")
        for megabytes, line in ((15, f"\n[error] {RESHAPE}\n"), (35, "\n[error] Mapping Failed (Timeout)\n")):
            for _ in range(megabytes * 1_000_000 // (64 * len(BARS))):
                log.write(64 * BARS)
            log.write(line.encode())
    assert (tmp_path / "log").stat().st_size < 21 << 20
    failure = read_log(tmp_path / "log").failure
    assert failure is not None
    assert (failure.family, failure.layers, failure.stage) == ("reshape_insertion", LAYERS, "compile")
    assert "Timeout" in failure.terminal_event


def test_telling_lines_without_end_keep_their_first_and_last(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log", head=1000, tail=1000, kept=2000) as log:
        for number in range(5000):
            log.write(b"[error] conv%d errors:\n\tAgent infeasible\n" % number)
    assert (tmp_path / "log").stat().st_size < 6000
    failure = read_log(tmp_path / "log").failure
    assert failure is not None
    assert failure.layers[0] == "conv0"
    assert failure.layers[-1] == "conv4999"


# --- what is no log, and other encodings


def test_what_is_no_log_is_told_and_never_read_as_one_without_failure(tmp_path: Path) -> None:
    conv = helper.make_node("Conv", ["x", "w"], ["y"])
    weight = numpy_helper.from_array(np.ones((8, 8, 1, 1), np.float32), "w")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 1, 64]) for name in "xy"]
    model = helper.make_model(helper.make_graph([conv], "g", ends[:1], ends[1:], [weight]))
    for name, data, said in (
        ("empty", b"", "is empty"),
        ("blank", b"\n \n", "is empty"),
        ("onnx", model.SerializeToString(), "no text"),
        ("random", np.random.default_rng(0).bytes(5000), "no text"),
        ("short", np.random.default_rng(1).bytes(300), "no text"),
        ("npy", b"\x93NUMPY\x01\0v\0{'descr': '<f4'}" + bytes(4000), "no text"),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0" + np.random.default_rng(2).bytes(500), "no text"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(LogError, match=said) as caught:
            read_log(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_packed_log_is_told_as_one(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    text = "".join(f"[info] Iteration #{number}: {RESHAPE}\n" for number in range(200))
    (tmp_path / "log.packed").write_bytes(pack(text.encode()))
    with pytest.raises(LogError, match="is no text but packed: name what is in it"):
        read_log(tmp_path / "log.packed")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "gbk"]
)
def test_a_log_is_read_in_the_encoding_that_a_shell_wrote(tmp_path: Path, encoding: str) -> None:
    words = {"latin-1": "für", "gbk": "编译器"}.get(encoding, "für 编译器 ⏎")
    (tmp_path / "log").write_bytes(f"{words}\r\n[error] {RESHAPE}\r\n".encode(encoding))
    failure = read_log(tmp_path / "log").failure
    assert failure is not None
    assert (failure.family, failure.layers) == ("reshape_insertion", LAYERS)


def test_a_long_log_in_utf16_is_read_in_blocks(tmp_path: Path) -> None:
    started = time.process_time()
    with (tmp_path / "log").open("wb") as file:
        file.write("\ufeff".encode("utf-16-le"))
        for _ in range(40):
            file.write(("[info] 编译器 is at work\n" * 2000).encode("utf-16-le"))
        file.write(f"[error] {RESHAPE}\n".encode("utf-16-le"))
    failure = read_log(tmp_path / "log").failure
    assert failure is not None
    assert failure.layers == LAYERS
    assert time.process_time() - started < 3
