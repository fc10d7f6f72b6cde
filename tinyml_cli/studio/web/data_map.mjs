// Map: alike lies beside alike; what lies among strangers or alone is worth a look, and a click lets it be heard.
import { get } from "./api.mjs";
import { commandLine, pathOf } from "./command.mjs";
import { counted, h, notice, redraw } from "./dom.mjs";
import { card, play } from "./item_card.mjs";
import { NOUNS } from "./data.mjs";

const BY = { neighbours: "by neighbours (UMAP)", components: "by variance (PCA)" };
const REACH = 14; // pixels around the pointer
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export default async function show(body, { page, folder, changed }) {
  page.sameAs(commandLine("tinyml", "data", "check", pathOf(folder.name)));
  const canvas = h("canvas", { class: "map", tabindex: 0, role: "img", "aria-label": "Map of the items; arrow keys go from one to the next, Space plays" });
  const legend = h("ul", { class: "legend" });
  const note = h("p", { class: "lead" }, "Comparing …");
  const side = h("div", { class: "side" });
  const worth = h("div", { class: "worth" });
  const by = h("select", { "aria-label": "Arranged by", onchange: () => {
    page.remember({ folder: folder.name, view: "map", by: by.value });
    read().catch(notice);
  } }, Object.entries(BY).map(([value, text]) => h("option", { value, selected: value === page.query.get("by") }, text)));
  body.replaceChildren(h("div", { class: "spread top" }, note, by), h("div", { class: "mapped" }, h("div", {}, canvas, legend), h("div", {}, side, worth)));
  let told = { points: [], labels: [] };
  let selected = -1;
  let off = new Set();

  const at = (point) => [16 + point.x * (canvas.clientWidth - 32), canvas.clientHeight - 16 - point.y * (canvas.clientHeight - 32)];
  const isOdd = (point) => point.outlier || point.stranger !== null || point.twin !== null;

  function draw() {
    const ratio = devicePixelRatio || 1;
    if (!canvas.clientWidth) return;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const size = told.points.length > 3000 ? 1.8 : told.points.length > 600 ? 2.6 : 4;
    const colours = told.labels.map((_, i) => ink(`--c${i % 8}`));
    for (const isLast of [false, true]) {
      told.points.forEach((point, i) => {
        if (isOdd(point) !== isLast || off.has(point.label)) return;
        const [x, y] = at(point);
        context.globalAlpha = isLast ? 1 : 0.6;
        context.fillStyle = colours[point.label];
        context.beginPath();
        context.arc(x, y, isLast ? size + 1.2 : size, 0, 7);
        context.fill();
        if (isLast) {
          context.lineWidth = 1.5;
          context.strokeStyle = ink("--ink");
          context.stroke();
        }
      });
    }
    if (selected >= 0) {
      const [x, y] = at(told.points[selected]);
      context.globalAlpha = 1;
      context.lineWidth = 2;
      context.strokeStyle = `rgb(${ink("--accent")})`;
      context.beginPath();
      context.arc(x, y, size + 6, 0, 7);
      context.stroke();
    }
  }

  function why(point) {
    if (point.twin !== null) return `the same as ${told.points[point.twin].id.split("/").slice(1).join("/")}`;
    if (point.stranger !== null) return `lies among ${told.labels[point.stranger]}`;
    return point.outlier ? `far from the other ${told.labels[point.label]}` : "";
  }

  function select(index, isHeard = true) {
    selected = index;
    draw();
    const point = told.points[index];
    const item = { id: point.id, version: point.version, label: told.labels[point.label], person: "" };
    redraw(side, card(item, { kind: folder.kind, labels: told.labels, changed, chosen: null, refused: read }), h("p", { class: "lead" }, why(point)));
    if (isHeard && folder.kind === "sound") play(point.id);
  }

  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    let best = -1;
    let nearest = REACH ** 2;
    told.points.forEach((point, i) => {
      if (off.has(point.label)) return;
      const [x, y] = at(point);
      const apart = (x - event.clientX + box.left) ** 2 + (y - event.clientY + box.top) ** 2;
      if (apart < nearest) [best, nearest] = [i, apart];
    });
    if (best >= 0) select(best);
  });
  const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  // The nearest item that way: what lies aside counts double.
  function beside([dx, dy]) {
    const from = told.points[selected] ?? { x: 0.5 - dx / 2, y: 0.5 - dy / 2 };
    let [best, nearest] = [-1, Infinity];
    told.points.forEach((point, i) => {
      const [x, y] = [point.x - from.x, point.y - from.y];
      const onward = x * dx + y * dy;
      const apart = onward + 2 * Math.abs(x * dy + y * dx);
      if (i !== selected && !off.has(point.label) && onward > 1e-6 && apart < nearest) [best, nearest] = [i, apart];
    });
    return best;
  }

  canvas.addEventListener("keydown", (event) => {
    const isPlay = event.key === " " && selected >= 0;
    const next = WAYS[event.key] ? beside(WAYS[event.key]) : isPlay ? selected : -1;
    if (!WAYS[event.key] && !isPlay) return;
    event.preventDefault();
    if (next >= 0) select(next);
  });

  function drawAround() {
    const odd = told.points.map((point, i) => [point, i]).filter(([point]) => isOdd(point));
    const kinds = [
      [told.points.filter((point) => point.stranger !== null).length, "among another label"],
      [told.points.filter((point) => point.outlier).length, "far from their label"],
      [told.points.filter((point) => point.twin !== null).length, "the same as another"],
    ];
    const found = kinds.filter(([n]) => n).map(([n, text]) => `${n.toLocaleString("en")} ${text}`).join(", ");
    note.textContent = `${counted(told.points.length, NOUNS[folder.kind])}${by.value === "components" ? `; the axes show ${Math.round(100 * told.explained)} % of their variance` : ""}. ${found ? `Worth a look: ${found}.` : "Nothing stands out."}`;
    redraw(
      legend,
      ...told.labels.map((label, i) =>
        h("li", {}, h("button", { type: "button", class: "bare", "aria-pressed": String(!off.has(i)), onclick: () => {
          off.has(i) ? off.delete(i) : off.add(i);
          drawAround();
          draw();
        } }, h("span", { class: `key dot c${i % 8}` }), label))),
    );
    redraw(
      worth,
      ...odd.slice(0, 60).map(([point, i]) =>
        h("button", { type: "button", class: "line", onclick: () => select(i) }, h("b", {}, told.labels[point.label]), h("span", {}, why(point)))),
    );
  }

  async function read() {
    const before = told.points[selected]?.id;
    told = await get("/api/data/map", { folder: folder.name, by: by.value });
    selected = told.points.findIndex((point) => point.id === before);
    drawAround();
    if (selected >= 0) return select(selected, false);
    const restore = side.contains(document.activeElement) ? () => canvas.focus() : () => {};
    side.replaceChildren();
    restore();
    draw();
  }

  const resize = new ResizeObserver(draw);
  resize.observe(canvas);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);
  await read();
  return {
    refresh(now) {
      folder = now;
      return read().catch(notice);
    },
    end() {
      resize.disconnect();
      scheme.removeEventListener("change", draw);
    },
  };
}
