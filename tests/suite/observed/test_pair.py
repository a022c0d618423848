"""The compiler's word beside the embedded toolchain's: layers, verdicts, the compiled file."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.files import har
from tasnet.hailo.translate import translate
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Stage, Status
from tasnet.suite.observed.confusions import Agreement, VerdictComparison
from tasnet.suite.observed.pair import (
    KnownDeparture,
    NothingToCompare,
    ToolchainPair,
    compare_verdicts,
    confusion_lines,
    first_lines,
    hef_differences,
    hn_differences,
    refutation_by,
)
from tasnet.suite.run.store import Store
from tests.doubles import hef_writer
from tests.doubles.dfc_python import dfc_python
from tests.doubles.outcomes import DFC, SUPER_DECONV, outcomes
from tests.doubles.recordings import recordings
from tests.doubles.repository import run_pytest
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).resolve().parents[3]
REAL = Dfc(Path("python3"), "3.33.0")
DOUBLE = replace(REAL, double=True)
CASE = Case(Variant())


def hn() -> dict[str, Any]:
    """Two layers and a constant, as an HN has them."""
    conv = {
        "type": "conv",
        "input": ["net/input_layer1", "net/const_input3"],
        "output": ["net/output_layer1"],
        "input_shapes": [[-1, 1, 16000, 1]],
        "output_shapes": [[-1, 1, 1999, 512]],
        "original_names": ["conv", "relu"],
        "params": {"kernel_shape": [1, 16, 1, 512], "strides": [1, 1, 8, 1], "activation": "relu"},
    }
    return {"layers": {"net/conv1": conv, "net/const_input3": {"type": "const_input"}}}


def test_equal_graphs_have_no_differences() -> None:
    theirs = hn()
    theirs["layers"] = {
        "other/conv1": theirs["layers"]["net/conv1"] | {"compilation_params": {}},
        "other/const_input7": {"type": "const_input"},
    }
    theirs["layers"]["other/conv1"]["input"] = ["other/input_layer1", "other/const_input7"]
    theirs["layers"]["other/conv1"]["params"] |= {"elementwise_add": False}
    theirs["layers"]["other/conv1"]["output"] = ["other/output_layer1"]
    assert hn_differences(hn(), theirs) == []


def test_each_difference_is_a_line() -> None:
    theirs = copy.deepcopy(hn())
    conv = theirs["layers"]["net/conv1"]
    conv["params"]["strides"] = [1, 1, 4, 1]
    conv["output_shapes"] = [[-1, 1, 2000, 512]]
    theirs["layers"]["net/resize1"] = {"type": "resize"}
    ours = copy.deepcopy(hn())
    ours["layers"]["net/dw1"] = {"type": "dw"}
    assert hn_differences(ours, theirs) == [
        "dw1: the compiler has no such layer",
        "resize1: the compiler's alone (resize)",
        "conv1.output_shapes: [[-1, 1, 1999, 512]] here, [[-1, 1, 2000, 512]] by the compiler",
        "conv1.strides: [1, 1, 8, 1] here, [1, 1, 4, 1] by the compiler",
    ]


def test_an_hn_of_another_form_is_nothing_to_compare() -> None:
    with pytest.raises(NothingToCompare, match="no layers"):
        hn_differences(hn(), {"layers": []})


def test_many_differences_are_counted() -> None:
    assert first_lines([str(i) for i in range(25)]).splitlines()[-2:] == ["19", "and 5 more"]


# --- verdicts


def pair_of(predicted: dict[Stage, Outcome], observed: dict[Stage, Outcome], compiler: Dfc = REAL) -> ToolchainPair:
    return ToolchainPair(CASE, predicted, observed, compiler, Store(Path("nowhere")))


def test_a_refuted_prediction_tells_the_evidence_to_add() -> None:
    found = compare_verdicts(pair_of(outcomes(SUPER_DECONV), outcomes(by=DFC)))
    assert found.agreement is Agreement.REFUTED
    told = refutation_by(found, REAL)
    assert "predicted blocked (unsupported_kernel), observed clear" in told
    assert "evidence  concat-normal-grouped-all: compile passed; dfc 3.33.1" in told


def test_a_double_never_observes() -> None:
    by = DFC.model_copy(update={"predicted": True, "version": "3.33.0+double"})
    found = compare_verdicts(pair_of(outcomes(SUPER_DECONV), outcomes(by=by), DOUBLE))
    told = refutation_by(found, DOUBLE)
    assert "observed" not in told
    assert told.startswith("said by dfc 3.33.0+double, a test double, which is no evidence\n")
    assert "observed" not in confusion_lines([found], double=True)
    assert "observed" in confusion_lines([found], double=False)


def test_an_agreement_is_counted() -> None:
    found: list[VerdictComparison] = [compare_verdicts(pair_of(outcomes(SUPER_DECONV), outcomes(SUPER_DECONV, by=DFC)))]
    assert confusion_lines(found, double=False).splitlines()[-1] == "1 agrees"


# --- the compiled file


def autoencoder() -> onnx.ModelProto:
    """16000 samples, 1999 frames, and back by a deconvolution of kernel 16 and stride 8, as Conv-TasNet's."""
    ends = [
        helper.make_tensor_value_info("mix", TensorProto.FLOAT, [1, 1, 1, 16000]),
        helper.make_tensor_value_info("est", TensorProto.FLOAT, [1, 2, 1, 16000]),
    ]
    weights = [
        numpy_helper.from_array(np.ones((4, 1, 1, 16), np.float32), "w"),
        numpy_helper.from_array(np.ones((4, 2, 1, 16), np.float32), "v"),
    ]
    shape = {"kernel_shape": [1, 16], "strides": [1, 8]}
    nodes = [
        helper.make_node("Conv", ["mix", "w"], ["frames"], name="encoder", **shape),
        helper.make_node("ConvTranspose", ["frames", "v"], ["est"], name="decoder", **shape),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    return onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))


def compiled(tmp_path: Path, shape: tuple[int, int, int], *originals: str) -> ToolchainPair:
    """A pair whose compiled file has one input of 1x16000x1 and an output of `shape`."""
    store = Store(tmp_path / "store")
    graph = autoencoder().SerializeToString()
    exported = store.onnx_folder() / f"{sha256(graph).hexdigest()}.onnx"
    exported.write_bytes(graph)
    har.write(translate(exported, "net"), tmp_path / "ours.har")
    edges = [
        hef_writer.edge("net/input_layer1", (1, 16000, 1)),
        hef_writer.edge("net/deconv1", shape, output=True, originals=originals),
    ]
    message = hef_writer.proto([hef_writer.group("net", [hef_writer.context(0, edges)])])
    hef = store.put_file(hef_writer.sealed(2, message), ".hef")
    observed, predicted = outcomes(by=DFC), outcomes()
    parsed = predicted[Stage.TRANSLATE].model_copy(update={"artifact": store.put_har(tmp_path / "ours.har")})
    observed[Stage.EXPORT] = observed[Stage.EXPORT].model_copy(update={"artifact": f"onnx/{exported.name}"})
    observed[Stage.COMPILE] = observed[Stage.COMPILE].model_copy(update={"artifact": hef})
    return ToolchainPair(CASE, predicted | {Stage.TRANSLATE: parsed}, observed, REAL, store)


def test_a_hef_that_fits_its_onnx(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hef_differences(compiled(tmp_path, (1, 16000, 2))) == []


@pytest.mark.parametrize("original", [(), ("est",)], ids=["in order", "by name"])
def test_the_compilers_shorter_deconvolution_is_told_and_no_difference(
    tmp_path: Path, original: tuple[str, ...]
) -> None:
    said = r"the HEF has 15992 of 16000 samples: the compiler's deconv1 ends 8 before ONNX's"
    with pytest.warns(KnownDeparture, match=said):
        assert hef_differences(compiled(tmp_path, (1, 15992, 2), *original)) == []


@pytest.mark.parametrize("shape", [(1, 15984, 2), (1, 15992, 1), (1, 16008, 2), (15992, 1, 2), (1, 8, 2)])
def test_any_other_output_is_a_difference(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    told = f"output net/deconv1: expected (1, 16000, 2), the HEF has {shape} (H, W, C)"
    assert hef_differences(compiled(tmp_path, shape)) == [told]


def test_without_an_hn_a_shorter_output_is_a_difference(tmp_path: Path) -> None:
    bare = replace(compiled(tmp_path, (1, 15992, 2)), predicted=outcomes())
    assert len(hef_differences(bare)) == 1


def test_without_a_hef_there_is_nothing_to_compare() -> None:
    with pytest.raises(NothingToCompare, match="compile failed with dfc"):
        hef_differences(pair_of(outcomes(), outcomes(SUPER_DECONV, by=DFC)))
    with pytest.raises(NothingToCompare, match="compile passed with dfc and left nothing"):
        hef_differences(pair_of(outcomes(), outcomes(by=DFC)))
    assert outcomes(by=DFC)[Stage.COMPILE].status is Status.PASSED


# --- through pytest


def run(tmp_path: Path, *options: str) -> str:
    """The tests of the pair alone, on one case."""
    words = ["-m", "compile", "tests/compile/test_pair.py", "--tasnet-profile", "notes", "-ra"]
    words += ["-p", "no:cacheprovider", "--tasnet-store", str(tmp_path / "store")]
    ran = run_pytest(*words, *options, COLUMNS="200")
    return ran.stdout + ran.stderr


def test_without_a_compiler_all_is_skipped_with_one_reason(tmp_path: Path) -> None:
    told = run(tmp_path)
    assert "3 skipped" in told
    (line,) = (line for line in told.splitlines() if line.startswith("SKIPPED"))
    assert "[3]" in line
    assert "no Dataflow Compiler: with --tasnet-toolchain dfc its word is compared with what is predicted" in line


def test_a_compiler_that_contradicts_fails_with_what_to_add(tmp_path: Path, notes_store: Path) -> None:
    """The double compiles everything, its HN has one convolution, and its HEF is that network's."""
    copy_store(notes_store, tmp_path / "store")
    python = dfc_python(tmp_path / "bin")
    options = [
        "--tasnet-toolchain",
        "dfc",
        "--tasnet-dfc-python",
        str(python),
        "-k",
        "pair-project-bypass-conv1x1_head-k1",
    ]
    options += ["--tasnet-calibration", str(recordings(tmp_path / "speech.npz"))]
    options += [
        part for stage in ("translate", "optimize", "compile") for part in ("--tasnet-limit", f"{stage}.memory=1GiB")
    ]
    told = run(tmp_path, *options)
    assert "3 failed" in told
    assert "conv2: the compiler has no such layer" in told
    assert "predicted blocked (" in told
    assert "), the double says clear" in told
    assert "mend the rule in tasnet/hailo/predict/constraints.py, or add one, with this evidence" in told
    assert "a test double: nothing was observed" in told
    assert "1 refuted" in told
    assert "Traceback" not in told
