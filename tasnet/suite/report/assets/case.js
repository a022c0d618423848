// The case: whose word, how it was judged, its stages, blockers, graph, figures, logs, past, and how to repeat it.

const panel = document.getElementById("case");
const overlay = matchMedia("(max-width: 1100px)");
const covers = () => overlay.matches;

let caseDrawn = "";

/** The panel follows the run and the case, and no filter. */
function drawCase() {
  const key = `${state.run} ${state.case}`;
  if (caseDrawn === key) return;
  caseDrawn = key;
  const record = state.case ? recordIn(currentRun(), state.case) : null;
  panel.hidden = !record;
  document.body.classList.toggle("with-case", Boolean(record));
  if (!record) {
    panel.replaceChildren();
    return;
  }
  panel.setAttribute("aria-label", `Case ${record.id}`);
  panel.replaceChildren(
    caseHead(record),
    part("Judged", judged(record)),
    part("Repeat", repeat(record)),
    part("Stages", stages(record)),
    part("Blockers", blockersOf(record), `${worded(record.said, "")}`),
    ...graphParts(record),
    part("Parity with PyTorch", parity(record)),
    ...logs(record),
    part("In the stored runs", past(record)),
    part("Axes", axes(record)),
  );
  panel.scrollTop = 0;
}

const part = (name, children, note) =>
  make("section", {}, make("h3", {}, name, note ? make("span", { class: "dim" }, ` ${note.trim()}`) : ""), children);

function caseHead(record) {
  const close = make("button", { type: "button", class: "close", "aria-label": "Close the case", click: () => closeCase() }, "✕");
  return make("header", {}, make("div", { class: "case-head" },
    make("h2", { id: "case-title" }, record.id), close),
    record.case.tag ? make("p", { class: "dim" }, `run tag ${record.case.tag}`) : "",
    make("p", {}, stamp(record.said, worded(record.said, record.verdict)), " ",
      make("span", {}, record.meaning === record.verdict ? "" : record.meaning),
      record.certainty ? make("span", { class: "dim" }, ` (${certainty(record.certainty)})`) : ""),
    make("p", {}, drawFunction("i", record.case.same), ` ${record.case.functionText}`),
    record.evidence ? make("p", { class: "note evidence" }, `${record.evidence}.`) : "",
    record.case.vacuous.map((each) => make("p", { class: "note" }, `Vacuous: ${each}.`)),
    record.said === "double" ? make("p", { class: "note" }, "The result of a test double: neither observed nor predicted.") : "");
}

const certainty = (word) =>
  word === "observed" ? "rests on layers of this kind and size that were observed"
    : "extrapolated: no compile of this kind and size is known";

function judged(record) {
  const lines = [["expected", record.expected], ["happened", record.happened], ["to do", record.hint]];
  return [
    make("dl", {}, lines.filter(([, text]) => text).map(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]).flat()),
    record.reached.length ? make("ul", { class: "plain" }, record.reached.map(entryLine)) : "",
  ];
}

function entryLine(name) {
  const entry = packed.entries[name];
  const link = make("a", { href: `#entry=${encodeURIComponent(name)}` }, name);
  if (!entry) return make("li", {}, link, make("span", { class: "dim" }, " is not in the ledger that was read"));
  const left = entry.left < 0 ? `${-entry.left} days past its review` : `review ${entry.review}, ${entry.left} days left`;
  return make("li", {}, link, ` ${entry.summary} `,
    make("span", { class: "dim" }, `${entry.stage}, ${entry.family}; `,
      make("span", { class: entry.left <= 7 ? "bad" : "" }, left),
      entry.flaky ? `; flaky, fails in ${entry.flaky}` : "", entry.owner ? `; owner ${entry.owner}` : "", `; since ${entry.since}; ${entry.evidence}`),
    entry.issue ? make("a", { href: entry.issue, rel: "noreferrer" }, " issue") : "");
}

function repeat(record) {
  const command = record.repeat.replaceAll("\u0000", record.id);
  if (!command) return make("p", { class: "dim" }, "The run kept no command.");
  const code = make("code", {}, command);
  const button = make("button", { type: "button", class: "copy", click: () => copy(command, code, button) }, "Copy");
  return make("div", { class: "command" }, code, button);
}

async function copy(text, element, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard for a file that was opened from disk in some browsers: the selection has one.
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

const STATUS_SIGN = { passed: "✓", failed: "✕", blocked: "⊘", unknown: "?", infra: "!", unclassified: "X", skipped: "–" };

const bytes = (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(2)} MB` : value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`);
const seconds = (ms) => (ms < 1 ? "< 1 ms" : ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms} ms`);

function stages(record) {
  return [stageTable(record), record.hef ? make("p", {}, "compiled file ", make("code", {}, record.hef)) : ""];
}

function stageTable(record) {
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Stages" }, make("table", { class: "list" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Stage"), make("th", { scope: "col" }, "Ended"),
      make("th", { scope: "col", class: "n" }, "Took"), make("th", { scope: "col" }, "Told by"), make("th", { scope: "col" }, "Left, said"))),
    make("tbody", {}, record.outcomes.map((outcome, at) => make("tr", {},
      make("th", { scope: "row" }, outcome.stage),
      make("td", { class: `status ${outcome.status}` }, `${STATUS_SIGN[outcome.status]} ${outcome.status}`),
      make("td", { class: "n" }, seconds(record.times[at])),
      make("td", {}, record.by[at].replace(/ \(.*/, "")),
      make("td", {}, [...outcome.figures.map(([name, value]) =>
        name.endsWith("_bytes") ? `${name.slice(0, -6)} ${bytes(value)}` : `${name.replaceAll("_", " ")} ${value}`), outcome.reason].filter(Boolean).join("; ") || "–"))))));
}

function blockersOf(record) {
  const doubts = record.outcomes.flatMap((outcome) => outcome.doubts);
  if (!record.blockers.length && !doubts.length) return make("p", { class: "dim" }, "None known.");
  return [
    ...record.blockers.map((each) => blocker(each, record, false)),
    ...doubts.map((each) => blocker(each, record, true)),
  ];
}

function blocker(each, record, doubt) {
  const figures = each.figures.map(([name, value]) =>
    `${name.replaceAll("_", " ")} ${typeof value === "number" ? number(value) : value}`);
  return make("article", { class: "blocker" },
    make("h4", {}, each.family, make("span", { class: "dim" }, ` at ${each.stage}${doubt ? ", may or may not come" : ""}`)),
    folded(each.message, "says"),
    make("dl", {},
      pair("layers", each.layers.length > 8 ? folded(each.layers.join(", "), `${each.layers.length} layers`) : each.layers.join(", ") || "none named"),
      pair("figures", figures.join("; ")),
      pair("evidence", each.evidence),
      pair("certainty", certainty(each.certainty)),
      pair("exception", each.exception),
      pair("first cause", each.first),
      pair("last event", each.last),
      doubt ? [] : pair("covered by", each.entries.length ? each.entries.join(", ") : make("span", { class: "bad" }, "no entry: not expected"))));
}

const pair = (name, value) => (value ? [make("dt", {}, name), make("dd", {}, value)] : []);

function folded(text, name) {
  if (text.length <= 220) return make("p", { class: "says" }, text);
  return make("details", { class: "says" }, make("summary", {}, `${name}: ${text.slice(0, 120)} …`), make("p", {}, text));
}

function graphParts(record) {
  if (typeof record.graph !== "number") {
    return [part("Graph", make("p", { class: "note" }, `It can't be shown: ${record.graph}`))];
  }
  return [part("How the graph changed", drawChange(record)), part("Layers", drawLayers(record))];
}

function parity(record) {
  // The numerics measure a graph once, under the id of one of its cases.
  const same = (measure) => measure.id === record.id || measure.id === word(record.exported);
  const run = [...runs].reverse().find((each) => each.measures.some(same));
  if (!run) return make("p", { class: "dim" }, "Not measured in these runs; pytest -m numerics measures it.");
  const rows = run.measures.filter(same);
  return [
    make("p", { class: "dim" }, `measured in run ${run.id}`),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Figures" }, make("table", { class: "list" },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Stage"), make("th", { scope: "col" }, "Form"),
        make("th", { scope: "col", class: "n" }, "Samples"), make("th", { scope: "col", class: "n" }, "SNR, dB"),
        make("th", { scope: "col", class: "n" }, "Error / peak"))),
      make("tbody", {}, rows.map((row) => make("tr", {}, make("th", { scope: "row" }, row.stage), make("td", {}, row.form),
        make("td", { class: "n" }, number(row.length)), make("td", { class: "n" }, row.snr), make("td", { class: "n" }, row.peak)))))),
  ];
}

function logs(record) {
  const kept = record.outcomes.filter((outcome) => outcome.log);
  if (!kept.length) return [];
  return [part("Logs", kept.map((outcome) => make("details", { class: "log", open: outcome === kept.at(-1) },
    make("summary", {}, `${outcome.stage}, the end of `, make("code", {}, outcome.log)),
    outcome.tail ? make("pre", { tabindex: 0, role: "region", "aria-label": `Log of ${outcome.stage}` }, outcome.tail)
      : make("p", { class: "dim" }, "Left out: the log is gone from the store, or the report has no room for it."))))];
}

function past(record) {
  return make("ol", { class: "strip" }, runs.filter((run) => run.cases.length).map((run) => {
    const same = recordIn(run, record.id);
    const text = same ? `${run.id}: ${same.label}` : `${run.id}: not in this run`;
    const face = make("i", { class: same ? `cell ${same.paint} said-${same.said}` : "cell none", "aria-hidden": "true" }, same ? same.sign : "");
    const here = run === currentRun();
    if (!same) return make("li", { title: text }, face, make("span", { class: "unseen" }, text));
    return make("li", {}, make("a", { href: `#${new URLSearchParams({ run: run.id, case: record.id })}`, title: text, "aria-current": here ? "true" : false, "aria-label": text }, face));
  }));
}

function axes(record) {
  return make("dl", { class: "axes" }, Object.entries(record.case.axes).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}
