// What is shown: one state, kept in the address, so that a link shows the same.

const state = { run: packed.shown, case: "", q: "", chosen: new Map() };

const NOT_AXES = ["blocks", "T", "arch", ...packed.sizes];
const FIXED_FACETS = [
  { key: "verdict", name: "Verdict", of: (record) => [worded(record.said, record.verdict)] },
  { key: "function", name: "Function", of: (record) => [record.case.same] },
  { key: "judged", name: "Judged", of: (record) => [record.kind.replaceAll("_", " ")] },
  { key: "entry", name: "Entry", of: (record) => (record.reached.length ? record.reached : ["none"]) },
  { key: "stage", name: "Ends at", of: (record) => [record.stage || (record.compiled ? "passes all" : "not compiled")] },
  { key: "family", name: "Family", of: (record) => (record.families.length ? record.families : ["none"]) },
];

/** The run before of the same cases and chip, by the same hand: what a run is held against. */
const before = runs.map((run) => runs.slice(0, run.index).reverse().find((each) =>
  each.cases.length && each.profile === run.profile && each.arch === run.arch && each.said === run.said));

// Of a verdict that isn't here nothing was learned: it is neither better nor worse.
const RANK = { clear: 0, unknown: 1, blocked: 2 };

/** What became of a case since the run before. */
function since(record, earlier) {
  const then = recordIn(earlier, record.id);
  if (!then) return ["not there before"];
  const changed = [];
  const step = RANK[record.verdict] - RANK[then.verdict];
  if (Number.isNaN(step)) {
    if (record.verdict !== then.verdict) changed.push(`was ${then.verdict}`);
  } else if (step) changed.push(step > 0 ? "worse" : "better");
  else if (String(then.families) !== String(record.families)) changed.push("other blockers");
  if (typeof then.graph === "number" && typeof record.graph === "number" && then.graph !== record.graph) changed.push("other graph");
  return changed.length ? changed : ["the same"];
}

/** A facet's values of each record, found out once and not at every key. */
function kept(facet) {
  const known = new Map();
  const of = (record) => {
    if (!known.has(record)) known.set(record, facet.of(record));
    return known.get(record);
  };
  return { ...facet, of };
}

/** The facets of a run: the fixed ones, then each axis on which its cases differ. */
const facetsOf = runs.map((run) =>
  once(() => {
    const records = run.records();
    // A segment has axes that its whole network hasn't.
    const names = Object.keys(Object.assign({}, ...records.map((record) => record.case.axes)));
    const axes = [...names.filter((name) => !NOT_AXES.includes(name)), ...NOT_AXES].filter(
      (name) => new Set(records.map((record) => record.case.axes[name])).size > 1,
    );
    const earlier = before[run.index];
    return [
      ...FIXED_FACETS,
      ...(earlier ? [{ key: "since", name: `Since ${earlier.id}`, of: (record) => since(record, earlier) }] : []),
      ...axes.map((name) => ({ key: name, name: name, axis: true, of: (record) => [record.case.axes[name] ?? "none"] })),
    ].map(kept);
  }),
);

const valuesOf = (facet, records) => {
  const values = [...new Set(records.flatMap(facet.of))];
  const counts = values.every((value) => value === "all" || /^\d+$/.test(value));
  return counts ? values.sort((a, b) => (a === "all" ? -1 : b === "all" ? 1 : a - b)) : values;
};

const currentRun = () => runs[state.run];

/** Which cases match, and for each facet's value how many would if only the other facets chose. */
function matching() {
  const records = currentRun().records();
  const facets = facetsOf[state.run]();
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Set();
  const counts = new Map(facets.map((facet) => [facet.key, new Map()]));
  for (const record of records) {
    if (!words.every((each) => record.case.search.includes(each) || record.search.includes(each))) continue;
    const missed = facets.filter((facet) => {
      const chosen = state.chosen.get(facet.key);
      return chosen?.size && !facet.of(record).some((value) => chosen.has(value));
    });
    if (missed.length === 0) shown.add(record);
    for (const facet of missed.length === 0 ? facets : missed.length === 1 ? missed : []) {
      const count = counts.get(facet.key);
      for (const value of facet.of(record)) count.set(value, (count.get(value) ?? 0) + 1);
    }
  }
  return { shown, counts };
}

const isFiltered = () => Boolean(state.q) || [...state.chosen.values()].some((chosen) => chosen.size);

/** The state as the part of the address behind the `#`. */
function toHash() {
  const params = new URLSearchParams();
  if (state.run !== packed.shown) params.set("run", currentRun().id);
  if (state.q) params.set("q", state.q);
  for (const [key, values] of state.chosen) for (const value of values) params.append(key, value);
  if (state.case) params.set("case", state.case);
  return params.toString();
}

/** Reads the part of an address behind the `#`. What it names and this report doesn't have is passed over. */
function fromHash(hash) {
  const params = new URLSearchParams(hash);
  const named = runs.findIndex((run) => run.id === params.get("run") && run.cases.length);
  state.run = named < 0 ? packed.shown : named;
  state.q = params.get("q") ?? "";
  state.case = recordIn(currentRun(), params.get("case") ?? "") ? params.get("case") : "";
  state.chosen = new Map();
  const records = currentRun().records();
  for (const facet of facetsOf[state.run]()) {
    const known = new Set(params.has(facet.key) ? valuesOf(facet, records) : []);
    const values = params.getAll(facet.key).filter((value) => known.has(value));
    if (values.length) state.chosen.set(facet.key, new Set(values));
  }
}

function toggle(key, value) {
  const chosen = state.chosen.get(key) ?? new Set();
  if (!chosen.delete(value)) chosen.add(value);
  if (chosen.size) state.chosen.set(key, chosen);
  else state.chosen.delete(key);
}
