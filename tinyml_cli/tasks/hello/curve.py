"""The sine: the points that a model learns and is judged by, and the period that a board shows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.recipes.hello import HelloRecipe
from tinyml_cli.tflite import interpret

PERIOD = 2 * np.pi
TOLERANCE = 0.05
"""The largest mean error of an int8 model that has learned the sine."""

_FRACTION_BITS = 16
_MOST_PER_STEP = 8_000_000  # times 255 steps, an int32; with so large a scale the light is on or off anyway

Split = Literal["train", "validation", "test"]
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class HelloSettings(BaseModel):
    """What the board has to know: `task_settings` of the manifest."""

    model_config = ConfigDict(extra="forbid")

    points: int = Field(ge=8, le=512, description="of one period")
    point_ms: int = Field(ge=1, le=60_000, description="from one to the next")

    @classmethod
    def of(cls, recipe: HelloRecipe) -> HelloSettings:
        """Those of a recipe."""
        of = recipe.light
        return cls(points=of.points, point_ms=max(1, round(of.period_ms / of.points)))

    def period(self) -> NDArray[np.float32]:
        """x of each point that the board shows, float32 [points]."""
        return (np.arange(self.points) * PERIOD / self.points).astype(np.float32)


def drawn(recipe: HelloRecipe, split: Split) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x and y of random points, float32 [n] each; those of training are noisy. Always the same for a seed."""
    rng = np.random.default_rng([recipe.seed, _SPLITS.index(split)])
    x = rng.uniform(0, PERIOD, getattr(recipe.points, split))
    y = np.sin(x)
    if split != "test":
        y = y + rng.normal(0, recipe.points.noise, len(x))
    return x.astype(np.float32), y.astype(np.float32)


def light_per_step(output: TensorQuantization) -> int:
    """Brightness of one int8 step of y, in 65536ths of 1/255: y from -1 to 1 is brightness from 0 to 255."""
    return min(round(output.scale * 127.5 * (1 << _FRACTION_BITS)), _MOST_PER_STEP)


def brightness(y: NDArray[np.int8], output: TensorQuantization) -> NDArray[np.int64]:
    """Of the light, 0 to 255, for int8 outputs [n]; the firmware's arithmetic."""
    value = (128 << _FRACTION_BITS) + (y.astype(np.int64) - output.zero_point) * light_per_step(output)
    bright: NDArray[np.int64] = np.clip(value >> _FRACTION_BITS, 0, 255)
    return bright


class CurveModel(Int8Model):
    """An int8 flatbuffer of one number in and one out."""

    def inputs(self, features: NDArray[Any]) -> interpret.Int8Array:
        """int8 [n, 1] of x float32 [n]."""
        return interpret.quantize_values(features[:, None], self._source)

    def point(self, x: int, y: int) -> tuple[float, float]:
        """Real values of an input and an output in int8."""
        source, target = self._source, self.output
        return source.scale * (x - source.zero_point), target.scale * (y - target.zero_point)

    def y(self, outputs: interpret.Int8Array) -> NDArray[np.float64]:
        """y float64 [n] of int8 outputs [n, 1]."""
        return self.scores(outputs)[:, 0]
