"""Settings shared by the recipes of all tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    model_validator,
)

from tinyml_cli.documents import shown


def rising(ends: tuple[float, float]) -> tuple[float, float]:
    """The ends of a range, the lower one first; ValueError if they fall."""
    if ends[0] > ends[1]:
        raise ValueError(f"the range begins at {ends[0]:g}, above its end, {ends[1]:g}")
    return ends


# Further out, nothing is left of the signal or of the noise.
_Decibel = Annotated[float, Field(ge=-100, le=100)]
DecibelRange = Annotated[tuple[_Decibel, _Decibel], AfterValidator(rising)]
"""The ends of a uniform draw, the lower one first."""
_Factor = Annotated[float, Field(ge=0.2, le=5)]
FactorRange = Annotated[tuple[_Factor, _Factor], AfterValidator(rising)]


class RecipeSection(BaseModel):
    """A part of a recipe; keys that it does not know are refused.

    Defaults are validated, so that a recipe read back from its own YAML is the same: 30 becomes 30.0 in both.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=True)

    renamed: ClassVar[Mapping[str, str]] = {}
    """Key of an older version -> its name now. Recipes of runs are migrated, others refused."""


class QuantizationRecipe(RecipeSection):
    """How the network becomes int8."""

    method: str = "ptq"
    calibration_samples: int = Field(default=300, ge=10, le=10_000)
    ranges: str = Field(default="min-max", description="min-max, percentile, mse or entropy")
    per_channel: bool = Field(default=True, description="a scale for each output channel of a convolution")
    bias_correction: bool = False
    equalise: bool = Field(default=False, description="even out the channels of consecutive layers first")
    epochs: int = Field(default=10, ge=0, le=10_000, description="of training with rounding (qat)")
    learning_rate: float = Field(default=3e-4, gt=0, le=1, description="of training with rounding (qat)")


BALANCED: Literal["balanced"] = "balanced"
"""Class weights by which rare labels weigh as much as frequent ones in total."""
_CLASS_WEIGHTS: dict[bool, Any] = {True: BALANCED, False: {}}
"""What `class_weights` of images once was -> what it is."""
_WEIGHTS = TypeAdapter(dict[str, Annotated[float, Field(ge=0, le=100)]])


def _class_weights(value: Any) -> Any:
    """A union's members would each complain; this says which is meant."""
    if isinstance(value, bool):
        raise ValueError(f"write {shown(_CLASS_WEIGHTS[value])}; {shown(value)} is of an older version")
    if isinstance(value, str):
        if value != BALANCED:
            raise ValueError(
                f"`{shown(value)}` is neither `{BALANCED}` nor a mapping such as {{unknown: 0.5}}"
            )
        return value
    return _WEIGHTS.validate_python(value)


LearningRate = Annotated[float, Field(gt=0, le=1, description="peak of the cosine")]
LabelSmoothing = Annotated[float, Field(ge=0, lt=1)]
WeightDecay = Annotated[float, Field(ge=0, le=1, description="AdamW's, per step of rate 1")]
WeightAverage = Annotated[
    float,
    Field(
        ge=0, lt=1, description="decay of the moving average of the weights, kept in their place; 0 for none"
    ),
]
ClassWeights = Annotated[
    Literal["balanced"] | dict[str, float],
    PlainValidator(_class_weights),
    Field(description="label: weight of its loss, else 1; or balanced: all labels weigh the same in total"),
]


class ClassifierTraining(RecipeSection):
    """Optimisation of a classifier: AdamW, a warm-up and a cosine."""

    renamed: ClassVar[Mapping[str, str]] = {"ema": "weight_average"}

    epochs: int = Field(default=50, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=4096)
    learning_rate: LearningRate = 2e-3
    label_smoothing: LabelSmoothing = 0.05
    weight_decay: WeightDecay = 1e-4
    weight_average: WeightAverage = 0.0
    class_weights: ClassWeights = Field(default_factory=dict)


class BaseRecipe(RecipeSection):
    """A resolved recipe: every value that is used, none hidden."""

    takes_data: ClassVar[bool] = True
    """Whether there can be a --data."""
    data_may_be_file: ClassVar[bool] = False
    """Whether --data may name a file instead of a folder."""

    task: str
    seed: int = Field(default=1, ge=0, le=2**32 - 1)
    data_path: str | None = None
    start_from: str | None = Field(
        default=None, description="a model.keras of the same network, whose weights training begins with"
    )
    quantization: QuantizationRecipe = Field(default_factory=QuantizationRecipe)

    @property
    def title(self) -> tuple[str, ...]:
        """What tells a run of this recipe from others of its task, for the name of its folder."""
        return ()

    def to_yaml(self) -> str:
        """The recipe as YAML, fields in schema order."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class ClassifierRecipe(BaseRecipe):
    """The recipe of a network that tells labels apart."""

    training: ClassifierTraining = Field(default_factory=ClassifierTraining)

    @property
    def model_labels(self) -> list[str]:
        """The model's outputs in their order."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _class_weights_are_of_labels(self) -> ClassifierRecipe:
        weights, labels = self.training.class_weights, self.model_labels
        unknown = [] if weights == BALANCED else sorted(set(weights) - set(labels))
        if unknown and labels:  # none yet where the data will tell them
            raise ValueError(f"training.class_weights: unknown label `{unknown[0]}`")
        return self


def migrate(document: dict[str, Any], schema: type[BaseRecipe]) -> dict[str, Any]:
    """The recipe of a run that an older version trained, in the words of this one."""
    training = document.get("training")
    field = schema.model_fields.get("training")
    if not isinstance(training, dict) or field is None or not isinstance(field.annotation, type):
        return document
    names = field.annotation.renamed if issubclass(field.annotation, RecipeSection) else {}
    # A key that is there under both names stays, and is refused.
    training = {key if names.get(key) in training else names.get(key, key): training[key] for key in training}
    if isinstance(weights := training.get("class_weights"), bool):
        training["class_weights"] = _CLASS_WEIGHTS[weights]
    return {**document, "training": training}
