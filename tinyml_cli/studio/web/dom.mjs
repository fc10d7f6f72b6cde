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

// A button that cannot be pressed twice while what it starts is still going on.
export function button(text, act, properties = {}) {
  const element = h("button", { type: "button", ...properties }, text);
  element.addEventListener("click", async (event) => {
    element.disabled = true;
    try {
      await act(event);
    } catch (error) {
      notice(error);
    } finally {
      element.disabled = false;
    }
  });
  return element;
}

// A named control: label above, hint below.
export function field(name, control, hint = "") {
  return h("label", { class: "field" }, h("span", {}, name), control, hint && h("small", {}, hint));
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
  if (!isError) setTimeout(close, SHOWN_MS);
  return line;
}

export const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
