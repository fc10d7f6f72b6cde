// Records one kind of take after another: words, pictures, strokes, motion. The same on this computer and on a phone.
import { post, upload } from "./api.mjs";
import { picture, stroke, wave } from "./drawing.mjs";
import { button, counted, h, notice, redraw, setBusy } from "./dom.mjs";
import { Microphone } from "./microphone.mjs";
import { asBoard, asImu, MotionClock, openSense, toMotion } from "./senses.mjs";
import { wavOf } from "./wav.mjs";

const TAKE_S = 2;
const PAUSE_MS = 900; // between takes without hands
const MOTION_HZ = 119; // of the board's own sensor
const PICTURE_MS = 350;
const FRAME = [640, 480];

// plan: { kind, folder, labels, person, target }. Returns what ends it.
export function recorder(place, plan) {
  const state = { counts: Object.fromEntries(plan.labels.map((label) => [label, plan.counts?.[label] ?? 0])), label: plan.labels[0] };
  const chips = h("div", { class: "chips", role: "group", "aria-label": "Labels" });
  const drawChips = () =>
    redraw(
      chips,
      ...plan.labels.map((label) =>
        h(
          "button",
          { type: "button", class: "chip", "aria-pressed": String(label === state.label), onclick: () => choose(label) },
          label,
          h("small", {}, plan.target ? `${state.counts[label]} of ${plan.target}` : String(state.counts[label])),
        ),
      ),
    );
  const stage = h("div", { class: "recorder" });
  place.replaceChildren(chips, stage);
  const tools = {
    plan,
    state,
    stage,
    counted(label, n) {
      state.counts[label] = n;
      drawChips();
    },
    // The label with the fewest takes comes next.
    next() {
      const fewest = Math.min(...Object.values(state.counts));
      const open = plan.labels.filter((label) => state.counts[label] === fewest && label !== state.label);
      if (open.length && plan.labels.length > 1) choose(open[Math.floor(Math.random() * open.length)]);
    },
  };
  const parts = { sound: words, images: pictures, strokes: moves, motion: moves };
  const part = parts[plan.kind](tools);
  function choose(label) {
    state.label = label;
    drawChips();
    part.chosen?.();
  }
  choose(plan.labels[0]);
  return () => part.end();
}

function words({ plan, state, stage, counted: count, next }) {
  let microphone = null;
  let last = null; // a take that was not kept
  let isBusy = false;
  let isEnded = false;
  const word = h("output", { class: "prompt", "aria-live": "polite" });
  const level = h("i", { class: "meter" });
  const shown = picture("The take");
  const verdict = h("p", { class: "verdict", role: "status" });
  const handsFree = h("input", { type: "checkbox" });
  const record = h("button", { type: "button", class: "big", onclick: () => take() }, "Record");
  const anyway = button("Keep it anyway", () => keep("always"), { class: "quiet", hidden: true });
  stage.replaceChildren(
    word,
    level,
    shown,
    verdict,
    h("div", { class: "row center" }, record, anyway),
    h("label", { class: "check" }, handsFree, "Go on by itself after each good take"),
    h("p", { class: "lead keys" }, "Space records. Each take lasts two seconds: say the word once, in the middle."),
  );
  const onKey = (event) => {
    if (event.code !== "Space" || event.target.closest("input,textarea,select,button,a,summary") || event.repeat) return;
    event.preventDefault();
    take();
  };
  document.addEventListener("keydown", onKey);

  async function take() {
    if (isBusy) return;
    isBusy = true;
    setBusy(record, true);
    anyway.hidden = true;
    verdict.textContent = "";
    try {
      if (microphone?.hasEnded) {
        microphone.close();
        microphone = null;
      }
      microphone ??= await Microphone.open();
      if (isEnded) return microphone.close();
      record.classList.add("recording");
      record.textContent = "Speak now";
      const samples = await microphone.record(TAKE_S, (share, loud) => {
        level.style.setProperty("--share", loud);
        record.style.setProperty("--done", share);
      });
      last = { samples, rateHz: microphone.rateHz, label: state.label };
      await keep("good");
    } catch (error) {
      notice(error);
    } finally {
      isBusy = false;
      setBusy(record, false);
      record.classList.remove("recording");
      record.textContent = "Record";
      level.style.setProperty("--share", 0);
    }
  }

  async function keep(how) {
    const { samples, rateHz, label } = last;
    const query = { folder: plan.folder, word: label, speaker: plan.person, keep: how };
    const told = await upload("/api/take/word", query, wavOf(samples, rateHz));
    const seconds = samples.length / rateHz;
    shown.show(wave(samples, told.start_s / seconds, told.end_s / seconds));
    verdict.className = told.kept ? "verdict good" : "verdict wrong";
    if (told.kept && document.activeElement === anyway) record.focus();
    anyway.hidden = told.kept;
    if (!told.kept) {
      verdict.textContent = `Not kept: ${told.faults.join("; ")}`;
      return;
    }
    verdict.textContent = `Kept, ${Math.round(told.level_dbfs - told.floor_dbfs)} dB above the background`;
    count(label, told.clips);
    next();
    const isDone = plan.target && Object.values(state.counts).every((n) => n >= plan.target);
    if (handsFree.checked && !isEnded && !isDone) setTimeout(() => !isEnded && handsFree.checked && take(), PAUSE_MS);
  }

  return {
    chosen: () => (word.textContent = state.label),
    end() {
      isEnded = true;
      document.removeEventListener("keydown", onKey);
      microphone?.close();
    },
  };
}

function pictures({ plan, state, stage, counted: count }) {
  const video = h("video", { class: "camera", playsinline: true, muted: true, autoplay: true });
  video.muted = true;
  const verdict = h("p", { class: "verdict", role: "status" });
  const canvas = h("canvas", { width: FRAME[0], height: FRAME[1], hidden: true });
  let stream = null;
  let side = "environment";
  let timer = null;
  let isSending = false;

  async function open() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    stream = await openSense("camera", { video: { facingMode: side } });
    video.srcObject = stream;
    await video.play();
  }

  async function take() {
    if (isSending) return;
    isSending = true;
    try {
      if (!stream) await open();
      const [width, height] = [video.videoWidth, video.videoHeight];
      canvas.height = Math.round((FRAME[0] * height) / width);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const label = state.label;
      const told = await upload("/api/take/picture", { folder: plan.folder, label }, blob);
      verdict.textContent = told.kept ? `${counted(told.n, "image")} of ${label}` : "Not kept: the picture is blank";
      verdict.className = told.kept ? "verdict good" : "verdict wrong";
      count(label, told.n);
    } finally {
      isSending = false;
    }
  }

  const series = h("button", { type: "button", class: "quiet", "aria-pressed": "false" }, "Take several");
  const stop = () => {
    clearInterval(timer);
    timer = null;
    series.setAttribute("aria-pressed", "false");
    series.textContent = "Take several";
  };
  series.addEventListener("click", () => {
    if (timer) return stop();
    timer = setInterval(() => take().catch((error) => (stop(), notice(error))), PICTURE_MS);
    series.setAttribute("aria-pressed", "true");
    series.textContent = "Stop";
  });
  const turn = button("Other camera", () => {
    side = side === "user" ? "environment" : "user";
    return open();
  }, { class: "quiet" });
  stage.replaceChildren(
    video,
    canvas,
    verdict,
    h("div", { class: "row center" }, button("Take a picture", take, { class: "big" }), series, turn),
    h("p", { class: "lead keys" }, "Move between pictures: other places, light and distances make a better model."),
  );
  // A page that is not seen gets no new pictures.
  const hide = () => document.hidden && stop();
  document.addEventListener("visibilitychange", hide);
  open().catch(notice);
  return {
    end() {
      stop();
      document.removeEventListener("visibilitychange", hide);
      stream?.getTracks().forEach((track) => track.stop());
    },
  };
}

function moves({ plan, state, stage, counted: count }) {
  const areStrokes = plan.kind === "strokes";
  const shown = h("div", { class: "strokes" });
  const verdict = h("p", { class: "verdict", role: "status" });
  const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent);
  let samples = null;
  let clock = null;
  let ask = null;
  const feel = (event) => {
    const moved = toMotion(event, isApple);
    if (moved === null || samples === null) return;
    for (const each of clock.push(event.timeStamp, moved)) samples.push(asImu(asBoard(each)));
  };
  const hide = () => document.hidden && stop("The page was hidden: the take was dropped. Start again.");
  const toggle = button("Start", async () => {
    if (samples === null) return start();
    return store();
  }, { class: "big" });

  async function start() {
    if (typeof DeviceMotionEvent === "undefined") throw new Error("This device has no motion sensor: use a phone");
    if (DeviceMotionEvent.requestPermission && (await DeviceMotionEvent.requestPermission()) !== "granted") {
      throw new Error("The browser does not allow this page the motion sensor");
    }
    clock = new MotionClock(MOTION_HZ);
    samples = [];
    addEventListener("devicemotion", feel);
    document.addEventListener("visibilitychange", hide);
    toggle.textContent = "Stop and keep";
    toggle.classList.add("recording");
    verdict.className = "verdict";
    verdict.textContent = areStrokes ? "Rest a moment, draw, rest." : "Recording";
    ask = setInterval(() => samples.length || stop("This device has no motion sensor: use a phone"), 1500);
  }

  function stop(text) {
    clearInterval(ask);
    removeEventListener("devicemotion", feel);
    document.removeEventListener("visibilitychange", hide);
    const found = samples;
    samples = null;
    toggle.textContent = "Start";
    toggle.classList.remove("recording");
    verdict.className = "verdict wrong";
    verdict.textContent = text;
    return found;
  }

  async function store() {
    const rows = stop("");
    if (!rows.length) throw new Error("Nothing was felt: use a phone");
    const query = { folder: plan.folder, label: state.label, person: plan.person || "me", rate_hz: MOTION_HZ, strokes: areStrokes };
    const told = await upload("/api/take/motion", query, new Blob([Int16Array.from(rows.flat())]));
    verdict.className = told.kept ? "verdict good" : "verdict wrong";
    verdict.textContent = told.kept
      ? `Kept ${areStrokes ? counted(told.kept, "stroke") : `${(rows.length / MOTION_HZ).toFixed(1)} s`}`
      : "No stroke found: hold still, draw, hold still";
    shown.replaceChildren(
      ...told.strokes.map((lines) => {
        const canvas = picture("A stroke", "drawn square");
        canvas.show(stroke(lines));
        return canvas;
      }),
    );
    count(state.label, told.n);
  }

  stage.replaceChildren(
    shown,
    verdict,
    h("div", { class: "row center" }, toggle),
    h(
      "p",
      { class: "lead keys" },
      areStrokes
        ? "Hold the phone flat like a remote control. Rest, draw in the air, rest: several strokes may follow each other."
        : "Fix the phone to what moves, or hold it.",
    ),
  );
  return { end: () => samples && stop("") };
}

// What opens the recorder on a phone.
export async function phoneCode(plan) {
  return post("/api/phone", { kind: plan.kind, folder: plan.folder, labels: plan.labels, person: plan.person });
}
