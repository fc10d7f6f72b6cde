"""A training's history as a small text chart."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 60, 7
_LEARNT, _HELD = ".", "o"


def draw(history: Sequence[Mapping[str, float]]) -> str:
    """Training (.) and validation (o) by epoch: the accuracy, otherwise the loss. At most 80 columns.

    Args:
        history: the measures of each epoch, see `checkpoint.TrainingProgress`.

    Returns:
        Lines without a trailing newline; empty if there are fewer than two epochs.
    """
    if len(history) < 2:
        return ""
    measure = "accuracy" if "validation_accuracy" in history[0] else "loss"
    curves = [
        (_LEARNT, _squeezed([epoch[measure] for epoch in history])),
        (_HELD, _squeezed([epoch[f"validation_{measure}"] for epoch in history])),
    ]
    values = [value for _, curve in curves for value in curve]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    rows = [[" "] * len(curves[0][1]) for _ in range(_HEIGHT)]
    for mark, curve in curves:
        for column, value in enumerate(curve):
            rows[round((high - value) / span * (_HEIGHT - 1))][column] = mark
    edges = {0: f"{high:.3f}", _HEIGHT - 1: f"{low:.3f}"}
    lines = [f"{edges.get(number, ''):>8} |{''.join(row).rstrip()}" for number, row in enumerate(rows)]
    axis = f"{'':8} +{'-' * len(rows[0])} epoch {len(history)}"
    return "\n".join([f"{'':8}  {measure}: {_LEARNT} training, {_HELD} validation", *lines, axis])


def _squeezed(values: Sequence[float]) -> list[float]:
    """At most _WIDTH values: means of neighbours."""
    width = min(_WIDTH, len(values))
    edges = [round(column * len(values) / width) for column in range(width + 1)]
    parts = [values[start:end] for start, end in itertools.pairwise(edges)]
    return [sum(part) / len(part) for part in parts]
