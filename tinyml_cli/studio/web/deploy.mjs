// Deploy: what the model costs on a board, what can be taken away, and the board that is plugged in.
import { address, get, post } from "./api.mjs";
import { commandLine } from "./command.mjs";
import { button, field, h, notice } from "./dom.mjs";
import { chooser, commandLog, kilobytes, noRuns } from "./run_parts.mjs";

export default async function show(main, page) {
  const { run, element } = await chooser(page.query.get("run"), (name) => page.go(`/deploy?${new URLSearchParams({ run: name })}`));
  if (!run) {
    main.append(noRuns("brought to a board"));
    return;
  }
  const state = { run: run.name, told: await get("/api/deploy", { run: run.name }) };
  const parts = [cost(page, state), takeAway(page, state), boards(page, state)];
  main.append(h("div", { class: "title" }, h("h1", {}, "Deploy"), element), ...parts.map((part) => part.element));
  page.sameAs(commandLine("tinyml", "profile", `runs/${run.name}`, "--board", "nano33ble"));
  return () => parts.forEach((part) => part.end());
}

const wanted = (state, what, more = {}) => ({ run: state.run, what, ...more });

async function make(page, log, body) {
  page.sameAs((await post("/api/deploy/command", body)).command);
  return log.reach("/api/deploy/make", body);
}

// ---- its cost

const BUDGETS = [
  ["flash", "Flash, kB", "k"],
  ["ram", "RAM, kB", "k"],
  ["ms", "Time, ms", ""],
  ["energy_uj", "Energy, µJ", ""],
];

function cost(page, state) {
  const log = commandLog();
  const choices = state.told.boards.filter((board) => board.kind !== "page");
  const board = h("select", {}, ...choices.map(({ name }) => h("option", { value: name, selected: name === "nano33ble" }, name)));
  const limits = BUDGETS.map(([name, label, unit]) => ({ name, unit, input: h("input", { type: "number", min: 0, step: "any", placeholder: "no limit" }), label }));
  const tiles = h("div", { class: "tiles" });
  const table = h("div", {});
  const lead = h("p", { class: "lead" });
  const measure = button("Measure", async () => {
    const budget = limits.filter(({ input }) => input.value).map(({ name, unit, input }) => `${name}=${input.value}${unit}`).join(",");
    const job = await make(page, log, wanted(state, "profile", { board: board.value, budget }));
    draw(job.result);
  });

  function draw(profile) {
    const { memory } = profile;
    const chip = state.told.boards.find(({ name }) => name === profile.board);
    const of = (bytes, all) => (bytes == null ? null : [kilobytes(bytes), all ? `of ${kilobytes(all)}` : ""]);
    const figures = [
      ["flash", of(memory.board_flash_bytes ?? memory.flash_bytes, chip?.flash_bytes)],
      ["RAM", of(memory.board_ram_bytes ?? memory.ram_bytes, chip?.ram_bytes)],
      ["tensor arena", of(memory.arena_bytes)],
      ["an inference", profile.time_ms == null ? null : [`${profile.time_ms.toFixed(profile.time_ms < 10 ? 2 : 0)} ms`, ""]],
      ["energy", profile.energy_uj == null ? null : [`${profile.energy_uj.toFixed(0)} µJ`, ""]],
    ];
    tiles.replaceChildren(...figures.filter(([, value]) => value).map(([name, [value, all]]) => h("div", { class: "tile" }, h("small", {}, name), h("b", {}, value), all && h("small", {}, all))));
    lead.textContent = `On ${profile.board}, engine ${profile.engine}. Time: ${profile.evidence?.time_ms ?? "–"}; memory: ${memory.board_evidence ?? profile.evidence?.flash_bytes ?? "linked"}.`;
    table.replaceChildren(...(profile.budget?.length ? [budgetTable(profile.budget)] : []));
  }

  get("/api/deploy/profile", { run: state.run }).then(({ profile }) => profile && draw(profile), notice);
  const model = state.told.model;
  const element = h(
    "section",
    {},
    h("h2", {}, "What it costs"),
    model && h("p", { class: "lead" }, `${model.name}: ${model.parameters.toLocaleString("en")} parameters, ${model.macs.toLocaleString("en")} multiplications, ${kilobytes(state.told.model_bytes)} in int8.`),
    h("div", { class: "row" }, field("Board", board), ...limits.map(({ label, input }) => field(label, input)), measure),
    log.element,
    lead,
    tiles,
    table,
  );
  limits.forEach(({ input }) => input.style.setProperty("width", "7rem"));
  return { element, end: log.end };
}

function budgetTable(lines) {
  const rows = lines.map((line) =>
    h("tr", {}, h("th", { scope: "row" }, line.name), h("td", {}, `${line.value.toLocaleString("en")} ${line.unit}`), h("td", {}, `${line.most.toLocaleString("en")} ${line.unit}`), h("td", { class: line.over > 0 ? "over" : "" }, line.over > 0 ? `over by ${line.over.toLocaleString("en")}` : "met")),
  );
  const heads = ["Budget", "Measured", "Limit", ""].map((text) => h("th", { scope: "col" }, text));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)));
}

// ---- files

function takeAway(page, state) {
  const log = commandLog();
  const board = h("select", {}, ...state.told.boards.map(({ name }) => h("option", { value: name, selected: name === "sim" }, name)));
  const files = h("div", {});

  const fetched = (what, more) =>
    async () => {
      await make(page, log, wanted(state, what, more?.()));
      state.told = await get("/api/deploy", { run: state.run });
      draw();
      const link = first(what, more?.().board);
      if (link) save(link);
    };

  const link = (path) => address("/api/deploy/file", { run: state.run, path });
  const first = (what, name) => {
    if (what === "c-array") return address("/api/deploy/c-array", { run: state.run });
    const found = what === "library" ? state.told.libraries[0] : state.told.programs.find(({ path }) => path.startsWith(`firmware/${name}/`) && !path.endsWith(".elf")) ?? state.told.programs.find(({ path }) => path.startsWith(`firmware/${name}/`));
    return found && link(found.path);
  };

  function draw() {
    const groups = [["C", state.told.c_array], ["Arduino library", state.told.libraries], ["Firmware", state.told.programs]].filter(([, found]) => found.length);
    files.replaceChildren(
      ...groups.map(([name, found]) =>
        h("div", {}, h("h3", {}, name), h("table", { class: "plain" }, h("tbody", {}, ...found.map((file) => h("tr", {}, h("th", { scope: "row" }, h("a", { href: link(file.path), download: file.name }, file.name)), h("td", {}, kilobytes(file.bytes))))))),
      ),
    );
  }

  draw();
  const element = h(
    "section",
    {},
    h("h2", {}, "Download"),
    h("div", { class: "row" }, button("C array", fetched("c-array")), button("Arduino library", fetched("library")), field("Board", board), button("Firmware", fetched("firmware", () => ({ board: board.value })))),
    log.element,
    h("details", {}, h("summary", {}, "Existing files"), files),
  );
  return { element, end: log.end };
}

function save(href) {
  const link = h("a", { href, download: "" });
  document.body.append(link);
  link.click();
  link.remove();
}

// ---- a board

function boards(page, state) {
  const log = commandLog();
  const real = state.told.boards.filter(({ kind }) => kind !== "page");
  const board = h("select", { onchange: draw }, ...real.map(({ name, description }) => h("option", { value: name, selected: name === "nano33ble" }, `${name}: ${description}`)));
  const port = h("input", { placeholder: "found by itself", spellcheck: "false" });
  const how = h("select", { onchange: draw }, h("option", { value: "" }, "the board that is plugged in"), h("option", { value: "emulated" }, "a model of it in this computer"));
  const [howField, portField] = [field("Write to", how), field("Port", port)];
  const problem = h("p", { class: "wrong", role: "alert" });
  const flash = button("Flash", async () => {
    problem.textContent = "";
    try {
      await make(page, log, wanted(state, "flash", wantedBoard()));
    } catch (error) {
      if (log.job?.state !== "failed") problem.textContent = error.message; // else its lines say so
    }
  });

  const kind = () => real.find(({ name }) => name === board.value)?.kind;
  const isEmulated = () => kind() === "usb" && how.value === "emulated";
  const wantedBoard = () => ({ board: board.value, port: kind() === "usb" && !isEmulated() ? port.value : "", emulated: isEmulated() });

  function draw() {
    howField.hidden = kind() !== "usb";
    portField.hidden = kind() !== "usb" || isEmulated();
    problem.textContent = real.find(({ name }) => name === board.value)?.problem ?? "";
  }

  draw();
  const element = h(
    "section",
    {},
    h("h2", {}, "Flash a board"),
    h("p", { class: "lead" }, "Builds the firmware where needed, writes it to the board, and asks the board which model it runs."),
    h("div", { class: "row" }, field("Board", board), howField, portField, flash),
    problem,
    log.element,
  );
  return { element, end: log.end };
}
