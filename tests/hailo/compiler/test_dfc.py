"""The adapter against a scripted SDK: every end of a stage becomes the right Report, and no process is left."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasnet.hailo.compiler.dfc import Dfc, connect_compiler
from tasnet.hailo.compiler.ending import StageRun, stage_ending
from tasnet.hailo.compiler.find import DfcError
from tasnet.hailo.compiler.limits import CompilerLimits, read_limits
from tasnet.hailo.failures import Certainty
from tasnet.hailo.files.hef import read_hef
from tasnet.hailo.process.bounded_log import BoundedLog
from tasnet.hailo.process.run import ExceededLimit, ProcessEnd, Resource
from tasnet.hailo.toolchain import StageEnd, Toolchain
from tests.doubles.dfc_python import dfc_python
from tests.hailo.compiler.stages import ALLOCATOR, RESHAPE, Make, stage

TIMEOUT = "Mapping Failed (Timeout, allocation time: 31m 42s)"
SHAPE = "Data shape (5, 1) for layer net/input_layer1 doesn't match network's input shape (1, 5, 1)"
PARSER = "AllocatorScriptParserException"
WRAPPER = "ParsingWithRecommendationException"
DELTA = "Shift delta in net/avgpool2/avgpool_op is larger than 2, cannot quantize"
NAN = "Unsupported NaN values were found in params"
NO_MODULE = {"do": "raise", "type": "ImportError", "text": "No module named 'x'"}
NO_GPU_MEMORY = {"do": "raise", "type": "AccelerasResourceError", "text": "GPU memory has been exhausted."}
# What works


def test_every_stage_goes_on_from_the_file_of_the_one_before(dfc: Make, files: Path) -> None:
    chip = dfc(script="allocator_param(timeout=1h)", quick=True)
    assert isinstance(chip, Toolchain)
    parsed, quantized, hef = files / "a.har", files / "b.har", files / "c.hef"
    assert chip.translate(files / "m.onnx", "net", parsed).artifact == parsed
    assert chip.optimize(parsed, "hailo8l", quantized).ended is StageEnd.PASSED
    assert chip.compile(quantized, "hailo8l", hef).ended is StageEnd.PASSED
    assert [layer.shape for layer in (*read_hef(hef).inputs, *read_hef(hef).outputs)] == [(1, 16, 1), (1, 8, 2)]
    assert read_hef(hef).hw_arch == "hailo8l"
    assert chip.hn(quantized, "hailo8l", files / "hn.json").ended is StageEnd.PASSED
    told = (files / "hn.json").read_text()
    assert '["translate_onnx_model", {"net_name": "net", "end_node_names": null}]' in told
    assert "calibset_size=16)" in told
    assert "allocator_param(timeout=1h)" in told
    assert '"optimize", {"calibration": {"": [2, 1, 16, 1]}}' in told
    assert not [path for path in files.iterdir() if path.name.startswith(".dfc-")]


def test_inference_gives_arrays(dfc: Make, files: Path) -> None:
    np.save(files / "data.npy", np.ones((1, 1, 4, 2), np.float32))
    report = dfc().infer(files / "m.har", "hailo8", "SDK_BIT_EXACT", files / "data.npy", files / "out.npz")
    assert report.ended is StageEnd.PASSED
    assert (np.load(files / "out.npz")["output0"] == 2).all()


def test_inputs_by_name_reach_the_sdk_as_a_dict(dfc: Make, files: Path) -> None:
    np.savez(
        files / "named.npz", **{"net/input_layer1": np.zeros((1, 1, 2, 1)), "net/input_layer2": np.zeros((1, 1, 3, 1))}
    )
    chip = dfc(calibration=files / "named.npz")
    assert chip.optimize(files / "m.har", "hailo8", files / "q.har").ended is StageEnd.PASSED
    assert '"net/input_layer2": [1, 1, 3, 1]' in (files / "q.har").read_text()


# What a double says was never observed


def test_a_double_is_never_reported_as_observed(dfc: Make, files: Path) -> None:
    chip = connect_compiler(dfc_python(files / "env"))
    assert chip.double
    assert chip.predicted
    assert chip.version == "3.33.0+double"
    assert dfc().translate(files / "m.onnx", "net", files / "out.har").certainty is Certainty.EXTRAPOLATED
    failed = stage(
        dfc({"compile": {"do": "raise", "type": "BackendAllocatorException", "text": RESHAPE}}), "compile", files
    )
    assert failed.failures[0].certainty is not Certainty.OBSERVED
    assert "double" in failed.failures[0].evidence


def test_the_compiler_itself_observes() -> None:
    chip = Dfc(Path("/python"), "3.33.1")
    assert (chip.predicted, chip.exhaustive, chip.version, chip.name) == (False, False, "3.33.1", "dfc")


# What the network can't do: failed


@pytest.mark.parametrize(
    ("at", "call", "kind", "text", "family", "layers"),
    [
        ("compile", "compile", ALLOCATOR, RESHAPE, "reshape_insertion", ("conv2", "conv3")),
        ("compile", "compile", ALLOCATOR, "Super deconv is not supported with groups", "unsupported_kernel", ()),
        ("compile", "compile", ALLOCATOR, TIMEOUT, "mapping_timeout", ()),
        ("optimize", "optimize", "AccelerasNumerizationError", DELTA, "shift_delta", ("avgpool2",)),
        ("optimize", "optimize", "BackendValueError", NAN, "nan_params", ()),
        ("translate", "translate_onnx_model", WRAPPER, "UnexpectedNodeError in op Neg_3: no", "unsupported_op", ()),
    ],
)
def test_what_the_sdk_raises_is_classified(
    dfc: Make, files: Path, at: str, call: str, kind: str, text: str, family: str, layers: tuple[str, ...]
) -> None:
    report = stage(dfc({call: {"do": "raise", "type": kind, "text": text}}, script="a()"), at, files)
    assert report.ended is StageEnd.FAILED
    (failure,) = report.failures
    assert (failure.family, failure.stage, failure.exception) == (family, at, kind)
    assert failure.layers == layers
    assert text in failure.message
    assert report.log is not None
    assert text in report.log.read_text()


def test_words_that_nobody_knows_are_kept_apart(dfc: Make, files: Path) -> None:
    acts = {"do": "raise", "type": "Strange", "text": "nobody knows this of net/conv4"}
    report = stage(dfc({"translate_onnx_model": acts}), "translate", files)
    assert (report.ended, report.failures) == (StageEnd.UNCLASSIFIED, ())
    (doubt,) = report.doubts
    assert (doubt.family, doubt.stage, doubt.exception, doubt.layers) == (
        "unclassified",
        "translate",
        "Strange",
        ("conv4",),
    )
    assert "Strange: nobody knows this of net/conv4" in report.detail


def test_a_wrong_set_up_is_infra_with_what_to_do(dfc: Make, files: Path) -> None:
    for at, call, kind, text, what in (
        ("optimize", "optimize", "BadInputsShape", SHAPE, "give recordings that fit the network's inputs"),
        ("optimize", "optimize", "KeyError", "net/input_layer2", "give recordings that fit the network's inputs"),
        ("optimize", "load_model_script", PARSER, "Layer conv9 not found in model", "mend the model script"),
        ("translate", "translate_onnx_model", "MisspellNodeError", "no node 'lst'", "names of nodes"),
    ):
        report = stage(dfc({call: {"do": "raise", "type": kind, "text": text}}, script="a()"), at, files)
        assert (report.ended, report.failures) == (StageEnd.INFRA, ())
        assert text in report.detail
        assert what in report.detail


def test_a_compile_that_ended_well_with_warnings_says_so(dfc: Make, files: Path) -> None:
    said = (
        "[warning] conv3 is slow\n[error] Has occured during the layer latency calculation\n[info] Using Multi-context"
    )
    report = stage(dfc({"compile": {"do": "say", "text": f"{said} flow"}}), "compile", files)
    assert (report.ended, report.figures) == (StageEnd.PASSED, {"warnings": 2})
    assert report.detail == "ended well with a warning: conv3 is slow and 1 more"


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT"])
def test_a_crash_of_the_compiler_is_its_own_family(dfc: Make, files: Path, name: str) -> None:
    acts = [{"do": "say", "text": "dw66 errors:\nAgent infeasible"}, {"do": "die", "signal": name}]
    report = stage(dfc({"compile": acts}), "compile", files)
    assert report.ended is StageEnd.FAILED
    assert report.failures[0].family == "compiler_crash"
    assert report.failures[0].figures == {"signal": name}
    assert "Agent infeasible" in report.failures[0].first_cause


@pytest.mark.parametrize("end", [{"do": "exit"}, {"do": "hard_exit"}], ids=lambda end: end["do"])
def test_an_end_from_elsewhere_keeps_the_failure_that_the_log_names(
    dfc: Make, files: Path, end: dict[str, Any]
) -> None:
    report = stage(dfc({"compile": [{"do": "say", "text": f"[error] {RESHAPE}"}, end]}), "compile", files)
    assert report.ended is StageEnd.FAILED
    (failure,) = report.failures
    assert failure.family == "reshape_insertion"
    assert failure.terminal_event != failure.first_cause
    assert "Reshape" in failure.first_cause


@pytest.mark.parametrize("said", ["", "[info] trying on\n", f"[error] {RESHAPE}\n[info] trying on\n", f"{RESHAPE}\n"])
def test_our_own_limit_is_never_the_networks_failure(files: Path, said: str) -> None:
    """Judged without a process: how far one comes in its time is the machine's affair."""
    (files / "log").write_text(said)
    run = StageRun("compile", Path("/python"), "3.33.0", files / "log", files / "out.hef", double=False)
    seconds, room = ExceededLimit(Resource.TIME, 60.0), ExceededLimit(Resource.MEMORY, 1 << 30)
    end = ProcessEnd(messages=({"kind": "hello", "sdk": "3.33.0"},), signal=9, exceeded=seconds)
    report = stage_ending(end, run).report
    assert (report.ended, report.failures, report.doubts) == (StageEnd.INFRA, (), ())
    assert report.figures == {"limit_seconds": 60.0}
    memory = stage_ending(replace(end, exceeded=room), run).report
    assert (memory.ended, memory.figures) == (StageEnd.INFRA, {"limit_bytes": 1 << 30})


# What is nobody's fault: infra


@pytest.mark.parametrize(
    ("at", "script", "said"),
    [
        ("compile", {"compile": {"do": "die", "signal": "SIGKILL"}}, "was killed (SIGKILL)"),
        ("compile", {"compile": {"do": "die", "signal": "SIGTERM"}}, "ended from outside (SIGTERM)"),
        ("compile", {"compile": {"do": "exit", "code": 7}}, "called sys.exit(7)"),
        ("compile", {"compile": {"do": "hard_exit", "code": 7}}, "exit code 7"),
        ("compile", {"compile": [{"do": "kill_parent"}, {"do": "hang"}]}, "was lost"),
        ("compile", {"compile": {"do": "raise", "type": "MemoryError"}}, "no memory"),
        ("compile", {"compile": {"do": "raise", "type": "OSError", "errno": errno.ENOSPC}}, "No space left"),
        ("compile", {"compile": [{"do": "close_everything"}]}, "without a word"),
        ("compile", {"hef": ""}, "an empty result"),
        ("compile", {"lacks": ["compile"]}, "has no compile as documented; use Dataflow Compiler 3.27 to 3.34"),
        ("optimize", {"optimize": {"do": "die"}}, "crashed in optimize (SIGSEGV)"),
        ("optimize", {"optimize": NO_MODULE}, "lacks something"),
        ("optimize", {"optimize": NO_GPU_MEMORY}, "no memory: AccelerasResourceError: GPU memory has been exhausted."),
        ("compile", {"compile": [{"do": "say", "text": "GPU memory has been exhausted."}, {"do": "exit"}]}, "sys.exit"),
        ("translate", {"lacks": ["ClientRunner"]}, "has no ClientRunner"),
        ("translate", {"saves_nothing": True}, "save_har() left no file"),
        ("translate", {"save_har": {"do": "raise", "type": "OSError", "errno": errno.ENOSPC}}, "make room"),
        ("translate", {"import": {"do": "raise", "type": "ImportError", "text": "libhailo.so"}}, "can't be loaded"),
        ("translate", {"import": {"do": "die", "signal": "SIGILL"}}, "AVX"),
        ("translate", {"import": {"do": "die", "signal": "SIGKILL"}}, "was killed (SIGKILL)"),
        ("translate", {"version": "3.34.0"}, "is 3.34.0 now and was 3.33.0"),
    ],
)
def test_what_the_machine_does_is_infra(dfc: Make, files: Path, at: str, script: dict[str, Any], said: str) -> None:
    report = stage(dfc(script), at, files)
    assert report.ended is StageEnd.INFRA
    assert not report.failures
    assert said in report.detail
    assert "\n" not in report.detail
    assert not (files / "out.har").exists()
    assert not (files / "out.hef").exists()


@pytest.mark.parametrize("action", [{"do": "hang", "stubborn": True}, {"do": "spin"}], ids=["hang", "spin"])
def test_a_hang_is_infra_when_the_log_names_nothing(dfc: Make, files: Path, action: dict[str, Any]) -> None:
    limits = read_limits(None, {"compile.seconds": 0.5, "compile.retries": 5, "grace_seconds": 0.1})
    report = stage(dfc({"compile": [{"do": "fork"}, action]}, limits=limits), "compile", files)
    assert report.ended is StageEnd.INFRA
    assert report.detail == "compile exceeded its limit of 0.5 s; raise it with --limit compile.seconds=…"


def test_too_much_memory_is_infra(dfc: Make, files: Path) -> None:
    limits = read_limits(None, {"compile.memory": "200 MiB", "compile.retries": 0})
    report = stage(dfc({"compile": {"do": "allocate", "megabytes": 320}}, limits=limits), "compile", files)
    assert report.ended is StageEnd.INFRA
    assert "exceeded its memory limit of 0.2 GiB; raise [tool.tasnet.limits.compile]" in report.detail


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB; only root may have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize(
    "script",
    [{"hef": "x" * 2_000_000}, {"compile": {"do": "print_much", "megabytes": 4}}],
    ids=["by the result", "by the log"],
)
def test_a_disk_that_is_full_is_infra_and_leaves_no_half_file(
    dfc: Make, files: Path, tiny_disk: Path, script: dict[str, Any]
) -> None:
    report = dfc(script).compile(files / "m.har", "hailo8", tiny_disk / "out.hef")
    assert report.ended is StageEnd.INFRA
    assert "No space left on device; make room and run again" in report.detail
    assert [path.name for path in tiny_disk.iterdir()] == ["out.hef.log"]


# What must not disturb


@pytest.mark.parametrize(
    "action",
    [{"do": "print_much", "megabytes": 3}, {"do": "print_rubbish"}, {"do": "write_everywhere"}, {"do": "fork"}],
    ids=lambda action: action["do"],
)
def test_noise_does_not_disturb_a_stage(
    dfc: Make, files: Path, action: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With room for less than what is printed; read back it is as much as was kept.
    monkeypatch.setattr("tasnet.hailo.process.run.BoundedLog", partial(BoundedLog, head=1 << 19, tail=1 << 19))
    report = stage(dfc({"compile": action}), "compile", files)
    assert report.ended is StageEnd.PASSED
    assert read_hef(files / "out.hef").sdk_version == "3.33.0"
    assert report.log is not None
    assert report.log.stat().st_size < 3 << 20


def test_infra_is_tried_again_and_a_failure_is_not(dfc: Make, files: Path) -> None:
    limits = read_limits(None, {"compile.retries": 1, "grace_seconds": 0.1})
    once = {"do": "once", "marker": str(files / "marker"), "then": {"do": "die", "signal": "SIGKILL"}}
    assert stage(dfc({"compile": once}, limits=limits), "compile", files).ended is StageEnd.PASSED
    always = stage(dfc({"compile": {"do": "die", "signal": "SIGKILL"}}, limits=limits), "compile", files)
    assert (always.ended, "(tried 2 times)" in always.detail) == (StageEnd.INFRA, True)
    failing = {"do": "once", "marker": str(files / "other"), "then": {"do": "raise", "type": "E", "text": RESHAPE}}
    assert stage(dfc({"compile": failing}, limits=limits), "compile", files).ended is StageEnd.FAILED


# Wrong usage


def test_wrong_usage_is_said_before_anything_runs(dfc: Make, files: Path) -> None:
    chip, here = dfc(), files / "out"
    with pytest.raises(DfcError, match="this ONNX file isn't there"):
        chip.translate(files / "nothing.onnx", "net", here)
    with pytest.raises(DfcError, match="hailo8, hailo8l, hailo8r"):
        chip.compile(files / "m.har", "hailo15h", here)
    with pytest.raises(DfcError, match="no calibration"):
        replace(chip, calibration=None).optimize(files / "m.har", "hailo8", here)
    with pytest.raises(DfcError, match="SDK_NATIVE"):
        chip.infer(files / "m.har", "hailo8", "SDK_HAILO_HW", files / "calibration.npz", here)
    with pytest.raises(DfcError, match=r"Hailo-10H and Hailo-15 and refuses hailo8l"):
        replace(chip, sdk="5.1.0").compile(files / "m.har", "hailo8l", here)
    with pytest.raises(DfcError, match=r"5.2.0 is for Hailo-10H"):
        connect_compiler(dfc_python(files / "five", {"version": "5.2.0"}))


@pytest.mark.parametrize("shape", [(2, 16), (2, 1, 16), (0, 1, 16, 1), ()])
def test_calibration_of_another_rank_is_refused(dfc: Make, files: Path, shape: tuple[int, ...]) -> None:
    for name, save in (("a.npy", np.save), ("a.npz", np.savez)):
        save(files / name, np.zeros(shape))
        with pytest.raises(DfcError, match=r"must be \(N, H, W, C\)"):
            dfc(calibration=files / name).optimize(files / "m.har", "hailo8", files / "q.har")


@pytest.mark.parametrize("content", [b"", b"wav", b"PK\x03\x04cut", b"\x93NUMPY\x01\x00"])
def test_calibration_that_is_no_array_is_refused(dfc: Make, files: Path, content: bytes) -> None:
    (files / "bad.npz").write_bytes(content)
    with pytest.raises(DfcError, match="neither npz nor npy"):
        dfc(calibration=files / "bad.npz").optimize(files / "m.har", "hailo8", files / "q.har")


def test_an_unknown_version_is_a_warning(dfc: Make, files: Path) -> None:
    chip = replace(dfc({"version": "3.99.0"}), sdk="3.99.0")
    report = stage(chip, "compile", files)
    assert report.ended is StageEnd.PASSED
    assert "SDK 3.99.0 is none of those this adapter knows (3.27 to 3.34)" in report.detail


def test_an_sdk_that_does_not_load_is_said_when_connecting(files: Path) -> None:
    python = dfc_python(files / "env", {"import": {"do": "raise", "type": "ImportError", "text": "libhailo.so"}})
    with pytest.raises(DfcError, match=r"can't be loaded by .*: ImportError: libhailo.so"):
        connect_compiler(python)


# Provenance


def test_the_fingerprint_changes_with_all_that_changes_a_report(dfc: Make, files: Path) -> None:
    chip = dfc()
    np.savez(files / "other.npz", speech=np.ones((2, 1, 16, 1), np.float32))
    others = [
        replace(chip, sdk="3.33.1"),
        replace(chip, script="a()"),
        replace(chip, quick=True),
        replace(chip, calibration=files / "other.npz"),
    ]
    assert len({chip.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert replace(chip, python=Path("/elsewhere"), limits=CompilerLimits()).fingerprint == chip.fingerprint
