"""Checks whether an int8 model still has the zeros and the few values of its training."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.comparisons import Kept, KeptKernel
from tinyml_cli.tflite.graph import Tensor, parse
from tinyml_cli.variants import STEPS
from tinyml_cli.wording import counted

_KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def weights_of(model: bytes, smallest: int) -> list[Tensor]:
    """Constant int8 kernels of at least `smallest` values, in order of execution."""
    graph = parse(model)
    found = [graph.input(op, 1) for op in graph.operators if op.name in _KERNELS]
    return [t for t in found if t is not None and t.data is not None and t.elements >= smallest]


def figures(model: bytes, smallest: int) -> Kept:
    """Zeros and distinct values of the int8 kernels."""
    rows = [
        KeptKernel(
            name=tensor.name,
            weights=tensor.elements,
            zeros_share=round(float(np.mean(tensor.data == 0)), 6),
            distinct=len(np.unique(tensor.data)),
        )
        for tensor in weights_of(model, smallest)
        if tensor.data is not None
    ]
    total = sum(row.weights for row in rows)
    zeros = sum(row.weights * row.zeros_share for row in rows)
    return Kept(sparsity=round(zeros / total, 6) if total else 0.0, layers=rows)


def check(model: bytes, smallest: int, metrics: dict[str, Any], where: str) -> Kept:
    """The figures, after a look at whether every step of the manifest still holds.

    Raises:
        TinymlError: a layer has fewer zeros or more values than a step gave it.
    """
    found = figures(model, smallest)
    for step in metrics.get(STEPS, []):
        for row in found.layers:
            lost = step["method"] == "prune" and not step.get("structured")
            if lost and row.zeros_share < step["sparsity"] - 1 / row.weights:
                raise _lost(row, f"{row.zeros_share:.1%} zeros, not {step['sparsity']:.1%}", where)
            if step["method"] == "cluster" and row.distinct > step["clusters"]:
                raise _lost(row, f"{counted(row.distinct, 'value')}, not {step['clusters']}", where)
    return found


def _lost(row: KeptKernel, what: str, where: str) -> TinymlError:
    return TinymlError(
        f"The int8 model lost the result of its training: a layer of {counted(row.weights, 'weight')} "
        f"has {what}",
        where,
        "Quantise it with one scale per channel, and without --equalise.",
    )
