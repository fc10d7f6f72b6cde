"""What `evaluate` prints of anomaly scores."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome, Share
from tinyml_cli.outcomes.evaluations import Evaluated, OnDevice
from tinyml_cli.outcomes.stages import Threshold


class Separated(Outcome):
    """How well scores tell anomalous from normal."""

    auc: Share | None
    auc_ci95: Interval | None
    accuracy: Share
    accuracy_ci95: Interval
    n_normal: Count
    n_anomalous: Count
    false_positive_rate: Share | None
    false_positive_rate_ci95: Interval | None
    recall: Share | None
    recall_ci95: Interval | None
    precision: Share | None


class SeparatedInt8(Separated):
    """The int8 model's scores."""

    better_than_chance: bool | None = Field(
        default=None, description="whether the AUC's interval is above 0.5; missing without one"
    )


class FaultFigures(Outcome):
    """One kind of fault against all normal windows."""

    fault: str
    n: Count
    auc: Share | None
    auc_ci95: Interval | None
    recall: Share | None
    recall_ci95: Interval | None


class ScoreCurve(Outcome):
    """The share of a condition's windows that reach a score."""

    is_fault: bool
    n: Count
    score: list[float] = Field(description="multiples of the threshold")
    share: list[Share]
    at_threshold: Share


class WorstRecording(Outcome):
    """A recording with many wrong windows."""

    name: str
    condition: str
    n: Count
    share: Share = Field(description="windows that reach the threshold")
    highest: float = Field(description="score, as a multiple of the threshold")


class RecordingsOnDevice(OnDevice):
    """A board's scores of the same windows."""

    path: Literal["samples"]
    recordings: Count
    n: Count
    mismatches: Count = Field(description="windows whose score differs or is missing")


class EvaluatedRecordings(Evaluated):
    """Anomaly detection; `n` counts windows."""

    note: str = Field(description="where the recordings come from")
    recordings: Count
    method: str
    threshold: Threshold
    int8: SeparatedInt8
    float32: Separated
    faults: list[FaultFigures]
    by_recording: Separated = Field(description="by each recording's mean score")
    score_curves: dict[str, ScoreCurve] = Field(description="by condition")
    worst_recordings: list[WorstRecording]
    device: RecordingsOnDevice | None = Field(description="null on the host")


class ScoredFile(Outcome):
    """One file's mean score."""

    file: str
    anomalous: bool
    windows: Count
    score: float


class EvaluatedFiles(Evaluated):
    """An autoencoder without a run, on files of its inputs; `n` counts them."""

    windows: Count
    n_normal: Count
    n_anomalous: Count
    auc: Share
    auc_ci95: Interval
    runtime: str
    files: list[ScoredFile]
