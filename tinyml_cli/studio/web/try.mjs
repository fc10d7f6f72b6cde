// Try: the run's board in this page, what it fired at, its threshold in hours of audio, and boards beside it.
import { address, get, post, upload } from "./api.mjs";
import { chart } from "./charts.mjs";
import { commandLine } from "./command.mjs";
import { button, counted, field, h, redraw } from "./dom.mjs";
import { listen } from "./events.mjs";
import { chooser, commandLog, noRuns, percent } from "./run_parts.mjs";
import { wavOf } from "./wav.mjs";

const MOST_HEARD = 20;
const OTHER = "other"; // what the server calls a word that is none of the model's

// Stores an example of what was reported, as `data record` does.
const KEEP = {
  word: ({ sound, rateHz }, folder, truth) => upload("/api/take/word", { folder, word: truth, speaker: "studio", keep: "always" }, wavOf(sound, rateHz)),
  sound: ({ sound, rateHz }, folder, truth) => upload("/api/take/sound", { folder, label: truth, source: "studio" }, wavOf(sound, rateHz)),
  picture: ({ picture }, folder, truth) => upload("/api/take/picture", { folder, label: truth }, pngOf(picture)),
  motion: (felt, folder, truth) => uploadMotion(felt, folder, truth, false),
  strokes: (felt, folder, truth) => uploadMotion(felt, folder, truth, true),
};
const NOTHING = { sound: "it is silent", picture: "the picture is blank", strokes: "there is no whole stroke in it" };

const uploadMotion = ({ motion, rateHz }, folder, label, strokes) =>
  upload("/api/take/motion", { folder, label, person: "studio", rate_hz: rateHz, strokes }, new Blob([motion]));

export default async function show(main, page) {
  const { run, element } = await chooser(page.query.get("run"), (name) => page.go(`/try?${new URLSearchParams({ run: name })}`));
  if (!run) {
    main.append(noRuns("tried"));
    return;
  }
  const told = await get("/api/try", { run: run.name });
  const heard = heardList(told);
  const stage = boardStage(page, told, heard);
  const ends = [heard.end, stage.end];
  const side = h("div", {}, heard.element);
  main.append(h("div", { class: "title" }, h("h1", {}, "Try"), element), h("div", { class: "two" }, h("div", {}, stage.element), side));
  if (told.listens) {
    const hours = await hoursOfAudio(page, told, heard, stage);
    side.append(hours.element);
    ends.push(hours.end);
  }
  const beside = watch(page, told, heard);
  main.append(beside.element);
  ends.push(beside.end);
  return () => ends.forEach((end) => end());
}

// ---- the board in this page

function boardStage(page, told, heard) {
  const element = h("div", {});
  const log = commandLog();
  const ask = { run: told.run };
  const built = commandLine("tinyml", "build", `runs/${told.run}`, "--board", "browser");

  function showBoard() {
    page.sameAs(built);
    const frame = h("iframe", {
      class: "board",
      src: address("/api/try/page", ask),
      title: `The board of ${told.run}`,
      allow: "microphone; camera; accelerometer; gyroscope",
    });
    element.replaceChildren(frame);
  }

  async function build() {
    await log.reach("/api/try/towards", ask);
    showBoard();
  }

  function offer() {
    page.sameAs(told.following || built);
    const start = button("Build the page", build);
    element.replaceChildren(
      h(
        "section",
        {},
        h("h2", {}, "Your model in this browser"),
        h("p", { class: "lead" }, `The firmware itself, compiled for the browser. It uses this device's ${told.senses.join(" and ").replace("motion", "motion sensor") || "clock"}, and nothing leaves it. The first build on a computer takes longest.`),
        told.problem ? h("p", { class: "wrong", role: "alert" }, told.problem) : start,
        log.element,
      ),
    );
  }

  const take = (event) => {
    const frame = element.querySelector("iframe");
    if (event.origin !== location.origin || !frame || event.source !== frame.contentWindow) return;
    if (event.data?.height) frame.style.height = `${event.data.height + frame.offsetHeight - frame.clientHeight}px`; // and its border
    if (event.data?.board) heard.add(event.data);
  };
  addEventListener("message", take);
  if (told.following || told.problem) offer();
  else showBoard();
  return {
    element,
    // What the next page is made of has changed.
    async rebuild() {
      told.following = "tinyml build";
      offer();
      await build();
    },
    end() {
      log.end();
      removeEventListener("message", take);
    },
  };
}

// ---- what it reported, to be kept as examples where it was wrong

function heardList(told) {
  const list = h("ol", { class: "heard" });
  const hint = h("p", { class: "lead" }, "What the board detects appears here. Where it was wrong, keep the example under its true label, and train again.");
  const folder = h("input", { value: told.folder, maxlength: 120, spellcheck: "false" });
  const element = h("section", {}, h("h2", {}, "Detections"), hint, h("div", { class: "settings" }, field("Folder for kept examples", folder)), list);
  let threshold = 0;

  element.hidden = !told.keeps;

  function add({ board: event, ...felt }) {
    const isAlarm = event.event === "anomaly";
    const name = isAlarm ? "alarm" : event.label ?? (event.present ? "seen" : "");
    const options = told.truths.filter((label) => label !== name).map((label) => h("option", { value: label }, label === OTHER ? "another word or noise" : label));
    const truth = h("select", { "aria-label": `True label of ${name}` }, ...options);
    const keep = button("Keep", async () => {
      const stored = await KEEP[told.keeps](felt, folder.value, truth.value);
      if (!stored.kept) throw new Error(`Not kept: ${NOTHING[told.keeps]}`);
      redraw(row, h("b", {}, name), h("span", { class: "muted" }, `kept as ${truth.value}: ${counted(stored.clips ?? stored.n, "example")}`));
    }, { class: "quiet", "aria-label": `Keep ${name}` });
    const score = isAlarm ? `${(event.score / event.threshold).toFixed(1)} × its threshold` : event.score == null ? "" : percent(event.score, 0);
    const row = h("li", {}, h("b", {}, name), h("span", { class: "muted" }, score));
    row.dataset.score = isAlarm ? 1 : event.score ?? 1;
    if (told.keeps) row.append(h("span", { class: "muted" }, "was in fact"), truth, keep);
    list.prepend(row);
    while (list.children.length > MOST_HEARD) list.lastChild.remove();
    fade();
  }

  // Those below a threshold that is being considered.
  function fade() {
    for (const row of list.children) row.style.opacity = Number(row.dataset.score) < threshold ? 0.4 : 1;
  }

  return {
    element,
    add,
    consider(value) {
      threshold = value;
      fade();
    },
    end() {},
  };
}

function pngOf(url) {
  const bytes = Uint8Array.from(atob(url.split(",")[1]), (c) => c.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

// ---- its threshold

async function hoursOfAudio(page, told, heard, stage) {
  const log = commandLog();
  const element = h("section", {});
  let drawn = null;
  const ask = (more) => ({ run: told.run, ...more });

  async function evaluate(more) {
    page.sameAs(commandLine("tinyml", "evaluate-stream", `runs/${told.run}`, "--hours", more.hours, ...(more.max_fa_per_hour ? ["--max-fa-per-hour", more.max_fa_per_hour] : [])));
    await log.reach("/api/try/listen", ask(more));
    Object.assign(told, await get("/api/try", { run: told.run }));
    await draw();
    if (more.max_fa_per_hour) await stage.rebuild();
  }

  async function draw() {
    drawn?.end();
    drawn = null;
    if (!told.hours) {
      element.replaceChildren(
        h("h2", {}, "Threshold"),
        h("p", { class: "lead" }, "How often it fires at nothing and how many words it misses, measured on audio that it was not trained on."),
        button("Measure on an hour of audio", () => evaluate({ hours: 1 })),
        log.element,
      );
      return;
    }
    const { points, hours, words, note } = told.hours;
    const now = told.recognizer.threshold;
    const nearest = points.reduce((best, each, i) => (Math.abs(each.threshold - now) < Math.abs(points[best].threshold - now) ? i : best), 0);
    const slider = h("input", { type: "range", min: 0, max: points.length - 1, step: 1, value: nearest, "aria-label": "Threshold" });
    const value = h("output", {});
    const figures = h("div", { class: "figures", "aria-live": "polite" });
    const apply = button("Use this threshold", () => {
      const point = points[Number(slider.value)];
      return evaluate({ hours: Math.max(0.1, Number(hours.toFixed(2))), max_fa_per_hour: Math.max(0.1, Number(point.fa_per_hour.toFixed(2))) });
    }, { class: "quiet" });
    const place = h("div", {});
    const move = () => {
      const point = points[Number(slider.value)];
      value.textContent = point.threshold.toFixed(3);
      slider.setAttribute("aria-valuetext", point.threshold.toFixed(3));
      figures.replaceChildren(
        h("div", {}, h("b", {}, point.fa_per_hour.toFixed(1)), h("small", {}, `false accepts per hour (${point.false_accepts} in ${hours.toFixed(1)} h)`)),
        h("div", {}, h("b", {}, percent(point.recall)), h("small", {}, `of ${counted(words, "word")} heard`)),
      );
      heard.consider(point.threshold);
    };
    slider.addEventListener("input", move);
    element.replaceChildren(
      h("h2", {}, "Threshold"),
      h("div", { class: "slider" }, slider, value),
      figures,
      place,
      h("p", { class: "muted" }, `The board uses ${now}. The button chooses a threshold on other audio, for at most as many false accepts per hour as here, and rebuilds the page.`),
      apply,
      h("details", {}, h("summary", {}, "Measured on"), h("p", { class: "muted" }, note)),
      log.element,
    );
    move();
    drawn = await chart(place, { x: "threshold", height: 150, yRange: [0, 1], lines: [{ label: "words heard", colour: 2 }] });
    drawn.set([points.map((each) => each.threshold), points.map((each) => each.recall)]);
  }

  await draw();
  return {
    element,
    end() {
      drawn?.end();
      log.end();
    },
  };
}

// ---- a board beside this page

const FEEDS = { own: "its own sensors", replay: "held-out items of the run", microphone: "the microphone of this computer", camera: "the camera of this computer" };

function watch(page, told, heard) {
  const board = h("select", {}, ...told.boards.map((name) => h("option", { value: name, selected: name === "native" }, name)));
  const possible = ["replay", told.senses.includes("microphone") && "microphone", told.senses.includes("camera") && "camera", "own"].filter(Boolean);
  const feed = h("select", {}, ...possible.map((name) => h("option", { value: name }, FEEDS[name])));
  const list = h("ol", { class: "heard", "aria-live": "polite" });
  let isAlarming = null;
  const build = commandLog();
  const log = commandLog(() => toggle());
  const start = button("Watch", async () => {
    page.sameAs(command());
    await build.reach("/api/try/towards", { run: told.run, board: board.value });
    const { job } = await post("/api/try/watch", { run: told.run, board: board.value, feed: feed.value });
    list.replaceChildren();
    isAlarming = null;
    log.follow(job);
    toggle();
  });
  const stop = button("Stop", () => post("/api/jobs/stop", { number: log.job.number }), { class: "danger", hidden: true });
  const place = `runs/${told.run}`;
  const options = { own: [], replay: ["--replay", `${place}/replay`], microphone: ["--microphone"], camera: ["--camera"] };
  const command = () => commandLine("tinyml", "monitor", place, "--board", board.value, "--trace", "scores", ...options[feed.value]);

  function toggle() {
    stop.hidden = log.job?.state !== "running";
  }

  const end = listen("job", (event) => {
    const said = event.document;
    if (event.number !== log.job?.number || !said?.event) return;
    if (!["detection", "gesture", "person", "class", "anomaly"].includes(said.event)) return;
    if (said.event === "anomaly") {
      if (said.alarm === isAlarming) return; // one line for each change, not for each window
      isAlarming = said.alarm;
    }
    const name = said.label ?? (said.event === "anomaly" ? (said.alarm ? "alarm" : "normal") : said.event);
    list.prepend(h("li", {}, h("b", {}, String(name)), h("span", { class: "muted" }, said.score == null ? "" : said.score <= 1 ? percent(said.score, 0) : String(said.score)), h("span", { class: "muted" }, said.t_ms == null ? "" : `at ${(said.t_ms / 1000).toFixed(1)} s`)));
    while (list.children.length > MOST_HEARD) list.lastChild.remove();
  });
  const element = h(
    "section",
    {},
    h("h2", {}, "Watch a board"),
    h("p", { class: "lead" }, "The same firmware as a process (native), on a virtual Cortex-M4 (sim), or on a real board that is plugged in."),
    h("div", { class: "row" }, field("Board", board), field("Input", feed), start, stop),
    build.element,
    log.element,
    list,
  );
  return {
    element,
    end() {
      end();
      build.end();
      log.end();
    },
  };
}
