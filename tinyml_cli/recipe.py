"""The recipe: what to train. One schema and one validator for YAML files and --set options."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.files import configs_dir
from tinyml_cli.manifest import Recognizer, first_problem

RESERVED_LABELS = ("silence", "unknown")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SynthesisRecipe(_Section):
    """Speech made by text-to-speech when no folder of recordings is given."""

    clips_per_word: int = Field(default=500, ge=8, le=20_000)
    unknown_clips: int = Field(default=1000, ge=8, le=50_000)
    engines: list[Literal["espeak", "flite"]] = ["espeak", "flite"]


class RecordedAugmentationRecipe(_Section):
    """What recordings of people are given instead: they bring voices, rooms and noise of their own."""

    speed: tuple[float, float] = (0.9, 1.1)
    equaliser_db: float = Field(default=3.0, ge=0, le=24)
    reverberation_share: float = Field(default=0.1, ge=0, le=1)
    noise_share: float = Field(default=0.25, ge=0, le=1)
    low_pass_share: float = Field(default=0.05, ge=0, le=1)
    spec_masks: int = Field(default=1, ge=0, le=4)


class AugmentationRecipe(_Section):
    """How clips are varied; ranges are uniform, shares are probabilities."""

    copies: int = Field(default=5, ge=1, le=50, description="augmented copies of each clip")
    time_shift_ms: int = Field(default=150, ge=0, le=500)
    speed: tuple[float, float] = (0.85, 1.15)
    gain_db: tuple[float, float] = (-20.0, 6.0)
    equaliser_db: float = Field(default=6.0, ge=0, le=24)
    reverberation_share: float = Field(default=0.5, ge=0, le=1)
    noise_share: float = Field(default=0.8, ge=0, le=1)
    snr_db: tuple[float, float] = (0.0, 30.0)
    low_pass_share: float = Field(default=0.2, ge=0, le=1)
    spec_masks: int = Field(default=2, ge=0, le=4, description="SpecAugment masks on time and on channels")
    recorded: RecordedAugmentationRecipe = Field(default_factory=RecordedAugmentationRecipe)


class ModelRecipe(_Section):
    """The network by name, and its size."""

    name: str = "ds_cnn"
    options: dict[str, Any] = Field(default_factory=dict)


class TrainingRecipe(_Section):
    """Optimisation."""

    epochs: int = Field(default=25, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=4096)
    learning_rate: float = Field(default=2e-3, gt=0, le=1)
    recorded_learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="takes the place of learning_rate for recordings of people"
    )
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    validation_share: float = Field(default=0.15, gt=0, lt=0.5)
    test_share: float = Field(default=0.25, ge=0, lt=0.6, description="speakers never trained or tuned on")


class QuantizationRecipe(_Section):
    """Post-training quantisation."""

    method: str = "ptq"
    calibration_samples: int = Field(default=300, ge=10, le=10_000)


class Recipe(_Section):
    """A resolved recipe: every value that is used, none hidden."""

    task: str = "kws"
    words: list[str] = Field(default_factory=lambda: ["yes", "no"])
    seed: int = Field(default=1, ge=0, le=2**32 - 1)
    clip_ms: int = Field(default=1000, ge=500, le=3000)
    data_path: str | None = None
    silence_share: float = Field(default=0.25, gt=0, lt=1, description="silence clips per clip of all words")
    unknown_share: float = Field(default=1.0, gt=0, le=10, description="unknown clips per clip of one word")
    synthesis: SynthesisRecipe = Field(default_factory=SynthesisRecipe)
    features: AudioFrontendSettings = Field(default_factory=AudioFrontendSettings)
    augmentation: AugmentationRecipe = Field(default_factory=AugmentationRecipe)
    model: ModelRecipe = Field(default_factory=ModelRecipe)
    training: TrainingRecipe = Field(default_factory=TrainingRecipe)
    quantization: QuantizationRecipe = Field(default_factory=QuantizationRecipe)
    recognizer: Recognizer = Field(default_factory=Recognizer)

    @field_validator("words")
    @classmethod
    def _words_are_distinct(cls, words: list[str]) -> list[str]:
        if not words:
            raise ValueError("give at least one word")
        for word in words:
            if word in RESERVED_LABELS:
                raise ValueError(f"`{word}` is a label that every model has already")
            if words.count(word) > 1:
                raise ValueError(f"`{word}` stands there twice")
        return words

    def to_yaml(self) -> str:
        """The recipe as YAML, fields in schema order."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def resolve(task: str, config: Path | None, overrides: list[str], **values: Any) -> Recipe:
    """Builds a recipe: defaults, then the YAML file, then `values` that are not None, then `key=value`s.

    Args:
        task: picks `configs/<task>.yaml` when `config` is None.
        config: a YAML recipe.
        overrides: `dotted.key=value`, the value in YAML syntax.

    Raises:
        TinymlError: unreadable YAML, unknown key, value out of range; the key and file are named.
    """
    path = config or configs_dir() / f"{task}.yaml"
    document = _read(path) if config or path.is_file() else {}
    document["task"] = task
    document.update({key: value for key, value in values.items() if value is not None})
    for override in overrides:
        _apply(document, override)
    return _validate(document, str(path))


def load(path: Path) -> Recipe:
    """Reads the resolved recipe of a run."""
    return _validate(_read(path), str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TinymlError(
            "There is no such recipe", str(path), "Give an existing YAML file to --config."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TinymlError(f"The recipe cannot be read ({error})", str(path), "Mend the YAML.") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise TinymlError(
            "The recipe is not a mapping of keys to values", str(path), "Start from configs/kws.yaml."
        )
    return document


def _apply(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise TinymlError(
            f"`{override}` is not key=value", "--set", "Write for example --set training.epochs=40"
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TinymlError(f"The value of `{key}` cannot be read", "--set", "Quote the value.") from error
    *parents, leaf = key.split(".")
    node = document
    for parent in parents:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise TinymlError(
                f"`{parent}` in `{key}` holds a value, not a section", "--set", "Check the key."
            )
    node[leaf] = value


def _validate(document: dict[str, Any], where: str) -> Recipe:
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        advice = "See configs/kws.yaml for every key and its range."
        if problem["type"] == "extra_forbidden":
            names = _sibling_names(problem["loc"])
            close = difflib.get_close_matches(str(problem["loc"][-1]), names, n=1)
            advice = f"Did you mean `{close[0]}`?" if close else f"Known keys here: {', '.join(names)}."
        raise TinymlError(f"The recipe is not valid ({first_problem(error)})", where, advice) from error


def _sibling_names(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Recipe
    for part in location[:-1]:
        field = model.model_fields.get(str(part)) if isinstance(part, str) else None
        if (
            field is None
            or not isinstance(field.annotation, type)
            or not issubclass(field.annotation, BaseModel)
        ):
            return []
        model = field.annotation
    return list(model.model_fields)
