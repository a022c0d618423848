"""Reading and matching: whatever a ledger could get wrong is said with its place; `where` claims what it says."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from tasnet.plan.cut import Cut
from tasnet.suite.cases.case import Case, SegmentCase
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger import LedgerError, covers, entries_without_cases, in_scope, parse_ledger, read_ledger
from tasnet.suite.ledger import claims as ledger_claims
from tasnet.suite.ledger.entry import Flaky
from tasnet.suite.ledger.flaky import (
    BY_CHANCE,
    FailureCount,
    RateError,
    at_least,
    rate_error,
    rate_hint,
    runs_to_refute,
)
from tasnet.suite.ledger.where import COUNT_AXES, SEGMENT_AXES, WORD_AXES
from tests.doubles.outcomes import SUPER_DECONV, failure
from tests.suite.ledger.one_entry import CASES, ENTRY, HEAD, PATH, changed


def test_reads_what_stands_there() -> None:
    (entry,) = parse_ledger(HEAD + ENTRY, PATH).entries
    assert (entry.id, entry.stage.value, entry.arch, entry.layers) == (
        "one",
        "compile",
        ("hailo8",),
        ("deconv1", "deconv*"),
    )
    assert entry.place == "ledger.yaml:4:5"


MANY = "schema: 1\nbudget: 0\na0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 8))
TOO_FEW = "17:5: entry one: flaky: over 9 runs a rate of 0.5 can't be told from a failure for good; write over: 10"
BAD = {
    "empty": ("", "1:1: expected a map"),
    "a list": ("- a", "1:1: expected a map"),
    "no YAML": ("a: [", "mend the YAML"),
    "a tab": ("schema:\t\t1\n\tbudget: 2", "mend the YAML"),
    "a control character": ("schema: \x01", "mend the YAML"),
    "two documents": ("schema: 1\n---\nschema: 1", "mend the YAML"),
    "duplicate key": (HEAD + ENTRY + "    id: two\n", 'duplicate key "id"'),
    "duplicate top key": ("schema: 1\nschema: 1\n", '2:1: found duplicate key "schema"'),
    "nested in itself": (HEAD + ENTRY.replace("{decoder: grouped}", "{decoder: &a {not: *a}}"), "isn't text; quote it"),
    "nested without end": ("schema: " + "[" * 1000, "nested without end"),
    "schema 2": ("schema: 2\nbudget: 1\nentries: []", "1:1: schema 2 is unknown"),
    "schema true": ("schema: true\nbudget: 1\nentries: []", "schema True is unknown"),
    "no budget": ("schema: 1\nentries: []", "'budget' is missing"),
    "negative budget": ("schema: 1\nbudget: -1\nentries: []", "2:1: budget '-1' isn't a count"),
    "budget overrun": ("schema: 1\nbudget: 0\nentries:\n" + ENTRY, "2:1: 1 entry, and the budget is 0"),
    "entries no list": ("schema: 1\nbudget: 1\nentries: {}", "3:1: entries must be a list"),
    "unknown top key": ("schema: 1\nbudget: 1\nentry: []\nentries: []", "3:1: unknown key 'entry'"),
    "entry no map": (HEAD + "  - one\n", "4:5: entry 1 isn't a map"),
    "same id twice": (HEAD + ENTRY + ENTRY, "17:5: entry one: the id stands already at ledger.yaml:4:5"),
    "id of a number": (changed("id", "  - id: 7"), "4:5: entry number 1: id must be text"),
    "id with blanks": (changed("id", "  - id: a b"), "id 'a b' isn't of the form"),
    "unknown key": (HEAD + ENTRY + "    colour: me\n", "17:5: entry one: unknown key 'colour'"),
    "missing key": (changed("evidence", ""), "4:5: entry one: 'evidence' is missing"),
    "empty summary": (changed("summary", "    summary: ''"), "5:5: entry one: summary must be text"),
    "unknown stage": (changed("stage", "    stage: link"), "7:5: entry one: stage 'link' is unknown"),
    "unknown family": (changed("family", "    family: bad_luck"), "8:5: entry one: family 'bad_luck' is unknown"),
    "family of another stage": (changed("stage", "    stage: optimize"), "family unsupported_kernel shows at compile"),
    "bad regex": (changed("message", "    message: '('"), "9:5: entry one: message isn't a regular expression"),
    "layers no list": (changed("layers", "    layers: conv1"), "10:5: entry one: layers must be a list"),
    "layer twice": (
        changed("layers", "    layers: [conv1, conv1]"),
        "10:21: entry one: layers: 'conv1' is given twice",
    ),
    "unknown toolchain": (
        changed("toolchain", "    toolchain: {gcc: '*'}"),
        "11:17: entry one: toolchain: unknown key 'gcc'; one of reference, dfc",
    ),
    "bad version range": (changed("toolchain", "    toolchain: {dfc: new}"), "'new' isn't a range of versions"),
    "version a number": (changed("toolchain", "    toolchain: {dfc: 3.33}"), "'3.33' isn't a range of versions"),
    "toolchain a word": (changed("toolchain", "    toolchain: dfc"), "toolchain must be a map"),
    "unknown arch": (changed("arch", "    arch: [hailo9]"), "12:12: entry one: arch: unknown value 'hailo9'"),
    "no arch": (changed("arch", "    arch: []"), "12:5: entry one: arch must be a list"),
    "bad date": (changed("since", "    since: soon"), "14:5: entry one: since 'soon' isn't a day"),
    "no such day": (changed("since", "    since: 2026-02-30"), "mend the value"),
    "a time of day": (changed("since", "    since: 2026-02-17 10:00:00"), "isn't a day"),
    "review before since": (
        changed("review", "    review: 2026-02-16"),
        "15:5: entry one: review 2026-02-16 is before",
    ),
    "issue no URL": (changed("issue", "    issue: ask Bob"), "16:5: entry one: issue 'ask Bob' isn't a URL"),
    "issue without host": (changed("issue", "    issue: 'https://'"), "isn't a URL"),
    "issue with bad host": (changed("issue", "    issue: 'https://[x/'"), "isn't a URL"),
    "where a word": (changed("where", "    where: grouped"), "6:5: entry one: where: expected a map"),
    "where an empty list": (changed("where", "    where: []"), "an empty list claims no case"),
    "where a list of words": (changed("where", "    where: [grouped]"), "6:13: entry one: where: expected a map"),
    "unknown axis": (changed("where", "    where: {colour: red}"), "6:13: entry one: where: unknown axis 'colour'"),
    "unknown value": (changed("where", "    where: {decoder: gruoped}"), "decoder: unknown value 'gruoped'"),
    "unknown value in a list": (
        changed("where", "    where: {decoder: [grouped, x]}"),
        "6:32: entry one: where: decoder: unknown value 'x'",
    ),
    "unknown value in a not": (
        changed("where", "    where: {decoder: {not: x}}"),
        "6:23: entry one: where: decoder: unknown value 'x'",
    ),
    "a glob of nothing": (changed("where", "    where: {decoder: z*}"), "unknown value 'z*'"),
    "an empty list of values": (changed("where", "    where: {decoder: []}"), "an empty list matches nothing"),
    "another map": (changed("where", "    where: {decoder: {is: grouped}}"), "the only map that may stand here"),
    "a truth": (changed("where", "    where: {skip: true}"), "skip: 'True' isn't text; quote it if it is meant"),
    "a word for a count": (changed("where", "    where: {T: long}"), "T: 'long' isn't a count"),
    "a comparison of words": (changed("where", "    where: {decoder: '>=512'}"), "decoder: unknown value '>=512'"),
    "half a comparison": (changed("where", "    where: {T: '>='}"), "T: '>=' isn't a count"),
    "all of a count": (changed("where", "    where: {N: all}"), "N: 'all' isn't a count"),
    "blocks 0": (changed("where", "    where: {blocks: 0}"), "blocks: '0' isn't a count"),
    "blocks k4": (changed("where", "    where: {blocks: k4}"), "blocks: 'k4' isn't a count"),
    "a not that is no map": (
        changed("where", "    where: {not: grouped}"),
        "6:13: entry one: where: not: expected a map",
    ),
    "an unknown axis in a not": (
        changed("where", "    where: {not: [{T: 1}, {colour: red}]}"),
        "6:28: entry one: where: unknown axis 'colour'",
    ),
    "empty owner": (HEAD + ENTRY + "    owner: ''\n", "17:5: entry one: owner must be text"),
    "owner null": (HEAD + ENTRY + "    owner:\n", "17:5: entry one: owner must be text"),
    "empty owner of all": ("schema: 1\nbudget: 0\nowner: ''\nentries: []", "3:1: owner must be text"),
    "flaky a rate": (HEAD + ENTRY + "    flaky: 0.2\n", "17:5: entry one: flaky must be a map such as {rate: 0.2"),
    "flaky always": (
        HEAD + ENTRY + "    flaky: {rate: 1.0, over: 9}\n",
        "17:13: entry one: flaky rate: must be the share",
    ),
    "flaky in words": (HEAD + ENTRY + "    flaky: {rate: often, over: 9}\n", "17:13: entry one: flaky rate: must be"),
    "flaky over halves": (
        HEAD + ENTRY + "    flaky: {rate: 0.2, over: 9.5}\n",
        "17:24: entry one: flaky over: must be",
    ),
    "flaky without over": (HEAD + ENTRY + "    flaky: {rate: 0.2}\n", "17:5: entry one: flaky: 'over' is missing"),
    "flaky and more": (
        HEAD + ENTRY + "    flaky: {rate: 0.2, over: 9, x: 1}\n",
        "17:33: entry one: flaky: unknown key 'x'",
    ),
    "flaky over too few": (
        HEAD + ENTRY + "    flaky: {rate: 0.5, over: 9}\n",
        "17:5: entry one: flaky: over 9 runs a rate of 0.5 can't be told from a failure for good; write over: 10",
    ),
    "flaky null": (HEAD + ENTRY + "    flaky:\n", "17:5: entry one: flaky must be a map"),
    "no toolchain": (changed("toolchain", "    toolchain: {}"), "11:5: entry one: toolchain must be a map"),
    "a toolchain null": (changed("toolchain", "    toolchain: {dfc: }"), "'None' isn't a range of versions"),
    "a scope without versions": (
        changed("toolchain", "    toolchain: {dfc: {where: {}}}"),
        "11:17: entry one: toolchain dfc: 'version' is missing",
    ),
    "a scope with more": (
        changed("toolchain", "    toolchain: {dfc: {version: '*', who: me}}"),
        "11:37: entry one: toolchain dfc: unknown key 'who'; one of version, where",
    ),
    "a scope's where": (
        changed("toolchain", "    toolchain: {dfc: {version: '*', where: {colour: red}}}"),
        "11:45: entry one: toolchain dfc where: unknown axis 'colour'",
    ),
    "layers null": (changed("layers", "    layers:"), "10:5: entry one: layers must be a list"),
    "aliases without end": (MANY, "1:1: more than 200000 values, aliases written out"),
    "blocks true": (changed("where", "    where: {blocks: true}"), "blocks: 'True' isn't a count"),
}


@pytest.mark.parametrize(("text", "told"), BAD.values(), ids=BAD)
def test_says_what_is_wrong_and_where(text: str, told: str) -> None:
    with pytest.raises(LedgerError) as raised:
        parse_ledger(text, PATH)
    assert told in str(raised.value)
    assert str(raised.value).startswith("ledger.yaml:")
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such file"):
        read_ledger(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"schema: \xff")
    with pytest.raises(LedgerError, match="not UTF-8 text"):
        read_ledger(tmp_path / "latin.yaml")
    with pytest.raises(LedgerError, match="directory"):
        read_ledger(tmp_path)


def test_merge_keys_and_anchors_are_read() -> None:
    text = HEAD + ENTRY.replace("- id: one", "- &one\n    id: one") + "  - <<: *one\n    id: two\n"
    assert [entry.id for entry in parse_ledger(text, PATH).entries] == ["one", "two"]


@given(st.text(alphabet="ab:[]{}-&*!|>'\"\n #\t0129", max_size=60))
def test_any_text_is_read_or_refused_in_a_line(text: str) -> None:
    told = ""
    try:
        parse_ledger(text, PATH)
    except LedgerError as error:
        told = str(error)
    assert "\n" not in told


# --- scope and cover ---------------------------------------------------------------------------------------


def test_a_failure_is_covered_by_stage_family_message_and_layers() -> None:
    (entry,) = parse_ledger(HEAD + ENTRY, PATH).entries
    assert covers(entry, SUPER_DECONV)
    assert not covers(entry, SUPER_DECONV.model_copy(update={"stage": "optimize"}))
    assert not covers(entry, SUPER_DECONV.model_copy(update={"message": "Agent infeasible"}))
    assert not covers(entry, SUPER_DECONV.model_copy(update={"layers": ("deconv2",)}))
    assert not covers(entry, failure("memory_units", SUPER_DECONV.message, "deconv1"))


@pytest.mark.parametrize(
    ("toolchain", "version", "within"),
    [
        ("reference", "0.1.0", True),
        ("reference", "not a version", True),
        ("dfc", "3.33.0", True),
        ("dfc", "3.34.0rc1", True),
        ("dfc", "3.35.0", False),
        ("dfc", "not a version", False),
        ("other", "3.33.0", False),
    ],
)
def test_an_entry_speaks_of_its_toolchains(toolchain: str, version: str, within: bool) -> None:
    (entry,) = parse_ledger(HEAD + ENTRY, PATH).entries
    assert in_scope(entry, toolchain, version) is within


def test_what_is_said_of_one_toolchain_claims_less_there_and_there_alone() -> None:
    scope = "    toolchain: {reference: {version: '*', where: {blocks: 4}}, dfc: '>=3.33,<3.35'}"
    (entry,) = parse_ledger(changed("toolchain", scope), PATH).entries
    four, eight = ({**CASES[0], "blocks": blocks} for blocks in (4, 8))
    assert [ledger_claims(entry, axes, name) for name in ("", "dfc", "reference") for axes in (four, eight)] == [
        True, True, True, True, True, False,
    ]  # fmt: skip


def test_an_entry_without_an_owner_has_the_ledgers() -> None:
    text = (
        "schema: 1\nbudget: 2\nowner: the team\nentries:\n" + ENTRY + ENTRY.replace("id: one", "id: two\n    owner: me")
    )
    assert [entry.owner for entry in parse_ledger(text, PATH).entries] == ["the team", "me"]


def test_a_quoted_day_is_a_day() -> None:
    (entry,) = parse_ledger(changed("since", "    since: '2026-02-17'"), PATH).entries
    assert entry.since.isoformat() == "2026-02-17"


@given(st.floats(0.01, 0.99), st.integers(0, 40), st.data())
def test_a_rate_is_refuted_as_scipy_says(rate: float, runs: int, data: st.DataObject) -> None:
    failed = data.draw(st.integers(0, runs))
    often, seldom = binom.sf(failed - 1, runs, rate), binom.cdf(failed, runs, rate)
    assert at_least(failed, runs, rate) == pytest.approx(often, rel=1e-9, abs=1e-15)
    assume(min(abs(often - BY_CHANCE), abs(seldom - BY_CHANCE)) > 1e-9)
    stated, seen = Flaky(rate, 50), FailureCount(failed, runs)
    expected = RateError.TOO_LOW if often < BY_CHANCE else RateError.TOO_HIGH if seldom < BY_CHANCE else None
    assert rate_error(stated, seen) is expected
    if expected:
        word = "more often" if expected is RateError.TOO_LOW else "less often"
        assert rate_hint(expected, stated, seen).startswith(f"fails {word} than that: ")


@given(st.floats(0.01, 0.99))
def test_enough_runs_in_a_row_refute_a_rate_and_one_fewer_do_not(rate: float) -> None:
    runs = runs_to_refute(rate)
    assert rate_error(Flaky(rate, runs), FailureCount(runs, runs)) is RateError.TOO_LOW
    assert not rate_error(Flaky(rate, runs), FailureCount(1, 1)) or rate < 0.002
    assert runs == 2 or not at_least(runs - 1, runs - 1, rate) < BY_CHANCE * 0.999


def test_stale_entries_claim_no_case() -> None:
    text = HEAD + ENTRY + ENTRY.replace("id: one", "id: two").replace("{decoder: grouped}", "{N: 17}")
    assert [entry.id for entry in entries_without_cases(parse_ledger(text, PATH).entries, CASES)] == ["two"]


def test_an_entry_of_another_architecture_is_not_stale() -> None:
    (entry,) = parse_ledger(changed("arch", "    arch: [hailo8l]"), PATH).entries
    assert not entries_without_cases([entry], CASES)


def test_the_shipped_ledger_is_read() -> None:
    ledger = read_ledger(Path(__file__).parents[3] / "expected_failures.yaml")
    assert 0 < len(ledger.entries) <= ledger.budget
    assert not entries_without_cases(ledger.entries, CASES)


def test_comments_change_nothing() -> None:
    text = dedent(
        """\
        # one
        schema: 1  # two
        budget: 0
        entries: []
        """
    )
    assert parse_ledger(text, PATH).entries == ()


def test_axes_of_a_case_are_all_usable() -> None:
    whole = Case(variant=profile_cases("notes")[0].variant)
    assert set(whole.axes()) == {*WORD_AXES, *COUNT_AXES} - SEGMENT_AXES
    assert set(SegmentCase(whole, Cut("chain", 0, 2, 1, 100, 1)).axes()) == {*WORD_AXES, *COUNT_AXES}
