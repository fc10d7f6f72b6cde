"""The recipe of visual wake words: which of a few classes a camera sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from tinyml_cli.features.image_settings import GateRule, ImageInput, Presence
from tinyml_cli.recipes.base import (
    BALANCED,
    ClassifierRecipe,
    ClassifierTraining,
    ClassWeights,
    RecipeSection,
    WeightAverage,
    rising,
)

_Stop = Annotated[float, Field(ge=-8, le=8)]
StopRange = Annotated[tuple[_Stop, _Stop], AfterValidator(rising)]


class ImageAugmentationRecipe(RecipeSection):
    """How images are varied while training; ranges are uniform, shares are probabilities."""

    crop_share: float = Field(
        default=0.75, gt=0.2, le=1, description="the smallest part of a side that is kept"
    )
    stretch: float = Field(
        default=1.1, ge=1, le=2, description="sides are stretched against each other by up to this"
    )
    flip_share: float = Field(default=0.5, ge=0, le=1, description="mirrored left to right")
    exposure_stops: StopRange = (-1.0, 0.5)
    contrast: float = Field(default=0.3, ge=0, le=0.9)
    saturation: float = Field(default=0.4, ge=0, le=1)
    white_balance: float = Field(default=0.1, ge=0, le=0.5)
    blur_share: float = Field(default=0.3, ge=0, le=1)
    noise_share: float = Field(default=0.5, ge=0, le=1)
    noise_steps: float = Field(
        default=8.0, ge=0, le=64, description="largest standard deviation, of 256 steps"
    )
    rgb565_share: float = Field(
        default=0.5, ge=0, le=1, description="colours reduced to the camera's 16 bits"
    )
    mixup: float = Field(default=0.0, ge=0, le=2, description="parameter of the beta distribution; 0 is off")


class ImageModelRecipe(RecipeSection):
    """The network by name, or somebody's trained one."""

    name: str = "mobilenet_v1"
    options: dict[str, Any] = Field(default_factory=dict)
    backbone: str | None = Field(
        default=None, description="a .keras or .h5 file to start from, or `imagenet`"
    )
    frozen_epochs: int = Field(default=3, ge=0, le=1000, description="in which only a new classifier learns")


class ImageTrainingRecipe(ClassifierTraining):
    """Optimisation."""

    epochs: int = Field(default=60, ge=0, le=10_000, description="0 takes the backbone as it is")
    weight_average: WeightAverage = 0.99
    class_weights: ClassWeights = BALANCED
    validation_share: float = Field(default=0.1, gt=0, lt=0.5)
    test_share: float = Field(default=0.2, ge=0, lt=0.6)


class VwwRecipe(ClassifierRecipe):
    """Visual wake words."""

    task: str = "vww"
    always_background: ClassVar[bool] = True
    """Whether the first class is the background where no class is `none`."""
    classes_of_folder: ClassVar[bool] = False
    """Whether a recipe without classes takes those of its data."""

    classes: list[str] = Field(default_factory=lambda: ["none", "person"])
    background: str | None = Field(
        default=None, description="the class of images in which nothing is there; none, if that is a class"
    )
    source: Literal["folder", "procedural"] = Field(
        default="folder", description="of images, without --data; procedural: drawn, for tests of the tool"
    )
    image: ImageInput = Field(default_factory=ImageInput)
    augmentation: ImageAugmentationRecipe = Field(default_factory=ImageAugmentationRecipe)
    model: ImageModelRecipe = Field(default_factory=ImageModelRecipe)
    training: ImageTrainingRecipe = Field(default_factory=ImageTrainingRecipe)
    presence: Presence = Field(default_factory=Presence)
    gate: GateRule = Field(default_factory=GateRule)

    @field_validator("classes")
    @classmethod
    def _classes_are_distinct(cls, classes: list[str]) -> list[str]:
        lowered = [name.lower() for name in classes]
        for name in lowered:
            if not name.strip():
                raise ValueError("a class has no name")
            if lowered.count(name) > 1:
                raise ValueError(f"`{name}` is listed twice")
        if len(classes) < 2 and (classes or not cls.classes_of_folder):
            raise ValueError("give at least two classes, such as person,none")
        # The label that means nobody is the first, whatever the order it was typed in.
        return sorted(classes, key=lambda name: name.lower() != "none")

    @model_validator(mode="after")
    def _background_is_a_class(self) -> Self:
        if self.background is None and self.classes:
            none = [name for name in self.classes if name.lower() == "none"]
            first = self.classes[:1] if self.always_background else []
            self.background = next(iter(none or first), None)
        elif self.classes and self.background not in self.classes:
            raise ValueError(f"background: `{self.background}` is none of {', '.join(self.classes)}")
        return self

    @property
    def model_labels(self) -> list[str]:
        """The classes."""
        return self.classes

    @property
    def title(self) -> tuple[str, ...]:
        """What is looked for."""
        return tuple(name for name in self.classes if name.lower() != "none")


class ImagesRecipe(VwwRecipe):
    """Any number of classes of a folder, all alike; drawn shapes where there is no data."""

    always_background: ClassVar[bool] = False
    classes_of_folder: ClassVar[bool] = True

    task: str = "images"
    classes: list[str] = Field(default_factory=list, description="none given: all folders of the data")
    source: Literal["folder", "procedural"] = Field(
        default="procedural", description="of images, without --data; procedural: drawn shapes"
    )

    @property
    def title(self) -> tuple[str, ...]:
        """The classes, or the data's folder that they come from."""
        folder = () if self.data_path is None else (Path(self.data_path).name,)
        return super().title if self.classes else folder


class MaskRecipe(VwwRecipe):
    """Two classes of a folder by transfer learning, such as faces with and without a mask."""

    task: str = "mask"
    classes: list[str] = Field(default_factory=lambda: ["without_mask", "with_mask"])


IMAGENET = "imagenet"
"""In place of a backbone's file: weights that are downloaded."""
IMAGENET_ALPHAS = {
    "mobilenet_v1": (0.25, 0.5, 0.75, 1.0),
    "mobilenet_v2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
}
"""The networks and widths that Keras has ImageNet weights of, all for colour images."""
_SHORT_NAMES = {"micro": "vww_micro"}


def values_of(
    classes: list[str] | None,
    size: int | None,
    gray: bool | None,
    model: str | None,
    alpha: float | None,
    backbone: str | None,
) -> dict[str, Any]:
    """Options of the command line as values of the recipe; None where not given."""
    is_file = backbone is not None and backbone != IMAGENET
    return {
        "classes": classes,
        "image.size": size,
        "image.colour": None if gray is None else "grey" if gray else "rgb",
        "model.name": None if model is None else _SHORT_NAMES.get(model, model),
        "model.options.alpha": alpha,
        "model.backbone": str(Path(str(backbone)).resolve()) if is_file else backbone,
    }
