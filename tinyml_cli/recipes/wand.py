"""The recipe of the magic wand: which gesture a moving hand makes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from tinyml_cli.features.gesture_settings import UNKNOWN, ImuInput
from tinyml_cli.recipes.base import (
    ClassifierRecipe,
    ClassifierTraining,
    LabelSmoothing,
    LearningRate,
    RecipeSection,
    WeightAverage,
    WeightDecay,
)
from tinyml_cli.recipes.series import SeriesRecipe


class StrokeRecipe(RecipeSection):
    """How strokes are drawn where there are no recordings, and varied while training."""

    generated_per_label: int = Field(
        default=500, ge=20, le=20_000, description="strokes of each label, each by a writer of its own"
    )
    rotation_invariant: bool = Field(
        default=False, description="turn every stroke until it begins above its middle, here and on the board"
    )
    rotate_rad: float = Field(default=0.25, ge=0, le=3.2, description="largest turn of the stroke")
    shear: float = Field(default=0.25, ge=0, le=1)
    stretch: float = Field(default=1.25, ge=1, le=2, description="width against height, up to this")
    tremble: float = Field(default=0.03, ge=0, le=0.2, description="of the stroke's size, standard deviation")
    bend: float = Field(default=0.08, ge=0, le=0.5, description="smooth distortion, of the stroke's size")
    cut_share: float = Field(default=0.08, ge=0, le=0.4, description="of points lost at either end, at most")
    time_warp: float = Field(default=0.4, ge=0, le=0.9, description="how unevenly time passes")
    rest_share: float = Field(default=0.45, ge=0, le=1, description="longest rest at either end, of the time")


class ImuAugmentationRecipe(RecipeSection):
    """How motions are varied while training; ranges are uniform."""

    rotate_rad: float = Field(default=0.4, ge=0, le=3.2, description="of the wand in the hand, any axis")
    speed: float = Field(default=1.2, ge=1, le=2, description="quicker or slower by up to this")
    amplitude: float = Field(default=1.25, ge=1, le=3, description="larger or smaller by up to this")
    time_warp: float = Field(default=0.2, ge=0, le=0.9)
    shift_share: float = Field(default=0.1, ge=0, le=0.5, description="of the window")
    accelerometer_bias_mg: float = Field(default=30, ge=0, le=500)
    gyroscope_bias_dps: float = Field(default=3, ge=0, le=50)
    accelerometer_noise_mg: float = Field(default=10, ge=0, le=500)
    gyroscope_noise_dps: float = Field(default=1, ge=0, le=50)


class UnknownRecipe(RecipeSection):
    """Motions that are no gesture of ours."""

    share: float = Field(default=1.5, ge=0, le=20, description="as many examples as of this many labels")
    false_accepts: float = Field(
        default=0.03, gt=0, lt=1, description="of unknown motions, at most, on the validation split"
    )


class WandModelRecipe(RecipeSection):
    """The network by name."""

    name: str | None = Field(default=None, description="stroke_cnn for strokes, motion_conv for imu")
    options: dict[str, Any] = Field(default_factory=dict)


_IMU_EPOCHS = 20


class WandTrainingRecipe(ClassifierTraining):
    """Optimisation."""

    epochs: int = Field(default=50, ge=1, le=10_000, description="by default 20 for input imu")
    epoch_examples: int = Field(
        default=4000, ge=16, le=1_000_000, description="variations that an epoch shows"
    )
    learning_rate: LearningRate = 4e-3
    weight_decay: WeightDecay = 1e-3
    label_smoothing: LabelSmoothing = 0.02
    weight_average: WeightAverage = 0.98
    validation_share: float = Field(default=0.15, gt=0, lt=0.5)
    test_share: float = Field(default=0.2, ge=0, lt=0.6)


class WandRecipe(ClassifierRecipe):
    """The magic wand."""

    data_may_be_file: ClassVar[bool] = True

    task: str = "wand"
    input: Literal["stroke", "imu"] = "stroke"
    labels: list[str] = Field(default_factory=lambda: ["0", "1", "2"])
    stroke: StrokeRecipe = Field(default_factory=StrokeRecipe)
    imu: ImuInput = Field(default_factory=ImuInput)
    data: SeriesRecipe = Field(default_factory=SeriesRecipe)
    augmentation: ImuAugmentationRecipe = Field(default_factory=ImuAugmentationRecipe)
    unknown: UnknownRecipe = Field(default_factory=UnknownRecipe)
    model: WandModelRecipe = Field(default_factory=WandModelRecipe)
    training: WandTrainingRecipe = Field(default_factory=WandTrainingRecipe)

    @model_validator(mode="before")
    @classmethod
    def _windows_need_fewer_epochs(cls, values: Any) -> Any:
        """The few takes that raw motion is learnt from are known by heart after twenty epochs."""
        if not isinstance(values, dict) or not isinstance(values.get("training", {}), dict | None):
            return values
        training = {k: v for k, v in (values.get("training") or {}).items() if (k, v) != ("epochs", None)}
        if values.get("input") == "imu":
            training.setdefault("epochs", _IMU_EPOCHS)
        return {**values, "training": training}

    @field_validator("labels")
    @classmethod
    def _labels_are_distinct(cls, labels: list[str]) -> list[str]:
        for label in labels:
            if not label.strip() or label == UNKNOWN:
                raise ValueError(f"`{label}` is not a valid gesture name")
            if labels.count(label) > 1:
                raise ValueError(f"`{label}` is listed twice")
        if not labels:
            raise ValueError("give at least one gesture, such as 0,1,2")
        return labels

    @property
    def title(self) -> tuple[str, ...]:
        """What is to be recognised."""
        return tuple(self.labels)

    @property
    def model_labels(self) -> list[str]:
        """What the network tells apart."""
        return [UNKNOWN, *self.labels]
