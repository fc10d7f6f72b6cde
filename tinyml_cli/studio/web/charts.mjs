// Line charts by uPlot in the colours of the page; without uPlot, a line that says how to get it.
import { h } from "./dom.mjs";

let library;

// Begins to load the library; `chart` waits for it.
export function loadCharts() {
  library ??= (async () => {
    const { default: uPlot } = await import("/web/uPlot.esm.js");
    document.head.append(h("link", { rel: "stylesheet", href: "/web/uPlot.min.css" }));
    return uPlot;
  })();
  library.catch(() => {}); // whoever draws says so
  return library;
}

const WHOLE = [1, 2, 5].flatMap((n) => [n, 10 * n, 100 * n, 1000 * n, 10000 * n]).sort((a, b) => a - b);

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A chart that fills the width of `place`.
//   x: name of the abscissa, isCount where it has whole numbers alone; lines: [{ label, colour: 0…7, dashed }]; height in px; yRange: [low, high] or none.
// Returns { set([xs, ys, ys…]), end() }; its promise never fails.
export async function chart(place, { x, isCount = false, lines, height = 220, yRange = null }) {
  let uPlot;
  try {
    uPlot = await loadCharts();
  } catch {
    place.replaceChildren(h("p", { class: "lead" }, "Charts need uPlot. With Node.js installed, run: ", h("code", {}, "tinyml data download uplot")));
    return { set() {}, end() {} };
  }
  const shown = (_, value) => (value == null ? "" : isCount && Number.isInteger(value) ? String(value) : value.toPrecision(3));
  const axis = () => ({ stroke: () => ink("--muted"), grid: { stroke: () => ink("--edge"), width: 1 }, ticks: { stroke: () => ink("--edge"), width: 1 } });
  const plot = new uPlot(
    {
      width: place.clientWidth || 600,
      height,
      scales: { x: { time: false }, y: yRange ? { range: yRange } : {} },
      axes: [{ ...axis(), ...(isCount ? { incrs: WHOLE } : {}) }, axis()],
      series: [
        { label: x, value: shown },
        ...lines.map((line, i) => ({
          label: line.label,
          value: shown,
          stroke: () => ink(`--c${line.colour ?? i % 8}`),
          width: 2,
          dash: line.dashed ? [6, 4] : undefined,
          points: { show: (u) => u.data[0].length < 2 },
        })),
      ],
    },
    [[], ...lines.map(() => [])],
    place,
  );
  const resize = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height }));
  resize.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => plot.redraw(false);
  scheme.addEventListener("change", redraw);
  return {
    set: (data) => plot.setData(data),
    end() {
      resize.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.destroy();
    },
  };
}
