"""The pipeline in many processes: each piece of work once, nothing lost by a kill, torch only where it is needed."""

import multiprocessing
import signal
import subprocess
import sys

import tasnet.network as network_door
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case, graph_key
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.recipe import Recipe
from tasnet.suite.run.store import Store
from tests.doubles.processes import until
from tests.doubles.scripted_toolchain import ScriptedToolchain
from tests.suite.run.scripted_cases import ALL_PASSED, checkpoint_file, done, statuses
from tests.suite.run.small_cases import ten_graphs


def in_a_new_process(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_full_store_needs_no_torch_even_with_a_checkpoint(store, calls, tmp_path):
    file = checkpoint_file(tmp_path / "best.pth")
    recipe = Recipe(checkpoint=file, blocks_per_repeat=2)
    case = Case(Variant(), length=160)
    Pipeline(store, ScriptedToolchain(calls), recipe).run(case)
    code = f"""
from pathlib import Path
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.recipe import Recipe
from tasnet.suite.run.store import Store
from tests.doubles.scripted_toolchain import ScriptedToolchain
recipe = Recipe(checkpoint=Path({str(file)!r}), blocks_per_repeat=2)
outcomes = Pipeline(Store(Path({str(store.root)!r})), ScriptedToolchain(Path({str(calls)!r})), recipe).run(
    Case(Variant(), length=160))
print([o.status.value for o in outcomes.values()], 'torch' in sys.modules, 'onnx' in sys.modules)
"""
    text, _ = in_a_new_process(code).communicate()
    assert text.strip() == "['passed', 'passed', 'passed', 'passed'] False False"
    assert done(calls) == {"translate": 1, "optimize": 1, "compile": 1}


# --- many processes


def one_worker(number, root, calls):
    """Runs all cases from its own place in the list, and counts its exports in the file of calls."""
    real = network_door.to_onnx

    def counted(*args, **named):
        with calls.open("a") as file:
            file.write("end export\n")
        return real(*args, **named)

    network_door.to_onnx = counted
    cases = ten_graphs()
    pipeline = Pipeline(Store(root), ScriptedToolchain(calls))
    for case in cases[number * 5 :] + cases[: number * 5]:
        assert statuses(pipeline.run(case)) == ALL_PASSED


def test_eight_processes_that_want_the_same_graphs_do_each_once(store, calls):
    cases = ten_graphs()
    assert (len(cases), len({graph_key(case) for case in cases})) == (40, 10)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=one_worker, args=(n, store.root, calls)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert done(calls) == {"export": 10, "translate": 10, "optimize": 10, "compile": 10}
    assert list((store.root / "tmp").iterdir()) == []


class StopsInTheThird(ScriptedToolchain):
    """Its third translation never ends."""

    def translate(self, onnx, net_name, har):
        if self.calls.exists() and done(self.calls)["translate"] == 2:
            self._line("start translate third")
            signal.pause()
        return super().translate(onnx, net_name, har)


def run_all(store, toolchain):
    return [statuses(Pipeline(store, toolchain).run(case)) for case in ten_graphs()]


def test_a_killed_run_loses_nothing_finished_and_goes_on(store, calls):
    run = multiprocessing.get_context("fork").Process(target=run_all, args=(store, StopsInTheThird(calls)))
    run.start()
    assert until(lambda: calls.exists() and "third" in calls.read_text())
    run.kill()
    run.join()
    assert done(calls) == {"translate": 2, "optimize": 2, "compile": 2}
    assert run_all(store, ScriptedToolchain(calls)) == [ALL_PASSED] * 40
    assert done(calls) == {"translate": 10, "optimize": 10, "compile": 10}
