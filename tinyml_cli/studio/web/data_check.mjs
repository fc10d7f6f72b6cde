// Check: what `tinyml data check` finds, each with what mends it.
import { get, post } from "./api.mjs";
import { commandLine, pathOf } from "./command.mjs";
import { button, counted, h, notice, redraw } from "./dom.mjs";
import { card } from "./item_card.mjs";
import { NOUNS } from "./data.mjs";

const AT_FIRST = 12;

export default async function show(body, { page, folder, changed }) {
  const opened = new Map(); // kind of finding -> what of it is open, which outlives reading all anew
  let away = 0;
  page.sameAs(commandLine("tinyml", "data", "check", pathOf(folder.name)));
  body.replaceChildren(h("p", { class: "lead" }, "Reading every file …"));

  async function read() {
    const told = await get("/api/data/check", { folder: folder.name });
    const groups = new Map();
    for (const finding of told.findings) groups.set(finding.kind, [...(groups.get(finding.kind) ?? []), finding]);
    const bad = told.bad_files;
    redraw(
      body,
      h("div", { class: "spread" },
        h("p", { class: bad ? "verdict wrong" : "verdict good" }, bad ? `${bad.toLocaleString("en")} of ${counted(told.n, NOUNS[folder.kind])} bad` : `${counted(told.n, NOUNS[folder.kind])}, no faults found`),
        h("div", { class: "row center" },
          away > 0 && button("Move back", moveBack, { class: "quiet" }),
          bad > 0 && button("Move bad files away", moveAway, { class: "quiet" }))),
      ...[...groups.values()].map((findings) => group(findings)),
      ...Object.entries(told.left_out).map(([reason, n]) => h("p", { class: "lead" }, `${counted(n, "other file")}: ${reason}`)),
    );
  }

  function group(findings) {
    const [{ kind, severity, meaning }] = findings;
    const is = opened.get(kind) ?? { open: severity === "bad" || findings.length <= 6, all: false };
    opened.set(kind, is);
    const place = h("div", { class: "grid" });
    const lines = h("ul", { class: "plainlist" });
    const more = h("button", { type: "button", class: "quiet", onclick: () => showAll() }, `All ${findings.length}`);
    const labels = folder.labels.map((each) => each.name);
    const tools = { kind: folder.kind, labels, changed, chosen: null, refused: read };
    function draw(n) {
      const shown = findings.slice(0, n);
      redraw(
        place,
        ...shown.filter((each) => each.item).map((each) => {
          const element = card(each.item, tools);
          if (each.detail) element.append(h("p", { class: "detail" }, each.detail));
          return element;
        }),
      );
      lines.replaceChildren(...shown.filter((each) => !each.item).map((each) => h("li", {}, h("b", {}, each.place), each.detail && ` ${each.detail}`)));
      more.hidden = findings.length <= n;
    }
    // The button goes, and the keyboard to the first of what has come.
    function showAll() {
      is.all = true;
      draw(findings.length);
      place.children[AT_FIRST]?.focus();
    }
    draw(is.all ? findings.length : AT_FIRST);
    return h("details", { class: `finding ${severity}`, open: is.open, ontoggle: ({ target }) => (is.open = target.open) },
      h("summary", {}, h("span", { class: "mark" }, severity), h("span", {}, meaning), h("small", {}, String(findings.length))), lines, place, more);
  }

  async function moveAway() {
    const { moved } = await post("/api/data/move-away", { folder: folder.name });
    page.sameAs(commandLine("tinyml", "data", "check", pathOf(folder.name), "--fix"));
    away += moved;
    notice(`${counted(moved, "file")} moved to ${folder.name}-quarantine`);
    await read();
  }

  async function moveBack() {
    const { moved } = await post("/api/data/move-back", { folder: folder.name });
    page.sameAs(commandLine("tinyml", "data", "check", pathOf(folder.name), "--undo"));
    away = 0;
    notice(`${counted(moved, "file")} moved back`);
    await read();
  }

  await read();
  return {
    refresh(now) {
      folder = now;
      return read().catch(notice);
    },
  };
}
