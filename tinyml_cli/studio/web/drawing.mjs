// Small pictures of items on a canvas: the wave of a clip, a stroke, lines of motion.
import { h } from "./dom.mjs";

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const accent = () => `rgb(${ink("--accent")})`;

// A canvas that is drawn anew when its size or the colour scheme changes.
export function picture(label, className = "drawn") {
  const canvas = h("canvas", { class: className, role: "img", "aria-label": label });
  let draw = () => {};
  const redraw = () => {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  };
  new ResizeObserver(redraw).observe(canvas);
  canvas.show = (how) => {
    draw = how;
    redraw();
  };
  return canvas;
}

// Peaks of samples int16; what lies in [start, end] (shares of the whole) stands out.
export function wave(samples, start = 0, end = 1) {
  return (context, width, height) => {
    const columns = Math.max(1, Math.floor(width / 2));
    const inside = accent();
    const outside = ink("--muted");
    for (let column = 0; column < columns; ++column) {
      const from = Math.floor((column * samples.length) / columns);
      const to = Math.max(from + 1, Math.floor(((column + 1) * samples.length) / columns));
      let peak = 0;
      for (let i = from; i < to; ++i) peak = Math.max(peak, Math.abs(samples[i]));
      // Quiet speech is a flat line on a linear scale.
      const size = Math.max(1, Math.sqrt(peak / 32768) * height * 0.94);
      const share = (column + 0.5) / columns;
      const isInside = share >= start && share <= end;
      context.globalAlpha = isInside ? 1 : 0.35;
      context.fillStyle = isInside ? inside : outside;
      context.fillRect(column * 2, (height - size) / 2, 1.4, size);
    }
  };
}

// xs and ys of a stroke, int8, y up.
export function stroke([xs, ys]) {
  return (context, width, height) => {
    const low = [Math.min(...xs), Math.min(...ys)];
    const high = [Math.max(...xs), Math.max(...ys)];
    const scale = Math.min(width, height) * 0.8 / Math.max(high[0] - low[0], high[1] - low[1], 1);
    const x = (value) => width / 2 + (value - (low[0] + high[0]) / 2) * scale;
    const y = (value) => height / 2 - (value - (low[1] + high[1]) / 2) * scale;
    context.lineJoin = context.lineCap = "round";
    context.lineWidth = 3;
    context.strokeStyle = accent();
    context.beginPath();
    xs.forEach((value, i) => context.lineTo(x(value), y(ys[i])));
    context.stroke();
    context.fillStyle = accent();
    context.beginPath();
    context.arc(x(xs[0]), y(ys[0]), 4, 0, 7);
    context.fill();
  };
}

// One line for each axis, all on one scale about their middles.
export function motion(lines) {
  return (context, width, height) => {
    const middles = lines.map((line) => (Math.max(...line) + Math.min(...line)) / 2);
    const reach = lines.map((line, i) => Math.max(...line.map((value) => Math.abs(value - middles[i]))));
    const groups = [lines.slice(0, 3), lines.slice(3)].filter((group) => group.length);
    context.lineWidth = 1.3;
    lines.forEach((line, i) => {
      const group = groups.length > 1 && i > 2 ? reach.slice(3) : reach.slice(0, 3);
      const scale = (height * 0.44) / Math.max(...group, 1e-9);
      context.strokeStyle = ink(`--c${i % 8}`);
      context.beginPath();
      line.forEach((value, at) => context.lineTo((at * width) / Math.max(1, line.length - 1), height / 2 - (value - middles[i]) * scale));
      context.stroke();
    });
  };
}
