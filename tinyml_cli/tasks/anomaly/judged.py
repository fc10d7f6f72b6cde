"""What scores are of: windows of recordings, and one recording window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.anomaly.pool import MachineRecording
from tinyml_cli.tasks.anomaly.windows import WindowInput


@dataclass(frozen=True)
class JudgedWindows:
    """Scores of windows, and what they are of.

    Attributes:
        scores: int64 [n], of the int8 model.
        float_scores: float64 [n].
        is_fault: bool [n].
        recording: int64 [n], index into `recordings`.
        recordings: all of them.
    """

    scores: NDArray[np.int64]
    float_scores: NDArray[np.float64]
    is_fault: NDArray[np.bool_]
    recording: NDArray[np.int64]
    recordings: Sequence[MachineRecording]

    @property
    def conditions(self) -> NDArray[np.str_]:
        """str [n], what the machine was doing in each window."""
        return np.array([self.recordings[index].condition for index in self.recording])

    def of(self, conditions: NDArray[np.bool_]) -> JudgedWindows:
        """The windows that are chosen."""
        return JudgedWindows(
            self.scores[conditions],
            self.float_scores[conditions],
            self.is_fault[conditions],
            self.recording[conditions],
            self.recordings,
        )


@dataclass(frozen=True)
class Grid:
    """Errors laid out as people think of them.

    Attributes:
        errors: float64 [rows, columns].
        rows: channels, or bands of sound.
        columns: parts of the spectrum, or steps of time.
    """

    errors: NDArray[np.float64]
    rows: list[str]
    columns: list[str]


@dataclass(frozen=True)
class Explained:
    """A recording, window by window.

    Attributes:
        t_ms: int [n], the end of each window.
        scores: int64 [n].
        worst: index of the window with the highest score.
        grid: its errors.
    """

    t_ms: list[int]
    scores: NDArray[np.int64]
    worst: int
    grid: Grid


def check_channels(recordings: Sequence[MachineRecording], source: WindowInput) -> None:
    """Refuses recordings of another kind or rate than the model's.

    Raises:
        TinymlError: other channels or another rate.
    """
    wanted = len(source.signal.channels) if source.signal is not None else 1
    for each in recordings:
        if each.samples.shape[1] != wanted:
            raise TinymlError(
                f"The recording has {each.samples.shape[1]} channels, but the model needs {wanted}",
                each.name,
                "Use data of the kind the run was trained on.",
            )
        if abs(each.rate_hz - source.rate_hz) > 0.01 * source.rate_hz:
            raise TinymlError(
                f"The recording has {each.rate_hz:.4g} samples per second, the model {source.rate_hz:.4g}",
                each.name,
                "Resample it, or train on data of that rate.",
            )
