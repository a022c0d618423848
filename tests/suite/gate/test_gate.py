"""The gate on real repositories, changes of the network's own files and real sizes (six cases of the notes)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasnet.suite.cases.case import Case, variant_of
from tasnet.suite.cases.profiles import PROFILES
from tasnet.suite.gate.markdown import markdown_lines
from tasnet.suite.gate.result import GateResult, result_json
from tasnet.suite.run.toolchains import toolchain_options
from tests.doubles.dfc_python import dfc_python
from tests.doubles.forked_compiler import forked_compiler
from tests.doubles.forked_sides import forked_sides
from tests.doubles.repository import changed, git, made, tasnet
from tests.suite.gate.repositories import copied, gated, nothing_left, once

NET = "tasnet/network/convtasnet.py"
PROFILES_FILE = "tasnet/suite/cases/profiles.py"
STAGES = ("translate", "optimize", "compile")
WITH_MASK = (
    "project-normal-grouped-k1",
    "concat-normal-grouped-k1",
    "concat-normal-grouped-k2",
    "concat-normal-grouped-k4",
)
"""have a masker, and so the layers that most tests change"""
WITHOUT_MASK = ("project-bypass-grouped-k1", "project-bypass-conv1x1_head-k1")
CASES = (*WITH_MASK, *WITHOUT_MASK)


def _made(folder: Path) -> None:
    """The repository whose profile `notes` has these cases alone: both sides of every gate export each of them."""
    made(folder, "parity_graphs = 0")
    notes = "    yield from dict.fromkeys(NOTES_TAGS.values())\n"
    few = f"    yield from (Case(variant_of(name)) for name in {CASES!r})\n"
    changed(folder, PROFILES_FILE, (notes, few))
    git(folder, "gc", "--quiet")  # one file to copy, not one for each of the package's


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    """The profile is the same in this process, whose gate judges the graphs."""
    with pytest.MonkeyPatch.context() as patched:
        few = [Case(variant_of(name)) for name in CASES]
        patched.setattr("tasnet.suite.cases.profiles.PROFILES", {**PROFILES, "notes": lambda: few})
        yield


@pytest.fixture(scope="module", autouse=True)
def _forked() -> Iterator[None]:
    """The sides, and the compiler, of a gate that isn't the command's."""
    with forked_sides(), forked_compiler():
        yield


@pytest.fixture(scope="module")
def _first(shared_folder: Path) -> Path:
    return once(shared_folder, "gate-first", _made)


@pytest.fixture(scope="module")
def store(shared_folder: Path) -> Path:
    """One for all tests here, whichever worker runs them: the base's graphs are exported by the first of them alone."""
    return shared_folder / "gate-store"


def _branched(first: Path, folder: Path) -> Path:
    """A repository whose base is `main`, on a branch for a change."""
    copied(first, folder)
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


@pytest.fixture
def repository(_first: Path, tmp_path: Path) -> Path:
    return _branched(_first, tmp_path / "repository")


def reasons(told: dict[str, Any]) -> dict[str, int]:
    return {f"{each['reason']}: {each['what']}": len(each["cases"]) for each in told["regressions"]}


# --- the command, of the repository's own tasnet ------------------------------------------------------------


def test_a_change_of_other_files_exports_nothing(repository: Path, tmp_path: Path) -> None:
    changed(repository, "expected_failures.yaml", ("schema: 1", "# a comment\nschema: 1"))
    words = ["gate", "--base", "main", "--profile", "notes", "--store", str(tmp_path / "none"), "--markdown", "gate.md"]
    done = tasnet(repository, *words)
    assert done.returncode == 0, done.stderr
    assert f"No file that decides a graph differs: all {len(CASES)} cases are what they were." in done.stdout
    assert (repository / "gate.md").read_text(encoding="utf-8") == done.stdout
    assert not (tmp_path / "none" / "onnx").exists()


def test_each_case_is_told_by_what_became_of_its_own_graph(repository: Path, store: Path, tmp_path: Path) -> None:
    """Other weights, other names, no graph any more, a new case, one that is gone, and one that stays as it was."""
    changed(
        repository,
        NET,
        ('Conv(layout, weights[f"{name}.{part}.weight"],', 'Conv(layout, 0.5 * weights[f"{name}.{part}.weight"],'),
        ('"head" if self.mixes', '"top" if self.mixes'),
        ("        self.blocks = [", "        assert kept != 4, 'four'\n        self.blocks = ["),
    )
    changed(repository, PROFILES_FILE, ("'concat-normal-grouped-k2'", "'concat-normal-grouped-k3'"))
    words = ["gate", "--base", "main", "--profile", "notes", "--store", str(store), "--json", "-n", "1"]
    with nothing_left(repository, tmp_path / "tmp"):
        done = tasnet(repository, *words, TMPDIR=str(tmp_path / "tmp"))
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["passed"], told["known"], told["same_sources"]) == (False, "predicted", False)
    what = {case: each["what"] for each in told["changed"] for case in each["cases"]}
    verdicts = {each["what"]: (each["verdict_before"], each["verdict_after"]) for each in told["changed"]}
    assert what == {
        "project-normal-grouped-k1": "weights",
        "concat-normal-grouped-k1": "weights",
        "project-bypass-conv1x1_head-k1": "names",
    }
    assert verdicts == {"weights": ("blocked", "blocked"), "names": (None, None)}, "names alone are not run again"
    assert (told["new"], told["gone"]) == (["concat-normal-grouped-k3"], ["concat-normal-grouped-k2"])
    assert reasons(told) == {"no graph: can't be exported": 1}
    assert told["regressions"][0]["cases"] == ["concat-normal-grouped-k4"]
    assert told["regressions"][0]["detail"] == "AssertionError: four"
    assert told["unchanged"] == 1, "its code differs, its graph doesn't"


# --- a wider network ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wider(_first: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[GateResult, list[str]]:
    """What the gate finds, and its progress."""
    repository = _branched(_first, tmp_path_factory.mktemp("wider") / "repository")
    changed(repository, "tasnet/network/variant.py", ("H: int = 512", "H: int = 640"))
    said: list[str] = []
    return gated(repository, store, said=said), said


def test_a_wider_network_is_a_regression_of_size_and_of_a_family(wider: tuple[GateResult, list[str]]) -> None:
    told = result_json(wider[0])
    assert not told["passed"]
    found = reasons(told)
    assert found["new blocker: a new family: memory_units at compile (no entry covers it)"] == len(WITH_MASK)
    # One block beside the projection's own product is less than that.
    larger = [each["cases"] for each in told["changed"] if each["after"]["macs"] > 1.05 * each["before"]["macs"]]
    assert found["size: MACs grew by more than 5%"] == sum(map(len, larger)) == len(WITH_MASK) - 1
    (k1,) = (each for each in told["changed"] if "concat-normal-grouped-k1" in each["cases"])
    assert k1["what"] == "structure"
    assert k1["cause"] == [
        "conv /masker/blockN/in_conv/Conv: out 512 -> 640",
        "conv /masker/blockN/skip_conv/Conv: in 512 -> 640",
        "dw /masker/blockN/dw_conv/Conv: in 512 -> 640, out 512 -> 640",
    ]
    assert [(each["layer"], each["node"]) for each in k1["layers"]] == [
        ("conv3", "/masker/block0/in_conv/Conv"),
        ("dw1", "/masker/block0/dw_conv/Conv"),
        ("conv4", "/masker/block0/skip_conv/Conv"),
    ]
    # 128 -> H (with a bias), three taps and a bias each, H -> 128: per channel of H
    per_channel = (128 + 1) + (3 + 1) + 128
    assert k1["after"]["weights"] - k1["before"]["weights"] == (640 - 512) * per_channel
    assert k1["after"]["macs"] - k1["before"]["macs"] == (640 - 512) * per_channel * 1999
    assert k1["after"]["onnx_bytes"] - k1["before"]["onnx_bytes"] == pytest.approx(
        4 * (640 - 512) * per_channel, rel=0.01
    )


def test_the_summary_says_the_answer_first(wider: tuple[GateResult, list[str]]) -> None:
    result, said = wider
    lines = [*markdown_lines(result)]
    text = "\n".join(lines)
    assert lines[0].startswith("## tasnet gate: ❌ ")
    assert "**predicted**, not observed" in lines[2]
    assert lines.index("### Regressions") < lines.index("### What changed") < lines.index("</details>")
    assert f"{len(WITH_MASK)} changed, {len(WITHOUT_MASK)} unchanged." in lines
    assert text.count("<details>") == text.count("</details>") > 0
    assert len(text) < 65_536, "what a comment on a pull request may hold"
    assert f"judged {len(WITH_MASK)} of {len(WITH_MASK)} changed graphs" in said


# --- one change each ----------------------------------------------------------------------------------------


def test_a_layer_more_is_found_as_that_and_the_same_function_is_said(repository: Path, store: Path) -> None:
    changed(
        repository,
        NET,
        (
            '        self.norm = _norm(variant, weights, "masker.bottleneck.0")\n',
            '        self.norm = _norm(variant, weights, "masker.bottleneck.0")\n'
            "        self.extra = Conv(variant.layout, torch.eye(size.B)[:, :, None], torch.zeros(size.B))\n",
        ),
        (
            "        skips = None\n",
            "        stream = self.extra(stream)\n        skips = None\n",
        ),
    )
    changed(repository, "pyproject.toml", ("parity_graphs = 0", "parity_graphs = 1"))
    result = gated(repository, store)
    assert result.passed
    told = result_json(result)
    assert told["regressions"] == []
    assert {tuple(each["cause"]) for each in told["changed"]} == {("conv /masker/extra/Conv: added",)}
    for each in told["changed"]:
        assert each["after"]["layers"] - each["before"]["layers"] == 1
        assert each["after"]["weights"] - each["before"]["weights"] == 128 * 128 + 128
    (parity,) = told["parity"]
    assert parity["breaches"] == ()
    assert {"torch", "onnx", "har", "har8"} == parity["snr_db"].keys()
    assert parity["to_base"] is None or parity["to_base"] > 100, "an identity changes nothing: exact, or nearly"


def test_the_compiler_judges_what_changed_on_both_sides_and_once(repository: Path, store: Path, tmp_path: Path) -> None:
    calls, recordings = tmp_path / "calls", tmp_path / "speech.npz"
    # Six seconds of a tone that comes and goes: what a stand-in is calibrated with doesn't matter.
    time = np.arange(48_000) / 8000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    np.savez(recordings, speech=tone[None].astype(np.float32), rate=8000)
    changed(
        repository, NET, ('weights["conv1x1_head.weight"][:sources]', '0.5 * weights["conv1x1_head.weight"][:sources]')
    )
    compiler = toolchain_options(
        "dfc",
        "hailo8",
        dfc_python=str(dfc_python(tmp_path / "dfc", {"graph": "read", "calls": str(calls)})),
        limit=[f"{stage}.memory=1 GiB" for stage in STAGES],
        calibration=recordings,
    )
    result = gated(repository, store, toolchain=compiler)
    told = result_json(result)
    assert (result.passed, told["regressions"]) == (True, [])
    assert (told["toolchain"], told["known"]) == ("dfc 3.33.0+double", "predicted"), "a double observes nothing"
    (changed_,) = told["changed"]
    assert (changed_["what"], changed_["verdict_after"]) == ("weights", "blocked")
    calls_made = calls.read_text().splitlines()
    # One graph with other weights on either side, and each of the two is judged once.
    assert Counter(line.split()[0] for line in calls_made) == {"translate": 2, "optimize": 2, "compile": 2}
    gated(repository, store, toolchain=compiler)
    assert calls.read_text().splitlines() == calls_made, "a second gate has all of it from the store"
