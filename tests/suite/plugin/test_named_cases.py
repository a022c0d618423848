"""`--tasnet-case`: the cases that are named, and no others; and what a run says of a case that it hasn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.suite.history.run import find_run
from tests.doubles.repository import run_pytest
from tests.suite.plugin.small_suite import run, tells

pytest_plugins = "pytester"

CLEAR, BESIDE = "project-bypass-conv1x1_head-k1", "split-normal-polyphase-all+T=8000"


def test_the_named_cases_alone_are_run_in_the_profile_or_not(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        "--case",
        "baseline",
        f"--tasnet-case={BESIDE}",
        "--case=project-bypass-conv*-k1",
        "compile/test_compile.py",
    )
    result.assert_outcomes(passed=2, xfailed=1)
    found = find_run(suite.path / ".tasnet", "last")
    assert [each.case_id for each in found.records] == ["concat-normal-grouped-all", BESIDE, CLEAR]
    # The profile's 20 and the one beside it: this is a part of that.
    assert (found.head.cases, found.head.chosen, found.whole) == (21, 3, False)
    assert found.head.repeat[1:] == ("--case 'baseline'", f"--case '{BESIDE}'", "--case 'project-bypass-conv*-k1'")


def test_a_case_outside_the_profile_fails_with_a_command_that_repeats_it(suite: pytest.Pytester) -> None:
    tells(suite, f"{{'{BESIDE}': outcomes(OTHER)}}")
    result = run(suite, "--case", BESIDE, "compile/test_compile.py")
    result.assert_outcomes(failed=1)
    nodeid = f"compile/test_compile.py::test_compile[{BESIDE}]"
    command = f"pytest \"{nodeid}\" --tasnet-profile 'notes' --tasnet-case '{BESIDE}'"
    assert f"repeat    {command}" in result.stdout.lines
    run(suite, nodeid, "--tasnet-case", BESIDE).assert_outcomes(failed=1)


def test_a_name_that_is_none_is_one_line_before_any_work(suite: pytest.Pytester) -> None:
    result = run(suite, "--case", "*polyphase*")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.stderr.lines)
    assert line.startswith("ERROR: case '*polyphase*': fits no case of profile notes; probes has 50 cases, such as ")
    assert "--tasnet-profile probes" in line
    assert not (suite.path / ".tasnet").exists()


def test_an_id_that_no_test_has_is_told_with_what_is_near(suite: pytest.Pytester) -> None:
    nodeid = f"compile/test_compile.py::test_compile[{BESIDE}]"
    result = run(suite, nodeid)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = f"no case of profile notes; it is in probes: --tasnet-profile probes, or --tasnet-case '{BESIDE}'"
    result.stderr.fnmatch_lines([f"ERROR: {BESIDE}: {told}"])
    # A test of somebody's own may have any id.
    suite.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parametrize("x", ["split-normal-polyphase-all"])
        def test_own(x):
            pass
        """
    )
    suite.runpytest_inprocess("test_own.py::test_own[split-normal-polyphase-all]").assert_outcomes(passed=1)


def test_workers_that_find_no_test_of_an_id_are_spoken_for(suite: pytest.Pytester) -> None:
    result = run(suite, f"compile/test_compile.py::test_compile[{BESIDE}]", "-n", "1")
    result.stdout.fnmatch_lines([f"{BESIDE}: no case of profile notes; it is in probes: *"])
    assert result.ret


@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("polyphase", "-k polyphase: no id of profile notes has it; probes has 50 cases, *--tasnet-profile probes*"),
        ("T=8000", "*-k reads no =; a case is named with --tasnet-case ID"),
    ],
)
def test_a_keyword_that_leaves_nothing_is_explained(suite: pytest.Pytester, keyword: str, told: str) -> None:
    result = run(suite, "-k", keyword)
    assert result.ret in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.USAGE_ERROR)
    pytest.LineMatcher([*result.stdout.lines, *result.stderr.lines]).fnmatch_lines([told])


def test_a_graph_is_measured_once_and_a_named_case_of_it_is_told_so(suite: pytest.Pytester) -> None:
    graph = "project-bypass-grouped-all"
    result = suite.runpytest_inprocess("--case", "project-bypass-grouped-k1", "--collect-only")
    line = f"note: project-bypass-grouped-k1: its numbers are its graph's, which is measured once, as {graph}"
    result.stdout.fnmatch_lines([line])
    result = run(suite, "--case", "project-bypass-grouped-k1", "--collect-only")
    assert "its numbers are" not in result.stdout.str(), "the compile is asked for, and no numbers"


def test_the_numerics_of_a_named_case_are_its_graphs(tmp_path: Path) -> None:
    words = ["-p", "no:cacheprovider", "--collect-only", "-q", "-m", "numerics"]
    words += ["tests/numerics/test_parity.py", f"--tasnet-store={tmp_path}"]
    words += ["--tasnet-case=project-bypass-grouped-k1", "--tasnet-case=project-bypass-grouped-k2"]
    ran = run_pytest(*words)
    collected = [line.partition("[")[2] for line in ran.stdout.splitlines() if "::" in line]
    assert collected == ["project-bypass-grouped-all]"]
