// What happens when: the address is the state, and everything is drawn from it.

const text = document.getElementById("q");
const select = document.getElementById("run");
let facetsDrawn = -1;
let buttons = [];

function draw() {
  const { shown, counts } = matching();
  drawMap();
  dimMap(shown);
  drawHead(shown);
  drawFacets(counts);
  drawBlockers(shown);
  drawReach(shown);
  drawCase();
  markOpen();
}

function drawHead(shown) {
  const run = currentRun();
  const total = run.cases.length;
  const graphs = new Set([...shown].map((record) => record.exported)).size;
  document.getElementById("count").textContent = isFiltered()
    ? `${number(shown.size)} of ${number(total)} cases, ${number(graphs)} graphs`
    : `${number(total)} cases, ${number(graphs)} graphs`;
  document.getElementById("meaning").textContent = run.meaning;
  document.getElementById("clear").hidden = !isFiltered();
  const chosen = [...state.chosen].map(([key, values]) => `${key}: ${[...values].join(" or ")}`);
  if (state.q) chosen.unshift(`text: ${state.q}`);
  document.getElementById("chosen").textContent = `Only ${chosen.join("; ")}`;
  document.getElementById("chosen").hidden = !isFiltered();
  select.value = state.run;
  document.getElementById("run-line").replaceChildren(
    make("strong", {}, `${run.profile} on ${run.arch}`), " ", stamp(run.said, SAID_WORD[run.said]), " ",
    make("span", {}, run.toolchain), " ",
    make("span", { class: "dim" }, run.started, run.origin ? ", commit " : "", run.origin ? make("code", {}, run.origin) : "", `, ${run.state}`));
  const counted = new Map();
  for (const record of shown) {
    const key = `${record.said} ${record.paint}`;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  const legend = SAID.flatMap((said) => Object.entries(packed.paints).map(([paint, meaning]) => [said, paint, meaning, counted.get(`${said} ${paint}`)]));
  document.getElementById("legend").replaceChildren(...legend.filter(([, , , count]) => count).map(([said, paint, meaning, count]) =>
    make("li", {}, make("i", { class: `cell ${paint} said-${said}`, "aria-hidden": "true" }),
      packed.evidence.includes(paint) ? `${meaning} ` : `${SAID_WORD[said]}: ${meaning} `, make("b", {}, number(count)))),
    ...Object.entries(packed.functions).map(([same, [, meaning]]) => [same, meaning, [...shown].filter((record) => record.case.same === same).length])
      .filter(([, , count]) => count).map(([same, meaning, count]) =>
        make("li", {}, drawFunction("i", same), `${meaning} `, make("b", {}, number(count)))));
}

function drawFacets(counts) {
  if (facetsDrawn !== state.run) {
    facetsDrawn = state.run;
    buttons = [];
    const records = currentRun().records();
    const groups = facetsOf[state.run]().map((facet) => {
      const group = valuesOf(facet, records).map((value) => {
        const count = make("span", { class: "n" });
        const button = make("button", { type: "button", "data-facet": facet.key, "data-value": value, click: () => {
          toggle(facet.key, value);
          changed();
        } }, make("span", {}, value), " ", count);
        buttons.push({ facet: facet.key, value, button, count });
        return button;
      });
      return make("fieldset", {}, make("legend", {}, facet.name), make("div", { class: "values" }, group));
    });
    document.getElementById("facets").replaceChildren(...groups);
  }
  for (const { facet, value, button, count } of buttons) {
    const found = counts.get(facet).get(value) ?? 0;
    const pressed = state.chosen.get(facet)?.has(value) ?? false;
    count.textContent = number(found);
    button.setAttribute("aria-pressed", pressed);
    button.classList.toggle("empty", !found && !pressed);
  }
  if (text.value !== state.q) text.value = state.q;
}

/** Writes the address without a step in the history and without scrolling, and draws. */
function changed() {
  try {
    history.replaceState(null, "", `#${toHash()}`);
  } catch {
    // A browser in which it changed too often lets the address lag behind: the next change writes it.
  }
  draw();
}

function openCase(id) {
  state.case = id;
  changed();
  if (covers()) panel.focus();
  else cells.get(id)?.focus({ preventScroll: true });
}

function closeCase() {
  const cell = cells.get(state.case);
  state.case = "";
  changed();
  cell?.focus({ preventScroll: true });
}

const usesText = (element) => element instanceof HTMLElement && (element.matches("input, select, textarea") || element.isContentEditable);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !(usesText(event.target) && event.target.type === "search")) {
    event.preventDefault();
    document.getElementById("filters").open = true;
    text.focus();
  } else if (event.key === "Escape" && state.case) {
    event.preventDefault();
    closeCase();
  } else if (event.key === "Escape" && event.target === text && state.q) {
    event.preventDefault();
    state.q = "";
    changed();
  }
});

document.getElementById("filter-form").addEventListener("submit", (event) => event.preventDefault());
text.addEventListener("input", () => {
  state.q = text.value.trim();
  changed();
});
document.getElementById("clear").addEventListener("click", () => {
  state.q = "";
  state.chosen.clear();
  changed();
  text.focus();
});
select.addEventListener("change", () => {
  state.run = Number(select.value);
  // What the other run's cases don't have can't be chosen there.
  fromHash(toHash());
  changed();
});
addEventListener("hashchange", () => {
  fromHash(location.hash.slice(1));
  draw();
});
narrow.addEventListener("change", draw);
// The address is what is shown, and no place in the page.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  mapBox.focus();
});

// --- colours: as the system has them, or as the reader says

const THEMES = [["auto", "◐ auto", "as the system has them"], ["light", "○ light", "light"], ["dark", "● dark", "dark"]];
const themeButton = document.getElementById("theme");

function setTheme(at) {
  const [name, face, spoken] = THEMES[at];
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  themeButton.textContent = face;
  themeButton.setAttribute("aria-label", `Colours: ${spoken}`);
  themeButton.dataset.at = at;
}

/** What the browser remembers, where it lets a file remember anything. */
function remembered(value) {
  try {
    if (value !== undefined) localStorage.setItem("tasnet-colours", value);
    return Number(localStorage.getItem("tasnet-colours") ?? 0);
  } catch {
    return Number(value ?? 0);
  }
}

themeButton.addEventListener("click", () => {
  const at = (Number(themeButton.dataset.at) + 1) % THEMES.length;
  setTheme(at);
  remembered(at);
});

// --- the beginning

const shownRuns = runs.filter((run) => run.cases.length).reverse();
for (const toolchain of new Set(shownRuns.map((run) => `${run.toolchain}, ${SAID_WORD[run.said]}`))) {
  select.append(make("optgroup", { label: toolchain },
    shownRuns.filter((run) => `${run.toolchain}, ${SAID_WORD[run.said]}` === toolchain)
      .map((run) => make("option", { value: run.index }, `${run.id}  ${run.profile}, ${run.arch}`))));
}
document.documentElement.classList.add("js");
setTheme(THEMES[remembered()] ? remembered() : 0);
if (narrow.matches) document.getElementById("filters").open = false;
fromHash(location.hash.slice(1));
draw();
