"""The report in light and dark, for every eye, on a phone, on paper, and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tasnet.suite.report.page import FOLDER, STYLES
from tasnet.suite.report.sources import ReportSource
from tests.browser.filled_store import MEASURED, OF_A_MEASURED_GRAPH, run_of
from tests.browser.reading import Visit, at, open_case


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


def test_dark_has_other_colours_and_nothing_else() -> None:
    """By the system's wish and by the switch the same ones."""
    css = "".join((FOLDER / name).read_text() for name in STYLES)
    assert css.count('[data-theme="dark"]') == css.count("prefers-color-scheme") == 1
    by_switch, by_system = (
        {each.strip() for each in block.split(";") if each.strip()} - {"color-scheme: dark"}
        for block in re.findall(r'(?:="dark"]|-scheme: dark\) {\s*:root:not\(\[data-theme="light"]\)) {([^}]*)}', css)
    )
    assert by_switch == by_system
    assert [each for each in by_switch if not re.fullmatch(r"--[\w-]+: #[0-9a-f]{3,8}", each)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("said", ["predicted", "observed", "double"])
def test_axe_finds_nothing(visit: Visit, shown: ReportSource, scheme: str, said: str) -> None:
    # A case of many layers and open doubts takes three times as long: once is enough.
    case = MEASURED if said == "observed" else OF_A_MEASURED_GRAPH
    page = visit(at(run_of(shown, "notes", said), case=case), color_scheme=scheme)
    # Of dark, which differs in its colours alone, the rules about colour are enough.
    rules = {"runOnly": ["color-contrast", "link-in-text-block"]} if scheme == "dark" else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **rules})
    assert found.violations_count == 0, found.generate_report()


def test_contrast_of_the_signs_of_every_paint(visit: Visit, shown: ReportSource) -> None:
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
def test_a_phone_needs_no_sideways_scroll(visit: Visit, shown: ReportSource, said: str) -> None:
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


@pytest.mark.parametrize("width", [400, 800, 1400])
def test_a_table_wider_than_its_place_scrolls_to_its_last_column_and_keeps_its_rows_names(
    visit: Visit, shown: ReportSource, width: int
) -> None:
    run = next(run for run in shown.runs if run.records)
    page = visit(at(run, case=run.records[0].case_id) if width == 800 else at(run), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tables = page.evaluate(
        """() => [...document.querySelectorAll("table")].filter((table) => table.offsetWidth).map((table) => {
            const place = table.closest(".scroll, .map"), row = table.tBodies[0].rows[0];
            place.scrollLeft = 1e6;
            const here = place.getBoundingClientRect(), end = table.getBoundingClientRect().right;
            const name = row.querySelector("th:first-child")?.getBoundingClientRect().left ?? here.left;
            return { wide: place.scrollWidth > place.clientWidth, reached: end <= here.right + 3,
                     kept: name >= here.left - 1, told: getComputedStyle(place).backgroundImage.includes("gradient") };
        })"""
    )
    assert any(each["wide"] for each in tables) or width == 1400
    assert all(each["reached"] and each["kept"] and each["told"] for each in tables)


def test_paper_has_the_map_and_the_tables_and_no_controls(visit: Visit, shown: ReportSource) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=OF_A_MEASURED_GRAPH), color_scheme="dark")
    page.emulate_media(media="print")
    for gone in ("#filters", "#theme", "#run", ".copy", ".close"):
        assert not page.locator(gone).first.is_visible(), gone
    for there in ("#map", "#blockers", "#entries", "#runs", "#case-title", "#run-line"):
        assert page.locator(there).is_visible(), there
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")


def test_without_javascript_the_summary_the_map_and_the_tables_are_there(visit: Visit, shown: ReportSource) -> None:
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
