"""tinyml evaluate for anomaly detection: held-out normal recordings against faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Evaluation, Split
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.outcomes.anomalies import (
    EvaluatedRecordings,
    FaultFigures,
    RecordingsOnDevice,
    Separated,
    SeparatedInt8,
)
from tinyml_cli.outcomes.stages import Threshold
from tinyml_cli.run import Run
from tinyml_cli.statistics import chance
from tinyml_cli.statistics.curves import auc_interval, roc_auc
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.anomaly import device, report
from tinyml_cli.tasks.anomaly.decision import WindowDecision
from tinyml_cli.tasks.anomaly.judged import JudgedWindows, check_channels
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, MachineRecording, cut_faults
from tinyml_cli.tasks.anomaly.replay import read_as_trained
from tinyml_cli.wording import counted

PICTURE = "report/anomaly.png"

Recordings = tuple[list[MachineRecording], Sequence[LeftOut]]


class AnomalyEvaluation(Evaluation[Recordings, JudgedWindows, EvaluatedRecordings]):
    """By window, by kind of fault and by recording."""

    only_in_metrics = ("score_curves", "worst_recordings")

    def __init__(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> None:
        super().__init__(run, data_dir, split, options)
        self.model = AnomalyModel(run, self.manifest)
        self.model.threshold()
        threshold = self.model.settings.threshold
        assert threshold is not None
        self._threshold = threshold

    def load(self) -> Recordings:
        """Recordings, and the files of the folder that are not used."""
        from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out

        if self.data_dir is None:
            return anomaly_held_out.load(self.run), ()
        found = read_as_trained(self.run, self.manifest, self.data_dir, refused={})
        return list(found.recordings), found.left_out

    def ask(self, items: Recordings) -> JudgedWindows:
        return score_windows(self.model, items[0])

    def measure(self, items: Recordings, found: JudgedWindows) -> EvaluatedRecordings:
        recordings, left_out = items
        threshold, options = self._threshold, self.options
        int8 = separated(found.scores.astype(np.float64), found.is_fault, threshold.score)
        known = {} if int8.auc_ci95 is None else {"better_than_chance": int8.auc_ci95[0] > 0.5}
        exact = separated(found.float_scores, found.is_fault, threshold.float_score)
        board = device.compared(self.run, options, recordings, found.scores, found.recording)
        kept = Threshold(**threshold.model_dump())
        return EvaluatedRecordings(
            run=str(self.run.path),
            data=self.source,
            note=_note(found, self.data_dir) + inventory.explained(left_out, quiet=False),
            left_out=inventory.counts(left_out),
            n=len(found.scores),
            recordings=len(found.recordings),
            method=self.model.settings.method,
            threshold=kept,
            int8=SeparatedInt8.extending(int8, **known),
            float32=exact,
            faults=by_fault(found, threshold.score),
            by_recording=_by_recording(found, threshold.score),
            score_curves=report.score_curves(found, threshold.score),
            worst_recordings=report.worst_recordings(found, threshold.score),
            device=board,
            verdict=_verdict(int8, exact, kept, board, len(found.scores)),
        )

    def decision(self, items: Recordings, found: JudgedWindows | None = None) -> WindowDecision:
        scores = None if found is None else found.scores
        own = self.data_dir is None
        return WindowDecision(self.run, self.manifest, self.model, items[0], scores, own)

    def draw(self, outcome: EvaluatedRecordings, items: Recordings, found: JudgedWindows) -> Sequence[str]:
        from tinyml_cli.tasks.anomaly.pictures import scores_png

        scores_png(self.run.file(PICTURE), found, self._threshold.score, self.run.path.resolve().name)
        return (PICTURE,)

    def page(self, outcome: EvaluatedRecordings, items: Recordings) -> str:
        return report.render(self.run.path.resolve().name, outcome, self.run.manifest())

    def show(self, outcome: EvaluatedRecordings) -> None:
        rows = [[row.fault, row.n, row.auc, f"{row.recall:.1%}"] for row in outcome.faults]
        if rows:
            console.table("Faults at the threshold (int8)", ["fault", "windows", "AUC", "found"], rows)

    def warning(self, outcome: EvaluatedRecordings) -> str:
        return chance.warning_of_auc(outcome.int8.auc_ci95)


def score_windows(model: AnomalyModel, recordings: Sequence[MachineRecording]) -> JudgedWindows:
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


def separated(scores: NDArray[np.float64], is_fault: NDArray[np.bool_], threshold: float) -> Separated:
    """AUC with its interval, and the measures at the threshold."""
    auc = roc_auc(scores, is_fault)
    alarmed = scores >= threshold
    right = int((alarmed == is_fault).sum())
    n_fault, n_normal = int(is_fault.sum()), int((~is_fault).sum())
    hits, false = int((alarmed & is_fault).sum()), int((alarmed & ~is_fault).sum())
    return Separated(
        auc=auc,
        auc_ci95=None if auc is None else auc_interval(auc, n_fault, n_normal),
        accuracy=right / len(scores),
        accuracy_ci95=wilson_interval(right, len(scores)),
        n_normal=n_normal,
        n_anomalous=n_fault,
        false_positive_rate=false / n_normal if n_normal else None,
        false_positive_rate_ci95=wilson_interval(false, n_normal) if n_normal else None,
        recall=hits / n_fault if n_fault else None,
        recall_ci95=wilson_interval(hits, n_fault) if n_fault else None,
        precision=hits / (hits + false) if hits + false else None,
    )


def by_fault(judged: JudgedWindows, threshold: int) -> list[FaultFigures]:
    """Each condition that is not normal against all normal windows."""
    conditions = judged.conditions
    rows = []
    for condition in sorted(set(conditions[judged.is_fault])):
        chosen = judged.of((conditions == condition) | ~judged.is_fault)
        measured = separated(chosen.scores.astype(np.float64), chosen.is_fault, threshold)
        rows.append(
            FaultFigures(
                fault=str(condition),
                n=measured.n_anomalous,
                auc=measured.auc,
                auc_ci95=measured.auc_ci95,
                recall=measured.recall,
                recall_ci95=measured.recall_ci95,
            )
        )
    return rows


def _by_recording(judged: JudgedWindows, threshold: int) -> Separated:
    """The mean score of each recording, as used for sound by DCASE and MLPerf Tiny."""
    indices = np.unique(judged.recording)
    means = np.array([judged.scores[judged.recording == index].mean() for index in indices])
    is_fault = np.array([not judged.recordings[index].is_normal for index in indices])
    return separated(means, is_fault, threshold)


def _note(judged: JudgedWindows, data_dir: Path | None) -> str:
    kinds = {True: 0, False: 0}
    for recording in judged.recordings:
        kinds[recording.is_normal] += 1
    origin = "held out by train" if data_dir is None else f"everything in {data_dir.name}"
    return (
        f"{counted(len(judged.scores), 'window')} of {kinds[True]} normal and "
        f"{counted(kinds[False], 'other recording')}: {origin}"
    )


def _verdict(
    int8: Separated, exact: Separated, threshold: Threshold, board: RecordingsOnDevice | None, n: int
) -> str:
    """An evaluation in a sentence or two."""
    false = "" if int8.false_positive_rate is None else f"{int8.false_positive_rate:.2%} false alarms, "
    auc = (
        "no faults in the data"
        if int8.auc is None or int8.auc_ci95 is None
        else f"AUC {int8.auc:.4f} ({int8.auc_ci95[0]:.4f} to {int8.auc_ci95[1]:.4f}), "
        f"{exact.auc:.4f} in floats"
    )
    same = (
        f" On {board.board} ({board.level}): {board.mismatches} of {counted(board.n, 'score')} differ."
        if board
        else ""
    )
    return (
        f"int8: {auc}; at the threshold {int8.accuracy:.1%} right, {false}n = {counted(n, 'window')}. "
        f"The threshold lets {threshold.rate:.3g} through, {threshold.rate_upper:.3g} at most "
        f"({threshold.confidence:.0%} confidence; wanted: {threshold.target}).{same}"
    )
