"""The report's filters show what the records have, say whose word it is, and can be linked to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasnet.suite.cases.outcome import Status
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.report.sources import ReportSource
from tasnet.suite.report.tables import entries_of_case
from tests.browser.filled_store import MEASURED, run_of
from tests.browser.reading import Look, Visit, at, count, follow, open_case

AXES = ("expansion", "mask", "sources", "skip", "decoder", "blocks")


# --- filters -----------------------------------------------------------------------------------------------


def test_each_value_of_an_axis_shows_as_many_cases_as_the_records_have(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    page = look(at(run))
    told = {(each["facet"], each["value"]): each["told"] for each in page.evaluate(EACH_VALUE, AXES)}
    for axis in AXES:
        values = [str(record.axes[axis]) for record in run.records]
        assert {value for facet, value in told if facet == axis} == set(values)
        for value in set(values):
            expected = values.count(value)
            assert told[axis, value] == [str(expected), expected, expected, "true"], (axis, value)
    assert count(page) == len(run.records)


EACH_VALUE = """(axes) => axes.flatMap((axis) => [
  ...document.querySelectorAll(`button[data-facet="${axis}"]`)]).map((button) => {
  button.click();
  const cells = document.querySelectorAll("#map button.cell:not(.off)").length;
  const shown = parseInt(document.getElementById("count").textContent);
  const told = [button.querySelector(".n").textContent, shown, cells, button.getAttribute("aria-pressed")];
  button.click();
  return { facet: button.dataset.facet, value: button.dataset.value, told };
})"""
"""what the page shows when one value of an axis alone is chosen, for each"""


def ends_at(record: CaseRecord) -> str:
    return next((each.stage.value for each in record.outcomes if each.status is not Status.PASSED), "passes all")


FACETS: dict[str, Callable[[CaseRecord], set[str]]] = {
    "verdict": lambda record: {f"predicted {record.verdict.word}"},
    "judged": lambda record: {record.kind.value.replace("_", " ")},
    "entry": lambda record: set(entries_of_case(record)) or {"none"},
    "stage": lambda record: {ends_at(record)},
    "family": lambda record: {blocker.failure.family for blocker in record.blockers} or {"none"},
}


def test_each_value_of_a_facet_shows_as_many_cases_as_the_records_have(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "probes", "predicted")
    for facet, of in FACETS.items():
        for value in set().union(*map(of, run.records)):
            page = look(at(run, **{facet: value}))
            assert count(page) == sum(value in of(record) for record in run.records), (facet, value)
            assert page.locator("#chosen").inner_text().endswith(value), (facet, value)


def test_what_changed_since_the_run_before_is_a_facet(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "probes", "predicted")
    page = look(at(run, since="better"))
    assert count(page) == 1
    assert "better" in page.locator("#chosen").inner_text()
    same = page.locator('button[data-facet="since"][data-value="the same"] .n')
    assert same.inner_text() == str(len(run.records) - 1)
    first = next(each for each in shown.runs if each.head.profile == "probes")
    assert look(at(first)).locator('button[data-facet="since"]').count() == 0


def test_facets_narrow_each_other_and_values_of_one_widen_it(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    page = look(at(run))
    for facet, value in (("expansion", "project"), ("decoder", "grouped"), ("decoder", "conv1x1_head")):
        page.locator(f'button[data-facet="{facet}"][data-value="{value}"]').click()
    wanted = [
        record
        for record in run.records
        if record.axes["expansion"] == "project" and record.axes["decoder"] in ("grouped", "conv1x1_head")
    ]
    assert count(page) == len(wanted) > 0
    page.locator("#clear").click()
    assert count(page) == len(run.records)


def test_the_blockers_below_follow_the_filter(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    page = look(at(run, decoder="grouped"))
    row = page.locator("#blockers tbody tr", has_text="unsupported_kernel")
    grouped = [record for record in run.records if record.axes["decoder"] == "grouped"]
    hit = sum(any(b.failure.family == "unsupported_kernel" for b in record.blockers) for record in grouped)
    assert row.locator("td.n").first.inner_text() == str(hit)
    reach = page.locator('#entries tr[data-entry="grouped-super-deconv"] [data-cases]').inner_text()
    assert reach == str(sum("grouped-super-deconv" in entries_of_case(record) for record in grouped))


def test_choosing_a_run_of_another_toolchain_shows_its_cases(look: Look, shown: ReportSource) -> None:
    page = look()
    run = run_of(shown, "notes", "observed")
    page.locator("#run").select_option(label=f"{run.id}  notes, hailo8")
    assert count(page) == len(run.records)
    assert "dfc 3.33.1" in page.locator("#run-line").inner_text()
    assert page.locator("#run optgroup").count() == 3


def test_killed_and_unreadable_runs_are_said(look: Look) -> None:
    told = look().locator("#runs").inner_text()
    assert "killed, or still going: 7 of 20 cases" in told
    assert "can't be read:" in told
    assert "schema 99" in told


# --- whose word --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "word", "never"),
    [
        ("predicted", "predicted blocked", "observed blocked"),
        ("observed", "observed blocked", "predicted"),
        ("double", "blocked by a test double", "predicted blocked"),
    ],
)
def test_a_verdict_carries_whose_word_it_is(look: Look, shown: ReportSource, said: str, word: str, never: str) -> None:
    run = run_of(shown, "notes", said)
    page = look(at(run, case=MEASURED))
    cells = page.locator("#map button.cell")
    labels = cells.evaluate_all("cells => cells.map((cell) => cell.getAttribute('aria-label'))")
    assert all(word in label and never not in label for label in labels)
    assert cells.evaluate_all(f"cells => cells.every((cell) => cell.classList.contains('said-{said}'))")
    assert page.locator("#case .stamp").inner_text() == word
    assert page.locator("#legend").inner_text().startswith("by a test double" if said == "double" else said)


def test_predicted_observed_and_double_differ_in_shape_and_texture_without_colour(
    look: Look, shown: ReportSource
) -> None:
    looks = set()
    of_cell = "cell => { const s = getComputedStyle(cell); return [s.borderRadius, s.borderStyle, s.backgroundImage] }"
    for said in ("predicted", "observed", "double"):
        page = look(at(run_of(shown, "notes", said)))
        looks.add(tuple(page.locator("#map button.cell").first.evaluate(of_cell)))
    assert len(looks) == 3
    assert len({radius for radius, _, _ in looks}) == 2
    assert sum(texture == "none" for _, _, texture in looks) == 1


# --- links -------------------------------------------------------------------------------------------------


def test_a_link_in_the_page_filters_by_an_entry(look: Look, shown: ReportSource) -> None:
    page = look()
    page.locator('#entries a[href="#entry=wide-row-agent"]').click()
    run = shown.shown
    assert count(page) == sum("wide-row-agent" in entries_of_case(record) for record in run.records)


def test_a_link_shows_what_it_was_copied_from(visit: Visit, shown: ReportSource) -> None:
    page = visit(at(run_of(shown, "notes", "predicted")))
    page.locator('button[data-facet="mask"][data-value="bypass"]').click()
    page.locator("#q").fill("wide-row")
    page.locator("#map button.cell:not(.off)").first.click()
    before = (count(page), open_case(page))
    again = visit(page.evaluate("location.hash"))
    assert (count(again), open_case(again)) == before
    assert again.locator("#q").input_value() == "wide-row"


def test_a_link_to_what_is_not_there_is_passed_over(visit: Visit, shown: ReportSource) -> None:
    page = visit("#run=nope&decoder=nope&case=nope&%E0%A4%A=1&q=")
    assert count(page) == len(shown.shown.records)
    assert open_case(page) == ""
    follow(page, "#verdict=nope&%E0%A4%A=2")
    assert count(page) == len(shown.shown.records)


def test_what_is_no_longer_chosen_leaves_the_page_where_it_was_scrolled_to(visit: Visit) -> None:
    page = visit(height=200)
    value = page.locator("#facets button").last
    value.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    for pressed in ("true", "false"):
        value.click()
        assert value.get_attribute("aria-pressed") == pressed
        assert page.evaluate("scrollY") == scrolled > 0


# --- text --------------------------------------------------------------------------------------------------


def test_text_finds_ids_tags_entries_families_and_layers(visit: Visit, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run))
    page.keyboard.press("/")
    page.keyboard.insert_text("disable-skip")
    assert count(page) == 1
    page.locator("#q").fill("MEMORY_UNITS deconv1")
    hit = [r for r in run.records if any(b.failure.family == "memory_units" for b in r.blockers)]
    assert count(page) == len(hit)
    page.locator("#q").fill("no such thing")
    assert count(page) == 0
    page.keyboard.press("Escape")
    assert count(page) == len(run.records)
