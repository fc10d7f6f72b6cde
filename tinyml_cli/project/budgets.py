"""budgets.yaml: what a project's model may cost and must reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.boards.boards import load_board
from tinyml_cli.documents import UnreadableError, shown
from tinyml_cli.errors import TinymlError
from tinyml_cli.validation import first_problem, refuse_newer
from tinyml_cli.yaml_documents import load_yaml

BUDGETS = "budgets.yaml"
VERSION = 1


def _limit(description: str, **bounds: Any) -> Any:
    return Field(default=None, description=description, **(bounds or {"ge": 0}))


class Budgets(BaseModel):
    """The limits; a key that is left out limits nothing."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, strict=True)

    version: int = Field(default=VERSION, ge=1, le=VERSION)
    board: str = Field(default="sim", description="whose firmware is built and measured")
    parity: bool = Field(default=True, description="the board answers as the reference does, byte by byte")
    flash_bytes: int | None = _limit("of the firmware", gt=0, lt=1 << 63)
    ram_bytes: int | None = _limit("of the firmware", gt=0, lt=1 << 63)
    arena_bytes: int | None = _limit("tensors of the model", gt=0, lt=1 << 63)
    model_bytes: int | None = _limit("of the int8 file", gt=0, lt=1 << 63)
    inference_ms: float | None = _limit("time of an inference")
    energy_uj: float | None = _limit("energy of an inference")
    accuracy: float | None = _limit("of the int8 model, on the test split", ge=0, le=1)
    worst_recall: float | None = _limit("recall of the worst label", ge=0, le=1)
    worst_group: float | None = _limit("accuracy of the worst group of people", ge=0, le=1)
    fairness_gap: float | None = _limit("accuracy, best minus worst group", ge=0, le=1)
    auc: float | None = _limit("area under the ROC curve", ge=0, le=1)
    mean_error: float | None = _limit("distance from a curve")
    false_accepts_per_hour: float | None = _limit("in hours of audio")


def load(path: Path) -> Budgets:
    """The budgets of a file.

    Raises:
        TinymlError: it is missing or unreadable, of a newer version, names an unknown key or board, or a
            budget is no number in its range.
    """
    if not path.exists():
        raise TinymlError(
            "There are no budgets here",
            str(path),
            "Go to the project's folder, give --budgets FILE, or make a project: tinyml init NAME --task kws",
        )
    try:
        document = load_yaml(path)
    except UnreadableError as error:
        raise TinymlError(f"Cannot read the budgets: {error}", str(path), "Fix the file.") from error
    document = {} if document is None else document
    if not isinstance(document, dict):
        raise TinymlError(
            "The budgets are not a mapping of keys to limits", str(path), "For example: accuracy: 0.9"
        )
    refuse_newer("The budgets have", document.get("version"), VERSION, path)
    for key, value in document.items():
        if value is None:
            raise TinymlError(
                f"The budget `{shown(key)}` has no value", str(path), "Write a limit, or remove the line."
            )
    try:
        budgets = Budgets.model_validate(document)
    except ValidationError as error:
        problem = first_problem(error, Budgets)
        advice = problem.advice or "Change it, or remove the line to have no such budget."
        raise TinymlError(f"The budgets are not valid: {problem.what}", str(path), advice) from error
    load_board(budgets.board)
    return budgets
