"""The compiler's messages and the families, layers and figures they come to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.failures import FAMILIES, Failure
from tasnet.hailo.logs.classification import LogError, classify_failure, read_log
from tasnet.hailo.logs.event import base_layers
from tasnet.hailo.logs.messages import RULES
from tests.hailo.logs.documented import CORES, RESHAPE

WORDS = st.text("abcdefghijklmnopqrstuvwxyz 0123456789.,%()", max_size=60)
NOISE = st.one_of(
    WORDS.map(lambda t: f"[info] {t}\n"),
    st.integers(0, 99).map(lambda n: f"\r{n}%|████      | {n}/100 [00:01<00:02, 9.8it/s]\r"),
    st.just("\x1b[2K\n"),
    st.just("\x1b]0;title\x07\n"),
)


def known(failure: Failure | None) -> Failure:
    assert failure is not None
    return failure


@pytest.mark.parametrize(("text", "family", "layers", "figures"), CORES, ids=lambda v: str(v)[:40])
def test_each_documented_message_has_its_family(
    text: str, family: str, layers: tuple[str, ...], figures: dict[str, int | float | str]
) -> None:
    for failure in (
        known(classify_failure(text)),
        known(classify_failure(text.splitlines())),
        known(classify_failure("", text)),
    ):
        assert (failure.family, failure.layers, dict(failure.figures)) == (family, layers, figures)
        assert FAMILIES[family] in (failure.stage, "any")


def test_every_family_has_a_rule_and_every_hint_stands_in_its_messages() -> None:
    assert {rule.family for rule in RULES} == set(FAMILIES)
    assert {family for _, family, _, _ in CORES} == set(FAMILIES) - {"unclassified"}


@given(
    st.sampled_from(CORES),
    st.lists(NOISE, max_size=4),
    st.lists(NOISE, max_size=4),
    st.lists(NOISE, max_size=3),
    st.sampled_from(["", "\x1b[31m", "\x1b[1;33m", "\x1b(B\x1b[m", "\x1b]8;;file:///log\x1b\\"]),
    st.integers(0, 200),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=150)
def test_colours_bars_and_other_lines_change_nothing(
    core: tuple[str, str, tuple[str, ...], dict[str, int | float | str]],
    before: list[str],
    after: list[str],
    between: list[str],
    colour: str,
    at: int,
    end: str,
) -> None:
    text = core[0]
    lines = [line[: min(at, len(line))] + colour + line[min(at, len(line)) :] + "\x1b[0m" for line in text.split("\n")]
    noisy = "".join(before) + "\r50%|█████     | 5/10 [00:01<00:01, 4.9it/s]"
    noisy += (end + "".join(between)).join(lines) + end + "".join(after)
    plain, loud = known(classify_failure(text)), known(classify_failure(noisy))
    assert loud == plain
    assert known(classify_failure(noisy.encode())) == plain


@given(st.lists(st.binary(max_size=200) | st.sampled_from([c[0].encode() for c in CORES]), max_size=8))
@settings(max_examples=150)
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    data = b"\n".join(pieces)
    failure = classify_failure(data)
    assert failure is None or failure.family in FAMILIES
    classify_failure(data.decode("latin-1"), data.decode("utf-8", errors="surrogateescape"))


def test_a_log_without_failure_has_none() -> None:
    assert classify_failure("") is None
    assert classify_failure("[info] Starting Compilation...\n[info] all well\nStep 4 Success\n") is None


def test_what_a_stage_overcame_is_no_failure() -> None:
    log = f"Starting Compilation...\n{RESHAPE}\n[info] trying again\nStep 4 Success\n"
    assert classify_failure(log) is None


def test_a_second_flow_in_the_same_log_stands_for_itself() -> None:
    log = f"{RESHAPE}\nStarting Translation...\nStarting Compilation...\nSuper deconv is not supported with groups\n"
    assert known(classify_failure(log)).family == "unsupported_kernel"


def test_the_first_cause_has_the_family_and_the_timeout_is_kept() -> None:
    log = (
        "Starting Compilation...\n[error] dw66 errors:\n\tAgent infeasible\nconv68 errors:\nAgent infeasible\n"
        "[error] Mapping Failed (Timeout, allocation time: 31m 42s)\n"
    )
    end = "BackendAllocatorException: Compilation failed: Mapping Failed (Timeout, allocation time: 31m 42s)"
    failure = known(classify_failure(log, end))
    assert (failure.stage, failure.family, failure.exception) == (
        "compile",
        "agent_infeasible",
        "BackendAllocatorException",
    )
    assert failure.layers == ("dw66", "conv68")
    assert failure.figures == {"allocation_seconds": 1902}
    assert failure.first_cause == failure.message == "dw66 errors: Agent infeasible"
    assert "Timeout" in failure.terminal_event


def test_no_successful_assignment_is_the_consequence_of_what_came_before() -> None:
    log = (
        "deconv1 errors:\nMemory units required 133 and 128 are available\n"
        "No successful assignments: concat24 errors:\nAgent infeasible"
    )
    failure = known(classify_failure(log))
    assert (failure.family, failure.layers) == ("memory_units", ("deconv1",))
    assert failure.terminal_event == "No successful assignments: concat24 errors: Agent infeasible"


def test_a_last_word_that_is_itself_a_cause_has_the_family() -> None:
    failure = known(classify_failure(f"dw66 errors:\nAgent infeasible\n{RESHAPE}"))
    assert failure.family == "reshape_insertion"
    assert failure.first_cause == "dw66 errors: Agent infeasible"
    assert failure.terminal_event == failure.message == RESHAPE


def test_a_warning_about_a_module_does_not_hide_the_cause() -> None:
    log = (
        "ImportError: No module named tensorrt\nStarting Compilation...\n"
        "Mapping Failed (Timeout, allocation time: 5s)\n"
    )
    failure = known(classify_failure(log))
    assert (failure.family, failure.exception) == ("mapping_timeout", "")


def test_the_wrapped_translation_error() -> None:
    text = (
        "hailo_sdk_client.model_translator.exceptions.ParsingWithRecommendationException: Parsing failed. "
        "The errors found in the graph are:\n UnsupportedGatherLayerError in op /Gather_2: no such gather\n"
    )
    failure = known(classify_failure("Starting Translation...\n", text))
    assert (failure.family, failure.stage) == ("unsupported_op", "translate")
    assert failure.exception == "ParsingWithRecommendationException"
    assert failure.figures["node"] == "/Gather_2"


def test_an_unknown_message_keeps_its_text_layers_and_figures() -> None:
    text = "BackendAllocatorException: Blue moon over net/conv12_sd1 and ew_mult1 (limit: 12, took = 1m 3s)"
    failure = known(classify_failure("Starting Compilation...", text))
    assert (failure.family, failure.stage, failure.exception) == (
        "unclassified",
        "compile",
        "BackendAllocatorException",
    )
    assert failure.message == text
    assert failure.layers == ("conv12", "ew_mult1")
    assert failure.figures == {"limit": 12, "took_seconds": 63}
    assert known(classify_failure(exception="something else")).message == "something else"


def test_a_model_script_fails_where_it_is_read() -> None:
    line = "AllocatorScriptParserException: Layer conv77 not found in model"
    assert known(classify_failure(f"Starting Optimization\n{line}")).stage == "optimize"
    assert known(classify_failure(f"Starting Optimization\nStarting Compilation...\n{line}")).stage == "compile"


def test_the_limit_of_a_run() -> None:
    failure = known(classify_failure("Starting Compilation...\n[TIMEOUT] baseline exceeded 3600s\n"))
    assert (failure.family, failure.stage, failure.figures["limit_seconds"]) == ("unclassified", "compile", 3600)


def test_an_endless_line_and_bad_utf8_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_bytes(b"\xff\xfe#" * 1_000_000 + RESHAPE.encode() + b" " + b"x" * 2_000_000)
    started = time.process_time()
    failure = known(read_log(path).failure)
    assert (failure.family, failure.layers) == ("reshape_insertion", ("conv2", "conv3"))
    assert len(failure.message) < 30_000
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "nasty",
    [
        "a" * 15_000 + " errors: Error",
        "w/" * 7_000 + "Error",
        "9" * 15_000 + "=Error: x",
        "Agent infeasible " * 900,
        "A" * 15_000 + "Exception",
        "a=1 " * 3_000 + "Weird" + "a" * 50 + "Error: x",
        "Assertion " * 1_400 + "Failed",
        "1%|" * 4_000 + "Unsupported",
        "[error] " * 1_800 + "Error in op",
        "auto_spatial_reshape_from_" * 500 + " Agent infeasible",
    ],
    ids=range(10),
)
def test_no_line_takes_long(nasty: str) -> None:
    started = time.process_time()
    classify_failure(nasty, nasty)
    assert time.process_time() - started < 2


def test_a_missing_log_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"x\.log"):
        read_log(tmp_path / "x.log")


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("net/conv3", ("conv3",)),
        ("conv3_sd0", ("conv3",)),
        ("a/b/conv3_d12_dc", ("conv3",)),
        ("conv1_ws", ("conv1",)),
        ("conv1_fs", ("conv1",)),
        ("net/ne_activation_avgpool6", ("avgpool6",)),
        ("auto_spatial_reshape_from_dw66_to_conv69", ("dw66", "conv69")),
        ("net/auto_spatial_reshape_from_ew_mult1_sd0_to_conv69_sd1", ("ew_mult1", "conv69")),
        ("", ()),
        ("net/", ()),
        ("_sd0", ("_sd0",)),
    ],
)
def test_base_layers(name: str, layers: tuple[str, ...]) -> None:
    assert base_layers(name) == layers


PARTS = ["net/", "conv3", "_sd0", "_d1", "_dc", "_ws", "_fs2", "_to_", "dw6", "é", "_"]
PARTS += ["ne_activation_", "auto_spatial_reshape_from_"]


@given(st.text(max_size=30) | st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
@settings(max_examples=200)
def test_base_layers_of_base_layers_are_themselves(name: str) -> None:
    bases = base_layers(name)
    assert all(base_layers(base) == (base,) for base in bases)
    assert len(set(bases)) == len(bases)
    assert all("/" not in base for base in bases)
