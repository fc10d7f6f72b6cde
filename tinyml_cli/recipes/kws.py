"""The recipe of keyword spotting."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.recipes.base import (
    ClassifierRecipe,
    ClassifierTraining,
    DecibelRange,
    FactorRange,
    RecipeSection,
    rising,
)
from tinyml_cli.recipes.federation import FederationRecipe

RESERVED_LABELS = ("silence", "unknown")
MAX_WORDS = 10

SpeechEngine = Literal["espeak", "flite", "kokoro"]


def _listed(codes: object) -> object:
    """`de,fr` as a list."""
    return [code.strip() for code in codes.split(",")] if isinstance(codes, str) else codes


class SynthesisRecipe(RecipeSection):
    """Speech made by text-to-speech when no folder of recordings is given."""

    clips_per_word: int = Field(default=500, ge=8, le=20_000)
    unknown_clips: int = Field(default=1000, ge=8, le=50_000)
    engines: list[SpeechEngine] = Field(default=["espeak", "flite"])
    kokoro_share: float = Field(
        default=0.15, gt=0, lt=1, description="share of the clips that Kokoro says where it is listed"
    )
    kokoro_voices: list[str] = Field(default=[], description="those of its voices that speak; none for all")
    language: Annotated[list[str] | None, BeforeValidator(_listed)] = Field(
        default=None, min_length=1, description="codes of the languages spoken; by the words' script, or en"
    )
    pronounce: dict[str, str] = Field(
        default_factory=dict, description="word -> how it is spelt for the voices, [LANGUAGE:]SPELLING"
    )


class RecordedAugmentationRecipe(RecipeSection):
    """What recordings of people are given instead: they bring voices, rooms and noise of their own."""

    synthesis_share: float = Field(
        default=0.0, ge=0, lt=1, description="share of spoken examples that synthetic voices say all the same"
    )

    speed: FactorRange = (0.9, 1.1)
    equaliser_db: float = Field(default=3.0, ge=0, le=24)
    reverberation_share: float = Field(default=0.1, ge=0, le=1)
    noise_share: float = Field(default=0.25, ge=0, le=1)
    low_pass_share: float = Field(default=0.05, ge=0, le=1)
    spec_masks: int = Field(default=1, ge=0, le=4)


_Second = Annotated[float, Field(ge=0, le=10)]
Seconds = Annotated[tuple[_Second, _Second], AfterValidator(rising)]


class LeadInRecipe(RecipeSection):
    """What is heard before an example, so that the front end's noise estimate is that of a stream."""

    seconds: Seconds = (0.3, 3.0)
    cold_share: float = Field(
        default=1.0, ge=0, le=1, description="share of examples without, as after a reset; 1 for none with it"
    )
    speech_share: float = Field(default=0.3, ge=0, le=1, description="share with another word in it")


class AugmentationRecipe(RecipeSection):
    """How clips are varied; ranges are uniform, shares are probabilities."""

    copies: int = Field(default=5, ge=1, le=50, description="augmented copies of each clip in an epoch")
    renewed_share: float = Field(
        default=0.1, ge=0, le=1, description="share of the copies that are made anew for every epoch"
    )
    time_shift_ms: int = Field(default=150, ge=0, le=500)
    speed: FactorRange = (0.85, 1.15)
    gain_db: DecibelRange = (-20.0, 6.0)
    equaliser_db: float = Field(default=6.0, ge=0, le=24)
    reverberation_share: float = Field(default=0.5, ge=0, le=1)
    noise_share: float = Field(default=0.8, ge=0, le=1)
    snr_db: DecibelRange = (0.0, 30.0)
    low_pass_share: float = Field(default=0.2, ge=0, le=1)
    spec_masks: int = Field(default=2, ge=0, le=4, description="SpecAugment masks on time and on channels")
    vocal_tract: float = Field(
        default=0.0, ge=0, le=0.4, description="frequencies are scaled by exp of up to so much either way"
    )
    tempo: float = Field(default=0.0, ge=0, le=0.4, description="time is scaled likewise, frequencies stay")
    mixup: float = Field(default=0.0, ge=0, le=2, description="alpha of mixup; 0 mixes none")
    lead_in: LeadInRecipe = Field(default_factory=LeadInRecipe)
    recorded: RecordedAugmentationRecipe = Field(default_factory=RecordedAugmentationRecipe)


class RecordingsRecipe(RecipeSection):
    """A few own recordings, mixed into synthetic or public data."""

    path: str | None = None
    clip_weight: float = Field(
        default=20.0,
        gt=0,
        le=1000,
        description="an own clip is drawn at most so many times as often as others",
    )
    most_share: float = Field(
        default=0.5, gt=0, lt=1, description="own clips give at most this share of a label's examples"
    )


class ModelRecipe(RecipeSection):
    """The network by name, and its size."""

    name: str = "ds_cnn"
    options: dict[str, Any] = Field(default_factory=dict)


class HardNegativesRecipe(RecipeSection):
    """What the half-trained model takes for a word although it is none goes back in more often."""

    share: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        description="share of silence and unknown examples; 0 seeks none",
    )
    after: float = Field(default=0.5, gt=0, lt=1, description="share of the epochs after which it is sought")
    threshold: float = Field(default=0.3, gt=0, lt=1, description="score of a word from which it counts")
    limit: int = Field(default=500, ge=1, le=100_000, description="at most so many of each label")


class StreamsRecipe(RecipeSection):
    """Hours of speech and noise from which examples are cut anywhere; with synthetic speech alone."""

    hours: float = Field(default=0.0, ge=0, le=100, description="to train by; 0 for none")
    speech: int = Field(
        default=10_000, ge=0, le=50_000, description="utterances of other words, beside those of `synthesis`"
    )
    recordings: str | None = Field(
        default=None, description="a folder of sound in which nobody says the words, to train and choose by"
    )
    recorded_hours: float = Field(default=20.0, gt=0, le=200, description="at most so many of them")
    kokoro_speech: int = Field(
        default=0, ge=0, le=50_000, description="the same by Kokoro where `synthesis` lists it"
    )
    other_share: float = Field(
        default=2.0, ge=0, le=20, description="windows of no word per clip example of unknown and silence"
    )
    word_share: float = Field(
        default=0.3, ge=0, le=20, description="windows of it per clip example of a word"
    )
    hard_share: float = Field(
        default=0.4,
        ge=0,
        le=0.9,
        description="share of the windows of no word that the half-trained model takes for one; 0 seeks none",
    )


class OperatingPointRecipe(RecipeSection):
    """How epoch and recogniser's settings are chosen for a new model; with synthetic speech alone."""

    hours: float = Field(
        default=0.0, ge=0, le=100, description="of streams by voices that never train; 0 chooses neither"
    )
    max_fa_per_hour: float = Field(default=0.5, gt=0, le=1000, description="false accepts allowed there")
    fresh_hours: float = Field(
        default=0.0, ge=0, le=100, description="of voices that chose nothing either, to judge the settings by"
    )


class DistillationRecipe(RecipeSection):
    """Learning from larger models that were trained before."""

    teachers: list[str] = Field(default_factory=list, description="run directories; the mean of them")
    share: float = Field(default=0.7, ge=0, le=1, description="the teachers' share of the targets")
    temperature: float = Field(default=1.0, gt=0, le=20, description="above 1 softens the teachers' scores")


class KwsTraining(ClassifierTraining):
    """Optimisation."""

    epochs: int = Field(default=25, ge=1, le=10_000)
    recorded_learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="takes the place of learning_rate for recordings of people"
    )
    balance_scores: bool = Field(
        default=True, description="take back from the scores how often each label was shown"
    )
    validation_share: float = Field(default=0.15, gt=0, lt=0.5)
    test_share: float = Field(default=0.25, ge=0, lt=0.6, description="speakers never trained or tuned on")


class KwsRecipe(ClassifierRecipe):
    """Keyword spotting."""

    task: str = "kws"
    words: list[str] = Field(default_factory=lambda: ["yes", "no"])
    clip_ms: int = Field(default=1000, ge=500, le=3000)
    silence_share: float = Field(default=0.25, gt=0, lt=1, description="silence clips per clip of all words")
    unknown_share: float = Field(default=1.0, gt=0, le=10, description="unknown clips per clip of one word")
    synthesis: SynthesisRecipe = Field(default_factory=SynthesisRecipe)
    features: AudioFrontendSettings = Field(default_factory=AudioFrontendSettings)
    augmentation: AugmentationRecipe = Field(default_factory=AugmentationRecipe)
    recordings: RecordingsRecipe = Field(default_factory=RecordingsRecipe)
    model: ModelRecipe = Field(default_factory=ModelRecipe)
    hard_negatives: HardNegativesRecipe = Field(default_factory=HardNegativesRecipe)
    streams: StreamsRecipe = Field(default_factory=StreamsRecipe)
    operating_point: OperatingPointRecipe = Field(default_factory=OperatingPointRecipe)
    distillation: DistillationRecipe = Field(default_factory=DistillationRecipe)
    training: KwsTraining = Field(default_factory=KwsTraining)
    federation: FederationRecipe | None = Field(default=None, description="null: the data are in one place")
    recognizer: RecognizerSettings = Field(default_factory=RecognizerSettings)

    @field_validator("words")
    @classmethod
    def _words_are_distinct(cls, words: list[str]) -> list[str]:
        if not words:
            raise ValueError("give at least one word")
        if len(words) > MAX_WORDS:
            raise ValueError(f"too many words ({len(words)}); the maximum is {MAX_WORDS}")
        for word in words:
            if word in RESERVED_LABELS:
                raise ValueError(f"`{word}` is already a label of every model")
            if words.count(word) > 1:
                raise ValueError(f"`{word}` is listed twice")
        return words

    @property
    def model_labels(self) -> list[str]:
        """The model's outputs in their order."""
        return [*RESERVED_LABELS, *self.words]

    @property
    def clip_samples(self) -> int:
        """Samples of one clip."""
        return self.clip_ms * self.features.sample_rate_hz // 1000

    @property
    def title(self) -> tuple[str, ...]:
        """The words, and whether clients learned them."""
        return (*self.words, *(["federated"] if self.federation else []))
