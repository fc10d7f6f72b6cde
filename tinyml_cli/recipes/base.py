"""Settings shared by the recipes of all tasks."""

from __future__ import annotations

from typing import Annotated, ClassVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"the range begins at {ends[0]:g}, above its end, {ends[1]:g}")
    return ends


Range = Annotated[tuple[float, float], AfterValidator(_rising)]
"""The ends of a uniform draw, the lower one first."""
_Factor = Annotated[float, Field(ge=0.2, le=5)]
FactorRange = Annotated[tuple[_Factor, _Factor], AfterValidator(_rising)]


class Section(BaseModel):
    """A part of a recipe; keys that it does not know are refused.

    Defaults are validated, so that a recipe read back from its own YAML is the same: 30 becomes 30.0 in both.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=True)


class QuantizationRecipe(Section):
    """How the network becomes int8."""

    method: str = "ptq"
    calibration_samples: int = Field(default=300, ge=10, le=10_000)
    ranges: str = Field(default="min-max", description="min-max, percentile, mse or entropy")
    per_channel: bool = Field(default=True, description="a scale for each output channel of a convolution")
    bias_correction: bool = False
    equalise: bool = Field(default=False, description="even out the channels of consecutive layers first")
    epochs: int = Field(default=10, ge=0, le=10_000, description="of training with rounding (qat)")
    learning_rate: float = Field(default=3e-4, gt=0, le=1, description="of training with rounding (qat)")


class BaseRecipe(Section):
    """A resolved recipe: every value that is used, none hidden."""

    data_may_be_file: ClassVar[bool] = False
    """Whether --data may name a file instead of a folder."""

    task: str
    seed: int = Field(default=1, ge=0, le=2**32 - 1)
    data_path: str | None = None
    quantization: QuantizationRecipe = Field(default_factory=QuantizationRecipe)

    @property
    def title(self) -> tuple[str, ...]:
        """What tells a run of this recipe from others of its task, for the name of its folder."""
        return ()

    def to_yaml(self) -> str:
        """The recipe as YAML, fields in schema order."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
