"""How far int8 is from float, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import LayerError, TensorQuantization
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import Graph, parse

# Zero error has no logarithm and JSON no infinity; int8 rounding alone gives about 50 dB.
MAX_SQNR_DB = 120.0


@dataclass
class _Sums:
    """Running sums over all values of one tensor."""

    signal: float = 0.0
    noise: float = 0.0
    quantized: float = 0.0
    product: float = 0.0
    clipped: int = 0
    count: int = 0

    def add(self, exact: npt.NDArray[Any], restored: npt.NDArray[Any], grid: TensorQuantization) -> None:
        low, high = ((q - grid.zero_point) * grid.scale for q in (-128.5, 127.5))
        exact, restored = exact.astype(np.float64).ravel(), restored.astype(np.float64).ravel()
        self.signal += float(exact @ exact)
        self.noise += float(np.square(exact - restored).sum())
        self.quantized += float(restored @ restored)
        self.product += float(exact @ restored)
        self.clipped += int(np.count_nonzero((exact < low) | (exact > high)))
        self.count += exact.size


def layer_errors(
    float_model: bytes,
    int8_model: bytes,
    samples: npt.NDArray[np.float32],
    advance: Callable[[], object] | None = None,
) -> list[LayerError]:
    """Compares every activation of the int8 model with the same one of the float model.

    Each layer's figure holds the error of all layers before it, as it arises on the device.
    SQNR = 10 log10(sum x^2 / sum (x - x')^2) in dB, x the float value, x' the dequantised one; cosine is
    the cosine similarity of the two; the clipped share counts values of x more than half a step outside
    what int8 can hold with the tensor's scale.

    Args:
        float_model: flatbuffer converted without quantisation.
        int8_model: flatbuffer of the same network, full int8, with the same operators in the same order.
        samples: float32 [n, ...] model inputs.
        advance: called after each sample.

    Raises:
        TinymlError: the two models are not the same network.
    """
    pairs = _activation_pairs(parse(float_model), parse(int8_model))
    exact = interpret.lite_interpreter(float_model, preserve_all_tensors=True)
    rounded = interpret.lite_interpreter(int8_model, preserve_all_tensors=True)
    source, target = exact.get_input_details()[0], rounded.get_input_details()[0]
    sums = [_Sums() for _ in pairs]
    for sample in samples.reshape(len(samples), *source["shape"]):
        exact.set_tensor(source["index"], sample)
        exact.invoke()
        rounded.set_tensor(target["index"], interpret.quantize_values(sample, pairs[0].grid))
        rounded.invoke()
        for pair, total in zip(pairs, sums, strict=True):
            restored = interpret.dequantize_values(rounded.get_tensor(pair.rounded), pair.grid)
            total.add(exact.get_tensor(pair.exact), restored, pair.grid)
        if advance:
            advance()
    return [_figures(pair, total) for pair, total in zip(pairs, sums, strict=True)]


def layer_name(tensor_name: str, op: str) -> str:
    """A readable name from a converter's `model/layer/step;model/other/step`, else the operator's."""
    names = [name for name in tensor_name.split(";") if name.count("/") >= 2]
    # Normalisation and activation were fused into the layer that is wanted.
    own = [name for name in names if not re.search(r"/batchnorm/|/Relu6?$", name)]
    paths = [name.split("/") for name in own or names]
    return paths[-1][1] if paths and re.fullmatch(r"\w+", paths[-1][1]) else op.lower()


def activation_names(graph: Graph) -> list[str]:
    """Readable names of each operator's first output, in execution order."""
    return [layer_name(graph.tensors[op.outputs[0]].name, op.name) for op in graph.operators]


@dataclass(frozen=True)
class _Pair:
    """One activation: its tensor index in the float and in the int8 model, and its int8 grid."""

    name: str
    op: str
    exact: int
    rounded: int
    grid: TensorQuantization


def _activation_pairs(float_graph: Graph, int8_graph: Graph) -> list[_Pair]:
    operators = list(zip(float_graph.operators, int8_graph.operators, strict=False))
    if len(float_graph.operators) != len(int8_graph.operators) or any(a.name != b.name for a, b in operators):
        raise TinymlError(
            "The float32 and the int8 model do not have the same operators, so layers cannot be compared",
            "",
            "Use layers with int8 kernels: convolutions, Dense, pooling, ReLU, softmax.",
        )
    rows = [("input", "INPUT", float_graph.inputs[0], int8_graph.inputs[0])]
    for name, (exact, rounded) in zip(activation_names(float_graph), operators, strict=True):
        rows.append((name, exact.name, exact.outputs[0], rounded.outputs[0]))
    return [_Pair(*row, interpret.tensor_quantization(int8_graph.tensors[row[3]])) for row in rows]


def _figures(pair: _Pair, sums: _Sums) -> LayerError:
    if sums.noise == 0:
        sqnr_db = MAX_SQNR_DB
    elif sums.signal == 0:
        sqnr_db = -MAX_SQNR_DB
    else:
        sqnr_db = float(np.clip(10 * np.log10(sums.signal / sums.noise), -MAX_SQNR_DB, MAX_SQNR_DB))
    norm = np.sqrt(sums.signal * sums.quantized)
    return LayerError(
        name=pair.name,
        op=pair.op,
        scale=pair.grid.scale,
        zero_point=pair.grid.zero_point,
        sqnr_db=round(sqnr_db, 2),
        cosine=round(float(sums.product / norm), 6) if norm else float(sums.noise == 0),
        clipped_share=round(sums.clipped / sums.count, 6) if sums.count else 0.0,
    )
