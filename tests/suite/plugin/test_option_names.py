"""tasnet's options beside other plugins': each has its own, and neither's is ever taken for the other's."""

from __future__ import annotations

import pytest

from tasnet.suite.early_options import OPTIONS, PREFIX
from tasnet.suite.plugin.options import in_pytest
from tests.suite.plugin.small_suite import run

pytest_plugins = "pytester"

THEIRS = """\
import pytest

def pytest_addoption(parser):
    parser.addoption("--store", {how})

@pytest.fixture(autouse=True)
def said(request):
    yield
    with open({log!r}, "a") as log:
        log.write(f"{{request.config.getoption('--store')}}\\n")
"""
CASE = "compile/test_compile.py::test_compile[project-bypass-conv1x1_head-k1]"


def test_every_option_has_the_prefix(suite: pytest.Pytester) -> None:
    told = suite.runpytest_inprocess("--help").stdout.str()
    (ours,) = (part for part in told.split("\n\n") if part.startswith("Conv-TasNet on Hailo-8"))
    named = [line.split()[0].partition("=")[0] for line in ours.splitlines() if line.startswith("  --")]
    assert named == [f"{PREFIX}{name}" for name in OPTIONS]


def test_a_short_name_is_ours_where_nobody_else_has_it(suite: pytest.Pytester) -> None:
    # The folder is there: a value of an option is still no path of tests.
    suite.mkdir("kept")
    result = run(suite, CASE, "--store", "kept", "--arch=hailo8l", "--profile", "matrix", "--limit=x", "--", CASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --tasnet-limit: only the compiler has it; add --tasnet-toolchain dfc, *"])
    result = run(suite, "--store", "kept", "--ledger=expected_failures.yaml", CASE)
    result.assert_outcomes(passed=1)
    assert list((suite.path / "kept" / "runs").glob("*/summary.tsv"))
    assert "another plugin" not in result.stdout.str()


def test_short_names_work_from_the_configuration_too(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.makeini("[pytest]\naddopts = --profile matrix\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--store=kept")
    result = suite.runpytest_inprocess("-m", "compile", "compile/test_compile.py", "-k", "repeat-bypass-first-noskip")
    result.stdout.fnmatch_lines(["*matrix on hailo8: *"])
    assert (suite.path / "kept" / "runs").is_dir()


@pytest.mark.parametrize(
    ("how", "given", "theirs"), [("", ["--store", "x"], "x"), ("action='store_true'", ["--store"], "True")]
)
@pytest.mark.parametrize("by", ["a conftest.py", "a plugin"])
def test_a_name_that_another_has_is_the_others(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str, given: list[str], theirs: str, by: str
) -> None:
    log = suite.path / "log"
    text = THEIRS.format(how=how or "default=None", log=str(log))
    if by == "a plugin":
        suite.makepyfile(theirs=text)
        monkeypatch.syspath_prepend(suite.path)
        given = ["-p", "theirs", *given]
    else:
        own = suite.path / "conftest.py"
        own.write_text(f"{own.read_text()}\n{text}")
    result = run(suite, *given, CASE)
    result.assert_outcomes(passed=1)
    assert log.read_text() == f"{theirs}\n"
    assert (suite.path / ".tasnet" / "runs").is_dir()
    result.stdout.fnmatch_lines(["note: --store is another plugin's here; tasnet's is --tasnet-store"])
    # However quiet the head is.
    result = run(suite, "-q", *given, "--tasnet-store=kept", CASE)
    result.stdout.fnmatch_lines(["note      --store is another plugin's here; tasnet's is --tasnet-store"])
    assert log.read_text() == f"{theirs}\n" * 2
    assert (suite.path / "kept" / "runs").is_dir()


def test_no_beginning_of_a_name_is_a_name(suite: pytest.Pytester) -> None:
    for short in ("--prof", "--tasnet-prof", "--tasnet"):
        result = run(suite, f"{short}=matrix")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*unrecognized arguments: {short}=matrix"])


def test_a_run_without_entry_points_has_the_whole_names(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = suite.runpytest_inprocess("-m", "compile", "--tasnet-profile", "notes", CASE)
    result.assert_outcomes(passed=1)
    result = suite.runpytest_inprocess("-m", "compile", "--profile", "notes", CASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_message_has_pytests_names_for_the_options_and_a_command_its_own() -> None:
    assert in_pytest("--store s: raise --limit; run tasnet plan make --checkpoint c") == (
        "--tasnet-store s: raise --tasnet-limit; run tasnet plan make --checkpoint c"
    )
    assert in_pytest("--storey --store-all --tasnet-store x--store") == "--storey --store-all --tasnet-store x--store"
