"""report.html of anomaly detection, and the figures that only the page has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import registry
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.anomalies import EvaluatedRecordings, ScoreCurve, WorstRecording
from tinyml_cli.pages import charts, report
from tinyml_cli.tasks.anomaly.judged import JudgedWindows

_STEPS = 60
_MOST_RECORDINGS = 12


def render(name: str, outcome: EvaluatedRecordings, manifest: Manifest) -> str:
    """The page as text.

    Args:
        name: the run.
        outcome: what was measured.
        manifest: gives hashes and sizes.
    """
    drawn = {"scores": charts.scores(outcome.score_curves)}
    return report.render(
        "anomaly.html", name, outcome, manifest, registry.task(manifest.task).items(manifest), charts=drawn
    )


def score_curves(judged: JudgedWindows, threshold: int) -> dict[str, ScoreCurve]:
    """For each condition, normal running first, the share of windows that reach each of some scores.

    Scores are multiples of the threshold, ascending.
    """
    conditions = judged.conditions
    ratios = np.maximum(judged.scores, 1) / max(threshold, 1)
    return {
        str(name): _curve(is_fault, np.sort(ratios[conditions == name]))
        for is_fault in (False, True)
        for name in sorted(set(conditions[judged.is_fault == is_fault]))
    }


def _curve(is_fault: bool, ratios: NDArray[np.float64]) -> ScoreCurve:
    """The lowest score, which all reach, and quantiles; one above the highest score reaches none."""
    at = np.unique(np.linspace(0, len(ratios) - 1, min(len(ratios), _STEPS)).astype(np.int64))
    score = [*ratios[at].tolist(), float(ratios[-1])]
    return ScoreCurve(
        is_fault=is_fault,
        n=len(ratios),
        score=score,
        share=[*(1 - at / len(ratios)).tolist(), 0.0],
        at_threshold=float((ratios >= 1).mean()),
    )


def worst_recordings(judged: JudgedWindows, threshold: int) -> list[WorstRecording]:
    """The recordings with the largest share of wrong windows first, twelve at most."""
    rows = []
    for index in np.unique(judged.recording):
        scores, recording = judged.scores[judged.recording == index], judged.recordings[index]
        share = float((scores >= threshold).mean())
        row = WorstRecording(
            name="/".join(Path(recording.name).parts[-2:]),
            condition=recording.condition,
            n=len(scores),
            share=share,
            highest=float(scores.max() / max(threshold, 1)),
        )
        rows.append((-share if recording.is_normal else share - 1, row))
    rows.sort(key=lambda entry: (entry[0], entry[1].name))
    return [row for _, row in rows[:_MOST_RECORDINGS]]
