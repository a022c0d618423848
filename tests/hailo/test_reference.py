"""The embedded toolchain keeps the contract, and calls nothing observed."""

from __future__ import annotations

from pathlib import Path

import onnx

from tasnet.hailo import har
from tasnet.hailo.constraints import Kind
from tasnet.hailo.failures import Certainty
from tasnet.hailo.reference import Reference, verdict
from tasnet.hailo.toolchain import Ended, Toolchain

from .onnx_models import floats, model, node


def save(path: Path, made: onnx.ModelProto) -> Path:
    onnx.save(made, path)
    return path


def conv(tmp_path: Path, width: int) -> Path:
    return save(tmp_path / "m.onnx", model([node("Conv", "x w")], shape=(1, 256, 1, width), w=floats(256, 256, 1, 1)))


def test_it_is_a_toolchain_that_predicts() -> None:
    toolchain = Reference()
    assert isinstance(toolchain, Toolchain)
    assert toolchain.predicted
    assert toolchain.exhaustive
    assert toolchain.fingerprint == Reference().fingerprint


def test_a_clear_graph_passes_every_stage(tmp_path: Path) -> None:
    toolchain, target = Reference(), tmp_path / "m.har"
    assert toolchain.translate(conv(tmp_path, 256), "net", target).artifact == target
    assert har.read(target).name == "net"
    optimized = toolchain.optimize(target, "hailo8", tmp_path / "q.har")
    compiled = toolchain.compile(target, "hailo8", tmp_path / "m.hef")
    assert (optimized.ended, compiled.ended) == (Ended.PASSED, Ended.PASSED)
    assert compiled.certainty is Certainty.OBSERVED
    assert not (tmp_path / "m.hef").exists()


def test_a_blocked_graph_fails_at_the_stage_of_its_blocker(tmp_path: Path) -> None:
    toolchain, target = Reference(), tmp_path / "m.har"
    toolchain.translate(conv(tmp_path, 2000), "net", target)
    assert toolchain.optimize(target, "hailo8", tmp_path / "q.har").ended is Ended.PASSED
    report = toolchain.compile(target, "hailo8", tmp_path / "m.hef")
    assert (report.ended, [f.family for f in report.failures]) == (Ended.FAILED, ["agent_infeasible"])


def test_a_har_that_is_replaced_is_judged_anew(tmp_path: Path) -> None:
    tool, place = Reference(), tmp_path / "net.har"
    ended = []
    for width in (64, 4000, 64):
        tool.translate(conv(tmp_path, width), "net", place)
        ended.append(tool.compile(place, "hailo8", tmp_path / "net.hef").ended)
    assert ended == [Ended.PASSED, Ended.FAILED, Ended.PASSED]


def test_an_untested_row_is_unknown(tmp_path: Path) -> None:
    toolchain, target = Reference(), tmp_path / "m.har"
    toolchain.translate(conv(tmp_path, 1600), "net", target)
    report = toolchain.compile(target, "hailo8", tmp_path / "m.hef")
    assert (report.ended, report.failures) == (Ended.UNKNOWN, ())
    assert report.doubts


def test_what_cannot_be_translated_is_a_failure_of_the_stage_and_leaves_no_file(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", model([node("Softmax", "x", axis=1)]))
    report = Reference().translate(path, "net", tmp_path / "m.har")
    assert (report.ended, report.failures[0].family, report.failures[0].layers) == (
        Ended.FAILED,
        "unsupported_op",
        ("softmax",),
    )
    assert report.failures[0].certainty is Certainty.EXTRAPOLATED
    assert not (tmp_path / "m.har").exists()


def test_a_verdict_on_a_file_blocks_what_cannot_be_translated_and_calls_nothing_observed(tmp_path: Path) -> None:
    found = verdict(save(tmp_path / "m.onnx", model([node("Softmax", "x", axis=1)])), "hailo8")
    assert (found.kind, found.certainty) == (Kind.BLOCKED, Certainty.EXTRAPOLATED)
    assert verdict(conv(tmp_path, 256), "hailo8").certainty is Certainty.OBSERVED
