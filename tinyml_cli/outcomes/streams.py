"""What `evaluate-stream` tells of hours of audio."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.base import Count, Interval, Outcome, Share, Whole
from tinyml_cli.outcomes.evaluations import Parity


class AcceptRate(Outcome):
    """Events where none should be."""

    n: Count
    per_hour: float
    ci95: tuple[float, float] = Field(description="of the rate, the exact Poisson interval")
    upper95: float = Field(description="of the rate, one-sided")


class Rejects(Outcome):
    """Words that were missed."""

    n: Count
    of: Count
    rate: Share | None
    ci95: Interval | None


class RejectsInBand(Rejects):
    """Words so far above the background."""

    from_: float | None = Field(alias="from", description="dB; null: no limit")
    to: float | None = Field(description="dB; null: no limit")


class Latency(Outcome):
    """From the end of a word to its report."""

    median: float
    p95: float


class StreamCounts(Outcome):
    """What a recogniser heard in hours of audio."""

    false_accepts: AcceptRate
    false_rejects: Rejects
    repeats: Count
    latency_ms: Latency | None


class RuleWindow(Outcome):
    """Twenty minutes."""

    stream: Count
    start_s: float
    targets: Count
    false_positives: Count
    misses: Count
    passed: bool | None = Field(description="null with too few words")


class StreamRule(Outcome):
    """MLPerf Tiny's rule for streaming wake words, on tinyml's own streams."""

    rule: str
    windows: list[RuleWindow]
    passed: Count
    of: Count


class Allowance(Outcome):
    """Whether the rate is at most what is allowed."""

    max_fa_per_hour: float
    met: bool = Field(description="as counted")
    shown: bool = Field(description="with 95 % confidence")
    upper95: float
    hours_needed: float = Field(description="without any false accept")
    hours_needed_as_is: float = Field(description="without a further one")


class TunedSettings(Outcome):
    """What was chosen of the recogniser."""

    threshold: Share
    average_window_ms: Count
    suppression_ms: Count
    minimum_count: Count


class StreamErrors(Outcome):
    """Errors on validation streams."""

    targets: Count
    misses: Count
    repeats: Count
    false_accepts: Count
    fa_per_hour: float


class StreamTuning(Outcome):
    """The choice of settings by false accepts per hour."""

    before: TunedSettings
    after: TunedSettings
    hours: float
    tried: Count
    validation_before: StreamErrors
    validation: StreamErrors
    allowance: Allowance


class DetPoint(Outcome):
    """Errors at one threshold."""

    threshold: Share
    false_accepts: Count
    fa_per_hour: float
    misses: Count
    frr: Share | None


class DetInBand(Outcome):
    """Words so far above the background, at the thresholds of `det`."""

    from_: float | None = Field(alias="from", description="dB; null: no limit")
    to: float | None = Field(description="dB; null: no limit")
    of: Count
    misses: list[Count]


class FalseAccept(Outcome):
    """One report where nobody said the word."""

    stream: str
    t_s: float
    label: str
    score: float
    said: str | None = Field(
        default=None, description="words in the model's window; empty: none; null: nobody knows"
    )
    scene: str | None = Field(default=None, description="of a built stream")


class StreamFigures(StreamCounts):
    """Over all streams, by word, by scene and by level above the background."""

    hours: float
    words: dict[str, StreamCounts] = Field(description="by word")
    scenes: dict[str, Rejects] = Field(description="by name")
    snr_db: list[RejectsInBand]


class ChoosingMaterial(Outcome):
    """What the streams consist of that an operating point is chosen on."""

    mix: Literal["everyday", "hard"] = Field(
        description="everyday: no word more often than others; hard: two fifths sound like a target"
    )
    targets: Count = Field(description="different clips of the words")
    others: Count = Field(description="different utterances of other words")
    recorded_hours: float = Field(description="of recordings in which nobody says a word")


class OperatingPoint(StreamFigures):
    """A new model at the settings that it got, on the streams of voices that chose them."""

    tuning: StreamTuning
    material: ChoosingMaterial | None = Field(default=None, description="null: chosen before it was recorded")
    applied: bool = Field(description="false: no settings hear half of the words, so the recipe's stay")
    fresh: StreamFigures | None = Field(
        default=None, description="on streams of voices that neither trained nor chose; null: not asked for"
    )


class EvaluatedStream(StreamFigures):
    """Hours of audio, heard as the firmware hears them."""

    run: str = Field(description="path")
    source: Literal["built", "recordings"]
    note: str
    streams: list[str] = Field(description="names")
    recognizer: Whole[RecognizerSettings]
    mlperf_rule: StreamRule
    allowance: Allowance | None
    tuning: StreamTuning | None
    tflm: Parity
    det: list[DetPoint]
    det_snr_db: list[DetInBand] = Field(
        default_factory=list, description="where the level above the background is known"
    )
    false_accept_list: list[FalseAccept]
    triggers: list[str] | None = Field(default=None, description="files, with --save-triggers")
