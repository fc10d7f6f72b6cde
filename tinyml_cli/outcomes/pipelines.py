"""What `pipeline` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Outcome
from tinyml_cli.outcomes.evaluations import EvaluatedElsewhere
from tinyml_cli.outcomes.stages import Built, Converted, Exported, Flashed, Quantized, Replayed, Trained


class Skipped(Outcome):
    """A stage that had been done."""

    skipped: Literal[True]


_DONE = '`{"skipped": true}` where it had been done'


class Pipeline(Outcome):
    """All stages in one go."""

    run: str = Field(description="path")
    board: str
    train: Trained | Skipped = Field(description=_DONE)
    quantize: Quantized | Skipped = Field(description=_DONE)
    convert: Converted | Skipped = Field(description=_DONE)
    export: Exported | Skipped = Field(description=_DONE)
    build: Built = Field(description="always in full")
    flash: Flashed | None = Field(default=None, description="of a real board")
    evaluate: EvaluatedElsewhere = Field(description="as `evaluate` prints it, of any task")
    monitor: Replayed
    passed: bool = Field(description="whether the board found at least half of what it should")
    seconds: float
