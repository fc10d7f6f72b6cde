"""Sections of report.html about speakers and groups of speakers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tinyml_cli.evaluation.report_parts import Figures, interval, percent, section, table


def _range_bar(share: float, limits: Sequence[float]) -> str:
    low, high = limits
    return (
        f'<span class="range"><i style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></i>'
        f'<b style="left:{100 * share:.1f}%"></b></span>'
    )


def _share_rows(rows: Sequence[Figures]) -> list[list[str]]:
    return [
        [
            escape(row["group"]),
            _range_bar(row["accuracy"], row["ci95"]),
            percent(row["accuracy"]),
            interval(row["ci95"]),
            str(row["n"]),
        ]
        for row in rows
    ]


def speakers(outcome: Figures) -> str:
    """The spread over speakers, and who is understood worst."""
    spread = outcome["speakers"]
    if spread is None:
        return ""
    clips, accuracy = spread["clips_per_speaker"], spread["accuracy"]
    text = (
        f"{spread['n']} speakers with {clips['min']} to {clips['max']} clips (median {clips['median']:g}). "
        f"{percent(spread['perfect'])} of them are always understood, nine in ten at least "
        f"{percent(accuracy['p10'])} of the time. When speakers, not clips, are drawn again, the accuracy on "
        f"speech is {interval(spread['ci95'])} (95 %)."
    )
    columns = ["worst understood", "", "right", "95 %", "n"]
    body = (
        table(columns, _share_rows(spread["worst"]))
        if spread["worst"]
        else "<p>No speaker with mistakes.</p>"
    )
    return section("From speaker to speaker", body, text)


def fairness(outcome: Figures) -> str:
    """A table per attribute of the user's file, and the gap."""
    parts = []
    for entry in outcome["fairness"]:
        text = f"Fewer than two groups have {entry['minimum_n']} clips: no gap can be stated."
        if entry["gap"] is not None:
            low, high = entry["gap_ci95"]
            text = (
                f"Served worst: <b>{escape(entry['worst'])}</b>. The gap to {escape(entry['best'])} is "
                f"{100 * entry['gap']:.1f} points (95 %: {100 * low:.1f} to {100 * high:.1f}), between "
                f"groups of at least {entry['minimum_n']} clips; they were chosen after the fact, so the "
                "interval is too narrow."
            )
        columns = [entry["attribute"], "", "right", "95 %", "n"]
        parts.append(
            f'<h3>{escape(entry["attribute"])}</h3><p class="lead">{text}</p>'
            f"{table(columns, _share_rows(entry['groups']))}"
        )
    return section("Whom it serves worse", "".join(parts)) if parts else ""
