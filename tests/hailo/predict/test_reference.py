"""The embedded toolchain keeps the contract, and calls nothing observed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx

from tasnet.hailo.failures import Certainty
from tasnet.hailo.files import har
from tasnet.hailo.predict.constraints import PredictionKind
from tasnet.hailo.predict.reference import Reference, predict_file
from tasnet.hailo.toolchain import StageEnd, Toolchain
from tests.hailo.onnx_models import floats, model, node


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
    assert (optimized.ended, compiled.ended) == (StageEnd.PASSED, StageEnd.PASSED)
    assert compiled.certainty is Certainty.OBSERVED
    assert not (tmp_path / "m.hef").exists()


def test_a_blocked_graph_fails_at_the_stage_of_its_blocker(tmp_path: Path) -> None:
    toolchain, target = Reference(), tmp_path / "m.har"
    toolchain.translate(conv(tmp_path, 2000), "net", target)
    assert toolchain.optimize(target, "hailo8", tmp_path / "q.har").ended is StageEnd.PASSED
    report = toolchain.compile(target, "hailo8", tmp_path / "m.hef")
    assert (report.ended, [f.family for f in report.failures]) == (StageEnd.FAILED, ["agent_infeasible"])


def test_a_har_that_is_replaced_is_judged_anew(tmp_path: Path) -> None:
    tool, place = Reference(), tmp_path / "net.har"
    ended = []
    for width in (64, 4000, 64):
        tool.translate(conv(tmp_path, width), "net", place)
        ended.append(tool.compile(place, "hailo8", tmp_path / "net.hef").ended)
    assert ended == [StageEnd.PASSED, StageEnd.FAILED, StageEnd.PASSED]


def test_an_untested_row_is_unknown(tmp_path: Path) -> None:
    toolchain, target = Reference(), tmp_path / "m.har"
    toolchain.translate(conv(tmp_path, 1600), "net", target)
    report = toolchain.compile(target, "hailo8", tmp_path / "m.hef")
    assert (report.ended, report.failures) == (StageEnd.UNKNOWN, ())
    assert report.doubts


def test_a_node_without_a_rule_is_unknown_and_never_a_failure(tmp_path: Path) -> None:
    nodes = [node("Sinh", "x", "a", "odd"), node("Erf", "a", "b", "erf_1"), node("Erf", "b", "y", "erf_2")]
    report = Reference().translate(save(tmp_path / "m.onnx", model(nodes)), "net", tmp_path / "m.har")
    assert (report.ended, report.failures, report.artifact) == (StageEnd.UNKNOWN, (), None)
    # every op without a rule, each with its nodes, why, and what to do
    assert [(each.figures["op"], each.layers) for each in report.doubts] == [
        ("Sinh", ("odd",)),
        ("Erf", ("erf_1", "erf_2")),
    ]
    assert "node odd (Sinh): the open translator has no rule" in report.detail
    assert "GELU" in report.doubts[1].message
    assert {each.certainty for each in report.doubts} == {Certainty.EXTRAPOLATED}
    assert not (tmp_path / "m.har").exists()


def test_a_rule_that_declines_is_unknown_too(tmp_path: Path) -> None:
    made = model([node("Pow", "x e")], e=np.float32(3))
    report = Reference().translate(save(tmp_path / "m.onnx", made), "net", tmp_path / "m.har")
    assert (report.ended, report.failures, report.doubts[0].layers) == (StageEnd.UNKNOWN, (), ("pow",))


def test_a_file_that_the_open_translator_cannot_read_says_nothing_of_the_compilers_parser(tmp_path: Path) -> None:
    made = model([node("Relu", "x")], shape=(1, 4, 1, "time"))
    report = Reference().translate(save(tmp_path / "m.onnx", made), "net", tmp_path / "m.har")
    assert (report.ended, report.failures, report.doubts[0].family) == (StageEnd.UNKNOWN, (), "export_model")


def test_a_verdict_on_a_file_with_a_node_without_a_rule_is_unknown(tmp_path: Path) -> None:
    found = predict_file(save(tmp_path / "m.onnx", model([node("Sinh", "x")])), "hailo8")
    assert (found.kind, found.certainty, found.blockers) == (PredictionKind.UNKNOWN, Certainty.EXTRAPOLATED, ())
    assert found.doubts[0].layers == ("sinh",)
    assert predict_file(conv(tmp_path, 256), "hailo8").certainty is Certainty.OBSERVED


def test_a_doubt_that_decides_nothing_goes_with_a_stage_that_passes(tmp_path: Path) -> None:
    names = ["x", *(f"t{n}" for n in range(128)), "y"]
    nodes = [node("Conv", f"{a} w", b, f"conv_{b}") for a, b in pairwise(names)]
    toolchain, target = Reference(), tmp_path / "m.har"
    toolchain.translate(save(tmp_path / "m.onnx", model(nodes, w=floats(4, 4, 1, 1))), "net", target)
    report = toolchain.compile(target, "hailo8", tmp_path / "m.hef")
    assert (report.ended, report.doubts[0].message) == (StageEnd.PASSED, "Too many lcus (129 > 128)")
