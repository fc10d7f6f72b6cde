"""The output of evaluate for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.console import console
from tinyml_cli.wording import counted

Figures = Mapping[str, Any]


def verdict(outcome: Figures) -> str:
    """The last line."""
    rounded, exact = outcome["int8"], outcome["float32"]
    low, high = rounded["ci95"]
    return (
        f"int8 accuracy {rounded['accuracy']:.3f} (95 % interval {low:.3f}–{high:.3f}, n = {outcome['n']}), "
        f"float32 {exact['accuracy']:.3f}. Report: {outcome['run']}/report/report.html"
    )


def show(outcome: Figures) -> None:
    """Tables of labels, noise and groups, and a board's answers."""
    console.info(outcome["note"])
    _show_labels(outcome)
    if outcome["noise"] is not None:
        _show_noise(outcome["noise"])
    for entry in outcome["fairness"]:
        _show_groups(entry)
    if outcome["device"] is not None:
        _show_device(outcome["device"])


def _show_labels(outcome: Figures) -> None:
    exact, rounded = outcome["float32"], outcome["int8"]
    rows: list[list[object]] = []
    for label, counts in zip(outcome["labels"], rounded["confusion"], strict=True):
        shares = (exact["recall"][label], rounded["recall"][label], rounded["precision"][label])
        curve = outcome["curves"].get(label)
        areas = (None if curve is None else curve["auc"],)
        texts = ["-" if share is None else f"{share:.3f}" for share in shares + areas]
        rows.append([label, sum(counts), *texts, *counts])
    console.table(
        "Recall in float32 and int8, precision, AUC and confusion in int8 (one column per answer)",
        ["Label", "n", "float32", "int8", "precision", "AUC", *outcome["labels"]],
        rows,
    )


def _show_noise(sweep: Figures) -> None:
    rows: list[list[object]] = [
        [
            "no noise" if point["snr_db"] is None else f"{point['snr_db']:g} dB",
            f"{point['accuracy']:.3f}",
            "{:.3f}–{:.3f}".format(*point["ci95"]),
        ]
        for point in sweep["points"]
    ]
    console.table(
        f"In noise ({sweep['noise']}), n = {sweep['n']}", ["Signal to noise", "int8", "95 % interval"], rows
    )


def _show_groups(entry: Figures) -> None:
    rows: list[list[object]] = [
        [
            row["group"],
            row["n"],
            row["speakers"],
            f"{row['accuracy']:.3f}",
            "{:.3f}–{:.3f}".format(*row["ci95"]),
        ]
        for row in entry["groups"]
    ]
    columns = [entry["attribute"], "n", "speakers", "int8", "95 % interval"]
    console.table("By group, worst first", columns, rows)
    if entry["gap"] is not None:
        low, high = entry["gap_ci95"]
        console.info(
            f"Gap between {entry['best']} and {entry['worst']}: {entry['gap']:.3f} "
            f"(95 % {low:.3f} to {high:.3f})."
        )


def _show_device(device: Figures) -> None:
    where = f"{device['board']} ({device['engine']}, {device['level']})"
    if device["path"] == "model":
        console.info(
            f"On {where}: accuracy {device['accuracy']:.3f}, n = {device['n']}; "
            f"{counted(device['mismatches'], 'output')} other than those of {device['reference']} on "
            "this computer."
        )
        return
    words = ", ".join(f"{word} {share:.3f}" for word, share in device["recall"].items() if share is not None)
    alarms = device["false_alarms"]
    console.info(
        f"On {where}, {counted(device['n'], 'clip')} played as audio: recall {words}; a word detected in "
        f"{alarms['clips']} of {counted(alarms['of'], 'other clip')}."
    )
