// Fleet: how the devices do, whether the world has moved, and the release on its way to them.
import { get, post } from "./api.mjs";
import { button, counted, h, notice } from "./dom.mjs";

const EVERY_MS = 5000;
const STATES = { running: "running", paused: "stopped", "rolling back": "running", "rolled back": "failed", done: "done" };

export default async function show(main, page) {
  const body = h("div", {});
  main.append(h("div", { class: "title" }, h("h1", {}, "Fleet")), body);
  page.sameAs("tinyml fleet list");
  let over = false;

  async function draw() {
    const { fleet, rollout, history } = await get("/api/fleet");
    if (over) return;
    if (!fleet) body.replaceChildren(none());
    else body.replaceChildren(...[health(fleet), rollout && stages(rollout, draw), devices(fleet), past(history)].filter(Boolean));
  }

  await draw();
  const timer = setInterval(() => draw().catch(notice), EVERY_MS);
  return () => {
    over = true;
    clearInterval(timer);
  };
}

function none() {
  return h("section", { class: "middle" }, h("p", {}, "There is no fleet in this folder yet. Start its server and a gateway:"), h("pre", { class: "log" }, "tinyml fleet serve\ntinyml fleet bridge --virtual 20 --sounds recordings/"));
}

const tile = (name, value, more = "") => h("div", { class: "tile" }, h("small", {}, name), h("b", {}, value), more && h("small", {}, more));

function health(fleet) {
  const sum = (key) => fleet.devices.reduce((total, device) => total + (device[key] ?? 0), 0);
  const answers = sum("answers");
  const tiles = [
    tile("online", `${fleet.online}`, `of ${counted(fleet.devices.length, "device")}`),
    tile("run by default", fleet.champion_name ?? "nothing yet"),
    tile("drift by themselves", `${fleet.drifting}`, counted(fleet.devices.length, "device")),
    tile("the fleet as a whole", fleet.drift === null ? "–" : fleet.drift ? "drifts" : "no drift"),
    answers ? tile("answers wrong", `${((100 * sum("wrong")) / answers).toFixed(1)} %`, `of ${answers.toLocaleString("en")} with known truth`) : null,
    tile("heard", `${sum("hours").toFixed(1)} h`, "in the last 24 hours"),
  ];
  return h("section", {}, h("h2", {}, "Health"), h("div", { class: "tiles" }, ...tiles.filter(Boolean)), h("p", { class: "lead" }, fleet.drift_why));
}

function stages(rollout, redraw) {
  const act = (name) => async () => {
    await post("/api/fleet/rollout", { act: name });
    await redraw();
  };
  const acts = [
    rollout.state === "running" && button("Pause", act("pause"), { class: "quiet" }),
    rollout.state === "paused" && button("Resume", act("resume"), { class: "quiet" }),
    ["running", "paused"].includes(rollout.state) && button("Abort", act("abort"), { class: "danger" }),
  ];
  const where = rollout.ended ? "" : rollout.shadow ? `, as a shadow on ${rollout.stage} %` : `, stage ${rollout.stage} % of ${rollout.stages.join(", ")} %`;
  const rows = rollout.gates.map((gate) => h("tr", {}, h("th", { scope: "row" }, gate.gate), h("td", { class: gate.result === "fail" ? "over" : "" }, gate.result), h("td", {}, gate.reason)));
  return h(
    "section",
    {},
    h("div", { class: "spread" }, h("h2", {}, `Rollout of ${rollout.name}`), h("div", { class: "row" }, ...acts.filter(Boolean))),
    h("p", { class: `state ${STATES[rollout.state] ?? ""}` }, h("i", {}), `${rollout.state}${where}; ${counted(rollout.running, "device")} of ${rollout.share ? Math.round(rollout.running / rollout.share) : "all"} run it`),
    h("progress", { max: 1, value: rollout.share, "aria-label": "share of devices that run the release" }),
    rollout.reason && h("p", { class: "wrong" }, rollout.reason),
    rows.length > 0 && h("div", { class: "scroll" }, h("table", { class: "plain fleet" }, h("tbody", {}, ...rows))),
  );
}

const condition = (device) => (!device.online ? "lost" : device.failed ? "failed" : device.drift ? "drift" : device.drift === null ? "unknown" : "well");
const WORDS = { lost: "lost", failed: "refused a release", drift: "drifts", unknown: "too little heard", well: "well" };

const said = (kind, count) => (kind === "drift" && count !== 1 ? "drift" : WORDS[kind]);

function devices(fleet) {
  const kinds = Object.keys(WORDS).map((kind) => [kind, fleet.devices.filter((device) => condition(device) === kind)]).filter(([, found]) => found.length);
  const dots = fleet.devices.map((device) => h("i", { class: `dot ${condition(device)}`, title: `${device.id}: ${device.name ?? "?"}, ${WORDS[condition(device)]}` }));
  const legend = kinds.map(([kind, found]) => h("span", { class: "state" }, h("i", { class: `dot ${kind}` }), `${found.length} ${said(kind, found.length)}`));
  const worst = kinds.filter(([kind]) => kind !== "well" && kind !== "unknown").flatMap(([, found]) => found).slice(0, 30);
  const rows = worst.map((device) =>
    h("tr", {}, h("th", { scope: "row" }, device.id), h("td", {}, device.name ?? ""), h("td", {}, WORDS[condition(device)]), h("td", {}, device.answers ? `${((100 * device.wrong) / device.answers).toFixed(0)} % wrong` : ""), h("td", {}, device.failed ? device.reason : device.online ? device.drift_why : `seen ${device.seen}`)),
  );
  return h("section", {}, h("h2", {}, "Devices"), h("div", { class: "dots", role: "img", "aria-label": kinds.map(([kind, found]) => `${found.length} ${said(kind, found.length)}`).join(", ") }, ...dots), h("p", { class: "row" }, ...legend), rows.length > 0 && h("div", { class: "scroll" }, h("table", { class: "plain fleet" }, h("tbody", {}, ...rows))));
}

function past(lines) {
  const rows = [...lines].reverse().map((line) => h("tr", {}, h("th", { scope: "row" }, line.at.replace("T", " ").replace("Z", "")), h("td", {}, line.device ?? ""), h("td", {}, line.what)));
  return h("section", {}, h("h2", {}, "What happened"), h("div", { class: "scroll" }, h("table", { class: "plain fleet" }, h("tbody", {}, ...rows))));
}
