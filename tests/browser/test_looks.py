"""The report in light and dark, for every eye, on a phone, on paper, and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults

from tasnet.suite.report.page import FOLDER, STYLES
from tasnet.suite.report.sources import ReportSource
from tests.browser.filled_store import OF_A_MEASURED_GRAPH, run_of
from tests.browser.reading import Visit, at, follow, open_case


def test_light_and_dark_follow_the_system_and_the_switch_goes_first(visit: Visit) -> None:
    def ground(page: Any) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page = visit(color_scheme="dark")
    dark = ground(page)
    page.emulate_media(color_scheme="light")
    light = ground(page)
    assert light != dark
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
def test_axe_finds_nothing(visit: Visit, shown: ReportSource, scheme: str) -> None:
    """The rules about colour take a millisecond a text: after the first run in light they look at three of each kind.

    Of dark, which differs in its colours alone, they are enough.
    """
    page = visit(color_scheme=scheme)
    page.evaluate(AXE_SCRIPT)
    page.add_style_tag(content=UNROLLED)
    for said in ("predicted", "observed", "double"):
        # A case of few layers, and one of many with open doubts: twelve of its rows have all that there is.
        case = "concat-normal-grouped-all" if said == "observed" else OF_A_MEASURED_GRAPH
        follow(page, at(run_of(shown, "notes", said), case=case))
        page.locator(".layers-table tbody tr:nth-child(n + 13)").evaluate_all("rows => rows.map((row) => row.remove())")
        texts = page.evaluate_handle(TEXTS_OF_NEW_KINDS)
        assert texts.evaluate("texts => texts.length") > 0
        first = (scheme, said) == ("light", "predicted")
        checks = [(True, None if first else texts, {"runOnly": COLOUR})]
        if scheme == "light":
            checks.append((False, None, {"rules": {rule: {"enabled": False} for rule in COLOUR}}))
        for unrolled, context, options in checks:
            found = page.evaluate(AXE, [unrolled, context, {"resultTypes": ["violations"], **options}])
            assert found["violations"] == [], f"{said}: {AxeResults(found).generate_report()}"


AXE = """([unrolled, texts, options]) => {
  document.documentElement.classList.toggle("unrolled", unrolled);
  return axe.run(texts ? { include: texts } : document, options);
}"""
COLOUR = ["color-contrast", "link-in-text-block"]
UNROLLED = ".unrolled #case, .unrolled #case * { max-height: none !important; overflow: visible !important }"
"""Of a text that must be scrolled to, axe says nothing about its colours."""
TEXTS_OF_NEW_KINDS = """() => {
  const counts = (window.counts ??= new Map()), grounds = new Map(), found = [];
  for (const each of document.body.querySelectorAll("*")) {
    if (!each.checkVisibility()) continue;
    const style = getComputedStyle(each);
    const own = `${style.backgroundColor} ${style.backgroundImage} ${style.opacity} ${style.clip} `;
    const ground = (grounds.get(each.parentElement) ?? "") + (own === "rgba(0, 0, 0, 0) none 1 auto " ? "" : own);
    grounds.set(each, ground);
    if (![...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) continue;
    const kind = `${ground} ${style.color} ${style.fontSize} ${style.fontWeight}`;
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    if (count < 3) found.push(each);
  }
  return found;
}"""
"""up to three texts each of the same colour, size and grounds that weren't found in a run before"""


def test_contrast_of_the_signs_of_every_paint(visit: Visit, shown: ReportSource) -> None:
    """The signs are over a gradient, which axe passes over: the paint below it is computed here, by WCAG 2."""
    page = visit()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        ratios = page.evaluate(CONTRAST)
        assert set(ratios) == {"c1", "c2", "c3", "c4", "clear", "maybe", "unknown", "news", "infra"}
        assert {paint: ratio for paint, ratio in ratios.items() if ratio < 4.5} == {}, scheme


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


def test_a_phone_needs_no_sideways_scroll(visit: Visit, shown: ReportSource) -> None:
    page = visit(width=360, height=740)
    width = "document.documentElement.scrollWidth"
    cells = page.locator("#map button.cell")
    right = "cells => Math.max(...cells.map((cell) => cell.getBoundingClientRect().right))"
    for said in ("predicted", "observed"):
        run = run_of(shown, "notes", said)
        follow(page, at(run))
        assert page.evaluate(width) <= 360, said
        assert cells.count() == len(run.records)
        assert cells.evaluate_all(right) <= 360, said
        cells.first.click()
        assert page.evaluate(width) <= 360, said
        assert page.evaluate("document.activeElement.id") == "case"
        panel = page.locator("#case").bounding_box()
        assert (panel["x"], panel["width"]) == (0, 360)
        page.keyboard.press("Escape")
        assert open_case(page) == ""
        filters = page.locator("#filters summary")
        filters.click()
        assert page.evaluate(width) <= 360, said
        filters.click()


def test_a_table_wider_than_its_place_scrolls_to_its_last_column_and_keeps_its_rows_names(
    visit: Visit, shown: ReportSource
) -> None:
    run = next(run for run in shown.runs if run.records)

    def scrolls(page: Any, width: int) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tables = page.evaluate(TABLES)
        assert any(each["wide"] for each in tables) or width == 1400, width
        assert all(each["reached"] and each["kept"] and each["told"] for each in tables), width

    scrolls(visit(at(run), width=400), 400)
    page = visit(at(run), width=1400)
    scrolls(page, 1400)
    page.set_viewport_size({"width": 800, "height": 900})
    follow(page, at(run, case=run.records[0].case_id))
    scrolls(page, 800)


TABLES = """() => [...document.querySelectorAll("table")].filter((table) => table.offsetWidth).map((table) => {
  const place = table.closest(".scroll, .map"), row = table.tBodies[0].rows[0];
  place.scrollLeft = 1e6;
  const here = place.getBoundingClientRect(), end = table.getBoundingClientRect().right;
  const name = row.querySelector("th:first-child")?.getBoundingClientRect().left ?? here.left;
  return { wide: place.scrollWidth > place.clientWidth, reached: end <= here.right + 3,
           kept: name >= here.left - 1, told: getComputedStyle(place).backgroundImage.includes("gradient") };
})"""


def test_paper_has_the_map_and_the_tables_and_no_controls(visit: Visit, shown: ReportSource) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=OF_A_MEASURED_GRAPH), color_scheme="dark")
    page.emulate_media(media="print")
    for gone in ("#filters", "#theme", "#run", ".copy", ".close"):
        assert not page.locator(gone).first.is_visible(), gone
    for there in ("#map", "#blockers", "#entries", "#runs", "#case-title", "#run-line"):
        assert page.locator(there).is_visible(), there
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")


@pytest.fixture
def without_scripts(visit: Visit) -> Iterator[Any]:
    page = visit()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    page.reload()
    yield page
    session.send("Emulation.setScriptExecutionDisabled", {"value": False})
    session.detach()


def test_without_javascript_the_summary_the_map_and_the_tables_are_there(
    without_scripts: Any, shown: ReportSource
) -> None:
    page = without_scripts
    run = shown.shown
    titles = page.locator("#map .cell").evaluate_all("cells => cells.map((cell) => cell.title)")
    assert sorted(title.partition(":")[0] for title in titles) == sorted(record.case_id for record in run.records)
    assert f"{len(run.records)} cases" in page.locator("#count").inner_text()
    assert page.locator("#runs tbody tr").count() == len(shown.runs) + len(shown.unreadable)
    assert "Filters and cases need it" in page.locator("noscript").inner_text()
    assert not page.locator("#filters").is_visible()
