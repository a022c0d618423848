"""summary.tsv: the conversion notes' table, their columns first and in their order, then what they lack.

A row has its toolchain's results; `predicted` is true for the embedded one, and then the failures in the row are
predictions. It compiles nothing: of a case that it calls clear, `compile_success` is empty and `case_status`
har_only_success, so that a reader of the notes' columns alone never takes a prediction for a compile; `verdict` says
clear. Booleans are `true` and `false`, empty when nobody knows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tasnet.common import natural_order, printable, write_whole
from tasnet.hailo import Failure
from tasnet.suite.cases import Stage, Status, Verdict
from tasnet.suite.history import CaseRecord

NOTES_COLUMNS = (
    "run_tag",
    "export_flags",
    "onnx_size_mb",
    "failure_stage",
    "exception_type",
    "exception_head",
    "reshape_layer_count",
    "root_cause_family",
    "first_10_failed_layers",
    "contains_shortcut1",
    "contains_concat1",
    "contains_ew_mult1",
    "har_success",
    "hef_success",
    "compile_success",
    "case_status",
    "command_status",
    "timed_out",
    "duration_sec",
    "key_trace",
    "log_path",
    "failure_json",
    "har_path",
    "hef_path",
)
OWN_COLUMNS = (
    "case_id",
    "profile",
    "arch",
    "toolchain",
    "toolchain_version",
    "predicted",
    "verdict",
    "certainty",
    "families",
    "layers",
    "judgement",
    "entries",
    "graph",
    "function",
    "departures",
)
_MAX_CELL_CHARS = 20_000
COLUMNS = (*NOTES_COLUMNS, *OWN_COLUMNS)


def write_summary(
    records: Iterable[CaseRecord], path: Path, cells: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> None:
    """Writes the table at `path`, whole or not at all; its directory is made. Raises OSError.

    `cells` has, by case id, what a record can't know: `log_path`, `failure_json`, …
    """
    text = io.StringIO()
    # Tabs, newlines and quotes never stand in a cell (`_cell`), so the notes' plain splitting reads it too.
    rows = csv.writer(text, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    rows.writerow(COLUMNS)
    for record in records:
        values = {**row(record), **cells.get(record.case_id, {})}
        rows.writerow([_cell(values[column]) for column in COLUMNS])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.getvalue().encode())


def row(record: CaseRecord) -> dict[str, object]:
    """The record as a row: every column of `COLUMNS`, with bools, numbers and text as they are."""
    failures = [blocker.failure for blocker in record.blockers]
    first = failures[0] if failures else None
    reshaped = _layers([failure for failure in failures if failure.family == "reshape_insertion"])
    failed = _layers(failures)
    passed = record.stages.get(Stage.TRANSLATE) is Status.PASSED
    verdict = record.verdict
    compiled = _compiled(record) if Stage.COMPILE in record.stages else None
    late = timed_out(record)
    return {
        "run_tag": record.run_tag,
        "export_flags": export_flags(record),
        "onnx_size_mb": f"{record.onnx_bytes / 1e6:.2f}" if record.onnx_bytes is not None else "",
        "failure_stage": "timeout" if late else first.stage if first else "",
        "exception_type": first.exception if first else "",
        "exception_head": _cell(first.message)[:180] if first else "",
        "reshape_layer_count": len(reshaped),
        "root_cause_family": root_cause_family(failures) if verdict is Verdict.BLOCKED else "",
        "first_10_failed_layers": ",".join(failed[:10]),
        "contains_shortcut1": "shortcut1" in failed,
        "contains_concat1": "concat1" in failed,
        "contains_ew_mult1": "ew_mult1" in failed,
        "har_success": passed,
        "hef_success": bool(compiled),
        "compile_success": compiled,
        "case_status": "compile_success" if compiled else "har_only_success" if passed else "failed",
        "command_status": 124 if late else _exit_status(verdict),
        "timed_out": late,
        "duration_sec": f"{record.seconds:.2f}",
        "key_trace": "",
        "log_path": "",
        "failure_json": "",
        "har_path": "",
        "hef_path": record.hef,
        "case_id": record.case_id,
        "profile": record.profile,
        "arch": record.arch,
        "toolchain": record.toolchain,
        "toolchain_version": record.version,
        "predicted": record.predicted,
        "verdict": verdict.word,
        "certainty": record.certainty.value if record.certainty else "",
        "families": ",".join(dict.fromkeys(failure.family for failure in failures)),
        "layers": ",".join(failed),
        "judgement": record.kind.value,
        "entries": ",".join(record.entries),
        "graph": record.graph,
        "function": record.function.same.value,
        "departures": ", ".join(record.function.departures),
    }


def _exit_status(verdict: Verdict) -> int | None:
    """0 for a case that is clear, 1 for one that is blocked, None where nobody knows."""
    return 0 if verdict.is_clear else 1 if verdict is Verdict.BLOCKED else None


def _compiled(record: CaseRecord) -> bool | None:
    """Whether the compiler wrote a file; None where nobody knows. A prediction compiles nothing."""
    if record.verdict.is_clear:
        return None if record.predicted else True
    return False if record.verdict is Verdict.BLOCKED else None


def timed_out(record: CaseRecord) -> bool:
    """Whether a limit of time ended the case: the compiler's own, or that of its stage."""
    failures = [blocker.failure for blocker in record.blockers]
    return any(each.family == "mapping_timeout" for each in failures[:1]) or any(
        "limit_seconds" in outcome.figures for outcome in record.outcomes
    )


def export_flags(record: CaseRecord) -> str:
    """The variant in the notes' words, then the axes they lack where these depart from what they exported."""
    axes = record.axes
    repeat = axes["expansion"] == "repeat"
    flags: dict[str, object] = {
        "disable_skip": axes["skip"] == "off",
        "mask_mul_mode": axes["mask"],
        "force_n_src_1": axes["sources"] == "first",
        "bypass_concat": repeat,
        "skip_topology_mode": "concat" if repeat else axes["expansion"],
        "deconv_mode": axes["decoder"],
        "truncate_k_blocks": 0 if axes["blocks"] == "all" else axes["blocks"],
    }
    departs = [part for part in record.case_id.split("+")[1:] if not part.startswith("arch=")]
    return ",".join([*(f"{name}={_cell(value)}" for name, value in flags.items()), *departs])


def root_cause_family(failures: Sequence[Failure]) -> str:
    """The notes' family: by message for two of them, else by the layers that the reshape message names."""
    messages = " ".join(f"{failure.family} {failure.message}" for failure in failures).lower()
    if re.search(r"unsupported[ _]dimensions", messages):
        return "unsupported_dimensions"
    if re.search(r"negative[ _](exponent|slope)", messages):
        return "quantization_negative_exponent"
    layers = set(_layers([failure for failure in failures if failure.family == "reshape_insertion"]))
    conv = any(layer.startswith("conv") for layer in layers)
    if {"shortcut1", "concat1"} <= layers:
        return "skip_concat_maskmul" if "ew_mult1" in layers else "skip_concat"
    if "ew_mult1" in layers:
        return "maskmul_plus_conv_chain" if conv else "maskmul"
    if conv:
        return "conv_chain_layout"
    return "reshape_allocator" if layers else "unknown"


def _layers(failures: Sequence[Failure]) -> list[str]:
    return sorted({layer for failure in failures for layer in failure.layers}, key=natural_order)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # A break is a blank, which it was as well; what else acts on a terminal is shown, and a cell has an end.
    return printable(re.sub(r"[\t\r\n\v\f\x00\x85\u2028\u2029]+", " ", str(value)), _MAX_CELL_CHARS)
