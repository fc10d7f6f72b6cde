// Items: cards by label and person, a page at a time.
import { get, post } from "./api.mjs";
import { commandLine, pathOf } from "./command.mjs";
import { button, counted, h, notice, redraw } from "./dom.mjs";
import { card, remember } from "./item_card.mjs";

const AT_ONCE = 48;

export default async function show(body, { page, folder, changed }) {
  const state = { label: page.query.get("label") ?? "", person: page.query.get("person") ?? "", offset: Number(page.query.get("offset")) || 0 };
  const chosen = new Map();
  const filters = h("div", { class: "chips", role: "group", "aria-label": "Labels" });
  const bar = h("div", { class: "selection", hidden: true });
  const grid = h("div", { class: "grid" });
  const pager = h("div", { class: "row center pager" });
  const keys = h("p", { class: "lead keys wide-only" }, folder.kind === "sound" ? "Space plays, T trims, " : "",
    "1 to 9 relabel, X selects, Delete deletes, arrows move, Ctrl+Z undoes.");
  body.replaceChildren(filters, bar, grid, pager, keys);
  page.sameAs(commandLine("tinyml", "data", "check", pathOf(folder.name)));

  const rememberView = () => {
    const query = { folder: folder.name, view: "items" };
    for (const name of ["label", "person", "offset"]) if (state[name]) query[name] = state[name];
    page.remember(query);
  };

  function drawFilters() {
    const chip = (name, text, n) =>
      h("button", { type: "button", class: "chip", "aria-pressed": String(state.label === name), onclick: () => pick({ label: name }) }, text, h("small", {}, String(n)));
    const people = folder.people.length > 1 &&
      h("select", { "aria-label": "Person", onchange: ({ target }) => pick({ person: target.value }) },
        h("option", { value: "" }, "everybody"),
        folder.people.map((name) => h("option", { value: name, selected: name === state.person }, name)));
    redraw(filters, chip("", "all", folder.n), ...folder.labels.map((each) => chip(each.name, each.name, each.n)), people || "");
  }

  function drawBar() {
    bar.hidden = chosen.size === 0;
    if (bar.hidden) return;
    const items = () => [...chosen.values()].map(({ id, version }) => ({ id, version }));
    const act = (path, more) => async () => {
      try {
        changed(await post(path, { items: items(), ...more() }));
        chosen.clear();
      } catch (error) {
        notice(error);
        read();
      }
    };
    const label = h("select", { "aria-label": "Label for all" }, folder.labels.map((each) => h("option", { value: each.name }, each.name)));
    redraw(
      bar,
      h("span", {}, `${counted(chosen.size, "item")} selected`),
      h("div", { class: "row center" }, label, button("Relabel", act("/api/data/relabel", () => ({ label: label.value })), { class: "quiet" }),
        button("Delete", act("/api/data/delete", () => ({})), { class: "danger" }),
        button("Clear", async () => { chosen.clear(); drawBar(); await read(); }, { class: "quiet" })),
    );
  }

  function pick(what) {
    Object.assign(state, { offset: 0 }, what);
    rememberView();
    drawFilters();
    return read();
  }

  let turn = 0;
  async function read() {
    const now = ++turn;
    const told = await get("/api/data/items", { folder: folder.name, label: state.label, person: state.person, offset: state.offset, limit: AT_ONCE });
    told.items.forEach(remember);
    if (now !== turn) return;
    if (!told.items.length && state.offset) return pick({ offset: 0 });
    const tools = {
      kind: told.kind,
      labels: folder.labels.map((each) => each.name),
      changed,
      chosen,
      choose: (item, isChosen) => (isChosen ? chosen.set(item.id, item) : chosen.delete(item.id), drawBar()),
      refused: read,
    };
    redraw(grid, ...told.items.map((item) => card(item, tools)));
    drawPager(told.total, told.items.length);
    drawBar();
  }

  function drawPager(total, count) {
    const to = (offset, text, isOn) => h("button", { type: "button", class: "quiet", disabled: !isOn, onclick: () => { state.offset = offset; rememberView(); scrollTo(0, 0); read(); } }, text);
    pager.hidden = total <= AT_ONCE;
    redraw(
      pager,
      to(Math.max(0, state.offset - AT_ONCE), "Newer", state.offset > 0),
      h("span", { class: "muted" }, `${(state.offset + 1).toLocaleString("en")}–${(state.offset + count).toLocaleString("en")} of ${total.toLocaleString("en")}`),
      to(state.offset + AT_ONCE, "Older", state.offset + count < total),
    );
  }

  drawFilters();
  await read();
  return {
    refresh(now) {
      folder = now;
      drawFilters();
      return read().catch(notice);
    },
  };
}
