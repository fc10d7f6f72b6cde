"""tinyml evaluate for anomaly detection: held-out normal recordings against faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.metrics_file import METRICS, write_metrics
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.files import write_atomic
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, RECIPE, Run
from tinyml_cli.statistics.curves import roc_auc
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.anomaly import device, report
from tinyml_cli.tasks.anomaly.judged import JudgedWindows, check_channels
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, MachineRecording, cut_faults
from tinyml_cli.tasks.anomaly.read import read
from tinyml_cli.tasks.anomaly.windows import WindowInput
from tinyml_cli.wording import counted

PICTURE = "report/anomaly.png"
REPORT = "report/report.html"

_MADE_BY = "tinyml evaluate"
# The manifest keeps a short description of the model; report/metrics.json keeps everything.
_NOT_IN_MANIFEST = ("run", "score_curves", "worst_recordings")


def evaluate(
    run: Run, data_dir: Path | None = None, options: EvaluationOptions | None = None
) -> dict[str, Any]:
    """Evaluates both models on held-out recordings, or on another folder.

    Args:
        run: holds both flatbuffers and a threshold.
        data_dir: recordings of the same kind as the training data; the run's own by default.
        options: where the int8 model also runs, and with how many recordings.

    Returns:
        The keys in docs/anomaly.md; also in report/metrics.json, drawn in report/report.html and
        report/anomaly.png.

    Raises:
        TinymlError: nothing to evaluate on, a missing stage, or a board that does not answer.
    """
    options = options or EvaluationOptions()
    manifest = run.manifest()
    model = AnomalyModel(run, manifest)
    threshold = model.settings.threshold
    model.threshold()
    assert threshold is not None
    recordings, left_out = _recordings(run, data_dir)
    judged = judge(model, recordings)
    outcome: dict[str, Any] = {
        "run": str(run.path),
        "data": str(data_dir) if data_dir else None,
        "note": _note(judged, data_dir),
        "left_out": left_out,
        "n": len(judged.scores),
        "recordings": len(judged.recordings),
        "method": model.settings.method,
        "threshold": threshold.model_dump(),
        "int8": measure(judged.scores.astype(np.float64), judged.is_fault, threshold.score),
        "float32": measure(judged.float_scores, judged.is_fault, threshold.float_score),
        "faults": by_fault(judged, threshold.score),
        "by_recording": _by_recording(judged, threshold.score),
        "score_curves": report.score_curves(judged, threshold.score),
        "worst_recordings": report.worst_recordings(judged, threshold.score),
        "device": device.compared(run, options, recordings, judged.scores, judged.recording),
    }
    outcome["verdict"] = verdict(outcome)
    _write(run, outcome, judged, threshold.score)
    _show(outcome)
    return outcome


def judge(model: AnomalyModel, recordings: Sequence[MachineRecording]) -> JudgedWindows:
    """Scores every window of recordings of any condition.

    Raises:
        TinymlError: no window in them, or channels that differ from the model's.
    """
    source = model.source
    check_channels(recordings, source)
    windows = cut_faults(
        FaultRecordings(recordings), source.window_samples, source.stride_samples, source.sample_scale
    )
    if not len(windows):
        raise TinymlError(
            f"No recording is long enough for a window of {counted(source.window_samples, 'sample')}",
            "data",
            "Use longer recordings.",
        )
    features = source.features(windows.samples)
    is_fault = np.array([not recordings[index].is_normal for index in windows.recording])
    return JudgedWindows(
        model.scores(features), model.float_scores(features), is_fault, windows.recording, recordings
    )


def measure(scores: NDArray[np.float64], is_fault: NDArray[np.bool_], threshold: float) -> dict[str, Any]:
    """AUC with its interval, and the measures at the threshold."""
    auc = roc_auc(scores, is_fault)
    alarmed = scores >= threshold
    right = int((alarmed == is_fault).sum())
    n_fault, n_normal = int(is_fault.sum()), int((~is_fault).sum())
    hits, false = int((alarmed & is_fault).sum()), int((alarmed & ~is_fault).sum())
    return {
        "auc": auc,
        "auc_ci95": None if auc is None else auc_interval(auc, n_fault, n_normal),
        "accuracy": right / len(scores),
        "accuracy_ci95": list(wilson_interval(right, len(scores))),
        "n_normal": n_normal,
        "n_anomalous": n_fault,
        "false_positive_rate": false / n_normal if n_normal else None,
        "false_positive_rate_ci95": list(wilson_interval(false, n_normal)) if n_normal else None,
        "recall": hits / n_fault if n_fault else None,
        "recall_ci95": list(wilson_interval(hits, n_fault)) if n_fault else None,
        "precision": hits / (hits + false) if hits + false else None,
    }


def auc_interval(auc: float, n_positive: int, n_negative: int) -> list[float]:
    """95 % interval of an area under the ROC curve, by the normal approximation.

    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic
    (ROC) curve", Radiology 143, 1982.
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
    half = 1.96 * float(np.sqrt(max(variance, 0.0) / (n_positive * n_negative)))
    return [max(0.0, auc - half), min(1.0, auc + half)]


def by_fault(judged: JudgedWindows, threshold: int) -> list[dict[str, Any]]:
    """Each condition that is not normal against all normal windows."""
    conditions = judged.conditions
    rows = []
    for condition in sorted(set(conditions[judged.is_fault])):
        chosen = judged.of((conditions == condition) | ~judged.is_fault)
        measured = measure(chosen.scores.astype(np.float64), chosen.is_fault, threshold)
        rows.append(
            {
                "fault": str(condition),
                "n": measured["n_anomalous"],
                **{key: measured[key] for key in ("auc", "auc_ci95", "recall", "recall_ci95")},
            }
        )
    return rows


def _by_recording(judged: JudgedWindows, threshold: int) -> dict[str, Any]:
    """The mean score of each recording, as used for sound by DCASE and MLPerf Tiny."""
    indices = np.unique(judged.recording)
    means = np.array([judged.scores[judged.recording == index].mean() for index in indices])
    is_fault = np.array([not judged.recordings[index].is_normal for index in indices])
    return measure(means, is_fault, threshold)


def _note(judged: JudgedWindows, data_dir: Path | None) -> str:
    kinds = {True: 0, False: 0}
    for recording in judged.recordings:
        kinds[recording.is_normal] += 1
    origin = "held out by train" if data_dir is None else f"everything in {data_dir.name}"
    return (
        f"{counted(len(judged.scores), 'window')} of {kinds[True]} normal and "
        f"{counted(kinds[False], 'other recording')}: {origin}"
    )


def _recordings(run: Run, data_dir: Path | None) -> tuple[list[MachineRecording], dict[str, int]]:
    """Recordings, and how many files of the folder are not used, by reason."""
    from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out

    if data_dir is None:
        return anomaly_held_out.load(run), {}
    recipe = recipes.load(run.file(RECIPE))
    assert isinstance(recipe, AnomalyRecipe)
    rate_hz = recipe.sound.frontend.sample_rate_hz
    manifest = run.manifest()
    units = {} if manifest.data is None else manifest.data.units
    model_hz = WindowInput.of(manifest).rate_hz
    found = read(data_dir, recipe.normal, recipe.rate_hz, rate_hz, recipe.data, units, model_hz)
    if found.reading:
        console.info(f"Read as {found.reading}")
    inventory.tell(found.left_out)
    return list(found.recordings), inventory.counts(found.left_out)


def _write(run: Run, outcome: dict[str, Any], judged: JudgedWindows, threshold: int) -> None:
    from tinyml_cli.tasks.anomaly.pictures import scores_png

    manifest = run.manifest()
    write_metrics(run, outcome)
    name = run.path.resolve().name
    scores_png(run.file(PICTURE), judged, threshold, name)
    write_atomic(run.file(REPORT), report.render(name, outcome, manifest))
    manifest.metrics["evaluate"] = {k: v for k, v in outcome.items() if k not in _NOT_IN_MANIFEST}
    for name in (METRICS, PICTURE, REPORT):
        run.record(manifest, name, _MADE_BY, [MODEL_FLOAT32, MODEL_INT8])
    run.save(manifest)


def _show(outcome: dict[str, Any]) -> None:
    rows = [[row["fault"], row["n"], row["auc"], f"{row['recall']:.1%}"] for row in outcome["faults"]]
    if rows:
        console.table("Faults at the threshold (int8)", ["fault", "windows", "AUC", "found"], rows)
    console.info(f"Report: {outcome['run']}/{REPORT}")


def verdict(outcome: dict[str, Any]) -> str:
    """An evaluation in a sentence or two."""
    int8, threshold = outcome["int8"], outcome["threshold"]
    false = "" if int8["false_positive_rate"] is None else f"{int8['false_positive_rate']:.2%} false alarms, "
    auc = (
        "no faults in the data"
        if int8["auc"] is None
        else f"AUC {int8['auc']:.4f} ({int8['auc_ci95'][0]:.4f} to {int8['auc_ci95'][1]:.4f}), "
        f"{outcome['float32']['auc']:.4f} in floats"
    )
    device = outcome["device"]
    same = (
        f" On {device['board']} ({device['level']}): {device['mismatches']} of "
        f"{counted(device['n'], 'score')} differ."
        if device
        else ""
    )
    return (
        f"int8: {auc}; at the threshold {int8['accuracy']:.1%} right, {false}n = "
        f"{counted(outcome['n'], 'window')}. The threshold lets {threshold['rate']:.3g} through, "
        f"{threshold['rate_upper']:.3g} at most ({threshold['confidence']:.0%} confidence; wanted: "
        f"{threshold['target']}).{same}"
    )
