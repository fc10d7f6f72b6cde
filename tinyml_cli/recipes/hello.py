"""The recipe of the first model: a sine, as in TensorFlow Lite Micro's hello_world."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from tinyml_cli.recipes.base import BaseRecipe, LearningRate, RecipeSection


class PointsRecipe(RecipeSection):
    """The points of the sine, drawn at random from one period."""

    train: int = Field(default=1000, ge=50, le=100_000)
    validation: int = Field(default=200, ge=10, le=100_000)
    test: int = Field(default=200, ge=10, le=100_000)
    noise: float = Field(
        default=0.1, ge=0, le=1, description="standard deviation, added to the y of training"
    )


class CurveModelRecipe(RecipeSection):
    """Dense layers with ReLU."""

    hidden: list[Annotated[int, Field(ge=1, le=256)]] = Field(
        default=[16, 16], min_length=1, max_length=6, description="width of each"
    )


class CurveTraining(RecipeSection):
    """Optimisation."""

    epochs: int = Field(default=40, ge=1, le=10_000)
    batch_size: int = Field(default=25, ge=1, le=4096)
    learning_rate: LearningRate = 0.02


class LightRecipe(RecipeSection):
    """How the board shows the curve."""

    points: int = Field(default=128, ge=8, le=512, description="of one period")
    period_ms: int = Field(default=4096, ge=500, le=60_000)


class HelloRecipe(BaseRecipe):
    """A sine."""

    takes_data: ClassVar[bool] = False

    task: str = "hello"
    points: PointsRecipe = Field(default_factory=PointsRecipe)
    model: CurveModelRecipe = Field(default_factory=CurveModelRecipe)
    training: CurveTraining = Field(default_factory=CurveTraining)
    light: LightRecipe = Field(default_factory=LightRecipe)

    @field_validator("data_path")
    @classmethod
    def _has_no_data(cls, path: str | None) -> str | None:
        if path is not None:
            raise ValueError("a sine has no data, its points are calculated: leave data_path out")
        return path
