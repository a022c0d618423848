"""The published JSON Schema against the reader, with the library `jsonschema` as the judge of the schema."""

from __future__ import annotations

import copy
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tasnet.cli import main
from tasnet.suite.ledger import LedgerError, parse_ledger
from tasnet.suite.ledger.model import json_schema
from tasnet.suite.ledger.reading import _ledger

SHIPPED = Path(__file__).parents[3] / "expected_failures.yaml"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
SEMANTIC = (
    "and the budget is",
    "the id stands already",
    "shows at",
    "is before since",
    "isn't a regular expression",
    "isn't a range of versions",
    "or a glob that matches one",
    "can't be told from a failure for good",
    "isn't a URL",
)
"""What the reader may refuse of a ledger that the schema takes: what a schema can't say."""


def loaded(text: str) -> Any:
    """The ledger as JSON has it: days are text."""
    return plain(YAML(typ="safe").load(text))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def as_yaml(value: Any) -> str:
    """JSON is YAML, but for what ruamel makes of long lines; so it is written as YAML."""
    out = io.StringIO()
    YAML(typ="safe").dump(value, out)
    return out.getvalue()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_the_shipped_ledger_is_of_the_schema() -> None:
    assert not list(VALIDATOR.iter_errors(loaded(SHIPPED.read_text())))


FULL = loaded(SHIPPED.read_text())
FULL["budget"] = 9
FULL["budget_reason"] = "a reason"
FULL["entries"][0] |= {"owner": "me", "flaky": {"rate": 0.25, "over": 30}, "issue": "https://example.org/1"}
FULL["entries"][1]["toolchain"] = {"reference": {"version": "*", "where": {"blocks": [1, ">4"]}}}
FULL["entries"][2]["where"] = {
    "T": ">=8000",
    "not": [{"decoder": ["grouped", "reduced_*"]}, {"mask": {"not": "normal"}}],
}


def test_every_key_is_of_the_schema_and_read() -> None:
    assert not list(VALIDATOR.iter_errors(FULL))
    assert len(parse_ledger(as_yaml(FULL), Path("x.yaml")).entries) == 5


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in inner for path in places(item, (*at, key)))]


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 20000)
    | st.sampled_from(
        ["", " ", "*", "x", ">=3", ">=3,<", "grouped", "all", "compile", "2026-02-17", "2026-02-30", "(", "a b"]
    )
    | st.sampled_from(["https://a.b/c", "https://", "dfc", "hailo8", "conv*", 0.5, "reshape_insertion"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["not", "decoder", "T", "blocks", "reference", "version", "where", "rate"]), inner
        )
    ),
    max_leaves=4,
)


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """The full ledger, as YAML is loaded, with one to three things replaced, removed or added."""
    value = copy.deepcopy(FULL)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([each for each in places(value) if each]))
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        what = draw(st.sampled_from(["replace", "remove", "add"]))
        if what == "remove":
            del holder[path[-1]]
        elif what == "add" and isinstance(holder, dict):
            holder[draw(st.sampled_from(["colour", "owner", "layers", "flaky", "not", "blocks"]))] = draw(junk)
        elif what == "replace":
            holder[path[-1]] = draw(junk)
    return value


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(broken())
def test_schema_and_reader_refuse_the_same(value: Any) -> None:
    refused = next(VALIDATOR.iter_errors(value), None)
    told = ""
    try:
        _ledger(value, Path("x.yaml"))
    except LedgerError as error:
        told = str(error)
    if refused is not None:
        assert told, f"the schema refuses, and the reader takes: {refused.message}"
    elif told:
        assert any(reason in told for reason in SEMANTIC), told
    assert "\n" not in told
