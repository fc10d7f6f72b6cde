// The form of a new training: a recipe, what matters of it, and everything else below.
import { get, post } from "./api.mjs";
import { button, field, h } from "./dom.mjs";

const CHECK_MS = 300;
const NAMES = {
  data_path: "Data",
  "recordings.path": "Own recordings to mix in",
  "synthesis.clips_per_word": "Spoken clips per word",
  "training.learning_rate": "Learning rate",
  "training.batch_size": "Batch size",
  "training.epochs": "Epochs",
  "model.name": "Network",
  "model.backbone": "Network to start from",
  rate_hz: "Rate in Hz",
};
const EMPTY = { data_path: "synthetic", "recordings.path": "none", "model.name": "by the task", classes: "all folders of the data" };
const PREFERRED = "kws_stream";
const FOLDERS = "folders"; // the list of the data folders that are suggested

const nameOf = (key) => NAMES[key] ?? key.split(".").at(-1).replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());

export async function newTraining(page) {
  const { recipes } = await get("/api/recipes");
  const wanted = page.query.get("recipe") ?? recipes.find((each) => each.own)?.name ?? PREFERRED;
  if (!recipes.some((each) => each.name === wanted)) throw new Error(`There is no recipe ${wanted}`);
  const changed = new Map();
  let timer = 0;
  let asked = 0;

  const group = (label, own) =>
    h("optgroup", { label }, ...recipes.filter((each) => each.own === own).map((each) => h("option", { value: each.name, selected: each.name === wanted }, own ? `${each.name} (${each.task})` : each.name)));
  const select = h("select", { onchange: load }, recipes.some((each) => each.own) && group("This folder", true), group("Packaged", false));
  const about = h("p", { class: "lead" });
  const first = h("div", { class: "settings" });
  const rest = h("div", {});
  const search = h("input", { type: "search", placeholder: "such as noise", "aria-label": "Find a setting", oninput: filter });
  const name = h("input", { maxlength: 100, placeholder: "by its labels", oninput: later });
  const folders = h("datalist", { id: FOLDERS });
  const complaint = h("p", { class: "wrong", role: "alert" });
  const start = button("Train", async () => {
    const told = await post("/api/train", wantedTraining());
    page.go(`/train?${new URLSearchParams({ run: told.run })}`);
  });
  const element = h(
    "section",
    {},
    h("h1", {}, "Train"),
    field("Recipe", select),
    about,
    first,
    h("details", {}, h("summary", {}, "Everything else"), h("p", {}, search), rest),
    h("div", { class: "row" }, field("Name of the run", name), start),
    complaint,
    folders,
  );

  const wantedTraining = () => ({ recipe: select.value, changed: Object.fromEntries(changed), run: name.value });

  function later() {
    clearTimeout(timer);
    timer = setTimeout(check, CHECK_MS);
  }

  // Says at once what is wrong, and which command it would be.
  async function check() {
    const turn = ++asked;
    try {
      const told = await post("/api/train/check", wantedTraining());
      if (turn !== asked) return;
      name.placeholder = told.run;
      complaint.textContent = "";
      page.sameAs(told.command);
    } catch (error) {
      if (turn === asked) complaint.textContent = error.message;
    }
  }

  async function load() {
    changed.clear();
    const told = await get("/api/recipe", { recipe: select.value });
    about.textContent = recipes.find((each) => each.name === select.value)?.about.replaceAll("`", "") ?? "";
    folders.replaceChildren(...told.folders.map((each) => h("option", { value: each })));
    const fields = told.settings.map((setting) => ({ setting, element: control(setting) }));
    first.replaceChildren(...fields.filter(({ setting }) => setting.first).map(({ element }) => element));
    const sections = Map.groupBy(
      fields.filter(({ setting }) => !setting.first),
      ({ setting }) => setting.key.split(".").slice(0, -1).join("."),
    );
    rest.replaceChildren(
      ...[...sections].map(([section, inner]) => h("div", { class: "group" }, section && h("h3", {}, section.replaceAll("_", " ").replaceAll(".", " · ")), h("div", { class: "settings" }, ...inner.map(({ element }) => element)))),
    );
    filter();
    page.remember({ recipe: select.value });
    await check();
  }

  function filter() {
    const text = search.value.trim().toLowerCase();
    for (const part of rest.children) {
      for (const each of part.querySelectorAll(".field")) each.hidden = !each.dataset.words.includes(text);
      part.hidden = ![...part.querySelectorAll(".field")].some((each) => !each.hidden);
    }
  }

  function control(setting) {
    const { key } = setting;
    const input = inputOf(setting);
    const shown = field(nameOf(key), input, setting.about);
    shown.dataset.words = `${key} ${setting.about}`.toLowerCase();
    shown.title = key;
    input.addEventListener("input", () => {
      const text = setting.control === "switch" ? String(input.checked) : input.value;
      if (text.trim() === setting.value) changed.delete(key);
      else changed.set(key, text);
      shown.classList.toggle("changed", changed.has(key));
      later();
    });
    return shown;
  }

  await load();
  return { element, end: () => clearTimeout(timer) };
}

function inputOf({ key, control, value, choices, low, high }) {
  if (control === "switch") return h("input", { type: "checkbox", checked: value === "true" });
  if (control === "choice") return h("select", {}, ...choices.map((each) => h("option", { value: each, selected: each === value }, each)));
  if (control === "whole" || control === "number") {
    return h("input", { type: "number", inputmode: "decimal", min: low, max: high, step: control === "whole" ? 1 : "any", value });
  }
  return h("input", { value, placeholder: EMPTY[key] ?? "", list: control === "path" ? FOLDERS : null, spellcheck: "false", autocapitalize: "off" });
}
