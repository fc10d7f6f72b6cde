// What the pages of runs share: choosing one, its state, a command's lines.
import { get, post } from "./api.mjs";
import { h } from "./dom.mjs";
import { listen } from "./events.mjs";

export const percent = (share, digits = 1) => (share == null ? "–" : `${(100 * share).toFixed(digits)} %`);

export const kilobytes = (bytes) => (bytes == null ? "–" : bytes < 1e6 ? `${(bytes / 1000).toFixed(bytes < 10000 ? 1 : 0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

export function age(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["", 0];
  return length ? `${Math.round(seconds / length)} ${unit} ago` : "just now";
}

export const stateOf = (state, text = state) => h("span", { class: `state ${state}` }, h("i", { "aria-hidden": "true" }), text);

// A drop-down of the usable runs, and which of them is meant: the wanted one, or the latest. Fails where the wanted one
// is of no use.
export async function chooser(wanted, choose) {
  const all = (await get("/api/runs")).runs;
  const runs = all.filter((run) => run.complete);
  const named = all.find((run) => run.name === wanted);
  if (wanted && !named) throw new Error(`There is no run ${wanted}`);
  if (named && !named.complete) throw new Error(`The run ${wanted} cannot be used: ${named.problem || named.state}`);
  if (!runs.length) return { run: null, element: null };
  const run = runs.find((each) => each.name === wanted) ?? runs.find((each) => each.latest) ?? runs[0];
  const select = h(
    "select",
    { onchange: () => choose(select.value), "aria-label": "Run" },
    ...runs.map((each) => h("option", { value: each.name, selected: each.name === run.name }, `${each.name} (${each.task})`)),
  );
  return { run, element: select };
}

export const noRuns = (purpose) =>
  h("section", { class: "middle" }, h("h1", {}, "No run yet"), h("p", {}, `Train a model first; then it can be ${purpose} here.`), h("a", { class: "button", href: "/train" }, "Train"));

// The lines of a command, live: the last one, and all of them below. follow(job) shows that of a JobTold;
// ended(job) is called when it ends. hasStatus: whether to say how it stands.
export function commandLog(ended = () => {}, hasStatus = true) {
  const pre = h("pre", { class: "log", tabindex: "0", "aria-label": "What the command says" });
  const status = h("p", { role: "status" });
  const bar = h("progress", { hidden: true });
  const element = h("div", { hidden: true }, status, bar, h("details", {}, h("summary", {}, "What the command says"), pre));
  let job = null;
  let wake = () => {};
  function say(state, text) {
    status.hidden = !text || (!hasStatus && state !== "running" && state !== "failed");
    status.replaceChildren(hasStatus ? stateOf(state, text) : h("span", { class: state === "failed" ? "wrong" : "muted" }, text));
  }
  // How far it has come, while it runs.
  function advance({ what, done, total, note }) {
    bar.hidden = false;
    if (total) Object.assign(bar, { max: total, value: done });
    else bar.removeAttribute("value");
    bar.setAttribute("aria-label", what);
    say("running", `${what}: ${done}${total ? ` of ${total}` : ""} ${note}`.trim());
  }
  function draw(found) {
    job = found;
    element.hidden = false;
    pre.textContent = found.lines.join("\n");
    pre.scrollTop = pre.scrollHeight;
    say(found.state, said(found));
    bar.hidden = true;
    if (found.state === "running" && found.progress) advance(found.progress);
  }
  const stop = listen("job", async (event) => {
    if (job === null || (event.event === "job" && event.number !== job.number)) return;
    if (event.line !== undefined) {
      pre.append(`${pre.textContent ? "\n" : ""}${event.line}`);
      pre.scrollTop = pre.scrollHeight;
      bar.hidden = true;
      say("running", event.line);
    } else if (event.progress !== undefined) {
      advance(event.progress);
    } else if (event.state !== undefined || event.event === "reset") {
      const found = (await get("/api/jobs")).jobs.find((each) => each.number === job.number);
      if (!found) return;
      const was = job.state;
      draw(found);
      if (was === "running" && found.state !== "running") {
        ended(found);
        wake(found);
      }
    }
  });
  return {
    element,
    follow: draw,
    end: stop,
    // Asks for a step after the other until the last is done; the job of that, or null where none was needed.
    // A step that fails throws what it said.
    async reach(path, body) {
      for (;;) {
        const { job: next, last } = await post(path, body);
        if (next === null) return null;
        draw(next);
        const found = await new Promise((resolve) => {
          wake = resolve;
          get("/api/jobs").then(({ jobs }) => {
            const now = jobs.find((each) => each.number === next.number);
            if (!now || now.state === "running") return;
            draw(now);
            resolve(now);
          });
        });
        // A budget that is not kept is a failure too, but it has figures.
        if (found.state !== "done" && (!found.result || found.result.error)) throw new Error(said(found));
        if (last) return found;
      }
    },
    get job() {
      return job;
    },
  };
}

// How a command stands, in a line: its error, or its last words.
export function said(job) {
  const error = job.result?.error;
  if (error) return error.next_step ? `${error.what}. ${error.next_step}` : error.what;
  if (job.state === "done") return "Done";
  if (job.state === "failed" && job.result) return "Done, but not within its limits";
  return job.lines.at(-1) ?? (job.state === "running" ? `${job.command} …` : job.state);
}
