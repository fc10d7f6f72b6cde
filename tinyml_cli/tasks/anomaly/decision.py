"""Anomaly detection's decision: a window is reported if its score reaches the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import registry
from tinyml_cli.evaluation.embed import features_uri, motion_uri, wav_uri
from tinyml_cli.fairness.decision import Decision, Example
from tinyml_cli.fairness.judged import FALSE_ACCEPT, RIGHT, JudgedItems, Thresholds, half
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly import threshold as thresholds
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, MachineRecording, cut_faults
from tinyml_cli.tasks.anomaly.training import THRESHOLD_SAMPLE
from tinyml_cli.wording import counted

_FAULT, _NORMAL = "fault", "normal"
MOST_WINDOWS = 4000
"""Of those that choose: every score of theirs is a threshold that is tried."""

Scores = NDArray[np.int64]


class WindowDecision(Decision):
    """The normal windows that set the threshold choose, with every second recording of a fault."""

    stale = MappingProxyType({"evaluate": "tinyml evaluate"})
    on_the_board = "A board raises the alarm after several such windows in a row"

    def __init__(
        self,
        run: Run,
        manifest: Manifest,
        model: AnomalyModel,
        recordings: Sequence[MachineRecording],
        scores: Scores | None,
        own: bool,
    ) -> None:
        """Scores int64 [windows] where they are known; `own` recordings are those that the run held out."""
        self._run, self._model = run, model
        source = model.source
        self._windows = cut_faults(
            FaultRecordings(recordings), source.window_samples, source.stride_samples, source.sample_scale
        )
        if scores is None:
            scores = model.scores(source.features(self._windows.samples))
        owner = [recordings[index] for index in self._windows.recording]
        is_fault = np.array([not each.is_normal for each in owner], bool)
        names = np.array([each.name for each in owner], np.str_)
        groups = np.array([each.group for each in owner], np.str_)
        before, sources = self._normal(manifest) if own else (np.empty(0, np.int64), np.empty(0, np.str_))
        chosen = half(names, np.array([each.condition for each in owner], np.str_))
        if own:
            chosen &= is_fault
        chosen_scores = np.concatenate([before, scores[chosen]])
        chosen_faults = np.concatenate([np.zeros(len(before), bool), is_fault[chosen]])
        chosen_groups = np.concatenate([sources, groups[chosen]])
        rows = np.unique(np.linspace(0, len(chosen_scores) - 1, MOST_WINDOWS).astype(np.int64))
        self.thresholds = _thresholds(chosen_scores[rows], model.threshold())
        self.choosing = self._judged(chosen_scores[rows], chosen_faults[rows], chosen_groups[rows])
        self._rows = np.flatnonzero(~chosen)
        self.test = self._judged(scores[self._rows], is_fault[self._rows], groups[self._rows])
        self.items = registry.task(manifest.task).items(manifest)
        faults = f"every second recording of {'a fault' if own else 'each condition'}"
        normal = "normal ones held out for the threshold, and " if own else ""
        self.used = (
            f"Thresholds are chosen on {counted(len(rows), 'window')} ({normal}{faults}); figures are of the "
            f"other {counted(len(self.test), 'held-out window' if own else 'window')}"
        )

    def _normal(self, manifest: Manifest) -> tuple[Scores, NDArray[np.str_]]:
        """Scores of the normal windows kept for the threshold, and their machines; "" where nobody knows."""
        with np.load(self._run.require(manifest, THRESHOLD_SAMPLE)) as archive:
            features = archive["features"]
            sources = archive["sources"] if "sources" in archive else np.full(len(features), "")
        return self._model.scores(features), sources

    def _judged(
        self,
        scores: Scores,
        is_fault: NDArray[np.bool_],
        groups: NDArray[np.str_],
    ) -> JudgedItems:
        return JudgedItems(
            self.thresholds.levels_of(scores),
            np.where(is_fault, RIGHT, FALSE_ACCEPT),
            np.where(is_fault, _FAULT, _NORMAL),
            np.full(len(scores), _FAULT),
            groups,
            {"machine": groups},
        )

    def set_threshold(self, manifest: Manifest, level: int) -> None:
        assert manifest.anomaly is not None
        with np.load(self._run.require(manifest, THRESHOLD_SAMPLE)) as archive:
            features = archive["features"]
        manifest.anomaly.threshold = thresholds.described(
            int(self.thresholds.scores[level]),
            self._model.scores(features),
            self._model.float_scores(features),
            self._model.source.window_s,
            manifest.anomaly.confidence,
            "chosen by `tinyml fairness`",
        )

    def inputs(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        return self._model.inputs(self._model.source.features(self._windows.samples[self._rows[rows]]))

    def example(self, row: int) -> Example:
        source, samples = self._model.source, self._windows.samples[self._rows[[row]]]
        if source.signal is not None:
            return Example(motion_uri(samples[0]))
        frames = source.features(samples).reshape(-1, source.values_per_step)
        sound = wav_uri(samples[0, :, 0], round(source.rate_hz))
        return Example(features_uri(np.clip(frames, 0, 65535).astype(np.uint16)), sound)


def _thresholds(scores: Scores, current: int) -> Thresholds:
    """Every score: a threshold between two of them decides as the upper one does."""
    found = np.unique(np.append(scores, current))
    return Thresholds(found, found.astype(np.float64), int(np.searchsorted(found, current)), "anomaly score")
