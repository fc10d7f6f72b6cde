"""The recipe: every value that `tinyml train claps --set key=value` can change."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.data.splits import Split
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.recipes.base import ClassifierRecipe, ClassifierTraining, RecipeSection, WeightAverage
from tinyml_cli.recipes.kws import ModelRecipe

CLAP = "clap"
LABELS = [SILENCE, UNKNOWN, CLAP]
CLIP_MS = 240
# The window contains a clap for less than 300 ms: no other is counted for so long, and this one not again.
_COUNTING = RecognizerSettings(
    inference_stride_frames=2, average_window_ms=80, suppression_ms=300, minimum_count=2
)


class SoundRecipe(RecipeSection):
    """How much sound is made up."""

    clips_per_label: int = Field(default=800, ge=20, le=20_000, description="to train on")
    streams: int = Field(default=70, ge=7, le=1000, description="in which `tinyml evaluate` counts claps")

    def clips_of(self, split: Split) -> int:
        """Of each label."""
        return self.clips_per_label if split == "train" else self.clips_per_label // 4


class TrainingRecipe(ClassifierTraining):
    """Optimisation, with defaults for so small a network."""

    epochs: int = Field(default=20, ge=1, le=10_000)
    batch_size: int = Field(default=32, ge=1, le=4096)
    weight_average: WeightAverage = 0.98


class ClapRecipe(ClassifierRecipe):
    """Clap counting."""

    task: str = "claps"
    sound: SoundRecipe = Field(default_factory=SoundRecipe)
    features: AudioFrontendSettings = Field(default_factory=AudioFrontendSettings)
    model: ModelRecipe = ModelRecipe(name="tiny_conv")
    training: TrainingRecipe = Field(default_factory=TrainingRecipe)
    recognizer: RecognizerSettings = Field(default_factory=_COUNTING.model_copy)

    @property
    def frames(self) -> int:
        """In the window that the model judges."""
        return self.features.frames(CLIP_MS * self.features.sample_rate_hz // 1000)

    @property
    def model_labels(self) -> list[str]:
        """The same in every recipe."""
        return LABELS
