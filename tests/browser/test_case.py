"""A case of the report: opened by click or key, with all that is known of it."""

from __future__ import annotations

import re

from tasnet.suite.report.graphs import LayerRow
from tasnet.suite.report.sources import ReportSource, har_of
from tests.browser.filled_store import MEASURED, OF_A_MEASURED_GRAPH, run_of
from tests.browser.reading import Look, Visit, at, open_case


def test_a_click_opens_a_case_and_escape_closes_it(visit: Visit, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    page = visit(at(run))
    for record in [each for each in run.records if each.axes["blocks"] == 1][:3]:
        page.locator(f'#map [data-id="{record.case_id}"]').click()
        assert open_case(page) == record.case_id
    page.keyboard.press("Escape")
    assert open_case(page) == ""
    assert page.evaluate("document.activeElement.dataset.id") == record.case_id


def test_arrows_walk_the_map_enter_opens_and_an_open_case_follows(visit: Visit, shown: ReportSource) -> None:
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


def test_arrows_pass_over_what_the_filter_hides(visit: Visit, shown: ReportSource) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), blocks="16"))
    page.locator("#map button.cell").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.id") == "concat-normal-grouped-k16"


def test_tab_reaches_search_filters_map_and_case_in_this_order(visit: Visit, shown: ReportSource) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=MEASURED))
    page.evaluate("document.activeElement.blur()")
    order = []
    while len(order) < 80 and "close" not in order:
        page.keyboard.press("Tab")
        order.append(page.evaluate("(() => { const e = document.activeElement; return e.id || e.className })()"))
        if order[-1] == "q":
            page.locator("#facets button").last.focus()  # past the filter's many buttons
    wanted = ["skip", "run", "theme", "q", "cell c3 said-predicted", "close"]
    found = [order.index(each) for each in wanted]
    assert found == sorted(found)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "map"
    assert open_case(page) == MEASURED


def test_the_command_is_copied(visit: Visit, shown: ReportSource) -> None:
    page = visit(at(run_of(shown, "notes", "predicted"), case=MEASURED))
    page.locator("#case .copy").click()
    page.locator("#case .copy", has_text="Copied").wait_for()


def test_a_case_says_what_is_vacuous_in_it(look: Look, shown: ReportSource) -> None:
    page = look(at(run_of(shown, "notes", "predicted"), case="project-bypass-grouped-k1"))
    notes = page.locator("#case .note").all_inner_texts()
    assert "Vacuous: blocks=1 changes nothing: blocks=all gives the same graph." in notes


def test_a_case_shows_its_stages_blockers_layers_and_how_to_repeat_it(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    name = "project-bypass-conv1x1_head-k1"
    record = next(record for record in run.records if record.case_id == name)
    page = look(at(run, case=name))
    panel = page.locator("#case")
    text = panel.inner_text()
    for blocker in record.blockers:
        assert blocker.failure.family in text
        assert blocker.failure.evidence in text
        assert blocker.failure.message.split("\t")[0] in text
    assert "rests on layers of this kind and size that were observed" in text
    assert "extrapolated: no compile of this kind and size is known" in text
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


def kind(layer: LayerRow) -> tuple[str, ...]:
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


def test_a_case_shows_how_its_graph_differs_from_the_base_form(look: Look, shown: ReportSource) -> None:
    run = run_of(shown, "notes", "predicted")
    graphs = {record.case_id: shown.graphs[har_of(record)] for record in run.records}
    name = "concat-normal-grouped-k8"
    page = look(at(run, case=name))
    assert page.locator("#case .against option").all_inner_texts() == ["the base form, concat-normal-grouped-all"]
    cells = page.locator("#case .steps tbody tr").first.locator("td").all_inner_texts()
    base, here = len(graphs["concat-normal-grouped-all"].layers), len(graphs[name].layers)
    assert cells == [str(base), str(here), f"−{base - here}"]
    told = page.locator("#case .diff li").all_inner_texts()
    kept = in_common(*(list(map(kind, graphs[each].layers)) for each in ("concat-normal-grouped-all", name)))
    for what, expected in (("gone", base - kept), ("new", here - kept)):
        counts = [int(re.search(r"(\d+) ×", line)[1]) for line in told if what in line]  # type: ignore[index]
        assert sum(counts) == expected


def test_a_case_shows_the_end_of_its_log_as_text(look: Look, shown: ReportSource) -> None:
    page = look(at(run_of(shown, "notes", "observed"), case=MEASURED))
    log = page.locator("#case .log pre").inner_text()
    assert log.endswith("[error] <b>Reshape</b> is needed\nBackendAllocatorException: it failed")
    assert len(log) < 3100


def test_a_case_shows_its_parity_and_its_past(look: Look, shown: ReportSource) -> None:
    page = look(at(run_of(shown, "notes", "predicted"), case=MEASURED))
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


def test_parity_is_shown_for_every_case_of_a_graph(look: Look, shown: ReportSource) -> None:
    page = look(at(run_of(shown, "notes", "predicted"), case=OF_A_MEASURED_GRAPH))
    section = page.locator("#case section", has=page.locator("h3", has_text="Parity"))
    assert section.locator("tbody tr").all_inner_texts() == ["har\tbypass\t16,000\t130.0\t3.20e-07"]
