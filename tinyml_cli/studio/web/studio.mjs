// The frame: signs in, shows the page that the address names, and keeps the address true.
import { enter, get, unanswered } from "./api.mjs";
import { find, h, holdFocus, notice } from "./dom.mjs";

// A page: its title, its module, and whether it stands in the navigation. The module's default export is
// show(main, page) -> nothing, or what ends the page; see docs/studio.md.
const PAGES = {
  data: { title: "Data", load: () => import("./data.mjs") },
  train: { title: "Train", load: () => import("./train.mjs") },
  try: { title: "Try", load: () => import("./try.mjs") },
  deploy: { title: "Deploy", load: () => import("./deploy.mjs") },
  fleet: { title: "Fleet", load: () => import("./fleet.mjs") },
  record: { title: "Record", load: () => import("./record.mjs"), hidden: true },
};

let ending = null;
let shown = 0;

async function signIn() {
  const secret = location.hash.slice(1);
  if (secret.length < 40) return;
  history.replaceState(null, "", location.pathname + location.search);
  await enter(secret);
}

function drawNavigation(name) {
  const links = Object.entries(PAGES)
    .filter(([, page]) => !page.hidden && !PAGES[name]?.hidden) // a phone that records can do nothing else
    .map(([key, page]) => h("a", { href: `/${key}`, "aria-current": key === name ? "page" : null }, page.title));
  find("nav").replaceChildren(...links);
}

// Shows the page of the address.
async function show() {
  const name = location.pathname.slice(1);
  const page = PAGES[name];
  const turn = ++shown;
  const restoreFocus = holdFocus(find("main"));
  await ending?.();
  ending = null;
  drawNavigation(name);
  sameAs("");
  find("main").replaceChildren();
  document.title = `${page?.title ?? "Not found"} – tinyml studio`;
  if (!page) {
    find("main").replaceChildren(h("section", {}, h("h1", {}, "There is no such page")));
    return;
  }
  const context = {
    query: new URLSearchParams(location.search),
    sameAs: (command) => turn === shown && sameAs(command),
    go,
    // Keeps the address true without showing the page anew.
    remember: (query) => history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(query)}`),
  };
  try {
    const module = await page.load().catch((error) => {
      throw error instanceof TypeError ? unanswered() : error;
    });
    const end = await module.default(find("main"), context);
    if (turn !== shown) return await end?.();
    ending = end ?? null;
    restoreFocus();
  } catch (error) {
    refuse(error);
  }
}

function refuse(error) {
  const title = error.status === 401 ? "Sign in" : "This page cannot be shown";
  find("main").replaceChildren(h("section", { class: "middle" }, h("h1", {}, title), h("p", {}, error.message)));
}

// The line at the foot: what the page does, as a command.
export function sameAs(command) {
  find("same").hidden = !command;
  find("command").textContent = command;
}

export function go(path) {
  history.pushState(null, "", path);
  show();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || link.target || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!(new URL(link.href).pathname.slice(1) in PAGES)) return;
  event.preventDefault();
  go(link.getAttribute("href"));
  find("main").focus();
});
addEventListener("popstate", show);
find("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(find("command").textContent);
  notice("Copied");
});

try {
  await signIn();
  const isPhone = PAGES[location.pathname.slice(1)]?.hidden;
  const [told] = await Promise.all([isPhone ? null : get("/api/studio"), show()]);
  if (told) find("folder").textContent = told.folder;
} catch (error) {
  drawNavigation("");
  refuse(error);
}
document.body.dataset.ready = "true";
