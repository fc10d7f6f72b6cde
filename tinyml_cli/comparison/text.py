"""A comparison for people."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.outcomes.comparisons import Compared, ComparedRow


def show(document: Compared) -> None:
    """Quality, then cost; below stands why figures are missing, and what is not alike."""
    rows = document.models
    console.table(
        f"Against {document.reference}; * on the Pareto front",
        ["Model", "", "Quality", "95 % interval", "vs. reference"],
        [_quality(row, document.reference) for row in rows],
    )
    firmware = any(row.instructions is not None for row in rows)
    keys = ["bytes", "gzip_bytes", "macs"]
    heads = ["Model", "Bytes", "gzip", "MACs"]
    if firmware:
        keys += ["flash_bytes", "ram_bytes", "instructions"]
        heads += ["Flash", "RAM", "Instructions"]
    console.table(
        "Cost" + (": flash and RAM linked, instructions emulated" if firmware else ""),
        heads,
        [
            [row.name, *("–" if getattr(row, key) is None else getattr(row, key) for key in keys)]
            for row in rows
        ],
    )
    for row in rows:
        if row.why_not:
            console.info(f"{row.name}: no firmware figures, {row.why_not}.")
    for note in document.notes:
        console.warn(note)


def verdict(row: ComparedRow, reference: str) -> str:
    """How a model differs from the reference, in words."""
    if row.name == reference or row.difference is None:
        return "reference" if row.name == reference else "–"
    points = f"{100 * row.difference:+.1f} points"
    if row.p is None:
        return points
    p = "p < 0.001" if row.p < 0.001 else f"p = {row.p:.3f}"
    return f"{points}, {'within chance' if row.within_chance else 'beyond chance'} ({p})"


def sentence(document: Compared) -> str:
    """What the front holds, and where the picture lies."""
    front = [row.name for row in document.models if row.front]
    lines = [
        f"On the Pareto front: {', '.join(front)}."
        if front
        else "No model has both quality and cost figures."
    ]
    lines += [
        f"{what}: {path}" for what, path in (("Picture", document.picture), ("Page", document.page)) if path
    ]
    return "\n".join(lines)


def _known(value: int | None) -> object:
    return "–" if value is None else value


def _quality(row: ComparedRow, reference: str) -> list[object]:
    value = "–" if row.value is None else f"{row.value:.3f}"
    limits = "–" if row.ci95 is None else "{:.3f}–{:.3f}".format(*row.ci95)
    return [row.name, "*" if row.front else "", value, limits, verdict(row, reference)]
