"""The program that `tasnet plan runtime` writes: what `plan run` gives, with Python, numpy and HailoRT alone."""

from __future__ import annotations

import ast
import shutil
import signal
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.common import unfinished
from tasnet.hailo.files import har
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan.candidates import Bounds
from tasnet.plan.compiled import name_hefs
from tasnet.plan.cuts import Plan, plan_json, read_plan
from tasnet.plan.executors import input_layers
from tasnet.plan.function import function_of_variant
from tasnet.plan.make import make_plan, write_plan
from tasnet.plan.standalone import SeparationError, read_wav, to_float
from tests.doubles import hef_writer as written
from tests.doubles.hailort import as_hailo_platform
from tests.plan.chips import computing
from tests.plan.pipes import piped
from tests.plan.programs import separated, sources
from tests.plan.running import HARDWARE, apart, made_of, noise, uncut

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=4, R=2, n_src=2)
WEIGHTS = seeded_weights(SIZE, 5)


def compiled(folder: Path, norm: str, block: int | None = None, **bounds: Any) -> Plan:
    """A plan in `folder` with HEFs that have each segment's inputs and outputs, in another order than the plan's."""
    causal = "off" if block is None else "pad"
    trained = function_of_variant(Variant(norm=norm, activation="prelu", causal=causal), SIZE, WEIGHTS)
    if block is None:
        made = make_plan(trained, 1600, "hailo8", Bounds(rows=1200, **bounds), "time", HARDWARE)
    else:
        made = made_of(trained, block, rows=1200, **bounds)
    plan = write_plan(made.plan, trained, folder)
    hefs = {}
    for each in plan.on_chip:
        assert each.har is not None
        network = har.read(folder / each.har.name, weights=False)
        layer_of_input = input_layers(network)
        ends = [(layer_of_input[f"in_{port.role}"], port.channels, False) for port in each.inputs]
        names = zip(network.output_layers, each.outputs, strict=True)
        ends += [(name, port.channels, True) for name, port in names]
        edges = [
            written.edge(f"{each.name}/{name}", (each.height, each.width, channels), output=output)
            for name, channels, output in reversed(ends)
        ]
        group = written.group(each.name, [written.context(0, edges)])
        hefs[each.name] = written.sealed(2, written.proto([group]))
    return name_hefs(plan, folder, hefs, "a test")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled") / "plan"
    compiled(folder, "cln")
    return folder


@pytest.fixture
def local_plan(tmp_path: Path, kept: Path) -> Path:
    """A compiled plan of a network with local norms, a copy of each test's own."""
    return Path(shutil.copytree(kept, tmp_path / "plan"))


STREAM = {"block": 25, "max_blocks": 3}


@pytest.mark.parametrize(
    ("norm", "bounds"),
    [("gln", {}), ("cln", {"max_blocks": 2, "coders": "chip"}), ("cln", STREAM), ("cgln", STREAM)],
)
def test_the_program_gives_what_plan_run_and_pytorch_give(tmp_path: Path, norm: str, bounds: dict[str, Any]) -> None:
    plan = compiled(tmp_path / "plan", norm, **bounds)
    assert len(plan.on_chip) > 1
    program = tmp_path / "plan" / "separate.py"
    assert main(["plan", "runtime", str(tmp_path / "plan"), "-o", str(program)]) == 0
    mix = noise(1777)
    soundfile.write(tmp_path / "mix.wav", mix, 8000, subtype="FLOAT")
    done = separated(program, tmp_path / "plan", tmp_path / "mix.wav", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "by a test double" in done.stdout
    assert plan.on_chip[-1].name in done.stdout
    given = ["--mix", str(tmp_path / "mix.wav"), "-o", str(tmp_path / "here")]
    assert main(["plan", "run", str(tmp_path / "plan"), *given]) == 0
    got = sources(tmp_path / "out")
    assert apart(got, sources(tmp_path / "here")) < 1e-6
    causal = "pad" if "block" in bounds else "off"
    assert apart(got, uncut(Variant(norm=norm, activation="prelu", causal=causal), SIZE, WEIGHTS, mix)) < 5e-6
    assert soundfile.info(tmp_path / "out" / "source1.wav").subtype == "FLOAT"
    assert not list(tmp_path.glob(".*"))


def test_the_program_needs_numpy_and_nothing_else_until_it_opens_the_device(tmp_path: Path, local_plan: Path) -> None:
    program = local_plan / "separate.py"
    assert main(["plan", "runtime", str(local_plan), "-o", str(program)]) == 0
    tree = ast.parse(program.read_text("utf-8"))
    roots = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    roots |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots - sys.stdlib_module_names == {"numpy", "hailo_platform"}
    alone = tmp_path / "alone"
    alone.mkdir()
    for each in (Path(np.__file__).parent, Path(np.__file__).parents[1] / "numpy.libs"):
        if each.exists():
            (alone / each.name).symlink_to(each)
    soundfile.write(tmp_path / "mix.wav", noise(2000), 8000)
    code = "import sys, runpy; sys.path.append(sys.argv.pop(1)); runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", code, str(alone)]
    command = [*command, str(program), str(tmp_path / "mix.wav"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no hailo_platform to import (ModuleNotFoundError")
    assert done.stderr.count("\n") == 1


def test_a_clip_shorter_than_a_window_is_the_hosts_and_a_fault_of_the_device_is_one_line(
    tmp_path: Path, local_plan: Path
) -> None:
    program = local_plan / "separate.py"
    assert main(["plan", "runtime", str(local_plan), "-o", str(program)]) == 0
    short = noise(50)
    soundfile.write(tmp_path / "short.wav", short, 8000, subtype="FLOAT")
    done = separated(program, local_plan, tmp_path / "short.wav", tmp_path / "out")
    assert "the host computed the whole network" in done.stdout
    expected = uncut(Variant(norm="cln", activation="prelu"), SIZE, WEIGHTS, short)
    assert apart(sources(tmp_path / "out"), expected) < 5e-6
    given = (program, local_plan, tmp_path / "short.wav", tmp_path / "no")
    done = separated(*given, HAILO_PLATFORM_DOUBLE="library")
    assert done.returncode == 2
    assert "MissingPyHRTLib" in done.stderr
    next(local_plan.glob("*.hef")).write_bytes(b"another")
    done = separated(*given)
    assert done.returncode == 2
    assert "not the plan's file" in done.stderr
    assert not (tmp_path / "no").exists()


def test_what_a_killed_program_left_is_gone_after_the_next_and_nothing_else_is(
    tmp_path: Path, local_plan: Path
) -> None:
    program = local_plan / "separate.py"
    assert main(["plan", "runtime", str(local_plan), "-o", str(program)]) == 0
    soundfile.write(tmp_path / "mix.wav", noise(1777), 8000, subtype="FLOAT")
    given = (program, local_plan, tmp_path / "mix.wav", tmp_path / "out")
    killer = tmp_path / "killer.py"
    killer.write_text("import os, signal\nSCRIPT.compute = lambda hef, inputs: os.kill(os.getpid(), signal.SIGKILL)\n")
    assert separated(*given, HAILO_PLATFORM_SCRIPT=str(killer)).returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".out*")
    assert {each.name for each in left.iterdir()} == {"source1.wav", "source2.wav"}
    assert not (tmp_path / "out").exists()

    others = [
        tmp_path / ".out-mine",
        tmp_path / f".outer.{'0' * 16}.unfinished",
        tmp_path / f".out.{'1' * 16}.unfinished",
    ]
    for other in others:
        other.mkdir()
    with unfinished.held(others[-1]):
        assert separated(*given).returncode == 0
    assert sorted(tmp_path.glob(".*")) == sorted(others)
    # The package knows the name, too.
    unfinished.sweep(tmp_path, ".out.")
    assert sorted(tmp_path.glob(".*")) == sorted(others[:-1])


@pytest.mark.parametrize("norm", ["gln", "cln"])
def test_on_a_device_all_invocations_of_a_segment_come_before_the_next(
    tmp_path: Path, norm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = compiled(tmp_path / "plan", norm, max_blocks=2)
    mix = noise(1777)
    soundfile.write(tmp_path / "mix.wav", mix, 8000, subtype="FLOAT")
    given = ["--mix", str(tmp_path / "mix.wav"), "-o", str(tmp_path / "out"), "--executor", "hailort"]
    with as_hailo_platform() as library:
        run = computing(tmp_path / "plan")
        seen: list[str] = []

        def compute(hef: Any, inputs: dict[str, Any]) -> dict[str, Any]:
            seen.append(hef.inputs[0].name.split("/")[0])
            made: dict[str, Any] = run(hef, inputs)
            return made

        library.SCRIPT.compute = compute
        assert main(["plan", "run", str(tmp_path / "plan"), *given]) == 0
        assert library.SCRIPT.open == 0
        assert library.SCRIPT.calls.count("VDevice") == 1
        assert library.SCRIPT.most_in_flight == library.SCRIPT.queue
        assert [name for name, _ in groupby(seen)] == [each.name for each in plan.on_chip]
        assert (
            apart(sources(tmp_path / "out"), uncut(Variant(norm=norm, activation="prelu"), SIZE, WEIGHTS, mix)) < 5e-6
        )
        assert "nothing was observed" in capsys.readouterr().err
        library.SCRIPT.raises["completion"] = library.HailoRTTimeout("libhailort failed with error: 4 (HAILO_TIMEOUT)")
        assert main(["plan", "run", str(tmp_path / "plan"), *given]) == 2
        assert "raise the time limit" in capsys.readouterr().err
        library.SCRIPT.raises.clear()
        library.SCRIPT.has_async = False
        assert main(["plan", "run", str(tmp_path / "plan"), *given]) == 2
        assert "has no async API" in capsys.readouterr().err
        library.SCRIPT.devices.clear()
        assert main(["plan", "run", str(tmp_path / "plan"), *given]) == 2
        assert "no Hailo device to run on" in capsys.readouterr().err
        assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("norm", ["cgln", "cln"])
def test_a_stream_from_stdin_runs_on_the_device_with_the_state_carried(
    tmp_path: Path, norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = compiled(tmp_path / "plan", norm, block=25, max_blocks=3)
    assert len(plan.on_chip) > 1
    mix = noise(1777)
    piped(monkeypatch, mix.astype("<f4").tobytes())
    given = ["--mix", "-", "--format", "f32", "--rate", "8000", "-o", str(tmp_path / "out"), "--executor", "hailort"]
    with as_hailo_platform() as library:
        library.SCRIPT.compute = computing(tmp_path / "plan")
        assert main(["plan", "run", str(tmp_path / "plan"), *given]) == 0
        assert library.SCRIPT.calls.count("VDevice") == 1
        assert library.SCRIPT.open == 0
    expected = uncut(Variant(norm=norm, activation="prelu", causal="pad"), SIZE, WEIGHTS, mix)
    assert apart(sources(tmp_path / "out"), expected) < 5e-6


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_any_mono_wav_is_read_as_libsndfile_reads_it(tmp_path: Path, subtype: str, form: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1001), 8000, subtype=subtype, format=form)
    samples, rate = read_wav(path)
    expected, _ = soundfile.read(path, dtype="float32")
    assert rate == 8000
    np.testing.assert_array_equal(to_float(samples), expected)


def test_what_is_no_mono_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((10, 2)), 8000)
    for content, told in (
        (path.read_bytes(), "2 channels"),
        (b"RIFF....WAVE", "not a whole wav"),
        (b"OggS", "not a wav"),
    ):
        path.write_bytes(content)
        with pytest.raises(SeparationError, match=told):
            read_wav(path)


def test_no_program_is_written_without_hefs(
    tmp_path: Path, local_plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = read_plan(local_plan)
    bare = tuple(each.model_copy(update={"hef": None}) for each in plan.segments)
    (local_plan / "plan.json").write_bytes(plan_json(plan.model_copy(update={"segments": bare})))
    assert main(["plan", "runtime", str(local_plan), "-o", str(tmp_path / "separate.py")]) == 2
    assert "compile it with tasnet plan compile" in capsys.readouterr().err
    assert not (tmp_path / "separate.py").exists()
