// Data: the folder's recordings, to be made, heard, mended and looked at from above.
import { get, post, unanswered } from "./api.mjs";
import { button, counted, h, notice, redraw } from "./dom.mjs";
import { listen } from "./events.mjs";
import { readingAfterChange } from "./item_card.mjs";

const VIEWS = {
  items: { title: "Items", load: () => import("./data_items.mjs") },
  map: { title: "Map", load: () => import("./data_map.mjs") },
  check: { title: "Check", load: () => import("./data_check.mjs") },
  record: { title: "", load: () => import("./data_record.mjs") },
};

export const NOUNS = { sound: "clip", images: "image", motion: "recording", strokes: "stroke" };

export default async function show(main, page) {
  const state = {
    folder: page.query.get("folder"),
    view: page.query.get("view") in VIEWS ? page.query.get("view") : "items",
    folders: [],
  };
  const head = h("div", { class: "spread head" });
  const tabs = h("div", { class: "tabs", role: "navigation", "aria-label": "Views of this folder" });
  const body = h("div", {});
  main.append(h("section", { class: "page" }, head, tabs, body));
  let ending = null;
  let part = null;

  const address = (view, folder = state.folder) => `/data?${new URLSearchParams(folder ? { folder, view } : { view })}`;

  const isRecording = () => state.view === "record";

  async function read() {
    const [told, past] = await Promise.all([get("/api/data"), get("/api/data/changes", { most: 1 })]);
    state.folders = told.folders;
    state.isData = told.is_data;
    state.last = past.changes[0] ?? null;
    if (!state.folders.some((each) => each.name === state.folder)) state.folder = state.folders[0]?.name ?? null;
    drawHead();
  }

  function drawHead() {
    const folder = state.folders.find((each) => each.name === state.folder);
    const choice = h(
      "select",
      { "aria-label": "Data folder", onchange: (event) => page.go(address(state.view, event.target.value)) },
      state.folders.map((each) => h("option", { value: each.name, selected: each.name === state.folder }, each.name)),
    );
    redraw(
      head,
      h("div", { class: "row center" }, h("h1", {}, isRecording() ? "Record" : "Data"), !isRecording() && state.folders.length > 0 && choice,
        !isRecording() && folder && h("span", { class: "muted" }, `${counted(folder.n, NOUNS[folder.kind])}, ${counted(folder.labels.length, "label")}`)),
      h("div", { class: "row center" },
        state.last && button("Undo", () => undo(), { class: "quiet", title: state.last.what }),
        isRecording() ? h("a", { class: "button quiet", href: address("items") }, "All data") : h("a", { class: "button", href: address("record") }, "Record")),
    );
    redraw(
      tabs,
      ...Object.entries(VIEWS)
        .filter(([, view]) => folder && view.title && !isRecording())
        .map(([name, view]) => h("a", { href: address(name), "aria-current": name === state.view ? "page" : null }, view.title)),
    );
  }

  async function undo(number = null) {
    const undone = await post("/api/data/undo", { number });
    notice(`Undone: ${undone.what}`);
  }

  // What a change did, with the way back.
  const changed = (told) => {
    notice(told.what, { text: "Undo", act: () => undo(told.number) });
    readingAfterChange(part?.refresh?.(state.folders.find((each) => each.name === state.folder)));
  };

  async function open() {
    const folder = state.folders.find((each) => each.name === state.folder) ?? null;
    if (!folder && !isRecording()) {
      body.replaceChildren(empty());
      page.sameAs("tinyml data record words --words yes,no --speaker anna");
      return;
    }
    const module = await VIEWS[state.view].load().catch(() => {
      throw unanswered();
    });
    part = await module.default(body, { page, folder, folders: state.folders, changed });
    ending = part?.end;
  }

  function empty() {
    const link = (kind, title, text) =>
      h("a", { class: "way", href: `/data?view=record&kind=${kind}` }, h("b", {}, title), h("span", {}, text));
    return h(
      "div",
      { class: "empty" },
      h("p", {}, state.isData
        ? "This folder itself is a data folder. To see it here, start the studio in the folder above: tinyml studio .."
        : "This folder holds no recordings yet. Record some with this computer, or with a phone."),
      h(
        "div",
        { class: "ways" },
        link("sound", "Words", "with a microphone"),
        link("images", "Pictures", "with a camera"),
        link("strokes", "Strokes", "waved with a phone"),
        link("motion", "Motion", "felt by a phone"),
      ),
    );
  }

  const wanted = state.folder;
  await read();
  if (wanted && wanted !== state.folder && !isRecording()) notice(new Error(`There is no data folder ${wanted}`));
  await open();
  let isReading = false;
  let isStale = false;
  let isFirst = true;
  const stop = listen("data", async (event) => {
    const isNews = event.event !== "reset" || !isFirst; // the line is up, or up again
    isFirst = false;
    if (!isNews) return;
    if (isReading) {
      isStale = true;
      return;
    }
    isReading = true;
    try {
      do {
        isStale = false;
        const had = state.folder;
        await read();
        // Who records goes on, though the first take has just made the folder.
        if (state.folder !== had && !isRecording()) {
          await ending?.();
          await open();
        } else part?.refresh?.(state.folders.find((each) => each.name === state.folder));
      } while (isStale);
    } catch (error) {
      notice(error);
    } finally {
      isReading = false;
    }
  });
  const onKey = (event) => {
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.target.closest("input,textarea")) return;
    event.preventDefault();
    undo().catch(notice);
  };
  document.addEventListener("keydown", onKey);
  return async () => {
    stop();
    document.removeEventListener("keydown", onKey);
    await ending?.();
  };
}
