"""A compiled case's emulation, written where the compiler is, and a chip held against it, bit for bit.

Compiler and chip are doubles: the one emulates by this project's own 8-bit simulation, and so does the other.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from tasnet.cli import main
from tasnet.hailo.chip.detection import detect_chip
from tasnet.hailo.chip.runtime import infer_on_chip
from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.execute import run_network as execute
from tasnet.hailo.files import har
from tasnet.hailo.files.hef import Hef, read_hef
from tasnet.hailo.files.hef_layers import quantize_values
from tasnet.hailo.predict.reference import Reference
from tasnet.hailo.quantize import quantize_network as eight_bit
from tasnet.hailo.quantize import run_quantized
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.numerics.emulated import EmulationError
from tasnet.suite.numerics.stages import calibration_signals
from tasnet.suite.numerics.waves import host_frames
from tasnet.suite.observed.bit_exact import (
    BitExactError,
    Emulation,
    compare_bit_exact,
    emulate_bit_exact,
    read_emulation,
    write_emulation,
)
from tasnet.suite.observed.on_device import (
    aligned_parity,
    cut_windows,
    exactness_outcome,
    pytorch_waves,
    separate_on_device,
)
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tasnet.suite.run.toolchains import CaseCalibration, open_compiler, toolchain_options
from tests.doubles.dfc_python import dfc_python
from tests.doubles.forked_compiler import forked_compiler
from tests.doubles.hailort import as_hailo_platform
from tests.doubles.hef_values import dequantized

SMALL = "+T=403+N=12+L=8+B=6+H=10+Sc=6+X=2+R=1"
GROUPED = parse_case("concat-normal-grouped-all" + SMALL)
SPLIT = parse_case("split-normal-polyphase-all" + SMALL)


@pytest.fixture(scope="module", autouse=True)
def forked() -> Iterator[None]:
    with forked_compiler():
        yield


@pytest.fixture
def double() -> Iterator[ModuleType]:
    """The double of HailoRT as `hailo_platform`, fresh."""
    with as_hailo_platform() as library:
        yield library


def frames_of(case: Case, count: int = 2) -> np.ndarray[Any, np.dtype[np.float32]]:
    draw = np.random.default_rng(3)
    return host_frames(case.variant, case.size, (0.3 * draw.standard_normal((count, case.length))).astype(np.float32))


@dataclass(frozen=True)
class Built:
    """What the emulating compiler made of both cases, once for all tests: starting it takes seconds."""

    root: Path
    options: tuple[str, ...]
    pipeline: Pipeline

    def hef(self, case: Case, folder: Path) -> Path:
        """The case's compiled file, copied to `folder`."""
        made = self.pipeline.run(case)[Stage.COMPILE]
        assert made.status is Status.PASSED, made
        target = folder / f"{case.id}.hef"
        target.write_bytes(self.pipeline.store.path(made.artifact).read_bytes())
        return target


@pytest.fixture(scope="module")
def built(shared_folder: Path) -> Built:
    """In a folder of all workers, so that each case is compiled once."""
    root = shared_folder / "emulated"
    with FileLock(shared_folder / "emulated.lock"):
        if not root.exists():
            dfc_python(root / "env", {"graph": "run"})
            speech = calibration_signals(replace(GROUPED, length=4030), 2)
            np.savez(root / "speech.npz", speech=np.asarray(speech, np.float32).reshape(2, -1), rate=8000)
    python, limit = str(root / "env" / "python3"), "compile.memory=1 GiB"
    options = ("--dfc-python", python, "--calibration", str(root / "speech.npz"), "--limit", limit)
    choice = toolchain_options("dfc", "hailo8", dfc_python=python, calibration=root / "speech.npz", limit=[limit])
    store = open_store(root / "store")
    pipeline = Pipeline(store, open_compiler(choice), fit=CaseCalibration(root / "speech.npz", store.root))
    return Built(root, (*options, "--store", str(store.root)), pipeline)


@pytest.fixture(scope="module")
def emulation(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Emulation:
    """The grouped case's."""
    hef = built.hef(GROUPED, tmp_path_factory.mktemp("emulation"))
    return emulate_bit_exact(built.pipeline, GROUPED, hef, frames_of(GROUPED))


def on_the_chip(double: ModuleType, built: Built, case: Case, folder: Path) -> None:
    """Puts the 8-bit simulation of the case's network behind the double's chip, with the HEF's own numbers."""
    store, outcomes = built.pipeline.store, built.pipeline.run(case)
    file = store.get_har(outcomes[Stage.OPTIMIZE].artifact, folder / "net.har")
    with tarfile.open(file) as archive:
        calibration = dict(np.load(io.BytesIO(archive.extractfile("calibration.npz").read())))  # type: ignore[union-attr]
    network = eight_bit(har.read(file), calibration)

    def run(hef: Hef, inputs: dict[str, Any]) -> dict[str, Any]:
        outputs = run_quantized(network, next(iter(inputs.values()))[None])
        return {
            edge.name: dequantized(edge, quantize_values(edge, output[0]))
            for edge, output in zip(hef.outputs, outputs, strict=True)
        }

    double.SCRIPT.compute = run


@pytest.mark.parametrize("case", [GROUPED, SPLIT], ids=lambda case: case.id)
def test_a_chip_that_does_as_the_emulation_does_is_exact_and_one_step_is_seen(
    tmp_path: Path, double: ModuleType, built: Built, case: Case
) -> None:
    hef = built.hef(case, tmp_path)
    made = emulate_bit_exact(built.pipeline, case, hef, frames_of(case))
    assert (made.by, made.double) == ("dfc 3.33.0+double", True)
    assert write_emulation(made, hef) == tmp_path / f"{case.id}.emulated.npz"
    found = read_emulation(hef)
    assert found is not None

    on_the_chip(double, built, case, tmp_path)
    ran = infer_on_chip(hef, found.frames, detect_chip())
    told = compare_bit_exact(read_hef(hef), found, ran.outputs)
    sources_and_windows = sum(output.size for output in ran.outputs.values())
    assert (told.values, told.differing, told.most_steps) == (sources_and_windows, 0, 0)
    assert str(told).endswith("bit for bit")

    # one value, one step away
    edge = read_hef(hef).outputs[-1]
    wrong = {name: output.copy() for name, output in ran.outputs.items()}
    at = int(np.argmin(wrong[edge.name]))
    wrong[edge.name].flat[at] += edge.qp_scale
    told = compare_bit_exact(read_hef(hef), found, wrong)
    assert (told.differing, told.most_steps) == (1, 1)
    assert told.lines == (f"{edge.name}: 1 of {wrong[edge.name].size}, at most 1 steps",)


def test_raw_steps_are_compared_as_they_are_and_outputs_are_found_by_name(tmp_path: Path, built: Built) -> None:
    hef = read_hef(built.hef(SPLIT, tmp_path))
    shapes = {edge.name: (2, *edge.shape) for edge in hef.outputs}
    assert len(shapes) > 1
    real = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    steps = {
        f"scope/{edge.base_name}": quantize_values(edge, real[edge.name]) + index
        for index, edge in reversed(list(enumerate(hef.outputs)))
    }
    made = Emulation(frames_of(SPLIT), steps, "", "dfc 3.33.0", False)
    told = compare_bit_exact(hef, made, real)
    assert told.most_steps == len(shapes) - 1
    assert told.differing == sum(output.size for output in real.values()) - real[hef.outputs[0].name].size
    with pytest.raises(BitExactError, match="not of one network"):
        compare_bit_exact(hef, replace(made, outputs=dict(list(steps.items())[:1])), real)
    cut = {name: output[:, :, :-1] for name, output in real.items()}
    with pytest.raises(BitExactError, match="compile it again"):
        compare_bit_exact(hef, made, cut)


def test_the_files_must_go_together(tmp_path: Path, built: Built, emulation: Emulation) -> None:
    pipeline, hef, frames = built.pipeline, built.hef(GROUPED, tmp_path), emulation.frames
    assert read_emulation(hef) is None
    file = write_emulation(emulation, hef)
    whole = file.read_bytes()
    for damaged in (b"", b"PK\x03\x04", whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        with pytest.raises(BitExactError, match="write it again with tasnet emulate"):
            read_emulation(hef)
    file.write_bytes(whole)
    hef.write_bytes(hef.read_bytes() + b"\0")
    with pytest.raises(BitExactError, match="goes with another"):
        read_emulation(hef)
    with pytest.raises(BitExactError, match="not the file that this store has"):
        emulate_bit_exact(pipeline, GROUPED, hef, frames)
    with pytest.raises(BitExactError, match="--toolchain dfc"):
        emulate_bit_exact(Pipeline(pipeline.store, Reference()), GROUPED, hef, frames)


def test_a_compiler_without_the_context_says_so(tmp_path: Path, built: Built) -> None:
    dfc = built.pipeline.toolchain
    assert isinstance(dfc, Dfc)
    pipeline = replace(
        built.pipeline,
        toolchain=replace(dfc, python=dfc_python(tmp_path, {"graph": "run", "lacks": ["SDK_BIT_EXACT"]})),
    )
    hef = built.hef(GROUPED, tmp_path)
    with pytest.raises(EmulationError, match=r"SDK_BIT_EXACT: .* has no InferenceContext.SDK_BIT_EXACT as documented"):
        emulate_bit_exact(pipeline, GROUPED, hef, frames_of(GROUPED, 1))


def test_the_command_writes_beside_each_file(tmp_path: Path, built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", str(tmp_path), *built.options]) == 2
    assert "no .hef in it" in capsys.readouterr().err
    hef = built.hef(GROUPED, tmp_path)
    whole = hef.read_bytes()
    hef.write_bytes(b"another")
    assert main(["emulate", str(tmp_path), *built.options]) == 2
    assert "not the file that this store has" in capsys.readouterr().err
    hef.write_bytes(whole)
    assert main(["emulate", str(tmp_path), *built.options, "--windows", "1"]) == 0
    assert "1 windows by dfc 3.33.0+double, a test double" in capsys.readouterr().out
    found = read_emulation(hef)
    assert found is not None
    assert found.frames.shape == (1, 1, GROUPED.length, 1)


def test_what_the_chip_did_is_an_outcome_with_its_figures(
    tmp_path: Path, double: ModuleType, built: Built, emulation: Emulation
) -> None:
    hef = built.hef(GROUPED, tmp_path)
    on_the_chip(double, built, GROUPED, tmp_path)
    ran = infer_on_chip(hef, emulation.frames, detect_chip())
    told = exactness_outcome(GROUPED, hef, ran, compare_bit_exact(read_hef(hef), emulation, ran.outputs))
    assert (told.status, told.provenance.version) == (Status.PASSED, "4.23.0+double")
    assert told.figures == {"bit_exact_values": 1584, "bit_exact_differing": 0, "bit_exact_most_steps": 0}
    other = replace(emulation, outputs={name: output + 1 for name, output in emulation.outputs.items()})
    told = exactness_outcome(
        GROUPED, hef, replace(ran, double=False), compare_bit_exact(read_hef(hef), other, ran.outputs)
    )
    assert (told.status, told.provenance.version) == (Status.FAILED, "4.23.0")
    assert "values differ from the emulation: conv_tasnet/deconv1" in told.failures[0].message


def test_a_short_window_is_compared_over_what_is_there(tmp_path: Path, double: ModuleType, built: Built) -> None:
    """The compiler's deconvolution ends kernel - stride samples early: that is no departure of the sound."""
    hef = built.hef(GROUPED, tmp_path)
    translated = built.pipeline.run(GROUPED)[Stage.TRANSLATE].artifact
    network = har.read(built.pipeline.store.get_har(translated, tmp_path / "net.har"))

    def chip(hef: Hef, inputs: dict[str, Any]) -> dict[str, Any]:
        (output,) = execute(network, next(iter(inputs.values()))[None], deconv="vendor")
        return {hef.outputs[0].name: output[0]}

    double.SCRIPT.compute = chip
    wave = calibration_signals(GROUPED, 3).reshape(-1)
    got = separate_on_device(GROUPED, hef, wave, detect_chip())
    reference = pytorch_waves(GROUPED, cut_windows(wave, GROUPED.length)[0], seeded_weights(GROUPED.size))
    told = aligned_parity(got, reference)
    # 99 frames of stride 4; PyTorch's deconvolution has kernel - stride more, and 3 samples are in no frame
    assert (got.given, told.missing, told.offset) == (396, 7, 0)
    assert told.worst_db > 90
    late = np.roll(got.waves.reshape(2, 3, -1), -2, axis=2).reshape(2, -1)
    assert aligned_parity(replace(got, waves=late), reference).offset == 2
