// Elements without markup: what a user or a file names goes in as text, never as HTML.

// h("button", { class: "quiet", onclick: go }, "Go") -> element. A property that is null or false is left out;
// `on…` is a listener, `style` an object of properties.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.entries(value).forEach(([key, each]) => element.style.setProperty(key, each));
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const find = (id) => document.getElementById(id);

// A button that cannot be pressed twice while what it starts is still going on. It keeps the keyboard meanwhile, which
// browsers take from a disabled one.
export function button(text, act, properties = {}) {
  const element = h("button", { type: "button", ...properties }, text);
  element.addEventListener("click", async (event) => {
    if (isBusy(element)) return;
    setBusy(element, true);
    try {
      await act(event);
    } catch (error) {
      notice(error);
    } finally {
      setBusy(element, false);
    }
  });
  return element;
}

export const setBusy = (element, is) => element.setAttribute("aria-disabled", String(is));
export const isBusy = (element) => element.getAttribute("aria-disabled") === "true";

// ---- the keyboard stays where it is

const FOCUSABLE = "a[href],button,input,select,textarea,summary,[tabindex='0']";
const focusable = (place) => [...place.querySelectorAll(FOCUSABLE)].filter((each) => each.checkVisibility());
const nameOf = (element) => element.tagName + (element.getAttribute("aria-label") ?? (element.labels?.[0] ?? element).textContent);
const ELSEWHERE = 1e6; // further away than anything in the same item
const itemOf = (element) => element.closest("article")?.getAttribute("aria-label");

// Before a part is drawn anew. What it returns is called afterwards: it gives the focus to what has the name of what had
// it, in the same item though that has moved, else to what is in its place. Where it lay elsewhere, or has gone elsewhere,
// nothing happens.
export function holdFocus(place) {
  const element = document.activeElement;
  if (element === place || !place.contains(element)) return () => {};
  const at = focusable(place).indexOf(element);
  const [name, item] = [nameOf(element), itemOf(element)];
  const distance = (each, i) => (nameOf(each) !== name ? Infinity : Math.abs(i - at) + (itemOf(each) === item ? 0 : ELSEWHERE));
  return () => {
    if (document.activeElement !== document.body && document.activeElement !== find("main")) return;
    const now = focusable(place);
    const alike = now.map((each, i) => [distance(each, i), each]).sort(([a], [b]) => a - b)[0];
    const next = alike && alike[0] < Infinity ? alike[1] : now[Math.min(at, now.length - 1)];
    (next ?? find("main")).focus({ preventScroll: true });
  };
}

// place.replaceChildren() that leaves the keyboard where it is.
export function redraw(place, ...children) {
  const restore = holdFocus(place);
  place.replaceChildren(...children);
  restore();
}

// A named control: label above, hint below.
export function field(name, control, hint = "") {
  return h("label", { class: "field" }, h("span", {}, name), control, hint && h("small", {}, hint));
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  trash: "M3 6h18M8 6V4h8v2M6 6l1 14h10l1-14M10 10v6M14 10v6",
  cut: "M6 3l12 14M18 3L6 17M8.5 19a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0M20.5 19a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0",
};

// A line drawing in the colour of the text.
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) drawing.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

const SHOWN_MS = 8000;

// A line at the foot of the page: a text or an error, with one thing that can be done about it.
export function notice(what, action = null) {
  const isError = what instanceof Error;
  const line = h("div", { class: isError ? "notice wrong" : "notice" }, h("span", {}, isError ? what.message : what));
  const close = () => line.remove();
  if (action) line.append(button(action.text, () => Promise.resolve(action.act()).then(close), { class: "quiet" }));
  line.append(h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: close }, "×"));
  find("notices").replaceChildren(line);
  const fade = () => (line.matches(":hover,:focus-within") ? setTimeout(fade, SHOWN_MS) : close());
  if (!isError) setTimeout(fade, SHOWN_MS);
  return line;
}

export const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
