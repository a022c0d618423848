"""Each writer, ended in the middle by the system: nothing is half-written, and after the next run nothing is left.

A write is cut by RLIMIT_FSIZE: the kernel writes as many bytes as the limit allows, and ends the process at the next.
Between two steps (a file renamed or removed, a folder made) a kill leaves what lies there then: one process that goes
through all steps leaves a copy of it before each, and SIGKILL is held against the copies.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasnet.common import unfinished, write_whole
from tasnet.hailo.files import har
from tasnet.hailo.toolchain import StageEnd, StageReport
from tasnet.hailo.translate import translate
from tasnet.network import Size, Variant, seeded_weights, write_onnx, write_shared_onnx
from tasnet.plan import Bounds, Plan, TrainedFunction, function_of_variant, make_plan, read_profile, write_plan
from tasnet.suite.cases import Case, Stage
from tasnet.suite.history.run import END, HEAD, StoredRun, read_run
from tasnet.suite.history.writer import begin_run
from tasnet.suite.notes.exporting import write_night_run
from tasnet.suite.numerics import listening
from tasnet.suite.numerics.emulated import emulated_arrays
from tasnet.suite.numerics.listen_page import ListenResult, MixedRecording
from tasnet.suite.report.run_folder import write_run
from tasnet.suite.run.calibration import CalibrationData, CalibrationReport, save_calibration
from tasnet.suite.run.store import open_store
from tasnet.suite.upkeep import update_ledger
from tests.doubles.ledgers import entry_text, ledger_text
from tests.doubles.outcomes import SUPER_DECONV, outcomes
from tests.doubles.stored_runs import ended_record, run_head, store_profile
from tests.network.sizes import SMALL
from tests.suite.upkeep.grouped_ledger import tell

STEPS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir"})
CUTS = (1, 600, 6000)
"""bytes at which a write ends"""


def graph(op: str, width: int) -> onnx.ModelProto:
    """`y = x op w`, the weight worth a file of its own."""
    weight = numpy_helper.from_array(np.arange(width, dtype=np.float32).reshape(1, 1, 1, width), "w")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, width]) for name in ("x", "y"))
    made = helper.make_graph([helper.make_node(op, ["x", "w"], ["y"])], "g", [x], [y], [weight])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def export_into_store(folder: Path) -> None:
    write_shared_onnx(graph("Add", 4096), open_store(folder).onnx_folder())


def export(folder: Path) -> None:
    write_onnx(graph("Add", 4096), folder / "model.onnx")


def outcome_and_note(folder: Path) -> None:
    store = open_store(folder)
    store.put_outcome("ab" * 32, outcomes()[Stage.COMPILE])
    store.put_note("cd" * 32, {"size": list(range(500))})


def har_pieces(folder: Path) -> None:
    open_store(folder).put_har(har_of(folder.parent))


def artifact(folder: Path) -> None:
    open_store(folder).put_file(b"log" * 3000, ".log")


def written_har(folder: Path) -> None:
    har.write(translate(folder.parent / "small.onnx", "n"), folder / "net.har")


def page(folder: Path) -> None:
    """As a page, SUPPORT.md, a picture, the limits and a gate's markdown are written."""
    write_whole(folder / "page.html", b"<p>" * 4000)


def calibration(folder: Path) -> None:
    report = CalibrationReport("speech", "wav", 8000, (), (), 0.1, 0.0, 0.0, "silence", (), "0" * 64)
    save_calibration(CalibrationData(np.zeros((4, 1, 800, 1), np.float32), report), folder / "calibration.npy")


def tables_of_a_run(folder: Path) -> None:
    run = folder / "runs" / "20260601T000000Z"
    run.mkdir(parents=True, exist_ok=True)
    write_run(run, [ended_record("baseline", outcomes())], open_store(folder))


def edited_ledger(folder: Path) -> None:
    update_ledger(folder / "ledger.yaml", stored_run(), {}, date(2026, 6, 1))


def listened(folder: Path) -> None:
    """What is heard and seen; of what it is made is another's."""
    tone = np.sin(np.arange(4000, dtype=np.float32) / 9)
    waves = {"torch": np.stack([tone, tone])}
    mix = MixedRecording(tone, waves["torch"], ("a", "b"), 8000)
    result = ListenResult(SimpleNamespace(missing={}), mix, waves, {}, {}, 1.0, None)
    if not (folder / "out").exists():
        with mock.patch.object(listening, "listen_html", return_value="<p>" * 4000):
            listening.write_folder(result, folder / "out")


def planned(folder: Path) -> None:
    if not (folder / "plan").exists():
        write_plan(*small_plan(), folder / "plan")


def night_run(folder: Path) -> None:
    """As `tasnet export-notes` writes one."""
    log = folder.parent / "log"
    write_night_run(folder, [ended_record("baseline", outcomes(SUPER_DECONV))], {"baseline": log}, "20260601_000000")


def emulation(folder: Path) -> None:
    """What goes to the compiler and comes back lies with the temporary files."""

    class Infers:
        def infer(self, har: Path, arch: str, context: str, data: Path, out: Path) -> StageReport:
            with unfinished.opened(out) as file:
                np.savez(file, out=np.load(data))
            return StageReport(StageEnd.PASSED)

    with mock.patch.object(tempfile, "tempdir", str(folder)):
        case = Case(Variant(), SMALL, 1600)
        found = emulated_arrays(Infers(), har_of(folder.parent), case, "SDK_NATIVE", np.ones((1, 1, 4000, 1), "<f4"))
    write_whole(folder / "found", found["out"].tobytes())


@cache
def stored_run() -> StoredRun:
    """Of two cases, in which the ledger's one entry holds for one alone."""
    with tempfile.TemporaryDirectory() as store:
        return store_profile(Path(store), tell)


@cache
def small_plan() -> tuple[Plan, TrainedFunction]:
    """Of one segment."""
    size = Size(N=4, L=8, B=4, H=4, Sc=4, P=3, X=1, R=1, n_src=2)
    trained = function_of_variant(Variant(norm="affine"), size, seeded_weights(size, 3))
    return make_plan(trained, 200, "hailo8", Bounds(rows=16_000), "time", read_profile("raspberry-pi-5")).plan, trained


def har_of(folder: Path) -> Path:
    """Written before: what the writers are given."""
    return folder / "given.har"


WRITERS = [
    *(export_into_store, export, outcome_and_note, har_pieces, artifact, written_har, page, calibration),
    *(tables_of_a_run, edited_ledger, listened, planned, night_run, emulation),
]
THERE_BEFORE = {
    edited_ledger: {"ledger.yaml": (ledger_text(entry_text("one")) + "# what people wrote\n" * 400).encode()}
}
"""what a writer changes"""


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with what the writers are given beside it."""
    write_onnx(graph("Mul", 4096), tmp_path / "small.onnx")
    har.write(translate(tmp_path / "small.onnx", "n"), har_of(tmp_path))
    (tmp_path / "log").write_text("[info] step\n" * 1000)
    return tmp_path


def in_child(act: Callable[[], object]) -> int:
    """The wait status of a process that acts."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            os._exit(3)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def cut_after(size: int) -> None:
    """From now on a write past so many bytes of a file ends the process, as a kill does: no handler, no clean-up."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def at_each_step(act: Callable[[int], None]) -> None:
    """Acts before each step that a process takes from now on, whose number it gets, from 0."""
    taken: list[int] = []
    acting = False

    def hook(event: str, _: object) -> None:
        nonlocal acting
        if event in STEPS and not acting:
            acting = True
            act(len(taken))
            acting = False
            taken.append(1)

    sys.addaudithook(hook)


def killed_at(step: int) -> None:
    """SIGKILL before the step of that number."""

    def kill(taken: int) -> None:
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)

    at_each_step(kill)


def files(folder: Path) -> dict[str, bytes]:
    """What readers may find: everything but what is at work in tmp/, and locks."""
    found = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    own = {name: path for name, path in named.items() if not name.startswith(("tmp/", "locks/"))}
    return {name: content(path) for name, path in own.items() if not name.endswith(".lock")}


def finished_files(folder: Path) -> dict[str, bytes]:
    """Without those that are being written in their own folder."""
    return {name: data for name, data in files(folder).items() if ".unfinished" not in name}


def contents(folder: Path) -> list[bytes]:
    """Of all files, finished or not, and of locks."""
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def content(path: Path) -> bytes:
    """What was written. Of a wav the samples: libsndfile puts the time into what comes before them."""
    data = path.read_bytes()
    return data[data.index(b"data") :] if data[:4] == b"RIFF" and b"data" in data else data


@pytest.mark.parametrize("write", WRITERS)
def test_a_killed_writer_leaves_nothing_half_written(given: Path, write: Callable[[Path], None]) -> None:
    before = THERE_BEFORE.get(write, {})
    whole = begun(given / "whole", write)
    write(whole)
    expected = files(whole)
    assert expected != before
    cut = [each for each in (cut_in(given, write, size) for size in CUTS) if each]
    steps = copies_of(given, write)
    assert len(steps) + len(cut) >= 3
    for where in (*cut, *steps):
        left = finished_files(where)
        assert all(data in (before.get(name), expected.get(name)) for name, data in left.items()), (
            f"{where.name}: half-written"
        )
        assert left.keys() >= before.keys(), f"{where.name}: lost"
        write(where)
        assert files(where) == expected, f"{where.name}: something is left after the next run"


def begun(folder: Path, write: Callable[[Path], None]) -> Path:
    """A folder as it is before the writer comes."""
    folder.mkdir()
    for file, data in THERE_BEFORE.get(write, {}).items():
        (folder / file).write_bytes(data)
    return folder


def cut_in(given: Path, write: Callable[[Path], None], size: int) -> Path | None:
    """The folder of a writer that was ended by a write past so many bytes; None if it wrote none of them."""
    where = begun(given / f"cut after {size}", write)
    status = in_child(lambda: (cut_after(size), write(where)))
    assert os.WIFSIGNALED(status) or status == 0, f"{where.name}: status {status}"
    return where if status else None


def copies_of(given: Path, write: Callable[[Path], None]) -> list[Path]:
    """Copies of the writer's folder, one as it was before each of its steps."""
    where = begun(given / "steps", write)

    def copy(step: int) -> None:
        shutil.copytree(where, given / f"before step {step}")

    assert in_child(lambda: (at_each_step(copy), write(where))) == 0
    return sorted(given.glob("before step *"))


@pytest.mark.parametrize("write", [artifact, calibration])
def test_a_kill_leaves_what_the_copy_before_its_step_has(given: Path, write: Callable[[Path], None]) -> None:
    """Name by name, with what is at work: its names are drawn, and there is as much of it."""
    copies = copies_of(given, write)
    assert copies
    for step in range(len(copies)):
        where = begun(given / f"killed at {step}", write)
        assert os.WTERMSIG(in_child(lambda step=step, where=where: (killed_at(step), write(where)))) == signal.SIGKILL
        copy = given / f"before step {step}"
        assert finished_files(where) == finished_files(copy)
        assert contents(where) == contents(copy)


def test_a_run_killed_at_any_point_is_read_as_far_as_it_went(tmp_path: Path) -> None:
    """Its lines are appended: the last may be cut, and the reader passes over it."""
    assert records_of_killed_runs(tmp_path) == {0, 1, 2}
    open_store(tmp_path / "store")
    assert not [*tmp_path.rglob("*.unfinished")]


def records_of_killed_runs(tmp_path: Path) -> set[int]:
    """How many records were read of runs that were ended at each point; each must be as it was written."""
    records = [ended_record(case, outcomes()) for case in ("baseline", "mask-bypass")]

    def write(folder: Path) -> None:
        writer = begin_run(folder, run_head(records))
        for each in records:
            writer.add_record(each)
        writer.end(records, 0)

    sizes = set()
    for size in (10, *range(700, 12_000, 900)):
        folder = tmp_path / "store" / "runs" / str(size)
        folder.mkdir(parents=True)
        status = in_child(lambda size=size, folder=folder: (cut_after(size), write(folder)))  # type: ignore[misc]
        if (folder / HEAD).exists():
            run = read_run(folder)
            assert [each.case_id for each in run.records] == [each.case_id for each in records][: len(run.records)]
            assert (run.end is not None) == (status == 0) == (folder / END).exists(), f"cut after {size}: {status}"
            sizes.add(len(run.records))
    return sizes
