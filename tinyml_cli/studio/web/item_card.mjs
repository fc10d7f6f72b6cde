// One item: its picture, its sound, its label; the same in the list, on the map and in the check.
import { get, getBytes, post, address } from "./api.mjs";
import { motion, picture, stroke, wave } from "./drawing.mjs";
import { h, icon, notice } from "./dom.mjs";
import { readWav } from "./sound.mjs";

let playing = null;

// Plays a clip from the start; what played before stops.
export function play(id, onEnd = () => {}) {
  playing?.pause();
  playing = new Audio(address("/api/data/file", { id }));
  playing.addEventListener("ended", onEnd);
  playing.addEventListener("pause", onEnd);
  playing.play().catch((error) => notice(error));
  return playing;
}

const lazily = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    lazily.unobserve(entry.target);
    entry.target.load?.();
  }
}, { rootMargin: "200px" });

export const nameOf = (item) => item.id.split("/").slice(1).join("/");

// What shows an item; it is read when it comes into view.
export function face(item, kind) {
  if (kind === "images") {
    return h("img", { class: "drawn photo", loading: "lazy", alt: nameOf(item), src: address("/api/data/file", { id: item.id }) });
  }
  const canvas = picture(nameOf(item), kind === "strokes" ? "drawn square" : "drawn");
  canvas.load = async () => {
    try {
      if (kind === "sound") {
        const sound = readWav(await getBytes("/api/data/file", { id: item.id }));
        canvas.sound = sound;
        if (sound) canvas.show(wave(sound.samples));
      } else {
        const { lines } = await get("/api/data/lines", { id: item.id });
        canvas.show(kind === "strokes" ? stroke(lines) : motion(lines));
      }
    } catch {
      canvas.replaceWith(h("p", { class: "drawn unreadable" }, "cannot be read"));
    }
  };
  lazily.observe(canvas);
  return canvas;
}

// The versions of items as they were last read, and the reading that follows a change of this page's own: who goes on
// at once is not refused for that.
const versions = new Map();
let reading = Promise.resolve();
export const remember = (item) => versions.set(item.id, item.version);
export const readingAfterChange = (promise) => (reading = Promise.resolve(promise));

async function latest(item) {
  await reading;
  return { id: item.id, version: versions.get(item.id) ?? item.version };
}

// A card with what can be done to the item. `tools`: { kind, labels, changed, chosen (a Set or null) }.
export function card(item, tools) {
  const { kind, labels, changed } = tools;
  remember(item);
  const picture_ = face(item, kind);
  const act = async (path, body) => {
    try {
      changed(await post(path, { items: [await latest(item)], ...body }));
    } catch (error) {
      notice(error);
      tools.refused?.();
    }
  };
  const label = h(
    "select",
    { "aria-label": "Label", onchange: (event) => relabel(event.target) },
    [...new Set([...labels, item.label])].map((name) => h("option", { value: name, selected: name === item.label }, name)),
    h("option", { value: "" }, "new label …"),
  );
  const relabel = (select) => {
    const name = select.value || prompt("New label")?.trim();
    if (!name) select.value = item.label;
    else act("/api/data/relabel", { label: name });
  };
  const rename = () => {
    const person = prompt("Who is it?", item.person)?.trim();
    if (person && person !== item.person) act("/api/data/relabel", { person });
  };
  const hear = () => kind === "sound" && play(item.id, () => element.classList.remove("playing")) && element.classList.add("playing");
  const tick =
    tools.chosen &&
    h("input", {
      type: "checkbox",
      class: "tick",
      "aria-label": `Select ${nameOf(item)}`,
      checked: tools.chosen.has(item.id),
      onchange: ({ target }) => tools.choose(item, target.checked),
    });
  const element = h(
    "article",
    { class: "item", tabindex: 0, "aria-label": `${item.label}, ${nameOf(item)}`, onkeydown: (event) => key(event) },
    h("button", { type: "button", class: "face", tabindex: -1, "aria-label": kind === "sound" ? "Play" : nameOf(item), onclick: hear }, picture_),
    h("p", { class: "name", title: nameOf(item) }, kind === "images" || kind === "motion"
      ? item.person || nameOf(item)
      : h("button", { type: "button", class: "bare", title: `${nameOf(item)}: change the person`, onclick: () => rename() }, item.person || nameOf(item))),
    h(
      "div",
      { class: "does" },
      tick,
      label,
      kind === "sound" && h("button", { type: "button", class: "bare", title: "Trim", "aria-label": "Trim", onclick: () => trim(item, tools) }, icon("cut")),
      h("button", { type: "button", class: "bare", title: "Delete", "aria-label": "Delete", onclick: () => act("/api/data/delete", {}) }, icon("trash")),
    ),
  );
  const key = (event) => {
    if (event.target !== element) return;
    const number = Number(event.key);
    if (event.key === " " || event.key === "Enter") hear();
    else if (event.key === "Delete" || event.key === "Backspace") act("/api/data/delete", {});
    else if (event.key === "t" && kind === "sound") trim(item, tools);
    else if (event.key === "x" && tick) tick.click();
    else if (number >= 1 && number <= labels.length && labels[number - 1] !== item.label) act("/api/data/relabel", { label: labels[number - 1] });
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") (event.key === "ArrowRight" ? element.nextElementSibling : element.previousElementSibling)?.focus();
    else return;
    event.preventDefault();
  };
  return element;
}

// Cuts the ends off a clip.
async function trim(item, { changed, refused }) {
  let sound = null;
  try {
    sound = readWav(await getBytes("/api/data/file", { id: item.id }));
  } catch (error) {
    return notice(error);
  }
  if (!sound) return notice("Only 16-bit clips can be shown here");
  const seconds = sound.samples.length / sound.rateHz;
  const canvas = picture("The clip", "drawn tall");
  const range = (name, value) => h("input", { type: "range", min: 0, max: seconds, step: 0.01, value, "aria-label": name, oninput: () => draw() });
  const [start, end] = [range("Start", 0), range("End", seconds)];
  const text = h("output", { class: "muted" });
  const draw = () => {
    if (Number(end.value) - Number(start.value) < 0.05) end.value = Math.min(seconds, Number(start.value) + 0.05);
    canvas.show(wave(sound.samples, start.value / seconds, end.value / seconds));
    text.textContent = `${Number(start.value).toFixed(2)} s to ${Number(end.value).toFixed(2)} s of ${seconds.toFixed(2)} s`;
  };
  const dialog = h("dialog", { class: "wide", "aria-label": "Trim" });
  const hear = () => {
    const audio = play(item.id);
    audio.currentTime = Number(start.value);
    const timer = setInterval(() => audio.currentTime >= Number(end.value) && (audio.pause(), clearInterval(timer)), 20);
  };
  const save = async () => {
    dialog.close();
    try {
      changed(await post("/api/data/trim", { ...(await latest(item)), start_s: Number(start.value), end_s: Number(end.value) }));
    } catch (error) {
      notice(error);
      refused?.();
    }
  };
  dialog.append(
    h("h2", {}, "Trim"),
    canvas,
    h("div", { class: "ends" }, h("label", { class: "field" }, h("span", {}, "Start"), start), h("label", { class: "field" }, h("span", {}, "End"), end)),
    h("div", { class: "spread" }, text, h("div", { class: "row center" },
      h("button", { type: "button", class: "quiet", onclick: hear }, "Listen"),
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      h("button", { type: "button", onclick: save }, "Keep this part"))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  draw();
}
