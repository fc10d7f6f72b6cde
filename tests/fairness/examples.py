"""Decisions on items that were drawn, without any model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyml_cli.evaluation.decisions import int8_thresholds
from tinyml_cli.fairness.decision import Decision, Example
from tinyml_cli.fairness.judged import FALSE_ACCEPT, RIGHT, WRONG_LABEL, JudgedItems
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.pages.items import Items

SOFTMAX = TensorQuantization(scale=1 / 256, zero_point=-128)
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def judged(n: int, seed: int, levels: int = 256, groups: Sequence[str] = ("a", "b", "c")) -> JudgedItems:
    """Items of a model that hears the later groups worse; a tenth belong to nobody."""
    rng = np.random.default_rng(seed)
    outcomes = rng.choice([RIGHT, WRONG_LABEL, FALSE_ACCEPT], n, p=[0.45, 0.15, 0.4])
    group = rng.integers(0, len(groups), n)
    middle = np.where(outcomes == FALSE_ACCEPT, 0.35, 0.7) - 0.06 * group
    drawn = np.floor(rng.normal(middle, 0.2) * levels).astype(np.int64).clip(-1, levels - 1)
    truth = np.where(outcomes == FALSE_ACCEPT, "unknown", rng.choice(["yes", "no"], n))
    other = np.where(truth == "yes", "no", "yes")
    answers = np.where(outcomes == RIGHT, truth, other)
    names = np.where(rng.random(n) < 0.1, "", np.array(groups)[group])
    return JudgedItems(drawn, outcomes, truth, answers, names, {"accent": names})


class DrawnDecision(Decision):
    """Of 300 items to choose on and 400 to report."""

    def __init__(self, groups: Sequence[str] = ("a", "b", "c")) -> None:
        self.thresholds = int8_thresholds(SOFTMAX, 0.7)
        self.choosing, self.test = judged(300, 1, groups=groups), judged(400, 2, groups=groups)
        self.used = "Chosen on 300 drawn clips; figures are of 400 others"
        self.items = Items("clip", "clips", "speakers")

    def set_threshold(self, manifest: Manifest, level: int) -> None: ...

    def example(self, row: int) -> Example:
        return Example(f"{PIXEL}#{row}")

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        drawn = np.random.default_rng(3).integers(-128, 128, (len(self.test), 4, 3))
        return drawn.astype(np.int8)[rows]

    def source_key(self, name: str, folder: Path) -> str:
        return name
