// Data: what the folder holds.
import { h } from "./dom.mjs";

export default async function show(main, page) {
  page.sameAs("tinyml data check recordings");
  main.append(h("section", {}, h("h1", {}, "Data")));
}
