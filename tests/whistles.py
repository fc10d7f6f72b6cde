"""A run that heard whistles: made once, for every test that needs a trained keyword spotter."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tests.corpus
from tests.corpus import write_corpus
from tests.store import kept, package

SMALL = ("--set", "model.options={stem_filters: 16, blocks: [[32, 2], [32, 1]]}")
_SCHEDULE = (
    "training.epochs=12",
    "training.learning_rate=0.004",
    "training.batch_size=32",
    "augmentation.copies=4",
)
_SETTINGS = [part for value in _SCHEDULE for part in ("--set", value)]


@dataclass(frozen=True)
class WhistleRun:
    """A finished run; copy it before changing it.

    Attributes:
        path: of the run, with exported sources.
        outcomes: the JSON of each of its stages.
    """

    path: Path
    outcomes: dict[str, Any]

    def copy(self, to: Path) -> Path:
        """A copy that a test may spoil."""
        return Path(shutil.copytree(self.path, to))


def corpus() -> Path:
    """Whistles of 40 speakers."""
    ingredients = [Path(tests.corpus.__file__)]
    return kept("whistles", ingredients, lambda folder: write_corpus(folder / "whistles")) / "whistles"


def train(tinyml: Callable[..., Any], run: Path) -> Any:
    """Trains a run; equal calls give equal weights."""
    data = ("--words", "up,down", "--data", corpus(), "--seed", "3")
    return tinyml("train", "kws", *data, *SMALL, *_SETTINGS, "--run", run, "--json", cwd=run.parent).json


def whistle_run(tinyml: Callable[..., Any]) -> WhistleRun:
    """The run of `train`, quantised, converted and exported."""

    def make(home: Path) -> None:
        run = home / "whistles"
        outcomes = {"train": train(tinyml, run)}
        for stage in (("quantize", run, "--samples", "64"), ("convert", run), ("export-c-array", run)):
            outcomes[stage[0]] = tinyml(*stage, "--json", cwd=home).json
        (home / "outcomes.json").write_text(json.dumps(outcomes), encoding="utf-8")

    home = kept("whistle-run", [package(), Path(__file__), corpus()], make)
    return WhistleRun(home / "whistles", json.loads((home / "outcomes.json").read_text(encoding="utf-8")))
