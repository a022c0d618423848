"""The gate on real repositories, changes of the network's own files and real sizes (eight cases of the notes)."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.dfc_python import dfc_python
from tests.doubles.repository import changed, git, made, tasnet

NET = "tasnet/network/convtasnet.py"
PROFILES = "tasnet/suite/cases/profiles.py"
STAGES = ("translate", "optimize", "compile")
WITH_MASK = (
    "concat-normal-grouped-all",
    "project-normal-grouped-k1",
    "concat-normal-grouped-k1",
    "concat-normal-grouped-k12",
    "concat-normal-grouped-k16",
)
"""have a masker, and so the layers that most tests change"""
WITHOUT_MASK = (
    "project-bypass-grouped-k1",
    "project-bypass-conv1x1_head-k1",
    "project-bypass-first-conv1x1_head-k1",
)
CASES = (*WITH_MASK, *WITHOUT_MASK)


@pytest.fixture(scope="module")
def _first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository whose profile `notes` has these cases alone: both sides of every gate export each of them."""
    folder = made(tmp_path_factory.mktemp("first") / "repository", "parity_graphs = 0")
    notes = "    yield from dict.fromkeys(NOTES_TAGS.values())\n"
    few = (
        f"    few = {CASES!r}\n    yield from (case for case in dict.fromkeys(NOTES_TAGS.values()) if case.id in few)\n"
    )
    changed(folder, PROFILES, (notes, few))
    return folder


@pytest.fixture(scope="module")
def store(shared_folder: Path) -> Path:
    """One for all tests here, whichever worker runs them: the base's graphs are exported by the first of them alone."""
    return shared_folder / "gate-store"


@pytest.fixture
def repository(_first: Path, tmp_path: Path) -> Path:
    """A repository whose base is `main`, on a branch for a change."""
    folder = tmp_path / "repository"
    shutil.copytree(_first, folder)
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def gate(repository: Path, store: Path, *words: str, **more: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON; nothing is left behind, whatever the answer."""
    temporary = repository.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    at = ["--base", "main", "--profile", "notes", "--store", str(store), "--json", "-n", "1"]
    done = tasnet(repository, "gate", *at, *words, TMPDIR=str(temporary), **more)
    assert done.returncode in (0, 1), done.stderr
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    # The places of memory stay: whoever runs a stage on this machine takes from the same ones.
    left = [each.name for each in temporary.iterdir() if each.name.startswith("tasnet-")]
    assert not [name for name in left if not name.startswith("tasnet-places-")]
    return done.returncode, json.loads(done.stdout)


def reasons(told: dict[str, Any]) -> dict[str, int]:
    return {f"{each['reason']}: {each['what']}": len(each["cases"]) for each in told["regressions"]}


def test_a_change_of_other_files_exports_nothing(repository: Path, tmp_path: Path) -> None:
    changed(repository, "expected_failures.yaml", ("schema: 1", "# a comment\nschema: 1"))
    code, told = gate(repository, tmp_path / "none")
    assert (code, told["same_sources"], told["unchanged"], told["changed"]) == (0, True, len(CASES), [])
    assert not (tmp_path / "none" / "onnx").exists()


def test_a_comment_changes_no_graph(repository: Path, store: Path) -> None:
    changed(repository, NET, ("class TcnBlock(nn.Module):", "# a comment\nclass TcnBlock(nn.Module):"))
    code, told = gate(repository, store)
    assert (code, told["same_sources"], told["unchanged"], told["changed"]) == (0, False, len(CASES), [])
    assert told["known"] == "predicted"


def test_a_module_called_otherwise_is_names_alone_and_is_not_run_again(repository: Path, store: Path) -> None:
    changed(repository, NET, ("self.bottleneck", "self.neck"))
    code, told = gate(repository, store)
    assert code == 0
    assert {each["what"] for each in told["changed"]} == {"names"}
    assert {each["verdict_after"] for each in told["changed"]} == {None}
    assert sum(len(each["cases"]) for each in told["changed"]) == len(WITH_MASK)


def test_other_weights_are_told_apart_from_another_structure(repository: Path, store: Path) -> None:
    changed(
        repository,
        NET,
        ('Conv(layout, weights[f"{name}.{part}.weight"],', 'Conv(layout, 0.5 * weights[f"{name}.{part}.weight"],'),
    )
    code, told = gate(repository, store)
    assert code == 0
    assert {each["what"] for each in told["changed"]} == {"weights"}
    assert {(each["verdict_before"], each["verdict_after"]) for each in told["changed"]} == {("blocked", "blocked")}


def test_a_wider_network_is_a_regression_of_size_and_of_a_family(repository: Path, store: Path) -> None:
    changed(repository, "tasnet/network/variant.py", ("H: int = 512", "H: int = 640"))
    code, told = gate(repository, store)
    assert code == 1
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
    code, told = gate(repository, store)
    assert (code, told["regressions"]) == (0, [])
    assert {tuple(each["cause"]) for each in told["changed"]} == {("conv /masker/extra/Conv: added",)}
    for each in told["changed"]:
        assert each["after"]["layers"] - each["before"]["layers"] == 1
        assert each["after"]["weights"] - each["before"]["weights"] == 128 * 128 + 128
    (parity,) = told["parity"]
    assert parity["breaches"] == []
    assert {"torch", "onnx", "har", "har8"} == parity["snr_db"].keys()
    assert parity["to_base"] is None or parity["to_base"] > 100, "an identity changes nothing: exact, or nearly"


def test_new_gone_and_broken_cases(repository: Path, store: Path) -> None:
    changed(
        repository,
        PROFILES,
        ("concat-normal-grouped-k12", "concat-normal-grouped-k6"),
    )
    changed(
        repository, NET, ("        self.blocks = [", "        assert kept != 16, 'sixteen'\n        self.blocks = [")
    )
    code, told = gate(repository, store)
    assert (told["new"], told["gone"]) == (["concat-normal-grouped-k6"], ["concat-normal-grouped-k12"])
    assert code == 1
    assert reasons(told) == {"no graph: can't be exported": 1}
    assert told["regressions"][0]["detail"] == "AssertionError: sixteen"
    assert told["changed"] == []


def test_the_compiler_judges_what_changed_on_both_sides_and_once(repository: Path, store: Path, tmp_path: Path) -> None:
    calls, recordings = tmp_path / "calls", tmp_path / "speech.npz"
    # Six seconds of a tone that comes and goes: what a stand-in is calibrated with doesn't matter.
    time = np.arange(48_000) / 8000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    np.savez(recordings, speech=tone[None].astype(np.float32), rate=8000)
    changed(
        repository, NET, ('weights["conv1x1_head.weight"][:sources]', '0.5 * weights["conv1x1_head.weight"][:sources]')
    )
    words = [
        "--toolchain",
        "dfc",
        "--dfc-python",
        str(dfc_python(tmp_path / "dfc", {"graph": "read", "calls": str(calls)})),
    ]
    words += [part for stage in STAGES for part in ("--limit", f"{stage}.memory=1 GiB")]
    code, told = gate(repository, store, *words, TASNET_CALIBRATION=str(recordings))
    assert (code, told["regressions"]) == (0, [])
    assert (told["toolchain"], told["known"]) == ("dfc 3.33.0+double", "predicted"), "a double observes nothing"
    assert [each["what"] for each in told["changed"]] == ["weights", "weights"]
    assert [each["verdict_after"] for each in told["changed"]] == ["blocked", "blocked"]
    made = calls.read_text().splitlines()
    # Two graphs with other weights on either side, and each of the four is judged once.
    assert Counter(line.split()[0] for line in made) == {"translate": 4, "optimize": 4, "compile": 4}
    gate(repository, store, *words, TASNET_CALIBRATION=str(recordings))
    assert calls.read_text().splitlines() == made, "a second gate has all of it from the store"


def test_the_summary_says_the_answer_first(repository: Path, store: Path) -> None:
    changed(repository, "tasnet/network/variant.py", ("H: int = 512", "H: int = 640"))
    words = ["gate", "--base", "main", "--profile", "notes", "--store", str(store), "-n", "2", "--markdown", "gate.md"]
    done = tasnet(repository, *words)
    assert done.returncode == 1, done.stderr
    assert (repository / "gate.md").read_text(encoding="utf-8") == done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("## tasnet gate: ❌ ")
    assert "**predicted**, not observed" in lines[2]
    assert lines.index("### Regressions") < lines.index("### What changed") < lines.index("</details>")
    assert f"{len(WITH_MASK)} changed, {len(WITHOUT_MASK)} unchanged." in lines
    assert done.stdout.count("<details>") == done.stdout.count("</details>") > 0
    assert len(done.stdout) < 65_536, "what a comment on a pull request may hold"
    assert "judged" in done.stderr
