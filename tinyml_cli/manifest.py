"""The manifest: a record of what was made. One versioned document per run, validated on every read."""

from __future__ import annotations

import contextlib
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PureWindowsPath
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tinyml_cli import __version__, registry
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import UPGRADE, TinymlError
from tinyml_cli.features.anomaly_settings import AnomalyInput
from tinyml_cli.features.drift_settings import DriftWatch, Reference
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image_settings import GateRule, ImageInput, Presence
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest_migration import SCHEMA_VERSION, migrated
from tinyml_cli.manifest_sections import (
    Artifact,
    Count,
    Data,
    Epochs,
    ManifestSection,
    Model,
    Op,
    Quantization,
    RecognizerSettings,
    Taught,
)
from tinyml_cli.user_text import is_printable
from tinyml_cli.validation import first_problem

MODEL_TASK = "model"
"""`Manifest.task` of a run that knows nothing but its model."""
MAX_BYTES = 16 << 20
_OF_SOUND = {"clip_ms", "recognizer"}
"""Fields that mean nothing where there are no `features`."""

S = TypeVar("S", bound=BaseModel)


class TrainingFigures(BaseModel):
    """What `train` left in metrics; the figures of a third party's task may be others."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    seconds: float | None = Field(default=None, ge=0)
    energy_j: float | None = Field(default=None, ge=0, description="of the processors; None: not known")
    energy_source: str = Field(default="RAPL", description="what counted it: RAPL or codecarbon")
    energy_is_estimated: bool = Field(default=False, description="codecarbon had no counter either")
    epochs: int | None = Field(default=None, ge=0)
    validation_accuracy: float | None = Field(default=None, ge=0, le=1)
    validation_loss: float | None = None


class CompressionFigures(BaseModel):
    """What `prune`, `cluster` and the like left in metrics."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    method: str
    sparsity: float | None = Field(default=None, ge=0, le=1)
    clusters: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        needed = {"prune": "sparsity", "cluster": "clusters"}.get(self.method)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"a step `{self.method}` must say its {needed}")
        return self


class Figures(BaseModel):
    """Entries of metrics that later stages calculate with; those of a third party's task may be others."""

    model_config = ConfigDict(extra="allow")

    train: TrainingFigures = Field(default_factory=TrainingFigures)
    source: dict[str, str] = Field(default_factory=dict, description="path and sha256 of a foreign model")
    compression: list[CompressionFigures] = Field(default_factory=list)


class Build(BaseModel):
    """What `build` left in firmware: sizes, and of what engine and application."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    engine: str | None = None
    flash_bytes: Count | None = None
    ram_bytes: Count | None = None
    arena_bytes: Count | None = None


class Manifest(ManifestSection):
    """Everything later stages need to know; no label, size, scale or threshold stands anywhere else."""

    schema_version: int = SCHEMA_VERSION
    tinyml_version: str = __version__
    task: str
    seed: int = Field(ge=0, le=2**32 - 1)
    labels: list[str] = Field(default_factory=list)
    features: AudioFrontendSettings | None = None
    clip_ms: int = Field(default=1000, ge=1, le=60_000)
    complete: bool = Field(default=True, description="false for a training that was stopped half way")
    epochs: Epochs | None = Field(default=None, description="None where a training has none")
    data: Data | None = None
    model: Model | None = None
    recognizer: RecognizerSettings = Field(default_factory=RecognizerSettings)
    anomaly: AnomalyInput | None = None
    image: ImageInput | None = None
    presence: Presence | None = None
    background: str | None = Field(
        default=None, description="the label of images in which nothing is there; null where no label is"
    )
    gate: GateRule | None = None
    gesture: GestureInput | None = None
    task_settings: dict[str, Any] = Field(
        default_factory=dict, description="what a task of another package keeps, see TaskSpec.settings_schema"
    )
    taught: Taught | None = Field(default=None, description="words of `tinyml teach`; null for trained runs")
    quantization: Quantization | None = None
    reference: Reference | None = None
    drift_watch: DriftWatch | None = Field(
        default=None, description="drift that the board looks for itself, of `tinyml watch-drift`"
    )
    ops: list[Op] = Field(default_factory=list)
    arena_bytes: dict[str, Count] = Field(default_factory=dict, description="engine -> arena")
    exports: dict[str, str] = Field(
        default_factory=dict, description="engine -> what its exported sources were made from, as a hash"
    )
    metrics: dict[str, Any] = Field(default_factory=dict, description="stage -> its measures")
    firmware: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="board -> sizes of its build"
    )
    artifacts: dict[str, Artifact] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _labels_are_those_trained(self) -> Self:
        """Labels edited by hand would give the model's outputs other names than training gave them."""
        for label in self.labels:
            if not label.strip() or not is_printable(label):
                raise ValueError(f"`labels` contains an invalid name: {ascii(label)[:60]}")
            if self.labels.count(label) > 1:
                raise ValueError(f"`labels` lists `{label}` twice")
        if self.background is not None and self.background not in self.labels:
            raise ValueError(f"`background` is `{self.background}`, which is none of the labels")
        counts = self.data.counts if self.data is not None else {}
        for split, found in counts.items():
            if self.labels and found and list(found) != self.labels:
                raise ValueError(
                    f"`labels` are {', '.join(self.labels)}, but the model was trained on {', '.join(found)} "
                    f"(data.counts.{split})"
                )
        return self

    @field_validator("metrics")
    @classmethod
    def _figures_are_figures(cls, metrics: dict[str, Any]) -> dict[str, Any]:
        for stage, figures in metrics.items():
            if not isinstance(figures, dict | list):
                raise ValueError(f"`{stage}` must map names to figures, not {figures!r:.40}")
        _check_entry(Figures, metrics)
        return metrics

    @field_validator("firmware")
    @classmethod
    def _sizes_are_sizes(cls, firmware: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for sizes in firmware.values():
            _check_entry(Build, sizes)
        return firmware

    @model_validator(mode="after")
    def _artifacts_lie_in_the_run(self) -> Self:
        for name in self.artifacts:
            if not name or PureWindowsPath(name).anchor or name[0] == "/" or ".." in re.split(r"[/\\]", name):
                raise ValueError(f"`artifacts` names {ascii(name)[:80]}, which is not a file in the run")
        try:
            TopologicalSorter({name: entry.made_from for name, entry in self.artifacts.items()}).prepare()
        except CycleError as error:
            raise ValueError(f"`artifacts.{error.args[1][0]}` is listed as its own source") from error
        return self

    @property
    def has_task(self) -> bool:
        """Whether it is known what the model's outputs mean."""
        return self.task != MODEL_TASK

    def settings_as(self, schema: type[S]) -> S:
        """`task_settings`, as the task's own class.

        Raises:
            ValueError: they do not fit it.
        """
        _check_entry(schema, self.task_settings)
        return schema.model_validate(self.task_settings)

    def save(self, path: Path) -> None:
        """Writes the manifest as JSON, whole or not at all."""
        unused = _OF_SOUND if self.features is None else None
        write_atomic(path, self.model_dump_json(indent=2, exclude=unused) + "\n")

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Reads and validates a manifest; one of an earlier schema is migrated in memory.

        Raises:
            TinymlError: missing, damaged, or written by a newer tinyml.
        """
        if not path.is_file():
            raise TinymlError(
                "The run has no manifest",
                str(path),
                "Train a model first; `tinyml train --help` lists the tasks.",
            )
        try:
            document = load_json(path, MAX_BYTES)
        except UnreadableError as error:
            if isinstance(error.__cause__, OSError):
                raise TinymlError(
                    f"Cannot read the manifest: {error}", str(path), "Check its permissions and its disk."
                ) from error
            raise _damaged(path, str(error)) from error
        version = document.get("schema_version") if isinstance(document, dict) else None
        if type(version) is not int or version < 1:
            wrong = "is missing" if version is None else "must be a whole number of at least 1"
            raise _damaged(path, f"schema_version {wrong}")
        if version > SCHEMA_VERSION:
            raise TinymlError(
                f"The manifest has schema {version}; tinyml {__version__} reads schemas up to "
                f"{SCHEMA_VERSION}",
                str(path),
                UPGRADE,
            )
        try:
            manifest = cls.model_validate(migrated(document, version))
            manifest._check_task_settings()
        except ValidationError as error:
            raise _damaged(path, first_problem(error, cls).what) from error
        except ValueError as error:
            raise _damaged(path, f"task_settings: {error}") from error
        return manifest

    def _check_task_settings(self) -> None:
        """Asks the task for the class; without its package there is nobody who would use the settings."""
        if self.task_settings:
            with contextlib.suppress(TinymlError):
                self.settings_as(registry.task(self.task).settings_schema)


def _check_entry(model: type[BaseModel], entry: dict[str, Any]) -> None:
    try:
        model.model_validate(entry)
    except ValidationError as error:
        raise ValueError(first_problem(error, model).what) from error


def _damaged(path: Path, why: str) -> TinymlError:
    return TinymlError(
        f"The manifest is damaged ({why})",
        str(path),
        "Run the stage that wrote it again, or restore the file from a backup.",
    )
