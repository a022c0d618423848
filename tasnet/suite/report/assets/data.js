// The packed object as records. `pack.py` is the writer, and says why it is packed.

const packed = JSON.parse(document.getElementById("data").textContent);
const SAID = ["predicted", "observed", "double"];
const SAID_WORD = { predicted: "predicted", observed: "observed", double: "by a test double" };
const ROW_PASS = packed.bracket[0];
// Where no row is known to fail, none is past the bracket.
const ROW_FAIL = packed.bracket[1] ?? Number.MAX_SAFE_INTEGER;

const word = (at) => packed.words[at];
const number = (value) => value.toLocaleString("en-US");
const worded = (said, verdict) =>
  said === "double" ? `${verdict} ${SAID_WORD.double}` : `${SAID_WORD[said]} ${verdict}`;

/** A number of any size in three digits and a letter: 2,046,976 is `2.05 M`. */
function short(value) {
  const size = Math.abs(value);
  const [by, letter] = size >= 1e9 ? [1e9, " G"] : size >= 1e6 ? [1e6, " M"] : size >= 1e4 ? [1e3, " k"] : [1, ""];
  return by === 1 ? number(value) : `${(value / by).toPrecision(3)}${letter}`;
}

function once(make) {
  let made;
  return () => (made ??= make());
}

const failures = packed.failures.map((row) => ({
  stage: word(row[0]),
  family: word(row[1]),
  message: row[2].map(word).join(" "),
  exception: word(row[3]),
  layers: row[4].map(word),
  figures: row[5].map(([name, value]) => [word(name), value]),
  evidence: word(row[6]),
  certainty: word(row[7]),
  first: word(row[8]),
  last: word(row[9]),
}));

const bodies = packed.bodies.map((row) => {
  const [sign, paint, meaning] = packed.marks[row[0]];
  return {
    sign,
    paint,
    meaning,
    said: SAID[row[1]],
    verdict: word(row[2]),
    certainty: word(row[3]),
    kind: word(row[4]),
    entries: row[5].map(word),
    expected: word(row[6]),
    happened: word(row[7]),
    hint: word(row[8]),
    graph: row[9],
    exported: row[10],
    outcomes: row[11].map((each) => ({
      stage: word(each[0]),
      status: word(each[1]),
      reason: word(each[2]),
      failures: each[3].map(([at, entries]) => ({ ...failures[at], entries: entries.map(word) })),
      doubts: each[4].map((at) => failures[at]),
      figures: each[5].map(([name, value]) => [word(name), value]),
      tail: each[6] < 0 ? "" : packed.tails[each[6]],
      log: word(each[7]),
    })),
    repeat: word(row[12]),
    hef: word(row[13]),
    evidence: word(row[14]),
  };
});

for (const body of bodies) {
  body.blockers = body.outcomes.flatMap((outcome) => outcome.failures);
  body.families = [...new Set(body.blockers.map((each) => each.family))];
  body.reached = [...new Set([...body.entries, ...body.blockers.flatMap((each) => each.entries)])];
  const end = body.outcomes.find((outcome) => outcome.status !== "passed");
  body.stage = end ? end.stage : "";
  body.compiled = body.outcomes.some((outcome) => outcome.stage === "compile");
  body.label = worded(body.said, body.verdict) + (body.meaning === body.verdict ? "" : `, ${body.meaning}`);
  body.search = [...body.reached, ...body.families, ...body.blockers.flatMap((each) => each.layers)]
    .join(" ")
    .toLowerCase();
}

const cases = packed.cases.map(([id, tag, axes, vacuous, same, functionText]) => ({
  id,
  tag,
  axes: Object.fromEntries(axes.map(([name, value]) => [word(name), word(value)])),
  vacuous: vacuous.map(word),
  same: word(same),
  functionText: word(functionText),
  search: `${id} ${tag}`.toLowerCase(),
}));

/** A graph's layers; `sign` is the index of all but the name. */
const graphLayers = (at) =>
  packed.graphs[at].map((layer) => {
    const [name, sign] = packed.layers[layer];
    return { name: word(name), sign, ...signOf(sign) };
  });

const signOf = (at) => {
  const [type, inputs, output, detail, weights, macs, rowIn, rowOut] = packed.signs[at];
  const row = Math.max(rowIn, rowOut);
  return { type: word(type), inputs: word(inputs), output: word(output), detail: word(detail), weights, macs, row };
};

const runs = packed.runs.map((run, index) => ({
  ...run,
  index,
  measures: run.measures.map(([id, stage, form, length, snr, peak]) => ({
    id: word(id), stage: word(stage), form: word(form), length, snr, peak,
  })),
  records: once(() =>
    run.cases.map(([at, body, by, times, place]) => ({
      ...bodies[body],
      body,
      case: cases[at],
      id: cases[at].id,
      label: `${bodies[body].label}; ${word(packed.cases[at][5])}`,
      by: packed.by[by].map(word),
      times: packed.times[times],
      place,
    })),
  ),
}));

const byId = runs.map((run) => once(() => new Map(run.records().map((record) => [record.id, record]))));
const recordIn = (run, id) => byId[run.index]().get(id);

/** An element. `attributes` that are functions are listeners; text never becomes markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const stamp = (said, text) =>
  make("span", { class: `stamp said-${said}` },
    make("i", { class: `swatch said-${said}`, "aria-hidden": "true" }), text);
