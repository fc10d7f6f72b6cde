// Train: a new training, one that runs or ran, and several beside each other.
import { get, post } from "./api.mjs";
import { chart, loadCharts } from "./charts.mjs";
import { commandLine } from "./command.mjs";
import { button, h, notice, redraw } from "./dom.mjs";
import { listen } from "./events.mjs";
import { newTraining } from "./new_training.mjs";
import { age, commandLog, kilobytes, percent, stateOf } from "./run_parts.mjs";

export default function show(main, page) {
  const run = page.query.get("run");
  const compared = page.query.getAll("compare");
  if (run) return showRun(main, page, run);
  if (compared.length > 1) return showComparison(main, page, compared);
  return showAll(main, page);
}

// ---- all runs, and a new one

async function showAll(main, page) {
  const form = await newTraining(page);
  const list = h("section", {}, h("h2", {}, "Runs"));
  main.append(form.element, list);
  const picked = new Set();
  const compare = button("Compare", () => page.go(`/train?${new URLSearchParams([...picked].map((name) => ["compare", name]))}`), { class: "quiet" });
  async function draw() {
    const { runs } = await get("/api/runs");
    compare.disabled = picked.size < 2;
    const rows = runs.map((run) => runRow(run, page, picked, () => { compare.disabled = picked.size < 2; }));
    const heads = ["", "Run", "Task", "State", "Quality", "Size, int8", "Changed"].map((text) => h("th", { scope: "col" }, text));
    const table = h("div", { class: "scroll" }, h("table", { class: "runs" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)));
    redraw(
      list,
      h("div", { class: "spread" }, h("h2", {}, "Runs"), runs.length > 1 && compare),
      runs.length ? table : h("p", { class: "empty" }, "None yet. The first one appears here as soon as its training starts."),
    );
  }
  await draw();
  const ends = [listen("training", draw), listen("job", (event) => event.state && draw())];
  return () => [...ends, form.end].forEach((end) => end());
}

function runRow(run, page, picked, changed) {
  const box = h("input", {
    type: "checkbox",
    checked: picked.has(run.name),
    "aria-label": `Compare ${run.name}`,
    onchange: () => {
      picked[box.checked ? "add" : "delete"](run.name);
      changed();
    },
  });
  const isStopped = run.state.startsWith("stopped") && !run.in_use_by && !run.problem;
  const resume = button("Resume", async () => {
    await post("/api/training/resume", { run: run.name });
    page.go(`/train?${new URLSearchParams({ run: run.name })}`);
  }, { class: "quiet small", "aria-label": `Resume ${run.name}` });
  const quality = run.accuracy == null ? "–" : run.measure === "AUC" ? `AUC ${run.accuracy.toFixed(3)}` : percent(run.accuracy);
  return h(
    "tr",
    {},
    h("td", { class: "pick" }, box),
    h("th", { scope: "row" }, h("a", { href: `/train?${new URLSearchParams({ run: run.name })}` }, run.name)),
    h("td", {}, run.task),
    h("td", {}, run.in_use_by ? `${run.state}, in use` : run.problem || run.state, isStopped && resume),
    h("td", { title: run.measure }, quality, run.measure.startsWith("validation") ? h("small", { class: "muted" }, " val.") : ""),
    h("td", {}, kilobytes(run.model_bytes)),
    h("td", {}, age(run.age_s)),
  );
}

// ---- one run

const SAID = {
  running: (t) => (t.epochs_done ? `Training: epoch ${t.epochs_done} of ${t.epochs} has ended` : "Preparing: data, then the first epoch"),
  stopped: (t) => `Stopped after epoch ${t.epochs_done} of ${t.epochs}. Nothing of it is lost`,
  done: () => "Trained",
  damaged: (t) => t.problem,
  failed: () => "Failed before the first epoch ended",
  none: () => "Not trained",
};

async function showRun(main, page, run) {
  loadCharts(); // while the run is asked for
  let told = await get("/api/training", { run });
  const status = h("p", { role: "status" });
  const bar = h("progress", { "aria-label": "Epochs" });
  const lasts = h("p", { class: "muted" }, "It goes on when this page is closed. It ends with the studio, which keeps every epoch that has ended: Resume goes on from there.");
  const actions = h("div", { class: "row center" });
  const tiles = h("div", { class: "tiles" });
  const places = { accuracy: h("div", {}), loss: h("div", {}) };
  const confusion = h("section", { hidden: true });
  const log = commandLog(refresh, false);
  const curves = h("div", { class: "charts" }, h("div", {}, h("h2", {}, "Accuracy"), places.accuracy), h("div", {}, h("h2", {}, "Loss"), places.loss));
  main.append(
    h("section", {}, h("div", { class: "title" }, h("h1", {}, run), actions), status, bar, lasts, log.element, tiles, curves),
    confusion,
    h("p", {}, h("a", { href: "/train" }, "All runs, and a new training")),
  );
  const lines = [{ label: "training", colour: 0 }, { label: "validation", colour: 1 }];
  const charts = {
    accuracy: await chart(places.accuracy, { x: "epoch", isCount: true, lines, yRange: [0, 1] }),
    loss: await chart(places.loss, { x: "epoch", isCount: true, lines }),
  };
  const stop = button("Stop", () => act("/api/training/stop"), { class: "danger" });
  const resume = button("Resume", () => act("/api/training/resume"));
  const onward = [["Try it", "/try"], ["Deploy it", "/deploy"]].map(([text, path]) =>
    h("a", { class: text === "Try it" ? "button" : "button quiet", href: `${path}?${new URLSearchParams({ run })}` }, text),
  );

  async function act(path) {
    told = await post(path, { run });
    draw();
  }

  async function refresh() {
    try {
      told = await get("/api/training", { run });
      draw();
    } catch (error) {
      notice(error);
    }
  }

  function draw() {
    const state = told.problem && told.state !== "running" ? "damaged" : told.state;
    status.replaceChildren(stateOf(state === "damaged" ? "failed" : state, SAID[state](told)), told.holder ? ` by ${told.holder}` : "");
    bar.hidden = told.state !== "running" && told.state !== "stopped";
    lasts.hidden = told.state !== "running" || Boolean(told.holder);
    if (told.epochs) Object.assign(bar, { max: told.epochs, value: told.epochs_done });
    else bar.removeAttribute("value");
    const shown = { running: told.holder ? [] : [stop], stopped: [resume], done: onward }[state] ?? [];
    if (![...actions.children].every((each, i) => each === shown[i]) || actions.children.length !== shown.length) redraw(actions, ...shown);
    if (told.job && (log.job?.number !== told.job.number || log.job?.state !== told.job.state)) log.follow(told.job);
    page.sameAs(told.state === "stopped" ? told.resume : told.job?.command ?? commandLine("tinyml", "runs", "show", run));
    drawFigures();
    drawConfusion();
  }

  function drawFigures() {
    const last = told.history.at(-1) ?? {};
    const figures = [
      ["epoch", told.epochs ? `${told.epochs_done} / ${told.epochs}` : null],
      ["validation accuracy", last.validation_accuracy == null ? null : percent(last.validation_accuracy)],
      ["validation loss", last.validation_loss?.toFixed(3)],
      ["training loss", last.loss?.toFixed(3)],
    ];
    tiles.replaceChildren(...figures.filter(([, value]) => value != null).map(([name, value]) => h("div", { class: "tile" }, h("small", {}, name), h("b", {}, value))));
    const hasAccuracy = last.validation_accuracy != null;
    curves.hidden = !told.history.length;
    places.accuracy.parentElement.hidden = !hasAccuracy;
    const epochs = told.history.map((_, i) => i + 1);
    const of = (name) => told.history.map((each) => each[name] ?? null);
    charts.loss.set([epochs, of("loss"), of("validation_loss")]);
    if (hasAccuracy) charts.accuracy.set([epochs, of("accuracy"), of("validation_accuracy")]);
  }

  function drawConfusion() {
    confusion.hidden = !told.confusion.length;
    if (confusion.hidden) return;
    confusion.replaceChildren(
      h("h2", {}, "Confusion"),
      h("p", { class: "lead" }, `Validation examples after epoch ${told.epochs_done}. Rows are true labels, columns are predictions.`),
      h("div", { class: "scroll" }, confusionTable(told.labels, told.confusion)),
    );
  }

  draw();
  const ends = [listen("training", (event) => (event.event === "reset" || event.run === run) && refresh()), log.end];
  return () => [...ends, charts.accuracy.end, charts.loss.end].forEach((end) => end());
}

function confusionTable(labels, counts) {
  const rows = counts.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    const cells = row.map((n, j) =>
      h("td", {}, h("span", { class: "cell", style: { "--share": total ? n / total : 0 }, title: `${labels[i]} taken for ${labels[j]}: ${n} of ${total}` }, String(n))),
    );
    return h("tr", {}, h("th", { scope: "row" }, labels[i]), ...cells, h("td", {}, total ? percent(row[i] / total, 0) : "–"));
  });
  const heads = labels.map((label) => h("th", { scope: "col" }, label));
  return h("table", { class: "confusion counts" }, h("thead", {}, h("tr", {}, h("td", {}), ...heads, h("th", { scope: "col" }, "recall"))), h("tbody", {}, ...rows));
}

// ---- several runs

async function showComparison(main, page, names) {
  const [{ runs }, ...trainings] = await Promise.all([get("/api/runs"), ...names.map((run) => get("/api/training", { run }))]);
  page.sameAs(commandLine("tinyml", "compare", ...names.map((name) => `runs/${name}`)));
  const key = trainings.every((each) => each.history.at(-1)?.validation_accuracy != null) ? "validation_accuracy" : "validation_loss";
  const place = h("div", {});
  const rows = names.map((name, i) => {
    const run = runs.find((each) => each.name === name);
    const last = trainings[i].history.at(-1) ?? {};
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("span", { class: `key c${i % 8}` }), h("a", { href: `/train?${new URLSearchParams({ run: name })}` }, name)),
      h("td", {}, trainings[i].epochs ? `${trainings[i].epochs_done} / ${trainings[i].epochs}` : "–"),
      h("td", {}, percent(last.validation_accuracy)),
      h("td", {}, last.validation_loss?.toFixed(3) ?? "–"),
      h("td", {}, run?.accuracy == null || run.measure.startsWith("validation") ? "–" : `${run.measure} ${percent(run.accuracy)}`),
      h("td", {}, kilobytes(run?.model_bytes)),
    );
  });
  const heads = ["Run", "Epochs", "Validation accuracy", "Validation loss", "Test set, int8", "Size, int8"].map((text) => h("th", { scope: "col" }, text));
  main.append(
    h(
      "section",
      {},
      h("h1", {}, "Compare runs"),
      h("div", { class: "charts" }, h("div", {}, h("h2", {}, key.replace("_", " ").replace("v", "V")), place)),
      h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows))),
      h("p", { class: "lead" }, "Validation data may differ between runs. The command below judges all of them on the same test data, and says which differences are significant."),
    ),
    h("p", {}, h("a", { href: "/train" }, "All runs, and a new training")),
  );
  const lines = names.map((label, i) => ({ label, colour: i % 8 }));
  const drawn = await chart(place, { x: "epoch", isCount: true, lines, height: 300, yRange: key === "validation_accuracy" ? [0, 1] : null });
  const longest = Math.max(...trainings.map((each) => each.history.length), 1);
  const epochs = Array.from({ length: longest }, (_, i) => i + 1);
  drawn.set([epochs, ...trainings.map(({ history }) => epochs.map((_, i) => history[i]?.[key] ?? null))]);
  return drawn.end;
}
