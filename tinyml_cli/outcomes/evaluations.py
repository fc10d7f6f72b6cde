"""What `evaluate` prints of models that tell labels apart, and what every evaluation shares."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from tinyml_cli.outcomes.base import Count, Interval, LeftOut, Outcome, Share


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

    oracle: Literal["tflm", "litert"] = Field("tflm", description="whose bytes firmware is held to")
    compared: Count
    mismatches: Count | None = Field(description="output bytes; null without its wheel")
    max_difference: Count | None = Field(description="in int8 steps")


class RocCurve(Outcome):
    """Receiver operating characteristic of one label against the rest."""

    n_positive: Count
    n_negative: Count
    auc: Share
    equal_error_rate: Share
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
    score: float
    true_score: float


class OnDevice(Outcome):
    """Whose firmware answered."""

    board: str
    engine: str
    level: str = Field(description="host, emulated, modelled or on the board")


class ModelOnDevice(OnDevice):
    """Answers of a board's firmware to inputs of the model."""

    path: Literal["model"]
    n: Count
    instructions_per_inference: Count | None = Field(description="median; null if the board cannot count")
    accuracy: Share
    ci95: Interval
    reference: str
    mismatches: Count = Field(description="examples with different bytes")
    max_difference: Count = Field(description="in int8 steps")


class FalseAlarms(Outcome):
    """Clips without a word in which one was detected."""

    clips: Count
    of: Count
    share: Share | None
    ci95: Interval


class SoundOnDevice(OnDevice):
    """Answers of a board's firmware to sound."""

    path: Literal["audio"]
    n: Count
    heard: dict[str, dict[str, Count]] = Field(description="label -> what was heard, or `nothing` -> clips")
    recall: dict[str, Share | None] = Field(description="by word")
    recall_ci95: dict[str, Interval]
    false_alarms: FalseAlarms


class Evaluated(Outcome):
    """How good a run's models are."""

    run: str = Field(description="path")
    data: str | None = Field(description="null: the run's own test split")
    left_out: LeftOut
    n: Count
    verdict: str = Field(description="in a sentence or two")


class EvaluatedElsewhere(Evaluated):
    """What a task of another package prints: this, and figures of its own."""

    model_config = ConfigDict(extra="allow")


class Measured(Outcome):
    """What follows from two models' answers to labelled examples."""

    float32: Classified
    int8: ClassifiedInt8
    agreement: Share = Field(description="items that both models put into the same class")
    tflm: Parity
    auc: Share | None = Field(description="mean of the curves'")
    curves: dict[str, RocCurve] = Field(description="by label")
    calibration: Calibration | None = Field(description="null if the scores are not probabilities")
    mistakes: list[Mistake]


class EvaluatedLabels(Measured, Evaluated):
    """Of models that tell labels apart."""

    note: str = Field(description="where the items come from")
    labels: list[str]
    device: ModelOnDevice | SoundOnDevice | None = Field(description="null on the host")


class ClipsPerSpeaker(Outcome):
    """How many clips speakers have."""

    min: Count
    median: float
    max: Count


class AccuracySpread(Outcome):
    """Accuracy with one vote per speaker."""

    min: Share
    p10: Share = Field(description="nine in ten reach it")
    median: Share
    mean: Share


class SpeakerGroup(Outcome):
    """One group of people."""

    group: str
    n: Count
    speakers: Count
    correct: Count
    accuracy: Share
    ci95: Interval


class Speakers(Outcome):
    """How accuracy varies between speakers."""

    n: Count
    clips_per_speaker: ClipsPerSpeaker
    accuracy: AccuracySpread
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
    lead_in_s: float = Field(default=0.0, description="seconds of the same noise before each clip")
    n: Count
    points: list[NoisePoint]


class InStream(Outcome):
    """The clips as a board hears them that has been listening for a while."""

    accuracy: Share
    ci95: Interval


class EvaluatedClips(EvaluatedLabels):
    """Keyword spotting."""

    in_stream: InStream | None = Field(
        default=None,
        description="int8 after two seconds of each clip's own background, with a settled noise estimate; "
        "null where the features are not those of a sound",
    )

    groups: Count = Field(description="speakers")
    speakers: Speakers | None
    fairness: list[Fairness]
    noise: Noise | None


class Condition(Outcome):
    """The part of the images under one condition."""

    name: str
    n: Count
    correct: Count
    share: Share
    ci95: Interval
    stops: Count | None = Field(default=None, description="of light that are missing")
    recall: dict[str, Share | None] | None = None
    precision: dict[str, Share | None] | None = None


class EvaluatedImages(EvaluatedLabels):
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


class EvaluatedGestures(EvaluatedLabels):
    """Gestures."""

    at_threshold: dict[Literal["float32", "int8"], AtThreshold]
    device: ModelOnDevice | None = Field(description="null on the host")
