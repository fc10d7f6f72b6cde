// The page: brings the device's senses to the board, and shows what it says.
import { Board } from "./board.mjs";
import { MotionClock, openMicrophone, openSense, toFrame, toMotion } from "./senses.mjs";
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

const bars = facts.labels.map((label) => {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("i");
  const value = document.createElement("output");
  name.textContent = label;
  row.append(name, bar, value);
  find("scores").append(row);
  return { bar, value };
});
find("scores").hidden = !facts.showsScores;

const show = {
  detection: (event) => tell(event.label, event.score, `at ${(event.t_ms / 1000).toFixed(1)} s`),
  gesture: (event) => tell(event.label, event.score, ""),
  person: (event) => tell(event.label, event.score, ""),
  class: (event) => (event.present ? tell(event.label, event.score, "") : (find("word").textContent = "–")),
  gate: (event) => tell(event.open ? "eyes open" : "eyes shut", null, ""),
  fault: (event) => complain(event.what),
  scores: (event) => showScores(event.q),
  image: (event) => showScores(event.q),
  status: (event) => find("level").style.setProperty("--share", Math.min(1, Math.sqrt(event.audio_rms / 8000))),
  stroke: (event) => drawStroke(event.points),
  anomaly: showAnomaly,
  wave: showWave,
};

const REPORTS = ["detection", "person", "class"];

function take(line) {
  if (!line.startsWith("{")) return;
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    return;
  }
  show[event.event]?.(event);
  if (REPORTS.includes(event.event)) pass(event);
}

function tell(label, score, note) {
  const share = score === null ? "" : ` ${Math.round(100 * score)} %`;
  find("word").textContent = label;
  const row = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = label;
  row.append(name, `${share} ${note}`);
  find("events").prepend(row);
  while (find("events").children.length > MOST_LINES) find("events").lastChild.remove();
}

// An int8 score of -128 is none, 127 all.
function showScores(q) {
  q.forEach((score, i) => {
    const share = (score + 128) / 255;
    bars[i]?.bar.style.setProperty("--share", share);
    if (bars[i]) bars[i].value.textContent = share.toFixed(2);
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

const KEPT_MS = 2000; // a word and what is around it
let sound = new Int16Array(0); // the last KEPT_MS

function hear(samples) {
  const piece = Math.max(1, Math.round((facts.sampleRateHz * TICK_MS) / 1000));
  for (let at = 0; at < samples.length; at += piece) {
    const next = samples.subarray(at, at + piece);
    const kept = sound.subarray(Math.max(0, sound.length + next.length - (facts.sampleRateHz * KEPT_MS) / 1000));
    sound = new Int16Array(kept.length + next.length);
    sound.set(kept);
    sound.set(next, kept.length);
    board.hear(next);
  }
}

// What the board has just reported, with what it heard or saw; to nobody but a page of the same origin.
function pass(event) {
  if (parent === window) return;
  const picture = facts.frame ? canvas.canvas.toDataURL("image/png") : null;
  parent.postMessage({ board: event, rateHz: facts.sampleRateHz, sound: facts.frame ? null : sound, picture }, location.origin);
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
  const timer = setInterval(() => see(video, video.videoWidth, video.videoHeight), FRAME_MS);
  return () => {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
  };
}

// The middle of a picture, as large as the camera's frame allows.
function see(picture, width, height) {
  const frame = facts.frame;
  const scale = Math.min(width / frame.width, height / frame.height);
  const [w, h] = [frame.width * scale, frame.height * scale];
  canvas.canvas.width = frame.width;
  canvas.canvas.height = frame.height;
  clear();
  canvas.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h, 0, 0, frame.width, frame.height);
  const { data } = canvas.getImageData(0, 0, frame.width, frame.height);
  board.see(toFrame(data, frame.isColour));
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
    const motion = toMotion(event, isApple);
    if (motion === null) return complain(NO_MOTION);
    clock.push(event.timeStamp, motion).forEach((sample) => board.feel(sample));
    board.run();
  };
  addEventListener("devicemotion", take);
  return () => removeEventListener("devicemotion", take);
}

async function start() {
  const senses = { microphone: listen, camera: look, motion: feel };
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
  find("events").replaceChildren();
  if (stop) await toggle();
  board.command("reset 1");
  try {
    await (file.type.startsWith("image/") ? openPicture(file) : openSound(file));
  } catch {
    complain(`${file.name} cannot be read here`);
  }
}

async function openPicture(file) {
  const picture = await createImageBitmap(file);
  see(picture, picture.width, picture.height);
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
  if (!find("events").children.length) complain(`Nothing heard in ${file.name}`);
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
