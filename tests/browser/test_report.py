"""The report as a reader meets it: filters, cases, keys, links, colours, a phone, paper, no JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe

from tasnet.suite.history.run import Run
from tasnet.suite.report.graphs import LayerShown
from tasnet.suite.report.record import Record
from tasnet.suite.report.sources import Source, har_of
from tasnet.suite.report.tables import reached
from tasnet.suite.stage import Status
from tests.stored import MEASURED, run_of

Visit = Callable[..., Any]
AXES = ("expansion", "mask", "sources", "skip", "decoder", "blocks")


def at(run: Run, **more: str) -> str:
    return f"#{urlencode({'run': run.id, **more})}"


def count(page: Any) -> int:
    """How many cases the page says that it shows; as many cells must stand out."""
    said = int(re.match(r"[\d,]+", page.locator("#count").inner_text())[0].replace(",", ""))  # type: ignore[index]
    assert page.locator("#map button.cell:not(.off)").count() == said
    return said


def open_case(page: Any) -> str:
    return str(page.locator("#case-title").inner_text()) if page.locator("#case").is_visible() else ""


# --- filters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", AXES)
def test_each_value_of_an_axis_shows_as_many_cases_as_the_records_have(visit: Visit, shown: Source, axis: str) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run))
    for value in {str(record.axes[axis]) for record in run.records}:
        button = page.locator(f'button[data-facet="{axis}"][data-value="{value}"]')
        button.click()
        expected = sum(str(record.axes[axis]) == value for record in run.records)
        assert count(page) == expected
        assert button.locator(".n").inner_text() == str(expected)
        assert button.get_attribute("aria-pressed") == "true"
        button.click()
    assert count(page) == len(run.records)


def ends_at(record: Record) -> str:
    return next((each.stage.value for each in record.outcomes if each.status is not Status.PASSED), "passes all")


FACETS: dict[str, Callable[[Record], set[str]]] = {
    "verdict": lambda record: {f"predicted {record.verdict}"},
    "judged": lambda record: {record.kind.value.replace("_", " ")},
    "entry": lambda record: set(reached(record)) or {"none"},
    "stage": lambda record: {ends_at(record)},
    "family": lambda record: {blocker.failure.family for blocker in record.blockers} or {"none"},
}


@pytest.mark.parametrize("facet", FACETS)
def test_each_value_of_a_facet_shows_as_many_cases_as_the_records_have(visit: Visit, shown: Source, facet: str) -> None:
    run = run_of(shown, "probes", "predicted")
    of = FACETS[facet]
    for value in set().union(*map(of, run.records)):
        page = visit(at(run, **{facet: value}))
        assert count(page) == sum(value in of(record) for record in run.records), value
        assert page.locator("#chosen").inner_text().endswith(value)


def test_facets_narrow_each_other_and_values_of_one_widen_it(visit: Visit, shown: Source) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run))
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


def test_the_blockers_below_follow_the_filter(visit: Visit, shown: Source) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run, decoder="grouped"))
    row = page.locator("#blockers tbody tr", has_text="unsupported_kernel")
    grouped = [record for record in run.records if record.axes["decoder"] == "grouped"]
    hit = sum(any(b.failure.family == "unsupported_kernel" for b in record.blockers) for record in grouped)
    assert row.locator("td.n").first.inner_text() == str(hit)
    reach = page.locator('#entries tr[data-entry="grouped-super-deconv"] [data-cases]').inner_text()
    assert reach == str(sum("grouped-super-deconv" in reached(record) for record in grouped))


def test_text_finds_ids_tags_entries_families_and_layers(visit: Visit, shown: Source) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run))
    page.keyboard.press("/")
    page.keyboard.type("disable-skip")
    assert count(page) == 1
    page.locator("#q").fill("MEMORY_UNITS deconv1")
    hit = [r for r in run.records if any(b.failure.family == "memory_units" for b in r.blockers)]
    assert count(page) == len(hit)
    page.locator("#q").fill("no such thing")
    assert count(page) == 0
    page.keyboard.press("Escape")
    assert count(page) == len(run.records)


def test_choosing_a_run_of_another_toolchain_shows_its_cases(visit: Visit, shown: Source) -> None:
    page = visit()
    run = run_of(shown, "notes", "observed")
    page.locator("#run").select_option(label=f"{run.id}  notes, hailo8")
    assert count(page) == len(run.records)
    assert "dfc 3.33.1" in page.locator("#run-line").inner_text()
    assert page.locator("#run optgroup").count() == 3


# --- whose word --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "word", "never"),
    [
        ("predicted", "predicted blocked", "observed blocked"),
        ("observed", "observed blocked", "predicted"),
        ("double", "blocked by a test double", "predicted blocked"),
    ],
)
def test_a_verdict_carries_whose_word_it_is(visit: Visit, shown: Source, said: str, word: str, never: str) -> None:
    run = run_of(shown, "notes", said)
    page = visit(at(run, case=MEASURED))
    cells = page.locator("#map button.cell")
    labels = cells.evaluate_all("cells => cells.map((cell) => cell.getAttribute('aria-label'))")
    assert all(word in label and never not in label for label in labels)
    assert cells.evaluate_all(f"cells => cells.every((cell) => cell.classList.contains('said-{said}'))")
    assert page.locator("#case .stamp").inner_text() == word
    assert page.locator("#legend").inner_text().startswith("by a test double" if said == "double" else said)


def test_predicted_observed_and_double_differ_in_shape_and_texture_without_colour(visit: Visit, shown: Source) -> None:
    looks = set()
    for said in ("predicted", "observed", "double"):
        page = visit(at(run_of(shown, "notes", said)))
        look = "cell => { const s = getComputedStyle(cell); return [s.borderRadius, s.borderStyle, s.backgroundImage] }"
        looks.add(tuple(page.locator("#map button.cell").first.evaluate(look)))
    assert len(looks) == 3
    assert len({radius for radius, _, _ in looks}) == 2
    assert sum(texture == "none" for _, _, texture in looks) == 1


# --- a case ------------------------------------------------------------------------------------------------


def test_a_click_opens_a_case_and_escape_closes_it(visit: Visit, shown: Source) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run))
    for record in run.records[:4]:
        page.locator(f'#map [data-id="{record.case_id}"]').click()
        assert open_case(page) == record.case_id
    page.keyboard.press("Escape")
    assert open_case(page) == ""
    assert page.evaluate("document.activeElement.dataset.id") == record.case_id


def test_arrows_walk_the_map_enter_opens_and_an_open_case_follows(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted")))
    page.locator('#map [tabindex="0"]').focus()
    assert page.locator('#map button[tabindex="0"]').count() == 1
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.id") == "concat-normal-grouped-k1"
    page.keyboard.press("Enter")
    assert open_case(page) == "concat-normal-grouped-k1"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert open_case(page) == "concat-normal-noskip-grouped-all"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    assert open_case(page) == "concat-normal-grouped-k16"
    page.keyboard.press("ArrowUp")
    assert open_case(page) == "concat-normal-grouped-k16"


def test_arrows_pass_over_what_the_filter_hides(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), blocks="16"))
    page.locator("#map button.cell").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.id") == "concat-normal-grouped-k16"


def test_tab_reaches_search_filters_map_and_case_in_this_order(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=MEASURED))
    page.evaluate("document.activeElement.blur()")
    order = []
    for _ in range(80):
        page.keyboard.press("Tab")
        order.append(page.evaluate("(() => { const e = document.activeElement; return e.id || e.className })()"))
    wanted = ["skip", "run", "theme", "q", "cell c3 said-predicted", "close"]
    found = [order.index(each) for each in wanted]
    assert found == sorted(found)


def test_a_case_shows_its_stages_blockers_layers_and_how_to_repeat_it(visit: Visit, shown: Source) -> None:
    run = run_of(shown, "notes", "predicted")
    name = "project-bypass-conv1x1_head-k1"
    record = next(record for record in run.records if record.case_id == name)
    page = visit(at(run, case=name))
    panel = page.locator("#case")
    text = panel.inner_text()
    for blocker in record.blockers:
        assert blocker.failure.family in text
        assert blocker.failure.evidence in text
        assert blocker.failure.message.split("\t")[0] in text
    assert "rests on layers of this kind and size that were observed" in text
    assert "extrapolated: nobody has tried this kind and size" in text
    assert panel.locator(".command code").inner_text() == record.repeat
    rows = panel.locator(".layers-table tbody tr")
    graph = shown.graphs[har_of(record)]
    assert rows.locator("th").evaluate_all("all => all.map((each) => each.firstChild.data)") == [
        layer.name for layer in graph.layers
    ]
    rows_told = rows.evaluate_all("all => all.map((each) => [each.className, each.children[1].textContent])")
    for layer, (where, told) in zip(graph.layers, rows_told, strict=True):
        widest = max(layer.row_in, layer.row_out)
        assert told == f"{widest:,}"
        assert where == f"row-{'within' if widest <= 384_000 else 'past' if widest >= 512_000 else 'between'}"
    stages = panel.locator("section", has=page.locator("h3", has_text="Stages")).locator("tbody tr")
    assert stages.locator("th").all_inner_texts() == ["export", "translate", "optimize", "compile"]


def kind(layer: LayerShown) -> tuple[str, ...]:
    """A layer apart from how wide it is."""
    channels = (re.sub(r"\d+x\d+x", "", shapes) for shapes in (layer.inputs, layer.output))
    return (layer.type, *channels, layer.detail)


def in_common(before: list[tuple[str, ...]], after: list[tuple[str, ...]]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(after) + 1)
    for each in before:
        above = row
        row = [0]
        for index, other in enumerate(after):
            row.append(above[index] + 1 if each == other else max(above[index + 1], row[index]))
    return row[-1]


def test_a_case_shows_how_its_graph_differs_from_the_base_form(visit: Visit, shown: Source) -> None:
    run = run_of(shown, "notes", "predicted")
    graphs = {record.case_id: shown.graphs[har_of(record)] for record in run.records}
    name = "concat-normal-grouped-k8"
    page = visit(at(run, case=name))
    assert page.locator("#case .against option").all_inner_texts() == ["the base form, concat-normal-grouped-all"]
    cells = page.locator("#case .steps tbody tr").first.locator("td").all_inner_texts()
    base, here = len(graphs["concat-normal-grouped-all"].layers), len(graphs[name].layers)
    assert cells == [str(base), str(here), f"−{base - here}"]
    told = page.locator("#case .diff li").all_inner_texts()
    kept = in_common(*(list(map(kind, graphs[each].layers)) for each in ("concat-normal-grouped-all", name)))
    for what, expected in (("gone", base - kept), ("new", here - kept)):
        counts = [int(re.search(r"(\d+) ×", line)[1]) for line in told if what in line]  # type: ignore[index]
        assert sum(counts) == expected


def test_a_case_shows_the_end_of_its_log_as_text(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "observed"), case=MEASURED))
    log = page.locator("#case .log pre").inner_text()
    assert log.endswith("[error] <b>Reshape</b> is needed\nBackendAllocatorException: it failed")
    assert len(log) < 3100


def test_a_case_shows_its_parity_and_its_past(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=MEASURED))
    section = page.locator("#case section", has=page.locator("h3", has_text="Parity"))
    assert section.locator("tbody tr").all_inner_texts() == [
        "onnx\tidentity relu\t16,000\t121.2\t3.20e-07",
        "har8\tidentity relu\t16,000\t24.5\t3.20e-07",
    ]
    past = page.locator("#case .strip li")
    assert past.count() == sum(bool(run.records) for run in shown.runs)
    past.locator("a", has_text=re.compile("3")).nth(1).click()
    assert "observed" in page.locator("#run-line").inner_text()
    assert open_case(page) == MEASURED


def test_the_command_is_copied(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=MEASURED))
    page.locator("#case .copy").click()
    page.locator("#case .copy", has_text="Copied").wait_for()


# --- links -------------------------------------------------------------------------------------------------


def test_a_link_shows_what_it_was_copied_from(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted")))
    page.locator('button[data-facet="mask"][data-value="bypass"]').click()
    page.locator("#q").fill("wide-row")
    page.locator("#map button.cell:not(.off)").first.click()
    before = (count(page), open_case(page))
    again = visit(page.evaluate("location.hash"))
    assert (count(again), open_case(again)) == before
    assert again.locator("#q").input_value() == "wide-row"


def test_a_link_to_what_is_not_there_is_passed_over(visit: Visit, shown: Source) -> None:
    page = visit("#run=nope&decoder=nope&case=nope&%E0%A4%A=1&q=")
    assert count(page) == len(shown.shown.records)
    assert open_case(page) == ""


def test_a_link_in_the_page_filters_by_an_entry(visit: Visit, shown: Source) -> None:
    page = visit()
    page.locator('#entries a[href="#entry=wide-row-agent"]').click()
    run = shown.shown
    assert count(page) == sum("wide-row-agent" in reached(record) for record in run.records)


# --- colours, sizes, paper ---------------------------------------------------------------------------------


def test_light_and_dark_follow_the_system_and_the_switch_goes_first(visit: Visit) -> None:
    def ground(page: Any) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light, dark = ground(visit(color_scheme="light")), ground(visit(color_scheme="dark"))
    assert light != dark
    page = visit(color_scheme="light")
    seen = []
    for _ in range(3):
        page.locator("#theme").click()
        seen.append(ground(page))
    assert seen == [light, dark, light]
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.reload()
    assert ground(page) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("said", ["predicted", "observed", "double"])
def test_axe_finds_nothing(visit: Visit, shown: Source, scheme: str, said: str) -> None:
    page = visit(at(run_of(shown, "notes", said), case=MEASURED), color_scheme=scheme)
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


def test_contrast_of_the_signs_of_every_paint(visit: Visit, shown: Source) -> None:
    """The signs are over a gradient, which axe passes over: the paint below it is computed here, by WCAG 2."""
    for scheme in ("light", "dark"):
        page = visit(color_scheme=scheme)
        ratios = page.evaluate(CONTRAST)
        assert set(ratios) == {"c1", "c2", "c3", "c4", "clear", "maybe", "unknown", "news", "infra"}
        assert {paint: ratio for paint, ratio in ratios.items() if ratio < 4.5} == {}


CONTRAST = """() => {
  const luminance = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  for (const paint of ["c1", "c2", "c3", "c4", "clear", "maybe", "unknown", "news", "infra"]) {
    const cell = document.createElement("i");
    cell.className = `cell ${paint}`;
    document.getElementById("map").append(cell);
    const style = getComputedStyle(cell);
    const [a, b] = [luminance(style.color), luminance(style.backgroundColor)].sort((x, y) => y - x);
    found[paint] = (a + 0.05) / (b + 0.05);
    cell.remove();
  }
  return found;
}"""


@pytest.mark.parametrize("said", ["predicted", "observed"])
def test_a_phone_needs_no_sideways_scroll(visit: Visit, shown: Source, said: str) -> None:
    run = run_of(shown, "notes", said)
    page = visit(at(run), width=360, height=740)
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= 360
    cells = page.locator("#map button.cell")
    assert cells.count() == len(run.records)
    right = "cells => Math.max(...cells.map((cell) => cell.getBoundingClientRect().right))"
    assert cells.evaluate_all(right) <= 360
    cells.first.click()
    assert page.evaluate(width) <= 360
    assert page.evaluate("document.activeElement.id") == "case"
    panel = page.locator("#case").bounding_box()
    assert (panel["x"], panel["width"]) == (0, 360)
    page.keyboard.press("Escape")
    assert open_case(page) == ""
    page.locator("#filters summary").click()
    assert page.evaluate(width) <= 360


def test_paper_has_the_map_and_the_tables_and_no_controls(visit: Visit, shown: Source) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=MEASURED), color_scheme="dark")
    page.emulate_media(media="print")
    for gone in ("#filters", "#theme", "#run", ".copy", ".close"):
        assert not page.locator(gone).first.is_visible(), gone
    for there in ("#map", "#blockers", "#entries", "#runs", "#case-title", "#run-line"):
        assert page.locator(there).is_visible(), there
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")


def test_without_javascript_the_summary_the_map_and_the_tables_are_there(visit: Visit, shown: Source) -> None:
    page = visit(java_script_enabled=False)
    run = shown.shown
    assert page.locator("#map .cell").count() == len(run.records)
    titles = {page.locator("#map .cell").nth(index).get_attribute("title") for index in range(len(run.records))}
    assert {title.partition(":")[0] for title in titles} == {record.case_id for record in run.records}
    assert f"{len(run.records)} cases" in page.locator("#count").inner_text()
    assert page.locator("#runs tbody tr").count() == len(shown.runs) + len(shown.unreadable)
    assert "Filters and cases need it" in page.locator("noscript").inner_text()
    assert not page.locator("#filters").is_visible()


def test_killed_and_unreadable_runs_are_said(visit: Visit) -> None:
    told = visit().locator("#runs").inner_text()
    assert "killed, or still going: 7 of 20 cases" in told
    assert "can't be read:" in told
    assert "schema 99" in told
