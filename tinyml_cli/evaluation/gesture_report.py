"""report.html of a wand: what evaluate found, as one file that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.evaluation import report_measures
from tinyml_cli.evaluation.contact_sheet import pixels_uri
from tinyml_cli.evaluation.report_parts import Figures, interval, level, page, percent, section, table
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8

_ENLARGED = 4


def render(name: str, outcome: Figures, manifest: Manifest, pictures: NDArray[np.uint8] | None) -> str:
    """The page as text; equal figures give equal bytes.

    Args:
        name: the run.
        outcome: what `evaluate_gestures` returns.
        manifest: gives hashes and sizes.
        pictures: the strokes uint8 [n, rows, columns, 3], for the worst mistakes; None for raw motion.
    """
    text = (
        f"Measured on a computer {level('host')}: the integer features and the int8 model that the board "
        "runs, take by take."
    )
    sections = [
        report_measures.summary(outcome, "take", text),
        _at_threshold(outcome),
        report_measures.confusion(outcome, "is ↓ taken for →", "Without the threshold."),
        report_measures.curves(outcome),
        report_measures.calibration(outcome),
        report_measures.device(outcome),
        _mistakes(outcome, pictures),
        _origin(manifest),
    ]
    return page("tinyml evaluate", name, outcome["note"], "".join(sections), "evaluation")


def _at_threshold(outcome: Figures) -> str:
    rows = []
    for model, point in outcome["at_threshold"].items():
        cells = [
            f"{percent(point[share])} ({interval(point[limits])})"
            for share, limits in (
                ("accuracy", "ci95"),
                ("false_accepts", "false_accepts_ci95"),
                ("missed", "missed_ci95"),
            )
        ]
        rows.append([escape(model), *cells])
    columns = ["", "right", "unknown taken for a gesture", "gestures not recognised"]
    text = (
        f"A score below {point['threshold']:.2f} counts as unknown, as validation data chose. "
        f"{point['n_gestures']} gestures, {point['n_unknown']} others."
    )
    return section("As the wand answers", table(columns, rows), text)


def _mistakes(outcome: Figures, pictures: NDArray[np.uint8] | None) -> str:
    if not outcome["mistakes"]:
        return section("Worst mistakes", "<p>None.</p>")
    cards = "".join(_mistake(entry, pictures) for entry in outcome["mistakes"])
    time = "" if pictures is None else " Time runs from red over green to blue."
    return section("Worst mistakes", f'<div class="cards">{cards}</div>', "Wrong and sure of it." + time)


def _mistake(entry: dict[str, Any], pictures: NDArray[np.uint8] | None) -> str:
    picture = ""
    if pictures is not None:
        enlarged = pictures[entry["index"]].repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
        picture = f'<img alt="" src="{pixels_uri(enlarged)}">'
    said = f"<b>{escape(entry['label'])}</b> taken for <b>{escape(entry['answer'])}</b>"
    scores = f"{percent(entry['score'])} against {percent(entry['true_score'])}"
    return f'<div class="card">{picture}<p>{said}<br>{scores}</p></div>'


def _origin(manifest: Manifest) -> str:
    rows = [
        [escape(name), str(manifest.artifacts[name].bytes), f"<code>{manifest.artifacts[name].sha256}</code>"]
        for name in (MODEL_FLOAT32, MODEL_INT8)
    ]
    notes = "" if manifest.data is None else "; ".join(manifest.data.notes)
    return section("Origin", table(["file", "bytes", "SHA-256"], rows), escape(notes))
