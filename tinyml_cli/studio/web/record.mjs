// The recorder alone, for a phone: what to record stands in the address.
import { h } from "./dom.mjs";
import { recorder } from "./recorder.mjs";

export default async function show(main, page) {
  const labels = (page.query.get("labels") ?? "").split(",").filter(Boolean);
  const plan = { kind: page.query.get("kind"), folder: page.query.get("folder"), labels, person: page.query.get("person") ?? "" };
  if (!labels.length || !plan.folder) {
    main.replaceChildren(h("section", { class: "middle" }, h("h1", {}, "Scan the QR code of the studio")));
    return null;
  }
  const place = h("div", {});
  const ask = h("section", { class: "middle" });
  if (plan.person || plan.kind === "images") {
    main.replaceChildren(h("section", {}, place));
    return recorder(place, plan);
  }
  let end = null;
  const name = h("input", { required: true, autocomplete: "off", maxlength: 60, placeholder: "a pseudonym will do" });
  const form = h("form", { class: "row" }, h("label", { class: "field" }, h("span", {}, "Who records?"), name), h("button", {}, "Begin"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    main.replaceChildren(h("section", {}, place));
    end = recorder(place, { ...plan, person: name.value });
  });
  ask.replaceChildren(h("h1", {}, plan.folder), form);
  main.replaceChildren(ask);
  return () => end?.();
}
