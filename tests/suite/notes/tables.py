"""Tables of night runs: the notes' own of February 2026, some made by tests, and every end of a run."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.cases.outcome import Status
from tasnet.suite.notes.importing import read_night_runs

FEBRUARY = Path(__file__).parent / "data" / "night_runs2"
HEADER = ("run_tag", "har_success", "hef_success", "failure_stage", "exception_type", "exception_head")


def table(tmp_path, *rows, header=HEADER, name="summary.tsv"):
    lines = ["\t".join(header), *("\t".join(str(row.get(column, "")) for column in header) for row in rows)]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path / name


def one(path, **options):
    (run,) = read_night_runs(path, **options).runs
    return run


PASSED, FAILED, BLOCKED, INFRA, SKIPPED, UNCLASSIFIED = (
    Status.PASSED,
    Status.FAILED,
    Status.BLOCKED,
    Status.INFRA,
    Status.SKIPPED,
    Status.UNCLASSIFIED,
)
ENDS = {
    "compiled": ({"har_success": "true", "hef_success": "true"}, (PASSED, PASSED, PASSED)),
    "translate": (
        {"har_success": "false", "failure_stage": "translate", "exception_head": "UnsupportedOperationError in op x"},
        (FAILED, BLOCKED, BLOCKED),
    ),
    "optimize": (
        {"har_success": "true", "hef_success": "false", "exception_type": "NegativeSlopeExponentNonFixable",
         "exception_head": "Quantization failed in layer n/avgpool6 due to unsupported required slope. Desired shift "
         "is 10.0, but op has only 8 data bits."},
        (PASSED, FAILED, BLOCKED),
    ),
    "nobody knows": (
        {"har_success": "true", "hef_success": "false", "failure_stage": "optimize", "exception_head": "Whatever"},
        (PASSED, UNCLASSIFIED, UNCLASSIFIED),
    ),
    "mapping timeout": (
        {"har_success": "true", "failure_stage": "timeout", "exception_type": "BackendAllocatorException",
         "exception_head": "Mapping Failed (Timeout, allocation time: 31m 42s)"},
        (PASSED, PASSED, FAILED),
    ),
    "its own time limit": (
        {"har_success": "true", "hef_success": "false", "failure_stage": "timeout"},
        (PASSED, PASSED, INFRA),
    ),
    "its own time limit, in a search": (
        {"har_success": "true", "failure_stage": "timeout", "exception_head": "dw66 Agent infeasible"},
        (PASSED, PASSED, INFRA),
    ),
    "set-up": (
        {"har_success": "true", "failure_stage": "optimize", "exception_type": "BackendScriptParserException",
         "exception_head": "Parsing failed at: a(b"},
        (PASSED, INFRA, INFRA),
    ),
    "environment": (
        {"har_success": "false", "exception_type": "ImportError", "exception_head": "libx.so: symbol lookup error"},
        (INFRA, INFRA, INFRA),
    ),
    "har only": ({"har_success": "true", "hef_success": "false"}, (PASSED, SKIPPED, SKIPPED)),
    "no reason": ({"har_success": "false", "hef_success": "false"}, (UNCLASSIFIED,) * 3),
}  # fmt: skip
