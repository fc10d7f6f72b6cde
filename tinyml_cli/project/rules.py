"""retrain.yaml: when a project trains again, and which data it refuses."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.documents import UnreadableError
from tinyml_cli.drift.compare import KS_DRIFT, PSI_DRIFT
from tinyml_cli.errors import TinymlError
from tinyml_cli.validation import first_problem, refuse_newer
from tinyml_cli.yaml_documents import load_yaml

RULES = "retrain.yaml"
VERSION = 1


class RetrainRules(BaseModel):
    """The rules of a project; the defaults are those of a project without a file."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, strict=True)

    version: int = Field(default=VERSION, ge=1, le=VERSION)
    new_files: int = Field(default=50, ge=1, description="new-data: files added, changed or relabelled")
    age_days: float = Field(default=30.0, gt=0, description="age: days since the champion was added")
    psi: float = Field(default=PSI_DRIFT, gt=0, description="drift: index from which a quantity drifts")
    ks: float = Field(default=KS_DRIFT, gt=0, le=1, description="drift: distance from which it drifts")
    size_distance: float = Field(
        default=0.6, gt=0, le=1, description="data: largest Kolmogorov-Smirnov distance of new files' sizes"
    )
    share_change: float = Field(
        default=0.3, gt=0, le=1, description="data: largest change of a label's share of the files"
    )


def load(path: Path | None) -> RetrainRules:
    """The rules of a file; of `retrain.yaml` in this folder, or the defaults, where none is given.

    Raises:
        TinymlError: it is missing or unreadable, of a newer version, or holds an unknown key or no number.
    """
    place = Path(RULES) if path is None else path
    if path is None and not place.exists():
        return RetrainRules()
    try:
        document = load_yaml(place) or {}
    except UnreadableError as error:
        raise TinymlError(f"Cannot read the rules: {error}", str(place), "Fix the file.") from error
    if isinstance(document, dict):
        refuse_newer("The rules have", document.get("version"), VERSION, place)
    try:
        return RetrainRules.model_validate(document)
    except ValidationError as error:
        problem = first_problem(error, RetrainRules)
        raise TinymlError(
            f"The rules are not valid: {problem.what}", str(place), problem.advice or "Change it."
        ) from error
