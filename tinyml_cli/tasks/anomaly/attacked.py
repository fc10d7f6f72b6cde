"""Anomaly detection under attack: faults that look normal, or normal running that raises an alarm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack.surface import AttackSurface, FloatArray, IntArray
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.embed import wav_uri
from tinyml_cli.pages.augmented import Look
from tinyml_cli.tasks.anomaly.evaluate import AnomalyEvaluation
from tinyml_cli.tasks.anomaly.held_out import write_take
from tinyml_cli.tasks.anomaly.judged import check_channels
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, MachineRecording, Windows, cut_faults
from tinyml_cli.tasks.anomaly.replay import read_as_trained

NORMAL, FAULT = "normal", "fault"

_STEEPNESS = 4.0  # of the odds of a fault, by the logarithm of score over threshold


class AttackedWindows(AttackSurface):
    """Windows int16 [n, samples, channels], each judged by the threshold, not by the alarm over several."""

    look: Look = "motion"
    has_slope = False

    def __init__(self, evaluation: AnomalyEvaluation) -> None:
        recordings, _ = evaluation.load()
        self._model, self._manifest, self._run = evaluation.model, evaluation.manifest, evaluation.run
        self._source = self._model.source
        windows = self._cut(recordings, str(evaluation.data_dir or evaluation.run.path))
        is_fault = [not recordings[index].is_normal for index in windows.recording]
        super().__init__(evaluation, (NORMAL, FAULT), windows.samples, np.array(is_fault, np.int64))
        self.unit = np.maximum(windows.samples.std(axis=(0, 1)), 1.0)
        self.suffix = ".wav" if self._source.signal is None else ".csv"

    def _cut(self, recordings: list[MachineRecording], where: str) -> Windows:
        source = self._source
        check_channels(recordings, source)
        windows = cut_faults(
            FaultRecordings(recordings), source.window_samples, source.stride_samples, source.sample_scale
        )
        if not len(windows):
            raise TinymlError("There is no recording as long as a window", where, "Use longer ones.")
        return windows

    def scores(self, items: npt.NDArray[Any]) -> FloatArray:
        """Of normal and fault: even odds at the threshold."""
        distances = np.maximum(self._model.scores(self._source.features(items)), 1)
        odds = _STEEPNESS * np.log(distances / self._model.threshold())
        fault = 1 / (1 + np.exp(-odds))
        return np.stack([1 - fault, fault], axis=-1)[:, None]

    def reported(self, items: npt.NDArray[Any]) -> IntArray:
        """Whether the score of each window reaches the threshold."""
        reached = self._model.scores(self._source.features(items)) >= self._model.threshold()
        return reached.astype(np.int64)

    def read(self, path: Path) -> npt.NDArray[Any]:
        """The first window of a recording."""
        found = list(read_as_trained(self._run, self._manifest, path).recordings)
        return self._cut(found, str(path)).samples[:1]

    def write(self, path: Path, item: npt.NDArray[Any]) -> None:
        """A WAV of sound, a table of all else."""
        write_take(path, item, self._source)

    def shown(self, item: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return item.astype(np.float64)

    def sound(self, item: npt.NDArray[Any]) -> str:
        return wav_uri(item[:, 0], round(self._source.rate_hz)) if self._source.signal is None else ""
