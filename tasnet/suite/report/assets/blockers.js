// The tables below the map that follow it: the blockers of what is shown, and each entry's reach in the run.

const shortLayers = (layers) => {
  const names = [...layers].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return [names.slice(0, 4).join(", "), names.length > 4 ? make("span", { class: "dim" }, ` … ${names.length}`) : ""];
};

function drawBlockers(shown) {
  const tallies = new Map();
  for (const record of shown) {
    for (const each of record.blockers) {
      const key = [each.stage, each.family, ...each.entries].join(" ");
      const tally = tallies.get(key) ?? { ...each, cases: new Set(), graphs: new Set(), seen: new Set() };
      tally.cases.add(record.id);
      tally.graphs.add(record.exported);
      for (const layer of each.layers) tally.seen.add(layer);
      tallies.set(key, tally);
    }
  }
  const ordered = [...tallies.values()].sort((a, b) => Boolean(a.entries.length) - Boolean(b.entries.length) || b.cases.size - a.cases.size);
  const rows = ordered.map((each) => make("tr", { class: each.entries.length ? false : "bad" },
    make("td", {}, each.stage), make("td", {}, each.family),
    make("td", { class: "n" }, number(each.cases.size)), make("td", { class: "n" }, number(each.graphs.size)),
    make("td", { class: "layers" }, shortLayers(each.seen)),
    make("td", {}, each.entries.join(", ") || "none: not expected")));
  const none = make("tr", {}, make("td", { colspan: 6, class: "dim" }, "none"));
  document.querySelector("#blockers tbody").replaceChildren(...(rows.length ? rows : [none]));
  const whose = SAID_WORD[currentRun().said];
  document.getElementById("blockers-of").textContent = isFiltered() ? `${whose}, of the ${number(shown.size)} cases shown` : whose;
}

function drawReach(shown) {
  for (const row of document.querySelectorAll("#entries tr[data-entry]")) {
    const mine = [...shown].filter((record) => record.reached.includes(row.dataset.entry));
    const families = mine.flatMap((record) => record.blockers).filter((each) => each.entries.includes(row.dataset.entry)).map((each) => each.family);
    row.querySelector("[data-cases]").textContent = number(mine.length);
    row.querySelector("[data-families]").textContent = [...new Set(families)].join(", ") || "–";
    row.querySelector("[data-graphs]").textContent = number(new Set(mine.map((record) => record.exported)).size);
  }
  for (const row of document.querySelectorAll("#runs tr[data-run]")) {
    row.classList.toggle("current", row.dataset.run === currentRun().id);
  }
}
