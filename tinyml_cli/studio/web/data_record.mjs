// Record: what, into which folder, by whom; then take after take, here or on a phone.
import { get } from "./api.mjs";
import { commandLine } from "./command.mjs";
import { button, field, h, notice } from "./dom.mjs";
import { phoneCode, recorder } from "./recorder.mjs";

const KINDS = {
  sound: { title: "Words", folder: "recordings", labels: "yes, no", target: 20, who: "Speaker" },
  images: { title: "Pictures", folder: "images", labels: "cup, none", target: 200, who: "" },
  strokes: { title: "Strokes", folder: "strokes", labels: "wing, ring", target: 20, who: "Person" },
  motion: { title: "Motion", folder: "motion", labels: "idle, running", target: 10, who: "Person" },
};
const KEPT = "tinyml-studio-record";

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // a browser that keeps nothing
  }
}

export default async function show(body, { page, folder, folders }) {
  const kept = read();
  const kind = page.query.get("kind") ?? (page.query.get("folder") ? folder?.kind : null) ?? "sound";
  const about = KINDS[kind] ?? KINDS.sound;
  const known = folder?.kind === kind ? folder : folders.find((each) => each.kind === kind);
  const place = h("div", { class: "taking" });
  const phone = h("div", {});
  let end = null;

  const name = h("input", { value: page.query.get("into") ?? known?.name ?? about.folder, required: true, autocomplete: "off", maxlength: 60 });
  const labels = h("input", { value: page.query.get("labels") ?? known?.labels.map((each) => each.name).filter((each) => !each.startsWith("_")).join(", ") ?? "", placeholder: about.labels, required: true, autocomplete: "off" });
  const person = h("input", { value: page.query.get("person") ?? kept.person ?? "", required: Boolean(about.who), autocomplete: "off", maxlength: 60, placeholder: "a pseudonym will do" });
  const target = h("input", { type: "number", min: 1, max: 10000, value: kept[kind] ?? about.target });
  const kinds = h("div", { class: "chips", role: "group", "aria-label": "What to record" },
    Object.entries(KINDS).map(([key, each]) => h("button", { type: "button", class: "chip", "aria-pressed": String(key === kind), onclick: () => page.go(`/data?view=record&kind=${key}`) }, each.title)));
  const form = h("form", { class: "row setup" },
    field("Folder", name), field(kind === "sound" ? "Words" : "Labels", labels), about.who && field(about.who, person), field("Of each", target),
    h("button", {}, "Begin"), h("button", { type: "button", class: "quiet", onclick: () => byPhone().catch(notice) }, "By phone"));
  body.replaceChildren(kinds, form, phone, place);

  const plan = async () => {
    const wanted = [...new Set(labels.value.split(",").map((each) => each.trim()).filter(Boolean))];
    try {
      localStorage.setItem(KEPT, JSON.stringify({ ...kept, person: person.value, [kind]: Number(target.value) }));
    } catch {
      // the same
    }
    page.remember({ view: "record", kind, ...(known ? { folder: known.name } : {}), into: name.value, labels: wanted.join(","), person: person.value });
    return { kind, folder: name.value.trim(), labels: wanted, person: person.value.trim(), target: Number(target.value), counts: await counts(wanted) };
  };

  // What this person has of each label by now.
  async function counts(wanted) {
    const found = {};
    const present = (await get("/api/data")).folders.find((each) => each.name === name.value.trim() && each.kind === kind);
    for (const label of present ? wanted : []) {
      const who = kind === "images" ? "" : person.value.trim();
      found[label] = (await get("/api/data/items", { folder: present.name, label, person: who, limit: 1 })).total;
    }
    return found;
  }

  const command = () => {
    const words = labels.value.replace(/\s*,\s*/g, ",") || about.labels.replace(" ", "");
    const who = ["--speaker", person.value || "anna"];
    const what = {
      sound: ["words", "--words", words, ...who],
      images: ["images", "--classes", words],
      strokes: ["strokes", "--gesture", words, ...who],
    }[kind];
    page.sameAs(what ? commandLine("tinyml", "data", "record", ...what, "--out", name.value) : "");
  };

  async function begin() {
    await end?.();
    end = null;
    end = recorder(place, await plan());
    place.scrollIntoView({ block: "nearest" });
  }

  async function byPhone() {
    if (!form.reportValidity()) return;
    const told = await phoneCode(await plan());
    phone.replaceChildren(
      h("div", { class: "phone" }, h("img", { src: told.qr, alt: "QR code of the recorder", width: 220, height: 220 }),
        h("div", {}, h("p", {}, h("b", {}, "Scan this with the phone, in the same Wi-Fi.")),
          h("p", { class: "lead" }, `It is good for one phone, for ${Math.round(told.seconds / 60)} minutes, and for recording alone. The phone warns that it does not know the certificate; its SHA-256 fingerprint is`),
          h("code", { class: "fingerprint" }, told.fingerprint),
          h("div", { class: "row center" }, button("New code", byPhone, { class: "quiet" }), h("button", { type: "button", class: "quiet", onclick: () => phone.replaceChildren() }, "Close")))),
    );
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin().catch(notice);
  });
  form.addEventListener("input", command);
  command();
  return { end: () => end?.() };
}
