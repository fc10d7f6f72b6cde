// The page: brings the device's senses to the board, and shows what it says.
import { Board } from "./board.mjs";
import { asBoard, asImu, MotionClock, openMicrophone, openSense, toFrame, toMotion } from "./senses.mjs";
import { Resampler, readWav, toInt16 } from "./sound.mjs";

const TICK_MS = 20;
const FRAME_MS = 200; // the kit's camera gives five frames a second
const MOST_LINES = 12;
const SILENT_MS = 3000; // without a single block of sound
const TAIL_MS = 1000; // of silence after a file, so that its last word is heard to its end

const facts = JSON.parse(document.getElementById("facts").textContent);
const find = (id) => document.getElementById(id);
const canvas = find("picture").getContext("2d");
let board;
let stop = null; // ends what the senses bring

// ---- what the board says

const make = (tag, text, ...children) => {
  const element = document.createElement(tag);
  element.append(text, ...children);
  return element;
};

// Of each model the bars of its labels, under its name where there are two.
const bars = facts.models.map(({ name, labels, looks }) => {
  if (facts.models.length > 1) find("scores").append(make("li", name));
  const rows = labels.map((label) => {
    const [bar, value] = [make("i", ""), make("output", "")];
    find("scores").append(make("li", make("span", label), bar, value));
    return { bar, value };
  });
  return { name, looks, rows };
});
find("scores").hidden = !bars.length;

const show = {
  detection: (event) => tell(event.label, event.score, `at ${(event.t_ms / 1000).toFixed(1)} s`),
  gesture: (event) => tell(event.label, event.score, ""),
  person: (event) => tell(event.label, event.score, ""),
  class: (event) => (event.present ? tell(event.label, event.score, "") : (find("word").textContent = "–")),
  gate: (event) => {
    setGate(event.open);
    tell(event.open ? "eyes open" : "eyes shut", null, "");
  },
  fault: (event) => complain(event.what),
  scores: (event) => showScores(bars.find((each) => each.name === event.model) ?? bars[0], event.q),
  image: (event) => showScores(bars.find((each) => each.looks), event.q),
  status: (event) => find("level").style.setProperty("--share", Math.min(1, Math.sqrt(event.audio_rms / 8000))),
  stroke: (event) => drawStroke(event.points),
  anomaly: showAnomaly,
  wave: showWave,
};

const REPORTS = ["detection", "person", "class", "gesture"];

function take(line) {
  if (!line.startsWith("{")) return;
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    return;
  }
  const isNew = REPORTS.includes(event.event) || (event.event === "anomaly" && event.alarm && !past.at(-1)?.alarm);
  show[event.event]?.(event);
  if (isNew) pass(event);
}

function tell(label, score, note) {
  const share = score === null ? "" : ` ${Math.round(100 * score)} %`;
  find("word").textContent = label;
  find("events").prepend(make("li", make("b", label), `${share} ${note}`));
  while (find("events").children.length > MOST_LINES) find("events").lastChild.remove();
}

// An int8 score of -128 is none, 127 all.
function showScores(model, q) {
  model?.rows.forEach(({ bar, value }, i) => {
    const share = (q[i] + 128) / 255;
    bar.style.setProperty("--share", share);
    value.textContent = share.toFixed(2);
  });
}

function complain(text) {
  find("complaint").textContent = text;
  if (text) find("word").textContent = "–";
}

function clear() {
  canvas.clearRect(0, 0, canvas.canvas.width, canvas.canvas.height);
  canvas.canvas.hidden = false;
}

const ink = () => getComputedStyle(document.body).color;

function drawStroke(points) {
  const bytes = Int8Array.from(atob(points), (c) => c.charCodeAt(0));
  const { width, height } = canvas.canvas;
  clear();
  canvas.strokeStyle = ink();
  canvas.lineWidth = 6;
  canvas.lineJoin = canvas.lineCap = "round";
  canvas.beginPath();
  for (let i = 0; i < bytes.length; i += 2) {
    canvas.lineTo(((bytes[i] + 128) / 256) * width, ((128 - bytes[i + 1]) / 256) * height);
  }
  canvas.stroke();
}

const past = [];

function showAnomaly(event) {
  past.push(event);
  if (past.length > 120) past.shift();
  find("word").textContent = event.alarm ? "alarm" : "normal";
  const { width, height } = canvas.canvas;
  const top = 1.2 * Math.max(event.threshold, ...past.map((each) => each.score)) || 1;
  clear();
  canvas.lineWidth = 2;
  canvas.strokeStyle = "#d55e00";
  canvas.strokeRect(0, height * (1 - event.threshold / top), width, 0);
  canvas.strokeStyle = ink();
  canvas.beginPath();
  past.forEach((each, i) => canvas.lineTo((i * width) / 119, height * (1 - each.score / top)));
  canvas.stroke();
}

function showWave(event) {
  const { width, height } = canvas.canvas;
  if (event.point === 0) clear();
  canvas.canvas.hidden = false;
  canvas.fillStyle = ink();
  canvas.fillRect(((event.x + 128) / 256) * width, height * (1 - (event.y + 128) / 256) - 2, 3, 3);
  find("word").textContent = "";
}

// ---- what the studio, where it holds this page, may keep

let sound = new Int16Array(0); // the last keptMs
let motion = []; // the same: samples as of the command `imu`

function hear(samples) {
  const piece = Math.max(1, Math.round((facts.sampleRateHz * TICK_MS) / 1000));
  for (let at = 0; at < samples.length; at += piece) {
    const next = samples.subarray(at, at + piece);
    const kept = sound.subarray(Math.max(0, sound.length + next.length - (facts.sampleRateHz * facts.keptMs) / 1000));
    sound = new Int16Array(kept.length + next.length);
    sound.set(kept);
    sound.set(next, kept.length);
    board.hear(next);
    if (scene && gate.isOpen && ++unseen * TICK_MS >= FRAME_MS) {
      unseen = 0;
      see(scene);
    }
  }
}

// What the board has just reported, with what it heard or saw; to nobody but a page of the same origin.
function pass(event) {
  if (parent === window) return;
  const kept = facts.frame
    ? { picture: canvas.canvas.toDataURL("image/png") }
    : facts.motionHz
      ? { motion: Int16Array.from(motion.flat()), rateHz: facts.motionHz }
      : { sound, rateHz: facts.sampleRateHz };
  parent.postMessage({ board: event, ...kept }, location.origin);
  if (event.event === "gesture") motion = []; // what follows is another stroke
}

// ---- what the device's senses bring

const TAP = "registerProcessor('tap',class extends AudioWorkletProcessor{process([[c]]){if(c)this.port.postMessage(c.slice());return true}})";

async function listen() {
  let resampler = null;
  let silent = 0;
  const microphone = await openMicrophone(`data:text/javascript,${encodeURIComponent(TAP)}`, (block, rateHz) => {
    clearTimeout(silent);
    resampler ??= new Resampler(rateHz, facts.sampleRateHz);
    hear(resampler.push(toInt16(block)));
  });
  if (!resampler) silent = setTimeout(() => complain("The microphone gives no sound: stop, and listen again"), SILENT_MS);
  return () => {
    clearTimeout(silent);
    microphone.close();
  };
}

async function look() {
  const stream = await openSense("camera", { video: { facingMode: "environment" } });
  const video = document.createElement("video");
  video.srcObject = stream;
  video.muted = video.playsInline = true;
  await video.play();
  const timer = setInterval(() => gate.isOpen && see(video), FRAME_MS);
  return () => {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
  };
}

// Where a word has to be heard first, nothing is seen before; a picture that was dropped waits for it.
const gate = { isOpen: !facts.gate };
let scene = null;
let unseen = 0; // ticks since it was looked at

function setGate(isOpen) {
  gate.isOpen = isOpen || !facts.gate;
  canvas.canvas.classList.toggle("shut", !gate.isOpen);
}

// The middle of a picture or a video, as large as the camera's frame allows.
function see(picture) {
  board.see(toFrame(draw(picture), facts.frame.isColour));
}

function draw(picture) {
  const frame = facts.frame;
  const [width, height] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
  const scale = Math.min(width / frame.width, height / frame.height);
  const [w, h] = [frame.width * scale, frame.height * scale];
  canvas.canvas.width = frame.width;
  canvas.canvas.height = frame.height;
  clear();
  canvas.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h, 0, 0, frame.width, frame.height);
  return canvas.getImageData(0, 0, frame.width, frame.height).data;
}

const NO_MOTION = "This device has no motion sensor: open the page on a phone";

async function feel() {
  if (typeof DeviceMotionEvent === "undefined") throw new Error(NO_MOTION);
  if (DeviceMotionEvent.requestPermission && (await DeviceMotionEvent.requestPermission()) !== "granted") {
    throw new Error("The browser does not allow this page the motion sensor");
  }
  const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent);
  const clock = new MotionClock(facts.motionHz);
  const take = (event) => {
    const felt = toMotion(event, isApple);
    if (felt === null) return complain(NO_MOTION);
    for (const sample of clock.push(event.timeStamp, asBoard(felt))) {
      motion.push(asImu(sample));
      board.feel(sample);
    }
    motion.splice(0, motion.length - Math.ceil((facts.motionHz * facts.keptMs) / 1000));
    board.run();
  };
  addEventListener("devicemotion", take);
  return () => removeEventListener("devicemotion", take);
}

async function start() {
  const senses = { microphone: listen, camera: look, motion: feel };
  scene = null;
  const begun = [];
  stop = () => begun.forEach((end) => end());
  for (const sense of facts.senses) begun.push(await senses[sense]());
}

async function toggle() {
  complain("");
  if (stop) {
    stop();
    stop = null;
  } else {
    try {
      await start();
    } catch (error) {
      stop();
      stop = null;
      complain(error.message);
    }
  }
  find("start").textContent = stop ? "Stop" : facts.verb;
  find("start").setAttribute("aria-pressed", String(stop !== null));
}

// ---- files

async function open(file) {
  complain("");
  if (stop) await toggle();
  find("events").replaceChildren();
  setGate(false);
  board.command("reset 1");
  const isPicture = file.type.startsWith("image/");
  try {
    await (isPicture ? openPicture(file) : openSound(file));
  } catch {
    complain(`${file.name} cannot be read here`);
  }
}

async function openPicture(file) {
  const picture = await createImageBitmap(file);
  if (facts.gate) {
    scene = picture;
    draw(picture);
    tell("picture", null, "is looked at after its word: drop a recording");
  } else for (let i = 0; i < facts.frame.forASight; ++i) see(picture);
}

async function openSound(file) {
  const buffer = await file.arrayBuffer();
  let sound = readWav(buffer);
  if (sound === null) {
    const context = new AudioContext();
    const decoded = await context.decodeAudioData(buffer);
    sound = { rateHz: decoded.sampleRate, samples: toInt16(decoded.getChannelData(0)) };
    context.close();
  }
  const resampler = new Resampler(sound.rateHz, facts.sampleRateHz);
  hear(resampler.push(sound.samples));
  hear(resampler.push(new Int16Array(Math.round((sound.rateHz * TAIL_MS) / 1000))));
  if (bars.length && !find("events").children.length) complain(`Nothing heard in ${file.name}`);
}

// ---- start

// Inside of the studio, which has a title of its own and makes as much room as is needed.
if (parent !== window) {
  document.body.classList.add("inside");
  new ResizeObserver(() => parent.postMessage({ height: document.body.scrollHeight }, location.origin)).observe(document.body);
}

const wasm = Uint8Array.from(atob(find("firmware").textContent), (c) => c.charCodeAt(0));
board = await Board.start(wasm, {
  onLine: take,
  onLight: (...rgb) => find("light").style.setProperty("--light", rgb.some(Boolean) ? `rgb(${rgb.join(" ")})` : "transparent"),
});
board.command("trace 1 scores,status");
setInterval(() => board.run(), TICK_MS);
find("start").textContent = facts.verb;
find("level").hidden = !facts.senses.includes("microphone");
find("start").hidden = facts.senses.length === 0;
find("choose").hidden = !facts.accepts;
find("file").accept = facts.accepts;
find("start").addEventListener("click", toggle);
find("file").addEventListener("change", ({ target }) => target.files[0] && open(target.files[0]));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (facts.accepts && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
});
document.body.dataset.ready = "true";
