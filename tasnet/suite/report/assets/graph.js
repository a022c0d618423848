// A case's graph: its layers with their rows against the bracket, and how it differs from another graph.

/** What a layer is apart from how wide it is: type, channels, parameters. */
const channels = (shapes) => shapes.replace(/\d+x\d+x(\d+)/g, "$1");
const kindOf = (layer) => `${layer.type} ${channels(layer.inputs)} ${channels(layer.output)} ${layer.detail}`;

/**
 * Two lists of layers, laid side by side by the longest common subsequence of their kinds: the signs that only one
 * of them has, and the pairs that are of one kind but another size.
 */
function difference(before, after) {
  const [old, now] = [before.map(kindOf), after.map(kindOf)];
  const wide = now.length + 1;
  const best = new Uint16Array((old.length + 1) * wide);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      best[i * wide + j] = old[i] === now[j]
        ? best[(i + 1) * wide + j + 1] + 1
        : Math.max(best[(i + 1) * wide + j], best[i * wide + j + 1]);
    }
  }
  const found = { removed: [], added: [], resized: [] };
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      if (before[i].sign !== after[j].sign) found.resized.push([before[i].sign, after[j].sign]);
      i++;
      j++;
    } else if (j >= now.length || (i < old.length && best[(i + 1) * wide + j] >= best[i * wide + j + 1])) {
      found.removed.push(before[i++].sign);
    } else {
      found.added.push(after[j++].sign);
    }
  }
  return found;
}

const totals = (layers) => ({
  layers: layers.length,
  macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
  weights: layers.reduce((sum, layer) => sum + layer.weights, 0),
  row: layers.reduce((most, layer) => Math.max(most, layer.row), 0),
});

/** What a graph can be held against: [name, graph], the default first. */
function others(record) {
  const found = [];
  const before = runs.slice(0, state.run).reverse();
  for (const run of [...before, ...runs.slice(state.run + 1)]) {
    const same = recordIn(run, record.id);
    if (same && typeof same.graph === "number" && same.graph !== record.graph) {
      found.push([`${record.id} in run ${run.id}`, same.graph]);
    }
  }
  const base = baseOf(record);
  if (base) found.push([`the base form, ${base.id}`, base.graph]);
  return found;
}

/** The base form with the case's other departures; without them where no run has that. */
function baseOf(record) {
  const tail = record.id.replace(/^[^+]*/, "");
  for (const id of [`concat-normal-grouped-all${tail}`, "concat-normal-grouped-all"]) {
    for (const run of [currentRun(), ...[...runs].reverse()]) {
      const base = recordIn(run, id);
      if (base && typeof base.graph === "number") return base;
    }
  }
  return null;
}

const place = (row) => (row <= ROW_PASS ? "within" : row < ROW_FAIL ? "between" : "past");
const PLACE_SIGN = { within: "✓", between: "?", past: "✕" };
const PLACE_WORD = {
  within: "within: rows up to 384,000 have compiled",
  between: "in between: not known",
  past: "past: rows of 512,000 and more have not compiled",
};

function drawChange(record) {
  const choices = others(record);
  if (!choices.length) return make("p", { class: "dim" }, "These runs have no other graph to compare with.");
  const box = make("div", {});
  const select = make("select", { "aria-label": "Held against", change: () => show(choices[select.value][1]) },
    choices.map(([name], at) => make("option", { value: at }, name)));
  const show = (other) => box.replaceChildren(...changes(other, record.graph));
  show(choices[0][1]);
  return make("div", {}, make("label", { class: "against" }, make("span", {}, "against "), select), box);
}

function changes(before, after) {
  if (before === after) return [make("p", {}, "The same graph.")];
  const [old, now] = [graphLayers(before), graphLayers(after)];
  const { removed, added, resized } = difference(old, now);
  const [was, is] = [totals(old), totals(now)];
  const step = (name, key) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "n" }, short(was[key])),
      make("td", { class: "n" }, short(is[key])),
      make("td", { class: "n" }, is[key] === was[key] ? "=" : `${is[key] > was[key] ? "+" : "−"}${short(Math.abs(is[key] - was[key]))}`));
  return [
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What changed" }, make("table", { class: "list steps" },
      make("thead", {}, make("tr", {}, ["", "there", "here", "change"].map((each, at) =>
        make(at ? "th" : "td", at ? { scope: "col", class: "n" } : {}, each)))),
      make("tbody", {}, step("layers", "layers"), step("widest row", "row"), step("MACs", "macs"), step("weights", "weights")))),
    make("ul", { class: "diff", tabindex: 0, "aria-label": "Layers that differ" },
      grouped(removed.map((each) => [each]), "−", "gone"), grouped(added.map((each) => [each]), "+", "new"), grouped(resized, "~", "resized")),
  ];
}

/** Equal layers, or equal pairs of them, in one line with their count. */
function grouped(changed, sign, what) {
  const counts = new Map();
  for (const each of changed) {
    const key = each.join(" ");
    counts.set(key, [each, (counts.get(key)?.[1] ?? 0) + 1]);
  }
  return [...counts.values()].map(([each, count]) => {
    const [layer, later] = each.map(signOf);
    return make("li", { class: what }, make("b", {}, sign, make("span", { class: "unseen" }, what)),
      make("span", { class: "n" }, `${count} ×`), make("span", {}, layer.type), make("span", {}, shapes(layer)),
      layer.detail ? make("span", { class: "dim" }, layer.detail) : "", later ? make("span", {}, `now ${shapes(later)}`) : "");
  });
}

const shapes = (layer) => (layer.inputs ? `${layer.inputs} → ${layer.output}` : layer.output);

function drawLayers(record) {
  const layers = graphLayers(record.graph);
  const named = new Map();
  for (const blocker of record.blockers) for (const name of blocker.layers) {
    named.set(name, [...(named.get(name) ?? []), blocker.family]);
  }
  const most = Math.max(ROW_FAIL * 1.25, ...layers.map((layer) => layer.row));
  const all = totals(layers);
  const counts = { within: 0, between: 0, past: 0 };
  for (const layer of layers) counts[place(layer.row)] += 1;
  const table = make("table", { class: "list layers-table" },
    make("thead", {}, make("tr", {},
      make("th", { scope: "col" }, "Layer"), make("th", { scope: "col", class: "n" }, "Row, elements"),
      make("th", { scope: "col" }, make("span", { class: "axis", style: bracket(most) },
        make("span", { class: "unseen" }, "compared with the bracket"),
        make("i", { class: "at-pass", "aria-hidden": "true" }, "384 k"), make("i", { class: "at-fail", "aria-hidden": "true" }, "512 k"))),
      make("th", { scope: "col" }, "Type"), make("th", { scope: "col" }, "Input → output, H x W x C"),
      make("th", { scope: "col", class: "n" }, "MACs"), make("th", { scope: "col", class: "n" }, "Weights"))),
    make("tbody", {}, layers.map((layer) => layerRow(layer, most, named.get(layer.name)))));
  const only = make("input", { type: "checkbox", change: () => table.classList.toggle("only-wide", only.checked) });
  return [
    make("p", {}, `${number(all.layers)} layers, ${short(all.macs)} MACs, ${short(all.weights)} weights; rows `,
      make("span", {}, `✓ ${counts.within} within, ? ${counts.between} in between, ✕ ${counts.past} past the bracket`)),
    make("label", { class: "check" }, only, " only rows past 384,000"),
    make("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Layers" }, table),
  ];
}

const bracket = (most) => `--pass:${((100 * ROW_PASS) / most).toFixed(2)}%;--fail:${((100 * ROW_FAIL) / most).toFixed(2)}%`;

function layerRow(layer, most, families) {
  const where = place(layer.row);
  const width = ((100 * layer.row) / most).toFixed(2);
  return make("tr", { class: `row-${where}` },
    make("th", { scope: "row" }, layer.name, families ? make("span", { class: "named", title: families.join(", ") }, " ⚑", make("span", { class: "unseen" }, ` named by ${families.join(", ")}`)) : ""),
    make("td", { class: "n" }, number(layer.row)),
    make("td", {}, make("span", { class: "row-bar", style: bracket(most), role: "img", "aria-label": PLACE_WORD[where], title: PLACE_WORD[where] },
      make("i", { class: where, style: `width:${width}%` }), make("b", { "aria-hidden": "true" }, PLACE_SIGN[where]))),
    make("td", {}, layer.type, layer.detail ? make("span", { class: "dim" }, ` ${layer.detail}`) : ""),
    make("td", { class: "shape" }, shapes(layer)),
    make("td", { class: "n" }, layer.macs ? short(layer.macs) : "–"),
    make("td", { class: "n" }, layer.weights ? short(layer.weights) : "–"));
}
