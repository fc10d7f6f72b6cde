"""The decision of models that tell labels apart: the best label counts if its score reaches a threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.fairness.decision import Decision, Example
from tinyml_cli.fairness.judged import FALSE_ACCEPT, NEVER, RIGHT, WRONG_LABEL, JudgedItems, Thresholds, half
from tinyml_cli.fairness.membership import Membership
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.pages.items import Items
from tinyml_cli.wording import counted

_LEVELS = np.arange(-128, 128)
_LOWEST = 0.001  # a manifest's threshold is above 0

Known = Mapping[str, NDArray[np.str_]]


@dataclass(frozen=True)
class LabelRule:
    """How a task decides.

    Attributes:
        quiet: labels that are no answer: `silence`, `unknown`, the background of images.
        threshold: in the manifest; a score counts from it on.
        set_threshold: writes another one.
        on_the_board: what a board does with it beyond single items, as a sentence.
        stale: see `Decision.stale`.
    """

    quiet: Sequence[str]
    threshold: float
    set_threshold: Callable[[Manifest, float], None]
    on_the_board: str = ""
    stale: Mapping[str, str] = field(default_factory=dict)


def int8_thresholds(output: TensorQuantization, threshold: float) -> Thresholds:
    """All 256 thresholds of int8 scores; values lie half-way below, so that rounding changes no decision."""
    real = output.scale * (_LEVELS - output.zero_point)
    values = np.maximum(np.round(real - output.scale / 2, 4), _LOWEST)
    current = min(int((real < threshold).sum()), len(_LEVELS) - 1)
    values[current] = threshold
    return Thresholds(_LEVELS, values, current)


def judge_labels(
    outputs: NDArray[np.int8],
    truth: NDArray[np.int64],
    labels: Sequence[str],
    quiet: Sequence[str],
    thresholds: Thresholds,
    sources: NDArray[np.str_],
    known: Known | None = None,
) -> JudgedItems:
    """The decisions on items, from int8 outputs [n, labels]."""
    best, names = outputs.argmax(axis=1), np.array(labels, np.str_)
    silent = np.isin(names, list(quiet))
    levels = np.where(silent[best], NEVER, thresholds.levels_of(outputs.max(axis=1).astype(np.int64)))
    outcomes = np.where(silent[truth], FALSE_ACCEPT, np.where(best == truth, RIGHT, WRONG_LABEL))
    return JudgedItems(levels, outcomes, names[truth], names[best], sources, known or {})


class LabelDecision(Decision):
    """Of a `LabelEvaluation`; validation items choose if the run kept them, else every second source's."""

    def __init__(
        self,
        items: Items,
        rule: LabelRule,
        thresholds: Thresholds,
        test: JudgedItems,
        inputs: NDArray[Any],
        validation: JudgedItems | None,
        show: Callable[[int], Example],
        key_of: Callable[[str, Path], str],
    ) -> None:
        self.items, self.thresholds = items, thresholds
        self.on_the_board, self.stale = rule.on_the_board, rule.stale
        self._rule, self._show, self._key_of = rule, show, key_of
        self._held_out, self._inputs, self._rows = test, inputs, np.arange(len(test))
        self._halved = validation is None or not len(validation)
        if validation is not None and not self._halved:
            self.choosing, self.test = validation, test
            self.used = (
                f"Thresholds are chosen on {counted(len(validation), f'validation {items.one}')}, which "
                f"never trained the model; figures are of {counted(len(test), f'test {items.one}')}"
            )
            return
        self._halve(next((kinds for kinds in test.known.values() if any(kinds)), test.truth))

    def _halve(self, kinds: NDArray[np.str_]) -> None:
        """Parts the held-out items, the sources of each kind str [n] evenly."""
        chosen = half(self._held_out.sources, kinds)
        self.choosing, self.test = self._held_out.rows(chosen), self._held_out.rows(~chosen)
        self._rows = np.flatnonzero(~chosen)
        whose = f"those of half the {self.items.groups}" if self.items.groups else "every second one"
        self.used = (
            f"Thresholds are chosen on {len(self.choosing)} of {len(chosen)} held-out {self.items.many}, "
            f"{whose}; figures are of the other {len(self.test)}"
        )

    def groups_of(
        self, tables: Mapping[str, Mapping[str, str]], file: Path, strict: bool = True
    ) -> list[Membership]:
        """Halves have as many people of each group of the first attribute as can be."""
        if self._halved and tables:
            first = tables[next(iter(tables))]
            groups = {self.source_key(name, file.parent): group for name, group in first.items()}
            kinds = [groups.get(str(source), "") for source in self._held_out.sources]
            self._halve(np.array(kinds, np.str_))
        return super().groups_of(tables, file, strict)

    def set_threshold(self, manifest: Manifest, level: int) -> None:
        self._rule.set_threshold(manifest, float(self.thresholds.values[level]))

    def example(self, row: int) -> Example:
        return self._show(int(self._rows[row]))

    def inputs(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        found: NDArray[Any] = self._inputs[self._rows[rows]]
        return found

    def source_key(self, name: str, folder: Path) -> str:
        return self._key_of(name, folder)
