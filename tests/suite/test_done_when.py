"""The whole of it: a stand-in for the compiler that nobody wrote the adapter against runs the profile `notes`.

The stand-in is made from public facts alone (`tests/doubles/hailo_sdk_client/reading.py`). It goes through translate,
optimize and compile of every case, each stage in a process of its own, and each case must end as the ledger says.
"""

from __future__ import annotations

import csv
import subprocess
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasnet.cli import main
from tasnet.hailo.chip.detection import detect_chip
from tasnet.hailo.files.hef import Hef
from tasnet.hailo.predict.reference import Reference
from tasnet.network.convtasnet import build_network
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger import read_ledger
from tasnet.suite.observed.confusions import Agreement
from tasnet.suite.observed.on_device import (
    aligned_parity,
    cut_windows,
    parity_outcome,
    pytorch_waves,
    separate_on_device,
)
from tasnet.suite.observed.pair import ToolchainPair, compare_verdicts, hef_differences
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tasnet.suite.run.toolchains import CaseCalibration, open_compiler, toolchain_options
from tests.doubles.dfc_python import dfc_python
from tests.doubles.hailort import as_hailo_platform
from tests.doubles.recordings import recordings
from tests.doubles.repository import run_pytest
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("translate", "optimize", "compile")


def suite(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The suite itself, in its checkout, with the stand-in as its compiler."""
    words = ["-p", "tests.doubles.forked_compiler", "-m", "compile", "tests/compile", "--tasnet-profile", "notes"]
    words += ["-p", "no:cacheprovider", "--tasnet-store", str(tmp_path / "store"), "--tasnet-toolchain", "dfc"]
    words += ["--tasnet-calibration", str(recordings(tmp_path / "speech.npz"))]
    # Of a stand-in's memory little is needed, and cases may run beside each other.
    words += [part for stage in STAGES for part in ("--tasnet-limit", f"{stage}.memory=1 GiB")]
    # The locks that share the machine's memory lie with the temporary files: other runs' stages aren't waited for.
    return run_pytest(*words, *options, COLUMNS="120", TMPDIR=str(tmp_path))


def test_the_notes_end_as_the_ledger_says(
    tmp_path: Path, notes_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # with the graphs, and what the embedded toolchain says of them
    copy_store(notes_store, tmp_path / "store")
    calls = tmp_path / "calls"
    python = str(dfc_python(tmp_path / "dfc", {"graph": "read", "calls": str(calls)}))
    ran = suite(tmp_path, "--tasnet-dfc-python", python)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr

    # Every case is an expected failure, and nothing of it is said to be observed.
    cases = profile_cases("notes")
    assert f"{len(cases)} xfailed" in ran.stdout
    # Translations, the ledger's tests, and layer by layer, verdict by verdict the same as the open toolchain's.
    of_the_ledger = 2 * len(read_ledger(ROOT / "expected_failures.yaml").entries)
    # Nothing was compiled whose file could be compared, and a stand-in's word is no evidence.
    assert f"{3 * len(cases) + of_the_ledger} passed, {len(cases) + 1} skipped" in ran.stdout
    assert not (tmp_path / "store" / "evidence").exists()
    assert f"{len(cases)} agrees" in ran.stdout
    assert "notes on hailo8: predicted by dfc 3.33.0+double" in ran.stdout
    assert "observed with" not in ran.stdout
    assert "predicted \\ double" in ran.stdout

    # Every graph went through every stage once.
    graphs = Counter(calls.read_text().splitlines())
    assert set(graphs.values()) == {1}
    assert Counter(line.split()[0] for line in graphs) == dict.fromkeys(STAGES, len(cases))

    # The notes' files, with what is known of the notes' cases.
    (summary,) = (tmp_path / "store" / "runs").glob("*/summary.tsv")
    with summary.open() as file:
        rows = {row["run_tag"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert len(rows) == len(cases)
    assert {tag: row["families"] for tag, row in rows.items() if tag in KNOWN} == {
        tag: family for tag, (family, _) in KNOWN.items()
    }
    for tag, row in rows.items():
        assert row["predicted"] == "true"
        assert (row["har_success"], row["case_status"], row["failure_stage"]) == ("true", "har_only_success", "compile")
        assert (row["judgement"], row["command_status"], row["timed_out"]) == ("expected_failure", "1", "false")
        log = (summary.parent / row["log_path"]).read_text()
        assert "predicted by a stand-in for Dataflow Compiler 3.33.0+double" in log.splitlines()[0]
        assert [line for line in log.splitlines() if line.startswith("Step ")] == ["Step 3 Success", "Step 4 Failed"]
        assert (summary.parent / row["failure_json"]).is_file()
        assert "BackendAllocatorException" in row["key_trace"], tag
    assert [rows[tag]["first_10_failed_layers"] for tag in KNOWN] == [layers for _, layers in KNOWN.values()]

    # Read back they are no evidence, for nothing was observed.
    assert main(["import-runs", str(summary), "--store", str(tmp_path / "other")]) == 1
    assert f"kept 0, known 0, left out {len(cases)}" in capsys.readouterr().out

    # Another run with the same options has all of it from the store.
    before = calls.read_text()
    choice = toolchain_options("dfc", "hailo8", dfc_python=python, calibration=tmp_path / "speech.npz")
    store = open_store(tmp_path / "store")
    again = Pipeline(store, open_compiler(choice), fit=CaseCalibration(tmp_path / "speech.npz", store.root))
    for case in cases:
        assert again.run(case)[Stage.COMPILE].status is Status.FAILED
    assert calls.read_text() == before


@pytest.mark.parametrize("name", ["concat-normal-first-grouped-all+T=3000", "split-normal-polyphase-all+T=1600"])
def test_what_compiles_goes_on_to_the_device(tmp_path: Path, name: str) -> None:
    """None of the notes' cases compiles. Of those that do, the file fits its ONNX and runs, here on a double's chip."""
    case = parse_case(name)
    python = str(dfc_python(tmp_path / "dfc", {"graph": "read"}))
    speech = recordings(tmp_path / "speech.npz")
    limits = [f"{stage}.memory=1 GiB" for stage in STAGES]
    choice = toolchain_options("dfc", case.arch, dfc_python=python, calibration=speech, limit=limits)
    store = open_store(tmp_path / "store")
    dfc = replace(open_compiler(choice), memory_slots=tmp_path / "places")
    observed = Pipeline(store, dfc, fit=CaseCalibration(speech, store.root)).run(case)
    assert observed[Stage.COMPILE].status is Status.PASSED
    pair = ToolchainPair(case, Pipeline(store, Reference()).run(case), observed, dfc, store)
    assert compare_verdicts(pair).agreement is Agreement.AGREES
    short = case.size.L - case.size.stride if case.variant.decoder == "grouped" else 0
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert hef_differences(pair) == []
    assert [f"ends {short} before" in str(each.message) for each in told] == [True] * bool(short)

    model = build_network(case.variant, case.size, seeded_weights(case.size))

    def chip(hef: Hef, inputs: dict[str, Any]) -> dict[str, Any]:
        """PyTorch in the chip's place, its outputs cut to the file's."""
        (frame,) = inputs.values()
        with torch.no_grad():
            planes = model(torch.from_numpy(frame[None]).permute(0, 3, 1, 2))
        pairs = zip(hef.outputs, planes, strict=True)
        return {edge.name: plane[0].permute(1, 2, 0).numpy()[:, : edge.width] for edge, plane in pairs}

    hef = tmp_path / f"{case.id}.hef"
    hef.write_bytes(store.path(observed[Stage.COMPILE].artifact).read_bytes())
    wave = np.load(speech)["speech"][0, 4000 : 4000 + 2 * case.length]
    with as_hailo_platform() as library:
        library.SCRIPT.compute = chip
        got = separate_on_device(case, hef, wave, detect_chip())
    found = aligned_parity(got, pytorch_waves(case, cut_windows(wave, case.length)[0], seeded_weights(case.size)))
    assert (found.identical, found.missing, found.offset) == (True, short, 0)
    assert parity_outcome(case, hef, got, found).provenance.double


PREFIX = "truncate-k-1-project-mask-bypass"
KNOWN = {
    "baseline": ("reshape_insertion", "concat1,conv5,conv6,conv7,conv8,conv9,conv10,conv11,conv12,conv13"),
    PREFIX: ("unsupported_kernel", ""),
    f"{PREFIX}-deconv-fallback": ("memory_units", ""),
    f"{PREFIX}-deconv-reduced128": ("reshape_insertion", "conv2,conv3"),
    f"{PREFIX}-deconv-reduced64": ("reshape_insertion", "conv2,conv3"),
    f"{PREFIX}-conv1x1-head": ("reshape_insertion", "conv2,conv3"),
}
"""The notes' own table: run tag -> family, layers."""
