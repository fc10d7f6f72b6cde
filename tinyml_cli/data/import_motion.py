"""Edge Impulse's data acquisition format (JSON): motion becomes a table, sound becomes samples."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_AUDIO = "audio"


@dataclass(frozen=True)
class Acquisition:
    """One recording.

    Attributes:
        sensors: names of the columns.
        values: float64 [samples, sensors], in the file's units.
        interval_ms: between two samples.
    """

    sensors: tuple[str, ...]
    values: NDArray[np.float64]
    interval_ms: float

    @property
    def is_audio(self) -> bool:
        """Whether it is sound, int16 in its one column."""
        return self.sensors == (_AUDIO,)


def read_acquisition(path: Path) -> Acquisition:
    """Reads a recording.

    Raises:
        ValueError: another format, holes, or values that are no numbers; the text says which.
    """
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))["payload"]
        sensors = tuple(str(sensor["name"]) for sensor in payload["sensors"])
        interval_ms = float(payload["interval_ms"])
        values = np.array(payload["values"], np.float64)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"it is no recording in Edge Impulse's format ({type(error).__name__})") from error
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != len(sensors) or len(values) == 0:
        raise ValueError("its rows have another length than its list of sensors, or there are none")
    if not np.isfinite(values).all() or not 0 < interval_ms < 1e6:
        raise ValueError("it holds values that are no numbers")
    return Acquisition(sensors, values, interval_ms)


def as_csv(recording: Acquisition) -> str:
    """A header `t_ms,SENSOR,…` and a row for each sample."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["t_ms", *recording.sensors])
    for index, row in enumerate(recording.values):
        writer.writerow([f"{index * recording.interval_ms:.3f}", *(f"{value:.6g}" for value in row)])
    return text.getvalue()
