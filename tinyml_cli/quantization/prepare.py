"""Prepares a float32 flatbuffer for int8: equalised, corrected, with the range of every activation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.quantization import bias_correction, equalise, histogram, ranges
from tinyml_cli.quantization.float_graph import FloatGraph
from tinyml_cli.quantization.scheme import Scheme
from tinyml_cli.tflite import layers

INPUT = "input"


@dataclass(frozen=True)
class PreparedNetwork:
    """What the converter rounds.

    Attributes:
        float32: what int8 is compared with: the same function as the network's.
        ranged: the same with corrected biases and ranges.
    """

    float32: bytes
    ranged: bytes


def prepare(float_model: bytes, inputs: Sequence[npt.NDArray[Any]], scheme: Scheme) -> PreparedNetwork:
    """Carries out a scheme up to the rounding.

    Args:
        float_model: a float32 flatbuffer, its tensor names as the converter gave them.
        inputs: calibration samples, one array [n, ...] per model input.
        scheme: what to do.

    Raises:
        TinymlError: a fixed range of a layer that the model lacks.
    """
    exact = float_model
    if scheme.equalise:
        exact, pairs = equalise.equalise(float_model)
        if not pairs:
            console.warn("no layers to equalise: none follow each other directly or through ReLU")
    graph = FloatGraph(exact)
    found = _ranges(exact, graph.computed(), inputs, scheme.ranges)
    found |= _fixed(graph, scheme.fixed)
    corrected = exact
    if scheme.bias_correction:
        corrected = bias_correction.correct(exact, scheme.per_channel, inputs)
    ranged = FloatGraph(corrected)
    ranged.set_ranges(found)
    return PreparedNetwork(exact, ranged.pack())


def _ranges(
    model: bytes, tensors: Sequence[int], inputs: Sequence[npt.NDArray[Any]], how: str
) -> dict[int, tuple[float, float]]:
    passes = 1 if how == "min-max" else 2
    with console.progress(passes * len(inputs[0]), "calibrating") as bar:
        found = histogram.limits(model, tensors, inputs, bar.advance)
        if how == "min-max":
            return found
        counted = histogram.histograms(model, found, inputs, bar.advance)
    return {index: ranges.choose(each, how) for index, each in counted.items()}


def _fixed(graph: FloatGraph, fixed: Mapping[str, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    """Tensor index -> range, of ranges by layer name."""
    tensors = graph.graph.tensors
    places = {INPUT: graph.graph.inputs[0]}
    for operator in graph.graph.operators:
        for output in operator.outputs[:1]:
            places.setdefault(layers.layer_name(tensors[output].name, operator.name), output)
    missing = sorted(set(fixed) - set(places))
    last = graph.graph.outputs[0]
    if len(missing) == 1 and last not in {places[name] for name in fixed if name in places}:
        # The converter names the model's output after the signature, not after its layer.
        places[missing.pop()] = last
    if missing:
        raise TinymlError(
            f"The trained range of `{missing[0]}` has no layer in the converted model",
            "",
            "Give every layer of the model a unique name, and train it again.",
        )
    return {places[name]: _nudged(*limits) for name, limits in fixed.items()}


def _nudged(low: float, high: float) -> tuple[float, float]:
    return float(np.float32(low)), float(np.float32(high))
