// Rates of groups at any thresholds, from the levels of the items; the same rules as tinyml_cli/fairness/rules.py.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("fair-data").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const steps = data.values.length;
const RIGHT = 0, WRONG = 1, FALSE = 2, NEARLY = 1e-9, NOBODY = 255;
const MEASURES = {
  "single": null, "demographic-parity": "accepted_share", "equal-opportunity": "recall",
  "equal-accuracy": "accuracy", "least-cost": null,
};
const NAMES = { accepted_share: "share reported", recall: "recall", accuracy: "accuracy" };

const itemsOf = (set) => ({
  // Stored as level + 1, 0 for an item that no threshold accepts.
  levels: Int32Array.from(new Uint16Array(bytes(set.levels).buffer), (level) => level - 1),
  outcomes: bytes(set.outcomes),
});
const choosing = itemsOf(data.choosing), test = itemsOf(data.test);
const attributes = data.attributes.map((each) => ({
  ...each, chosenBy: bytes(each.choosing), reported: bytes(each.test),
}));

// Counts: accepted[outcome][level], targets, others.

function countsOf(items, groups, group) {
  const accepted = [0, 1, 2].map(() => new Float64Array(steps));
  const counts = { accepted, targets: 0, others: 0 };
  items.levels.forEach((level, i) => {
    if (groups !== null && groups[i] !== group) return;
    items.outcomes[i] === FALSE ? counts.others++ : counts.targets++;
    if (level >= 0) accepted[items.outcomes[i]][level]++;
  });
  for (const row of accepted) for (let k = steps - 2; k >= 0; k--) row[k] += row[k + 1];
  counts.n = counts.targets + counts.others;
  return counts;
}

function hits(counts, measure, level) {
  const [right, wrong, falsely] = counts.accepted.map((row) => row[level]);
  if (measure === "recall") return [right, counts.targets];
  if (measure === "accuracy") return [right + counts.others - falsely, counts.n];
  return [right + wrong + falsely, counts.n];
}

function rate(counts, measure, level) {
  const [count, n] = hits(counts, measure, level);
  return count / n;
}

function costOf(counts, level, costs) {
  const [right, wrong, falsely] = counts.accepted.map((row) => row[level]);
  return costs.miss * (counts.targets - right - wrong) + costs.false_accept * falsely + costs.wrong_label * wrong;
}

// Rules.

const range = Array.from({ length: steps }, (_, level) => level);
const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const spread = (rates) => most(rates) - least(rates);

// Of the chosen levels the one nearest to the threshold in use, of two as near the looser.
function nearest(chosen) {
  const away = (level) => Math.abs(level - data.current);
  return range.filter(chosen).reduce((a, b) => (away(b) < away(a) ? b : a));
}

function oneThreshold(groups, everyone, costs, measure, tolerance) {
  const cost = range.map((level) => costOf(everyone, level, costs));
  const gaps = measure === null ? null
    : range.map((level) => spread(groups.map((group) => rate(group, measure, level))));
  const allowed = gaps === null ? Infinity : Math.max(tolerance, least(gaps)) + NEARLY;
  const within = (level) => gaps === null || gaps[level] <= allowed;
  const best = least(cost.filter((_, level) => within(level)));
  const level = nearest((each) => within(each) && cost[each] === best);
  return { levels: groups.map(() => level), gap: gaps && gaps[level], cost: cost[level] };
}

// Thresholds of one group that can be told apart, by rising rate, then by cost, then by level.
function pointsOf(group, costs, measure) {
  const points = [];
  for (let first = 0; first < steps;) {
    let last = first;
    while (last + 1 < steps && group.accepted.every((row) => row[last + 1] === row[first])) last++;
    const level = Math.min(Math.max(data.current, first), last);
    points.push({ level, rate: rate(group, measure, level), cost: costOf(group, level, costs) });
    first = last + 1;
  }
  return points.sort((a, b) => a.rate - b.rate || a.cost - b.cost || a.level - b.level);
}

function perGroup(groups, costs, measure, tolerance) {
  if (measure === null) {
    const levels = groups.map((group) => {
      const cost = range.map((level) => costOf(group, level, costs)), best = least(cost);
      return nearest((level) => cost[level] === best);
    });
    return { levels, gap: null, cost: total(groups, levels, costs) };
  }
  const lists = groups.map((group) => pointsOf(group, costs, measure));
  const lowest = [...new Set(lists.flat().map((point) => point.rate))].sort((a, b) => a - b);
  const reach = lowest.map((low) => most(lists.map((points) => {
    const next = points.find((point) => point.rate >= low - NEARLY);
    return next ? next.rate : Infinity;
  })) - low);
  const allowed = Math.max(tolerance, least(reach)) + NEARLY;
  let best = null;
  lowest.forEach((low, i) => {
    if (reach[i] > allowed) return;
    const chosen = lists.map((points) => points
      .filter((point) => point.rate >= low - NEARLY && point.rate <= low + allowed + NEARLY)
      .reduce((a, b) => (b.cost < a.cost ? b : a)));
    const cost = chosen.reduce((sum, point) => sum + point.cost, 0);
    if (best === null || cost < best.cost) best = { chosen, cost };
  });
  const levels = best.chosen.map((point) => point.level);
  return { levels, gap: spread(best.chosen.map((point) => point.rate)), cost: total(groups, levels, costs) };
}

const total = (groups, levels, costs) => groups.reduce((sum, group, i) => sum + costOf(group, levels[i], costs), 0);

// Wilson, 1927.
function interval(count, n) {
  if (!n) return [0, 1];
  const share = count / n, weight = data.z * data.z / n, centre = share + weight / 2;
  const margin = data.z * Math.sqrt(share * (1 - share) / n + weight / (4 * n));
  return [Math.max(0, (centre - margin) / (1 + weight)), Math.min(1, (centre + margin) / (1 + weight))];
}

// The page.

const state = { attribute: null, levels: [], pressed: null };

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    name in element ? (element[name] = value) : element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const points = (gap) => `${(100 * gap).toFixed(1)}\u00a0points`;
const shown = (level) => (data.unit === "score" ? data.values[level].toFixed(3) : String(data.values[level]));
const costs = () => ({
  miss: Number($("fair-miss").value), false_accept: Number($("fair-false").value),
  wrong_label: Number($("fair-wrong").value),
});
const isOne = () => $("fair-one").checked;
const tolerance = () => Number($("fair-tolerance").value) / 100;

function use(attribute) {
  const groups = attribute.groups.map((_, group) => group);
  state.attribute = attribute;
  state.choosing = groups.map((group) => countsOf(choosing, attribute.chosenBy, group));
  state.test = groups.map((group) => countsOf(test, attribute.reported, group));
  state.chosenByAll = countsOf(choosing, null);
  state.tested = countsOf(test, null);
  state.levels = groups.map(() => data.current);
  state.pressed = "in-use";
  const several = groups.length > 1;
  $("fair-one").checked = true;
  for (const id of ["fair-one-label", "fair-tolerance-label"]) $(id).hidden = !several;
  for (const button of document.querySelectorAll("#fair-rules button")) {
    button.hidden = !several && !["in-use", "single"].includes(button.dataset.rule);
  }
  const without = attribute.groups.filter((_, group) => several && !state.choosing[group].n);
  $("fair-note").textContent = [attribute.note, without.length &&
    `rules that compare groups need ${data.many} to choose on of each: there are none of ` +
    (without.length === groups.length ? "any" : without.join(", "))]
    .filter(Boolean).map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(" ");
  layOut();
}

function layOut() {
  const names = isOne() ? [state.attribute.groups.length > 1 ? "all groups" : "threshold"] : state.attribute.groups;
  $("fair-sliders").replaceChildren(...names.map((name, place) => {
    const counts = isOne() ? state.tested : state.test[place];
    const input = make("input", { type: "range", id: `fair-level-${place}`, min: 0, max: steps - 1, step: 1 });
    input.addEventListener("input", () => {
      const level = Number(input.value);
      state.levels = state.levels.map((old, group) => (isOne() || group === place ? level : old));
      state.pressed = null;
      draw();
    });
    return make("div", { className: "slider" }, make("label", { htmlFor: input.id }, name),
      make("output", { htmlFor: input.id }), histogram(counts), input);
  }));
  draw();
}

// Items by score, those to be reported above the line and the others below.
function histogram(counts) {
  const bins = Math.min(64, steps), svg = $("fair-histogram").content.firstElementChild.cloneNode(true);
  svg.setAttribute("viewBox", `0 0 ${bins} 2`);
  const at = (row, level) => row[level] - (level + 1 < steps ? row[level + 1] : 0);
  const sums = [new Float64Array(bins), new Float64Array(bins)];
  for (const level of range) {
    const bin = Math.floor(level * bins / steps), [right, wrong, falsely] = counts.accepted;
    sums[0][bin] += at(right, level) + at(wrong, level);
    sums[1][bin] += at(falsely, level);
  }
  sums.forEach((sum, side) => {
    const highest = Math.max(1, ...sum);
    svg.children[side].setAttribute("d", Array.from(sum, (value, bin) => {
      const height = Math.sqrt(value / highest);
      return value ? `M${bin} 1v${side ? height : -height}h.9V1z` : "";
    }).join(""));
  });
  return svg;
}

function draw() {
  const bins = Math.min(64, steps);
  document.querySelectorAll("#fair-sliders .slider").forEach((slider, place) => {
    const level = state.levels[isOne() ? 0 : place], input = slider.querySelector("input");
    input.value = level;
    input.setAttribute("aria-valuetext", `${data.unit} ${shown(level)}`);
    slider.querySelector("output").value = shown(level);
    slider.querySelector(".mark").setAttribute("d", `M${level * bins / steps} 0V2`);
  });
  for (const button of document.querySelectorAll("#fair-rules button")) {
    button.setAttribute("aria-pressed", String(button.dataset.rule === state.pressed));
    button.disabled = !canFind(button.dataset.rule);
  }
  table();
  status();
  pair();
}

// All groups together; where there is one threshold, also with the items that belong to no group.
function sums() {
  const sum = { accepted: [0, 1, 2].map(() => [0]), targets: 0, others: 0, n: 0 };
  state.test.forEach((counts, group) => {
    counts.accepted.forEach((row, outcome) => { sum.accepted[outcome][0] += row[state.levels[group]]; });
    for (const key of ["targets", "others", "n"]) sum[key] += counts[key];
  });
  const groups = rowOf(state.test.length > 1 ? "all groups" : "all", sum, 0);
  return isOne() && state.tested.n > sum.n ? [groups, rowOf("all items", state.tested, state.levels[0])] : [groups];
}

function rowOf(name, counts, level) {
  const [right, wrong, falsely] = counts.accepted.map((row) => row[level]);
  return {
    name, n: counts.n, right, wrong, missed: counts.targets - right - wrong, falsely,
    rejected: counts.others - falsely, cost: costOf(counts, level, costs()),
    rates: [hits(counts, "accepted_share", level), hits(counts, "recall", level), [falsely, counts.others],
      hits(counts, "accuracy", level)],
  };
}

function table() {
  const rows = state.test.map((counts, group) => rowOf(state.attribute.groups[group], counts, state.levels[group]));
  const all = sums();
  const lines = state.attribute.groups.length > 1 ? [...rows, ...all] : all;
  const head = (row) => make("th", { scope: "row" }, row.name);
  const cell = (text, detail) => make("td", {}, text, ...(detail ? [make("small", {}, detail)] : []));
  const share = ([count, n]) => {
    const [low, high] = interval(count, n);
    return n ? cell(percent(count / n), `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`) : cell("–");
  };
  const [first, second] = document.querySelectorAll("#fairness tbody");
  first.replaceChildren(...lines.map((row) => make("tr", { className: row === all[0] ? "all" : "" }, head(row),
    cell(String(row.n)), ...row.rates.map(share), cell(String(Math.round(row.cost * 1000) / 1000)))));
  second.replaceChildren(...lines.map((row) => make("tr", { className: row === all[0] ? "all" : "" }, head(row),
    ...["right", "wrong", "missed", "falsely", "rejected"].map((key) => cell(String(row[key]))))));
}

// Rules that need each group's items to choose on.
function canFind(rule) {
  if (rule === "in-use" || rule === "single") return true;
  if (state.attribute.groups.length < 2) return false;
  return state.choosing.every((counts) => (rule === "equal-opportunity" ? counts.targets : counts.n));
}

function find(rule) {
  const measure = MEASURES[rule];
  return isOne()
    ? oneThreshold(state.choosing, state.chosenByAll, costs(), measure, tolerance())
    : perGroup(state.choosing, costs(), measure, tolerance());
}

function press(rule) {
  // One of them is a rule of one threshold, the other of one for each group.
  if (rule === "single" || rule === "least-cost") $("fair-one").checked = rule === "single";
  const found = rule === "in-use" ? { levels: state.levels.map(() => data.current) } : find(rule);
  state.levels = found.levels;
  state.found = found;
  state.pressed = rule;
  layOut();
}

function status() {
  const [all] = sums(), measure = MEASURES[state.pressed] ?? null;
  const parts = [`${isOne() ? "One threshold" : "A threshold for each group, which no board can have"}: ` +
    `accuracy ${percent(all.rates[3][0] / all.rates[3][1])}, cost ${Math.round(all.cost * 1000) / 1000}, ` +
    `over ${all.n} ${data.many}${state.test.length > 1 ? " of the groups" : ""}.`];
  if (measure !== null) {
    const pairs = state.test.map((counts, group) => hits(counts, measure, state.levels[group]));
    const gap = pairs.every(([, n]) => n) ? points(spread(pairs.map(([count, n]) => count / n))) : "unknown";
    const met = state.found.gap <= tolerance() + NEARLY;
    parts.push(`Gap in ${NAMES[measure]}: ${points(state.found.gap)} where it was chosen` +
      `${met ? "" : ", the smallest there is"}; ${gap} of the test ${data.many}.`);
  }
  $("fair-status").textContent = parts.join(" ");
}

// Neighbours.

const examples = data.examples.map((each) => ({ ...each, nearest: Array.from(bytes(each.nearest)) }));

function decision(example) {
  const group = state.attribute.reported[example.row];
  const level = state.levels[isOne() || group === NOBODY ? 0 : group];
  return test.levels[example.row] >= level ? data.labels[example.answer] : null;
}

const told = (example) => {
  const found = decision(example);
  return found === null ? "not reported" : `reported as ${found}`;
};

function card(example, title) {
  const about = `${data.labels[example.truth]}, ${told(example)}`;
  const parts = [make("p", { className: "muted" }, title)];
  if (example.picture) parts.push(make("img", { className: example.style, alt: about, src: example.picture }));
  const level = test.levels[example.row];
  parts.push(make("p", {}, make("b", {}, data.labels[example.truth]), ` → `, make("b", {}, told(example)),
    level < 0 ? "" : ` at ${shown(level)}`));
  if (example.source) parts.push(make("p", { className: "muted" }, example.source));
  if (example.sound) {
    parts.push(make("audio", { controls: true, preload: "none", src: example.sound, "aria-label": about }));
  }
  return make("article", {}, ...parts);
}

function otherOf(place) {
  const mine = decision(examples[place]);
  return examples[place].nearest.find((other) => decision(examples[other]) !== mine);
}

function pair() {
  if (!examples.length) return;
  const select = $("fair-example"), place = Number(select.value);
  Array.from(select.options).forEach((option, i) => {
    const example = examples[i];
    option.textContent = `${i + 1}: ${data.labels[example.truth]}, ${told(example)}`;
  });
  const other = otherOf(place);
  $("fair-swap").disabled = other === undefined;
  $("fair-pair").replaceChildren(card(examples[place], `No. ${place + 1}`), other === undefined
    ? make("p", {}, "At these thresholds the decision on all of them is the same.")
    : card(examples[other], `No. ${other + 1}, the nearest with another decision`));
}

function begin() {
  const rules = [["in-use", "In use now"], ["single", "Single threshold"],
    ["demographic-parity", "Demographic parity"], ["equal-opportunity", "Equal opportunity"],
    ["equal-accuracy", "Equal accuracy"], ["least-cost", "Least cost per group"]];
  $("fair-rules").append(...rules.map(([rule, name]) => {
    const button = make("button", { type: "button" }, name);
    button.dataset.rule = rule;
    button.addEventListener("click", () => press(rule));
    return button;
  }));
  $("fair-attribute").append(...attributes.map((each, i) => make("option", { value: String(i) }, each.name)));
  $("fair-attributes").hidden = !attributes[0].name;
  $("fair-attribute").addEventListener("change", (event) => use(attributes[Number(event.target.value)]));
  $("fair-tolerance").value = 100 * data.tolerance;
  [["fair-miss", "miss"], ["fair-false", "false_accept"], ["fair-wrong", "wrong_label"]].forEach(([id, key]) => {
    $(id).value = data.costs[key];
  });
  $("fair-wrong-label").hidden = !data.several_labels;
  for (const id of ["fair-miss", "fair-false", "fair-wrong", "fair-tolerance"]) {
    $(id).addEventListener("input", () => {
      const rule = state.pressed;
      rule !== null && canFind(rule) ? press(rule) : draw();
    });
  }
  $("fair-one").addEventListener("change", () => {
    if (isOne()) state.levels = state.levels.map(() => state.levels[0]);
    if (MEASURES[state.pressed]) return press(state.pressed);
    state.pressed = null;
    layOut();
  });
  if (examples.length) {
    $("fair-example").append(...examples.map((_, i) => make("option", { value: String(i) })));
    $("fair-example").addEventListener("change", pair);
    $("fair-swap").addEventListener("click", () => {
      $("fair-example").value = String(otherOf(Number($("fair-example").value)));
      pair();
    });
  }
  use(attributes[0]);
}

begin();
