"""The plugin through pytest itself: what a person sees for each end of a case, alone and with workers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tasnet.suite.history.run import find_run
from tests.suite.plugin.small_suite import LEDGER, run, tells

ROOT = Path(__file__).parents[3]
pytest_plugins = "pytester"


def test_as_expected(suite: pytest.Pytester) -> None:
    result = run(suite)
    # 20 cases: 10 grouped with all sources as the entry says, the others clear; 20 translations, 3 of the ledger
    result.assert_outcomes(passed=20 + 7 + 2, xfailed=13)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "cases 2/20: *",
            "*notes on hailo8: predicted by reference 0.1.0*",
            "*predicted blockers*",
            "unsupported_kernel * super-deconv",
            "verdicts  predicted 13 blocked, 7 clear (7 observed)",
            "graphs    20 distinct in 20 cases",
            "next      all as the ledger says*",
            "files     */.tasnet",
        ]
    )
    assert "XFAIL" not in result.stdout.str()


def test_in_the_c_locale_the_end_of_a_run_is_ascii(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    text = run(suite).stdout.str()
    assert text.isascii()
    assert "!= another function" in text
    assert "letters: blocked as expected" in text


def test_xfail_reason_names_entry_and_prediction(suite: pytest.Pytester) -> None:
    result = run(suite, "-v", "compile/test_compile.py")
    result.stdout.fnmatch_lines(["XFAIL *test_compile[[]concat-normal-grouped-all[]] - predicted: super-deconv"])


GROUPED, CLEAR = "concat-normal-grouped-all", "project-bypass-conv1x1_head-k1"
ENDS = {
    "expected pass": (CLEAR, "outcomes()", "passed", ""),
    "expected failure": (GROUPED, "outcomes(SUPER_DECONV)", "xfailed", ""),
    "unexpected failure": (CLEAR, "outcomes(OTHER)", "failed", "unexpected failure: "),
    "wrong failure": (GROUPED, "outcomes(OTHER)", "failed", "wrong failure: "),
    "unexpected pass": (GROUPED, "outcomes()", "failed", "unexpected pass: "),
    "uncovered beside": (GROUPED, "outcomes(SUPER_DECONV, OTHER)", "failed", "unexpected failure: "),
    "unknown": (CLEAR, "outcomes(status=Status.UNKNOWN, reason='a long row')", "skipped", "a long row"),
    "unknown, claimed": (GROUPED, "outcomes(status=Status.UNKNOWN)", "failed", "unconfirmed: "),
    "infra": (CLEAR, "outcomes(status=Status.INFRA, reason='no memory')", "errors", "infra: "),
    "infra, claimed": (GROUPED, "outcomes(status=Status.INFRA, reason='no memory')", "errors", "infra: "),
}


@pytest.mark.parametrize(("case", "ends", "outcome", "told"), ENDS.values(), ids=ENDS)
def test_one_case(suite: pytest.Pytester, case: str, ends: str, outcome: str, told: str) -> None:
    tells(suite, f"{{'{case}': {ends}}}")
    result = run(suite, f"compile/test_compile.py::test_compile[{case}]")
    result.assert_outcomes(**{outcome: 1})
    text = result.stdout.str()
    assert told in text
    assert "Traceback" not in text
    assert "suite/plugin" not in text.replace("SKIPPED [1] " + str(ROOT), "") or outcome == "skipped"
    if outcome in ("failed", "errors"):
        result.stdout.fnmatch_lines(
            [
                f"{told}{case}",
                "expected  *",
                "happened  predicted *",
                "to do     *",
                f"repeat    pytest \"compile/test_compile.py::test_compile[[]{case}[]]\" --tasnet-profile 'notes'",
            ]
        )


def test_every_end_with_workers(suite: pytest.Pytester) -> None:
    tells(
        suite,
        """{
        "project-bypass-conv1x1_head-k1": outcomes(OTHER),
        "concat-normal-grouped-k2": outcomes(OTHER),
        "concat-normal-grouped-k4": outcomes(),
        "concat-normal-grouped-k8": outcomes(status=Status.INFRA, reason="no memory"),
        "project-bypass-first-conv1x1_head-k1": outcomes(status=Status.UNKNOWN, reason="a long row"),
    }""",
    )
    result = run(suite, "-n", "2")
    result.assert_outcomes(passed=20 + 5 + 2, xfailed=10, failed=3, errors=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "cases 20/20: *",
            "*notes on hailo8: predicted by reference 0.1.0*",
            "project-bypass *fails*",
            "cells*blocked as expected*fails unexpected failure*",
            "memory_units *none: not expected",
            "graphs    20 distinct in 20 cases",
        ]
    )
    (summary,) = (suite.path / ".tasnet" / "runs").glob("*/summary.tsv")
    with summary.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["run_tag"] for row in rows][:2] == ["baseline", "disable-skip"]
    assert len(rows) == 20
    assert str(summary) in result.stdout.str()


USAGE = {
    "profile": (["--tasnet-profile", "all"], "profile 'all' is unknown; one of matrix, notes, probes, *, plans"),
    "arch": (["--tasnet-arch", "hailo9"], "arch=hailo9: unknown architecture*"),
    "toolchain": (["--tasnet-toolchain", "gcc"], "--tasnet-toolchain gcc: unknown; one of reference, dfc"),
    "dfc": (
        ["--tasnet-toolchain", "dfc", "--tasnet-dfc-python", "none"],
        "no Dataflow Compiler found; looked at none (given): *",
    ),
    "dfc's option": (["--tasnet-quick"], "--tasnet-quick: only the compiler has it; add --tasnet-toolchain dfc, *"),
    "calibration": (
        ["--tasnet-toolchain", "dfc", "--tasnet-calibration", "none.npz"],
        "--tasnet-calibration none.npz: no such folder or file; *",
    ),
    "script": (
        ["--tasnet-toolchain", "dfc", "--tasnet-script", "none.alls"],
        "--tasnet-script none.alls: no such file; *",
    ),
    "limit": (
        ["--tasnet-toolchain", "dfc", "--tasnet-limit", "compile"],
        "--tasnet-limit compile: write STAGE.WHAT=VALUE, *",
    ),
    "limit's name": (
        ["--tasnet-toolchain", "dfc", "--tasnet-limit", "link.seconds=3"],
        "*limit link.seconds: there is no 'link'; *",
    ),
    "checkpoint": (["--tasnet-checkpoint", "none.pt"], "--tasnet-checkpoint none.pt: no such file; *"),
    "store": (
        ["--tasnet-store", "expected_failures.yaml"],
        "--tasnet-store expected_failures.yaml: not a directory; *",
    ),
    "ledger": (["--tasnet-ledger", "none.yaml"], "none.yaml: no such file; *"),
}


@pytest.mark.parametrize(("options", "told"), USAGE.values(), ids=USAGE)
def test_wrong_usage_is_one_line(suite: pytest.Pytester, options: list[str], told: str) -> None:
    result = run(suite, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {told}"])
    assert "Traceback" not in result.stderr.str()


def test_a_broken_ledger_is_one_line(suite: pytest.Pytester) -> None:
    (suite.path / "expected_failures.yaml").write_text(LEDGER.replace("stage: compile", "stage: link"))
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *expected_failures.yaml:7:5: entry super-deconv: stage 'link' is unknown; *"])


def test_an_entry_past_its_review_fails(suite: pytest.Pytester) -> None:
    tells(suite, "{}", today="2126, 2, 18")
    result = run(suite)
    result.assert_outcomes(passed=20 + 7 + 1, failed=13 + 1)
    result.stdout.fnmatch_lines(["*entry super-deconv was to be reviewed by 2126-02-17; *"])


def test_a_stale_entry_fails(suite: pytest.Pytester) -> None:
    (suite.path / "expected_failures.yaml").write_text(LEDGER.replace("sources: all", "N: 17"))
    result = run(suite, "compile/test_ledger.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*expected_failures.yaml:4:5: entry super-deconv claims no case; *"])


def test_arch_and_store(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        "--tasnet-arch",
        "hailo8l",
        "--tasnet-store",
        "kept",
        f"compile/test_compile.py::test_compile[{CLEAR}+arch=hailo8l]",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*notes on hailo8l: predicted by reference*"])
    assert list((suite.path / "kept" / "runs").glob("*/summary.tsv"))


def test_other_tests_are_left_alone(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parametrize("case", [1, 2])
        def test_own(case):
            assert case

        def test_plain():
            pass
        """
    )
    result = suite.runpytest_inprocess("test_own.py")
    result.assert_outcomes(passed=3)
    assert "predicted" not in result.stdout.str()
    assert not (suite.path / ".tasnet").exists()


def test_a_store_that_cannot_be_written_fails_the_run(suite: pytest.Pytester) -> None:
    (suite.path / "kept").mkdir()
    (suite.path / "kept" / "runs").write_text("in the way")
    result = run(suite, "--tasnet-store", "kept", f"compile/test_compile.py::test_compile[{CLEAR}]")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*the run's files were not written: *; name another --tasnet-store*"])


def test_collection_needs_neither_torch_nor_numpy(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_imports="""
        import sys

        def test_imports():
            assert not {"torch", "onnx", "numpy"} & set(sys.modules)
        """
    )
    suite.runpytest_subprocess("test_imports.py", "compile", "-k", "test_imports").assert_outcomes(
        passed=1, deselected=1682
    )


def test_with_one_mark_alone_files_that_never_name_it_are_not_opened(suite: pytest.Pytester) -> None:
    other = suite.mkdir("other")
    (other / "conftest.py").write_text("raise RuntimeError('opened')")
    (other / "test_other.py").write_text("raise RuntimeError('opened')")
    (other / "test_marked.py").write_text("")
    assert run(suite).ret == 0
    assert run(suite, "-m", "compile or device").ret == pytest.ExitCode.INTERRUPTED
    (other / "test_marked.py").write_text("import pytest\n\n@pytest.mark.compile\ndef test_it(): pass\n")
    assert run(suite).ret == pytest.ExitCode.INTERRUPTED


def test_an_environment_in_the_checkout_is_not_read_and_an_editors_lock_stops_nothing(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = suite.mkdir(".venv") / "lib"
    installed.mkdir()
    (installed.parent / "pyvenv.cfg").touch()
    (installed / "module.py").touch()
    other = suite.mkdir("other")
    (other / ".#test_edited.py").symlink_to("someone@somewhere")
    (other / "test_other.py").touch()
    opened: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path) or read(path))
    assert run(suite).ret == 0
    assert other / "test_other.py" in opened
    assert not [path for path in opened if installed in path.parents]

    opened.clear()
    assert run(suite, "compile/test_translate.py").ret == 0
    assert other / "test_other.py" not in opened, "what lies beside the file that is asked for"


def test_marks_are_registered(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["*mark.compile: *", "*mark.numerics: *", "*mark.device: *"])


def test_a_part_that_was_named_before_the_plugin_is_loaded_once(suite: pytest.Pytester) -> None:
    conftest = suite.path / "conftest.py"
    text = conftest.read_text()
    assert '"tasnet.suite.plugin"' in text
    conftest.write_text(text.replace('"tasnet.suite.plugin"', '"tasnet.suite.plugin.setup", "tasnet.suite.plugin"'))
    suite.runpytest_inprocess("--markers").stdout.fnmatch_lines(["*mark.compile: *"])


def test_a_translation_alone_is_not_compiled_and_no_pass(suite: pytest.Pytester) -> None:
    result = run(suite, "compile/test_translate.py")
    text = result.stdout.str()
    result.stdout.fnmatch_lines(
        ["verdicts  predicted 20 not compiled", "next      20 of 20 cases were not compiled: *"]
    )
    assert "●" not in text
    assert "expected pass" not in text


def test_a_compile_that_raises_leaves_a_case_that_broke_down(suite: pytest.Pytester) -> None:
    """Its translation passed, and is not taken for the case's end; the error is the package's own, or a bug."""
    (suite.path / "conftest.py").write_text(
        (suite.path / "conftest.py").read_text()
        + """
from tasnet.suite.run.pipeline import PipelineError
from tasnet.suite.cases.outcome import Stage

class Breaks(FakePipeline):
    def run(self, case, until=Stage.COMPILE):
        if until is Stage.COMPILE and "grouped-all" in case.id:
            raise PipelineError("the tool broke its contract")
        if until is Stage.COMPILE and "k1" in case.id:
            raise ZeroDivisionError("a bug")
        return super().run(case, until=until)

@pytest.fixture(scope="session")
def pipeline():
    return Breaks(tell)
"""
    )
    result = run(suite, "compile/test_translate.py", "compile/test_compile.py", "-rN")
    kinds = {record.case_id: record.verdict.word for record in find_run(suite.path / ".tasnet", "last").records}
    broken = {case for case in kinds if "grouped-all" in case or "k1" in case.split("-")[-1]}
    assert {case for case, word in kinds.items() if word == "broke down"} == broken
    assert broken
    assert f"{len(broken)} cases infra" in result.stdout.str()


DAMAGED = """\
def tell(case):
    import warnings
    from tasnet.suite.run.store import DamageWarning
    for number in range(7):
        warnings.warn(DamageWarning(f'outcomes/{number}.json: set aside'))
"""
WAITS = """\
def pipeline(pytestconfig):
    from tasnet.suite.plugin.setup import uncaptured_printer
    uncaptured_printer(pytestconfig)('waiting for process 7')
"""


def test_with_workers_damage_is_told_once_and_at_the_terminal_for_whom_they_wait(suite: pytest.Pytester) -> None:
    """With another distribution than the usual: it is the user's choice. What a test prints is nobody's to see."""
    text = (suite.path / "conftest.py").read_text()
    changed = text.replace("def tell(case):\n", DAMAGED).replace("def pipeline():\n", WAITS)
    assert changed.count("DamageWarning(") == changed.count("waiting") == 1
    (suite.path / "conftest.py").write_text(changed)
    result = run(suite, "-n", "2", "--dist", "loadfile", "-W", "always")
    result.assert_outcomes(passed=29, xfailed=13)
    assert "tasnet: waiting for process 7" in result.errlines
    end = result.stdout.str().split("warnings summary")[-1]
    told = [
        line for line in end.splitlines() if line.startswith(("damaged ", " " * 10 + "outcomes/", " " * 10 + "and 2"))
    ]
    assert told == [
        "damaged   outcomes/0.json: set aside",
        *(f"          outcomes/{number}.json: set aside" for number in range(1, 5)),
        "          and 2 files more",
    ]
