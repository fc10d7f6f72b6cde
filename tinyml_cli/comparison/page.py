"""compare.html: one file that needs nothing else."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from tinyml_cli.comparison.picture import TITLES, UNITS, panels
from tinyml_cli.comparison.text import verdict
from tinyml_cli.evaluation.report_parts import interval, level, page, percent, section, table
from tinyml_cli.evaluation.svg_chart import Chart, Tick


def render(document: dict[str, Any]) -> str:
    """The page as text; equal figures give equal bytes."""
    rows = document["models"]
    charts = "".join(f"<figure>{_chart(axis, shown)}</figure>" for axis, shown in panels(rows))
    body = [
        section(
            "Quality against cost",
            f'<div class="pair">{charts}</div>' if charts else "<p>No figures.</p>",
            _LEAD,
        ),
        section("The models", _table(rows, document["reference"])),
        section("Two by two", _pairs(document["pairs"]), _TEST),
    ]
    return page("tinyml compare", "Comparison", f"Reference: {document['reference']}", "".join(body))


_LEAD = (
    f"Quality is measured on a computer {level('host')}; flash and RAM are those of the linked firmware "
    f"{level('linked')}; instructions are counted on a virtual Cortex-M4 {level('emulated')}. Orange: no "
    "other model is as good in everything and better in something (the Pareto front)."
)
_TEST = (
    "McNemar's exact test on the items that both models were asked. A p-value of 0.05 or more: the "
    "difference is within chance. Of twenty pairs that do not differ, one looks different by chance."
)


def _table(rows: list[dict[str, Any]], reference: str) -> str:
    columns = [
        "Model",
        "Front",
        "Quality",
        "95 %",
        "Against the reference",
        "Bytes",
        "gzip",
        "MACs",
        "Flash",
        "RAM",
    ]
    cells = []
    for row in rows:
        limits = "–" if row["ci95"] is None else interval(row["ci95"])
        figures = [
            "–" if row[key] is None else f"{row[key]:,}"
            for key in ("bytes", "gzip_bytes", "macs", "flash_bytes", "ram_bytes", "instructions")
        ]
        star = "★" if row["front"] else ""
        first = [escape(row["name"]), star, percent(row["value"]), limits, escape(verdict(row, reference))]
        cells.append(first + figures)
    return table([*columns, "Instructions"], cells)


def _pairs(pairs: list[dict[str, Any]]) -> str:
    if not pairs:
        return "<p>No two models were asked the same items.</p>"
    rows = [
        [
            f"{escape(pair['first'])} / {escape(pair['second'])}",
            str(pair["n"]),
            str(pair["only_first"]),
            str(pair["only_second"]),
            f"{pair['p']:.4f}",
            "within chance" if pair["within_chance"] else "beyond chance",
        ]
        for pair in pairs
    ]
    return table(["Pair", "Items", "Only the first right", "Only the second", "p", ""], rows)


def _chart(axis: str, rows: list[dict[str, Any]]) -> str:
    unit = UNITS[axis]
    lowest = min(min(row["ci95"][0] if row["ci95"] else row["value"] for row in rows), 0.99)
    floor = math.floor(lowest * 10) / 10
    share = [(floor + i * (1 - floor) / 4, f"{100 * (floor + i * (1 - floor) / 4):.0f}") for i in range(5)]
    chart = Chart(
        _ticks(max(row[axis] / unit for row in rows)), share, TITLES[axis], f"{rows[0]['measure']} (%)"
    )
    best = sorted((row[axis] / unit, row["value"]) for row in rows if row["front"])
    if len(best) > 1:
        chart.line(best, "thin c1")
    for row in rows:
        style = "c1" if row["front"] else "c0"
        if row["ci95"]:
            low, high = row["ci95"]
            chart.whisker(row[axis] / unit, low, high, style)
        chart.dot(row[axis] / unit, row["value"], style, f"{row['name']}: {row['value']:.3f}, {row[axis]:,}")
    text = ", ".join(f"{row['name']} {row['value']:.3f} at {row[axis]:,}" for row in rows)
    return chart.render(f"{TITLES[axis]}: {text}")


def _ticks(largest: float) -> list[Tick]:
    """Five round steps from zero to at least the largest value."""
    raw = max(largest, 1e-9) / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    return [(i * step, f"{i * step:g}") for i in range(5)]
