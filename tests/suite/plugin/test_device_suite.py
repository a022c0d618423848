"""tests/device through pytest itself, as on a Pi but for the chip: what is red, kept, and seen at the end.

HailoRT is a strict double with PyTorch in the chip's place. Where a test takes the double's mark away, the store that
believes it is a test's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tasnet.cli import main
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Status
from tasnet.suite.history.run import find_run
from tasnet.suite.numerics.waves import host_frames
from tasnet.suite.observed.bit_exact import Emulation, write_emulation
from tasnet.suite.observed.evidence import all_evidence
from tasnet.suite.report.page import page_html
from tasnet.suite.report.sources import gather_runs
from tasnet.suite.run.store import Store, file_sha256
from tests.doubles.chips import chip, compiled
from tests.doubles.hailort import as_hailo_platform

ROOT = Path(__file__).parents[3]
"""the module is imported here: each run in this process would import again whatever it needs"""
pytest_plugins = "pytester"

SMALL = "+T=403+N=8+B=6+H=10+Sc=6+X=2+R=1"
CASE = parse_case("concat-normal-grouped-all" + SMALL)
LEDGER = "schema: 1\nbudget: 0\nentries: []\n"


@pytest.fixture
def library() -> Iterator[ModuleType]:
    """The double as `hailo_platform`, its chip PyTorch for CASE."""
    with as_hailo_platform() as double:
        double.SCRIPT.compute = chip(CASE)
        double.SCRIPT.power = 1.75
        yield double


@pytest.fixture
def pi(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, library: ModuleType) -> pytest.Pytester:
    """A folder with the device tests, a compiled file in hef/, and a store of its own."""
    monkeypatch.syspath_prepend(ROOT)
    for name in ("TASNET_STORE", "TASNET_HEF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    folder = pytester.mkdir("device")
    (folder / "test_device.py").write_text((ROOT / "tests" / "device" / "test_device.py").read_text())
    pytester.makeconftest('pytest_plugins = ["tasnet.suite.plugin"]')
    (pytester.path / "expected_failures.yaml").write_text(LEDGER)
    compiled(pytester.mkdir("hef"), CASE)
    return pytester


def run(pi: pytest.Pytester, *options: str) -> pytest.RunResult:
    # hypothesis would be imported anew by each run.
    return pi.runpytest_inprocess("device", "-ra", "-p", "no:hypothesispytest", *(options or ("--tasnet-hef=hef",)))


def row(result: pytest.RunResult, start: str = CASE.id) -> str:
    """The case's line of the table at the end."""
    return [line for line in result.outlines if line.startswith(f"{start}  ")][-1]


def runs(pi: pytest.Pytester, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert main(["runs", "--store", str(pi.path / ".tasnet"), *options]) == 0
    return capsys.readouterr().out


def emulated(folder: Path, change: float = 0.0) -> None:
    """What a compiler would have emulated of the compiled file in `folder`: the chip's own values, or others."""
    hef = folder / "hef" / f"{CASE.id}.hef"
    frames = host_frames(
        CASE.variant, CASE.size, np.random.default_rng(1).standard_normal((2, CASE.length)).astype(np.float32)
    )
    each = [chip(CASE)(None, {"x": frame}) for frame in frames]
    outputs = {name: np.stack([one[name] for one in each]) + change for name in each[0]}
    write_emulation(Emulation(frames, outputs, file_sha256(hef), "dfc 3.33.0", False), hef)


def test_what_was_measured_stands_at_the_end_in_the_runs_and_in_the_report(
    pi: pytest.Pytester, library: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    library.IS_A_TEST_DOUBLE = False
    emulated(pi.path)
    result = run(pi, "--tasnet-hef=hef", "--tasnet-require-device")
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*on hailo8: observed with hailort 4.23.0 =*", "case *SI-SDR, dB*frames/s*bit for bit*"]
    )
    cells = row(result).split()
    # inf dB to PyTorch, the double's sensors, and as many values as two windows have
    assert (cells[1], cells[5], cells[6]) == ("inf", "43.0", "1.75")
    assert row(result).endswith("agrees")
    assert "all 1600  " in row(result)
    stored = find_run(pi.path / ".tasnet", "last")
    figures = {name: value for ran in stored.ran for name, value in ran.outcome.figures.items()}
    assert float(cells[2].replace(",", "")) == pytest.approx(figures["fps"], abs=0.06)
    assert float(cells[3]) == pytest.approx(figures["latency_median_ms"], abs=0.006)

    table = runs(pi, capsys)
    assert "1 on a device: 1 agree" in table
    assert row(result) in table
    assert "hailort 4.23.0 on hailo8, observed" in table
    assert "predicted" not in table, "nothing was"
    (told,) = json.loads(runs(pi, capsys, "--json"))
    assert {each["check"] for each in told["device"]} == {"parity", "bit_exact"}

    html = page_html(gather_runs(Store(pi.path / ".tasnet"), date(2026, 12, 1)))
    section = html.partition('id="device-title"')[2].partition("</section>")[0]
    for cell in (CASE.id, *cells[1:4], "43.0", "1.75", "all 1600", "agrees", "observed", "hailort 4.23.0"):
        assert cell in section, cell


def test_what_was_observed_is_evidence_and_a_file_that_differs_is_red(pi: pytest.Pytester, library: ModuleType) -> None:
    library.IS_A_TEST_DOUBLE = False
    emulated(pi.path, change=1.0)
    run(pi).assert_outcomes(passed=2, failed=1)
    library.SCRIPT.compute = lambda hef, inputs: {edge.name: np.zeros(edge.shape) + 0.1 for edge in hef.outputs}
    emulated(pi.path)
    result = run(pi)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*SI-SDR to PyTorch is *, at least 10 dB was asked for", "*values differ from the emulation*"]
    )
    assert "differs: " in row(result)
    ends = [each.end.status for each in all_evidence(Store(pi.path / ".tasnet"))]
    assert sorted(ends) == [Status.FAILED] * 3 + [Status.PASSED]


BUSY: dict[str, tuple[str, Any, str]] = {
    "busy": ("VDevice", lambda library: library._pyhailort.HailoRTStatusException("74"), "out of physical devices"),
    "in use": ("configure", lambda library: library._pyhailort.HailoRTStatusException("73"), "device in use"),
    "late": ("wait", lambda library: library.HailoRTTimeout("no answer"), "timeout"),
    "odd": ("run_async", lambda library: library.HailoStatusInvalidValueException("Value 250"), "Value 250"),
}


@pytest.mark.parametrize(("call", "error", "told"), BUSY.values(), ids=BUSY)
def test_a_device_that_is_busy_or_late_is_an_error_of_the_run_and_no_evidence(
    pi: pytest.Pytester,
    library: ModuleType,
    capsys: pytest.CaptureFixture[str],
    call: str,
    error: Any,
    told: str,
) -> None:
    library.IS_A_TEST_DOUBLE = False
    library.SCRIPT.raises = {call: error(library)}
    emulated(pi.path)
    result = run(pi)
    result.assert_outcomes(passed=1, errors=2)
    assert result.ret == 1
    assert "Traceback" not in result.stdout.str()
    assert "broke down: HailoRT: " in row(result)
    assert told.lower() in row(result).lower().replace("_", " ")
    assert all_evidence(Store(pi.path / ".tasnet")) == ()
    assert "1 on a device: 0 agree, 1 not" in runs(pi, capsys)


def test_a_file_that_is_no_hef_or_another_architectures_is_an_error_too(
    pi: pytest.Pytester, library: ModuleType
) -> None:
    library.IS_A_TEST_DOUBLE = False
    hef = pi.path / "hef" / f"{CASE.id}.hef"
    whole = hef.read_bytes()
    hef.write_bytes(whole[:-3])
    result = run(pi)
    result.assert_outcomes(passed=1, errors=1, skipped=1)
    assert "cut short" in row(result)
    assert "Traceback" not in result.stdout.str()
    hef.write_bytes(whole)
    library.SCRIPT.devices = {"0000:01:00.0": 2}
    result = run(pi, "--tasnet-hef=hef", "--tasnet-arch", "hailo8l")
    assert "compiled for hailo8p, the device here is hailo8l" in result.stdout.str()
    assert all_evidence(Store(pi.path / ".tasnet")) == ()


def test_what_a_double_ran_is_shown_as_its_word_and_never_kept_as_evidence(
    pi: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(pi)
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*on hailo8: by a test double, nothing was observed: hailort 4.23.0+double*"])
    assert all_evidence(Store(pi.path / ".tasnet")) == ()
    table = runs(pi, capsys)
    assert "1 on a device, by a test double: 1 agree" in table
    assert "a test double: nothing was observed" in table


def test_a_device_that_should_be_there_and_is_not_is_red(pi: pytest.Pytester, library: ModuleType) -> None:
    # A double is none.
    result = run(pi, "--tasnet-hef=hef", "--tasnet-require-device")
    result.assert_outcomes(errors=3)
    assert "a test double here, no HailoRT" in result.stdout.str()
    library.IS_A_TEST_DOUBLE = False
    library.SCRIPT.devices = {}
    result = run(pi)
    result.assert_outcomes(skipped=3)
    assert result.ret == 0
    result = run(pi, "--tasnet-hef=hef", "--tasnet-require-device")
    result.assert_outcomes(errors=3)
    assert result.ret == 1
    assert "driver: " in result.stdout.str()


def test_no_folder_an_empty_one_and_no_device_are_told_apart(
    pi: pytest.Pytester, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.IS_A_TEST_DOUBLE = False
    empty = pi.mkdir("empty")
    said = {}
    for name, options in {"none": ["-q"], "empty": ["--tasnet-hef=empty"], "no device": ["--tasnet-hef=hef"]}.items():
        library.SCRIPT.devices = {} if name == "no device" else {"0000:01:00.0": 1}
        result = run(pi, *options)
        assert result.ret == 0
        skips = [line for line in result.outlines if line.startswith("SKIPPED")]
        said[name] = skips[-1].partition(": ")[2]
        # Red under --tasnet-require-device, each with the same words.
        result = run(pi, *options, "--tasnet-require-device")
        assert result.ret == 1
        assert said[name] in result.stdout.str()
    assert len({*said.values()}) == 3
    assert said["none"].startswith("no HEF: name a folder")
    assert said["empty"] == f"{empty.name}: no .hef in it; copy <case id>.hef files there"
    assert said["no device"].startswith("driver: ")
    monkeypatch.setenv("TASNET_HEF", str(empty))
    library.SCRIPT.devices = {"0000:01:00.0": 1}
    assert f"{empty}: no .hef in it" in run(pi, "-q").stdout.str()
    result = run(pi, "--tasnet-hef=nowhere")
    assert result.ret == 2
    assert "nowhere: no such folder" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
