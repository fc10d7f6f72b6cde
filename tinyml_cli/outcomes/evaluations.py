"""What `evaluate` prints, by what the model takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, LeftOut, Outcome, Share
from tinyml_cli.outcomes.stages import Threshold


class Classified(Outcome):
    """One model's answers."""

    accuracy: Share
    ci95: Interval
    confusion: list[list[Count]] = Field(description="one row per true label, one column per answer")
    recall: dict[str, Share | None] = Field(description="by label; null where it has no example")
    precision: dict[str, Share | None] = Field(description="by label; null where it is no answer")


class ClassifiedInt8(Classified):
    """The int8 model's answers."""

    better_than_chance: bool = Field(description="by a permutation test")


class Parity(Outcome):
    """TensorFlow Lite Micro against LiteRT."""

    compared: Count
    mismatches: Count | None = Field(description="output bytes; null without its wheel")
    max_difference: Count | None = Field(description="in int8 steps")


class RocCurve(Outcome):
    """Receiver operating characteristic of one label against the rest."""

    n_positive: Count
    n_negative: Count
    auc: Share | None
    equal_error_rate: Share | None
    thresholds: list[float | None] = Field(description="the first is null: nothing counts")
    false_positive_rate: list[Share]
    true_positive_rate: list[Share]


class Bin(Outcome):
    """Answers with a confidence between two limits."""

    low: Share
    high: Share
    n: Count
    confidence: Share
    accuracy: Share
    ci95: Interval


class Calibration(Outcome):
    """Whether confidence is accuracy."""

    ece: Share = Field(description="expected calibration error")
    confidence: Share
    accuracy: Share
    bins: list[Bin]


class Mistake(Outcome):
    """A wrong answer, the surest first."""

    index: Count
    label: str
    word: str
    speaker: str = Field(description="who said or moved it; the hash of an image")
    answer: str
    score: Share
    true_score: Share


class ModelOnDevice(Outcome):
    """Answers of a board's firmware to inputs of the model."""

    board: str
    engine: str
    level: str = Field(description="host, emulated or on the board")
    path: Literal["model"]
    n: Count
    instructions_per_inference: Count | None = Field(description="median; null if the board cannot count")
    accuracy: Share
    ci95: Interval
    reference: str
    mismatches: Count = Field(description="examples with different bytes")
    max_difference: Count = Field(description="in int8 steps")


class SoundOnDevice(Outcome):
    """Answers of a board's firmware to sound."""

    board: str
    engine: str
    level: str
    path: Literal["audio"]
    n: Count
    heard: dict[str, dict[str, Count]] = Field(description="label -> what was heard, or `nothing` -> clips")
    recall: dict[str, Share | None] = Field(description="by word")
    recall_ci95: dict[str, Interval]
    false_alarms: dict[str, Count] = Field(description="by label that is none of the words")


class _Evaluated(Outcome):
    run: str = Field(description="path")
    data: str | None = Field(description="null: the run's own test split")
    note: str = Field(description="where the items come from")
    left_out: LeftOut
    n: Count
    labels: list[str]
    float32: Classified
    int8: ClassifiedInt8
    agreement: Share = Field(description="items that both models put into the same class")
    tflm: Parity
    auc: Share | None = Field(description="mean of the curves'")
    curves: dict[str, RocCurve] = Field(description="by label")
    calibration: Calibration
    mistakes: list[Mistake]


class Spread(Outcome):
    """Smallest, middle and largest of something."""

    min: float
    median: float
    max: float | None = None
    p10: float | None = None
    mean: float | None = None


class SpeakerGroup(Outcome):
    """One group of people."""

    group: str
    n: Count
    speakers: Count | None = None
    correct: Count
    accuracy: Share
    ci95: Interval


class Speakers(Outcome):
    """How accuracy varies between speakers."""

    n: Count
    clips_per_speaker: Spread
    accuracy: Spread
    perfect: Share = Field(description="speakers without a mistake")
    ci95: Interval = Field(description="of the mean over speakers, by bootstrap")
    worst: list[SpeakerGroup]


class Fairness(Outcome):
    """Differences between the groups of one attribute."""

    attribute: str
    groups: list[SpeakerGroup]
    minimum_n: Count = Field(description="clips that a group needs to count")
    worst: str | None
    best: str | None
    gap: Share | None
    gap_ci95: Interval | None


class NoisePoint(Outcome):
    """Accuracy at one level of noise."""

    snr_db: float | None = Field(description="null: no noise added")
    n: Count
    accuracy: Share
    ci95: Interval
    recall: dict[str, Share | None]


class Noise(Outcome):
    """Accuracy in noise."""

    noise: str = Field(description="recordings or generated")
    n: Count
    points: list[NoisePoint]


class EvaluatedClips(_Evaluated):
    """Keyword spotting."""

    groups: Count = Field(description="speakers")
    speakers: Speakers | None
    fairness: list[Fairness]
    noise: Noise | None
    device: ModelOnDevice | SoundOnDevice | None = Field(description="null on the host")


class Condition(Outcome):
    """The part of the images under one condition."""

    name: str
    n: Count
    correct: Count
    share: Share
    ci95: Interval
    stops: float | None = Field(default=None, description="of light that are missing")
    recall: dict[str, Share | None] | None = None
    precision: dict[str, Share | None] | None = None


class EvaluatedImages(_Evaluated):
    """Images."""

    sizes: list[Condition] = Field(description="by the largest box's share of the image")
    low_light: list[Condition] = Field(description="simulated")
    device: ModelOnDevice | None = Field(description="null on the host")


class AtThreshold(Outcome):
    """Answers when unknown motions are rejected below a threshold."""

    threshold: Share
    accuracy: Share | None
    ci95: Interval
    false_accepts: Share | None = Field(description="null if no motion is unknown")
    false_accepts_ci95: Interval
    missed: Share | None = Field(description="null if all motions are unknown")
    missed_ci95: Interval
    n_unknown: Count
    n_gestures: Count


class EvaluatedGestures(_Evaluated):
    """Gestures."""

    at_threshold: dict[Literal["float32", "int8"], AtThreshold]
    device: ModelOnDevice | None = Field(description="null on the host")


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
    better_than_chance: bool | None = Field(default=None, description="int8: the AUC's interval is above 0.5")


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


class RecordingsOnDevice(Outcome):
    """A board's scores of the same windows."""

    board: str
    engine: str
    level: str
    path: str
    recordings: Count
    n: Count
    mismatches: Count


class EvaluatedRecordings(Outcome):
    """Anomaly detection."""

    run: str = Field(description="path")
    data: str | None = Field(description="null: the run's held-out recordings")
    note: str = Field(description="where the recordings come from")
    left_out: LeftOut
    n: Count = Field(description="windows")
    recordings: Count
    method: str
    threshold: Threshold
    int8: Separated
    float32: Separated
    faults: list[FaultFigures]
    by_recording: Separated = Field(description="by each recording's mean score")
    score_curves: dict[str, ScoreCurve] = Field(description="by condition")
    worst_recordings: list[WorstRecording]
    device: RecordingsOnDevice | None = Field(description="null on the host")
    verdict: str


class ScoredFile(Outcome):
    """One file's mean score."""

    file: str
    anomalous: bool
    windows: Count
    score: float


class EvaluatedFiles(Outcome):
    """An autoencoder without a run, on files of its inputs."""

    run: str = Field(description="path")
    data: str
    left_out: LeftOut
    n: Count = Field(description="files")
    windows: Count
    n_normal: Count
    n_anomalous: Count
    auc: Share
    auc_ci95: Interval
    runtime: str
    files: list[ScoredFile]
    verdict: str
