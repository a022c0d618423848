// The heat map: drawn once per run and width, and dimmed by the filter.

const mapBox = document.getElementById("map");
const narrow = matchMedia("(max-width: 760px)");
let cells = new Map();
let tables = [];
let drawn = "";

function drawMap() {
  const key = `${state.run} ${narrow.matches}`;
  if (drawn === key) return;
  drawn = key;
  const run = currentRun();
  const width = run.groups.reduce((sum, [, columns]) => sum + columns.length, 0);
  const placed = new Map(run.records().map((record) => [record.place, record]));
  cells = new Map();
  tables = [];
  // A phone has room for one decoder at a time.
  let from = 0;
  for (const groups of narrow.matches ? run.groups.map((group) => [group]) : [run.groups]) {
    const wide = groups.reduce((sum, [, columns]) => sum + columns.length, 0);
    tables.push(drawTable(run, groups, from, wide, width, placed));
    from += wide;
  }
  mapBox.replaceChildren(...tables.map((each) => each.element));
  const first = cells.get(state.case) ?? cells.values().next().value;
  if (first) first.tabIndex = 0;
}

function drawTable(run, groups, from, wide, width, placed) {
  const heads = make("tr", {}, make("td"), make("td"), groups.map(([decoder, columns]) =>
    make("th", { scope: "colgroup", colspan: columns.length }, decoder)));
  const columns = make("tr", {}, make("td"), make("td"), groups.flatMap(([, each]) => each.map(([blocks, length], at) =>
    make("th", { scope: "col", class: at ? "up" : "up first" }, blocks, length ? make("span", {}, ` ${length}`) : ""))));
  const rows = [];
  const body = run.rows.map(([name, same], down) => {
    const row = [];
    for (let across = 0; across < wide; across++) {
      const record = placed.get(down * width + from + across);
      row.push(record ? drawCell(record) : null);
    }
    if (!row.some(Boolean)) return null;
    rows.push(row);
    return make("tr", {}, make("th", { scope: "row" }, name), drawFunction("td", same), row.map((cell) => make("td", {}, cell)));
  });
  const caption = `${groups.map(([decoder]) => decoder).join(", ")}: topologies down, TCN blocks kept across`;
  const element = make("table", { class: "grid", role: "grid" }, make("caption", { class: "unseen" }, caption),
    make("thead", {}, heads, columns), make("tbody", {}, body));
  return { element, rows };
}

/** Whether the cases of a row keep the trained network's function. */
function drawFunction(tag, same) {
  const [sign, meaning] = packed.functions[same];
  return make(tag, { class: `function ${same === "exact" ? "exact" : "another"}`, title: meaning }, sign);
}

function drawCell(record) {
  const cell = make("button", {
    class: `cell ${record.paint} said-${record.said}`,
    type: "button",
    tabindex: -1,
    title: `${record.id}: ${record.label}`,
    "aria-label": `${record.id}: ${record.label}`,
    "data-id": record.id,
  }, record.sign);
  cells.set(record.id, cell);
  return cell;
}

function dimMap(shown) {
  for (const record of currentRun().records()) cells.get(record.id).classList.toggle("off", !shown.has(record));
  mapBox.classList.toggle("filtered", shown.size < cells.size);
}

let marked = null;

function markOpen() {
  if (marked === cells.get(state.case)) return;
  for (const cell of mapBox.querySelectorAll("[aria-expanded]")) cell.removeAttribute("aria-expanded");
  const cell = (marked = cells.get(state.case));
  if (!cell) return;
  cell.setAttribute("aria-expanded", "true");
  if (!covers()) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  rove(cell);
}

/** Tab stops at one cell of the map: the last one that was there. */
function rove(cell) {
  for (const each of mapBox.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
  cell.tabIndex = 0;
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The next cell that the filter shows, from `cell` in a direction; null at the edge. */
function next(cell, key) {
  const { rows } = tables.find((each) => each.element.contains(cell));
  let down = rows.findIndex((row) => row.includes(cell));
  let across = rows[down].indexOf(cell);
  const open = (each) => each && !each.classList.contains("off");
  if (key === "Home" || key === "End") {
    const row = rows[down].filter(open);
    return row.at(key === "Home" ? 0 : -1) ?? null;
  }
  const [y, x] = STEPS[key];
  for (;;) {
    down += y;
    across += x;
    if (rows[down]?.[across] === undefined) return null;
    if (open(rows[down][across])) return rows[down][across];
  }
}

mapBox.addEventListener("click", (event) => {
  const cell = event.target.closest("button.cell");
  if (cell) openCase(cell.dataset.id);
});

mapBox.addEventListener("keydown", (event) => {
  const cell = event.target.closest("button.cell");
  if (!cell || !(event.key in STEPS || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  const found = next(cell, event.key);
  if (!found) return;
  rove(found);
  found.focus();
  // An open case follows, as long as it stands beside the map and doesn't cover it.
  if (state.case && !covers()) openCase(found.dataset.id);
});
