"""The difference between int8 and float, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import LayerError, TensorQuantization
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import Graph, Operator, parse
from tinyml_cli.tflite.ratio import sqnr_db

# The int8 converter puts these in where scales differ; they have no counterpart in the float model.
_BETWEEN_GRIDS = ("QUANTIZE", "DEQUANTIZE")


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
    inputs: Sequence[npt.NDArray[Any]],
    advance: Callable[[], object] | None = None,
) -> list[LayerError]:
    """Compares every activation of the int8 model with the same one of the float model.

    Each layer's figure includes the error of all layers before it, as on the device.
    SQNR = 10 log10(sum x^2 / sum (x - x')^2) in dB, x the float value, x' the dequantised one; cosine is
    the cosine similarity of the two; the clipped share counts values of x more than half a step outside
    what int8 can hold with the tensor's scale.

    Args:
        float_model: flatbuffer converted without quantisation.
        int8_model: flatbuffer of the same network, full int8, with the same operators in the same order.
        inputs: one array [n, ...] per model input.
        advance: called after each sample.

    Raises:
        TinymlError: the two models are not the same network.
    """
    pairs = activation_pairs(parse(float_model), parse(int8_model))
    sums = [_Sums() for _ in pairs]
    for values in _paired_values(float_model, int8_model, pairs, inputs):
        for pair, total, (exact, restored) in zip(pairs, sums, values, strict=True):
            total.add(exact, restored, pair.grid)
        if advance:
            advance()
    return [_figures(pair, total) for pair, total in zip(pairs, sums, strict=True)]


def activation_values(
    float_model: bytes, int8_model: bytes, inputs: Sequence[npt.NDArray[Any]]
) -> list[tuple[ActivationPair, npt.NDArray[Any], npt.NDArray[Any]]]:
    """Every activation as flat float values, of the float and of the int8 model; arguments as `layer_errors`.

    Raises:
        TinymlError: the two models are not the same network.
    """
    pairs = activation_pairs(parse(float_model), parse(int8_model))
    columns = zip(*_paired_values(float_model, int8_model, pairs, inputs), strict=True)
    return [
        (pair, *(np.concatenate([sample[side].ravel() for sample in column]) for side in (0, 1)))  # type: ignore[misc]
        for pair, column in zip(pairs, columns, strict=True)
    ]


def _paired_values(
    float_model: bytes, int8_model: bytes, pairs: Sequence[ActivationPair], inputs: Sequence[npt.NDArray[Any]]
) -> Iterator[list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]]:
    """Per sample, the values of each pair: exact and dequantised."""
    float_graph, int8_graph = parse(float_model), parse(int8_model)
    exact = interpret.lite_interpreter(float_model, preserve_all_tensors=True)
    rounded = interpret.lite_interpreter(int8_model, preserve_all_tensors=True)
    quantized = interpret.quantize_inputs(int8_graph, inputs)
    for index in range(len(inputs[0])):
        for runtime, graph, arrays in ((exact, float_graph, inputs), (rounded, int8_graph, quantized)):
            for tensor, values in zip(graph.inputs, arrays, strict=True):
                runtime.set_tensor(tensor, values[index].reshape(graph.tensors[tensor].shape))
            runtime.invoke()
        yield [
            (
                exact.get_tensor(pair.exact),
                interpret.dequantize_values(rounded.get_tensor(pair.rounded), pair.grid),
            )
            for pair in pairs
        ]


def layer_name(tensor_name: str, op: str) -> str:
    """A readable name from a converter's `model/layer/step;model/other/step`, else the operator's."""
    names = [name for name in tensor_name.split(";") if name.count("/") >= 2]
    # Normalisation and activation were fused into the layer that is wanted.
    own = [name for name in names if not re.search(r"/batchnorm/|/Relu6?$", name)]
    paths = [name.split("/") for name in own or names]
    return paths[-1][1] if paths and re.fullmatch(r"\w+", paths[-1][1]) else op.lower()


def activation_names(graph: Graph) -> list[str]:
    """Readable names of each operator's first output, in execution order, or its own where it has none."""
    return [
        layer_name(output.name if (output := graph.output(op)) else "", op.name) for op in graph.operators
    ]


@dataclass(frozen=True)
class ActivationPair:
    """One activation: its tensor index in the float and in the int8 model, and its int8 grid."""

    name: str
    op: str
    exact: int
    rounded: int
    grid: TensorQuantization


def operator_pairs(float_graph: Graph, int8_graph: Graph) -> list[tuple[Operator, Operator]]:
    """The operators of two models of one network, float and int8, side by side.

    Raises:
        TinymlError: they are not the same in the same order.
    """
    rows = [
        [each for each in graph.operators if each.name not in _BETWEEN_GRIDS]
        for graph in (float_graph, int8_graph)
    ]
    if [each.name for each in rows[0]] != [each.name for each in rows[1]]:
        raise TinymlError(
            "The float32 and the int8 model have different operators, so layers cannot be compared",
            "",
            "Use layers with int8 kernels: convolutions, Dense, pooling, ReLU, softmax.",
        )
    return list(zip(*rows, strict=True))


def activation_pairs(float_graph: Graph, int8_graph: Graph) -> list[ActivationPair]:
    """Inputs and first outputs of operators that are float32 in one model and int8 in the other.

    Raises:
        TinymlError: the two models are not the same network.
    """
    operators = operator_pairs(float_graph, int8_graph)
    rows = [
        ("input" if len(int8_graph.inputs) == 1 else f"input_{index}", "INPUT", exact, rounded)
        for index, (exact, rounded) in enumerate(zip(float_graph.inputs, int8_graph.inputs, strict=True))
    ]
    for exact, rounded in operators:
        if not exact.outputs:
            continue
        name = layer_name(float_graph.tensors[exact.outputs[0]].name, exact.name)
        rows.append((name, exact.name, exact.outputs[0], rounded.outputs[0]))
    return [
        ActivationPair(*row, interpret.tensor_quantization(int8_graph.tensors[row[3]]))
        for row in rows
        if float_graph.tensors[row[2]].dtype == "float32" and int8_graph.tensors[row[3]].dtype == "int8"
    ]


def _figures(pair: ActivationPair, sums: _Sums) -> LayerError:
    norm = np.sqrt(sums.signal * sums.quantized)
    return LayerError(
        name=pair.name,
        op=pair.op,
        scale=pair.grid.scale,
        zero_point=pair.grid.zero_point,
        sqnr_db=sqnr_db(sums.signal, sums.noise),
        cosine=round(float(sums.product / norm), 6) if norm else float(sums.noise == 0),
        clipped_share=round(sums.clipped / sums.count, 6) if sums.count else 0.0,
    )


@dataclass(frozen=True)
class LayerOutput:
    """What one operator makes of an input: values [1, ...] of its first output."""

    name: str
    op: str
    values: npt.NDArray[Any]


def layer_outputs(model: bytes, inputs: npt.NDArray[Any]) -> list[LayerOutput]:
    """The first output of each operator of a float model with one input, in execution order.

    Args:
        model: the flatbuffer.
        inputs: float32 [1, ...] with as many values as the model's input.

    Raises:
        TinymlError: the input does not fit.
    """
    graph, runtime = parse(model), interpret.lite_interpreter(model, preserve_all_tensors=True)
    source = graph.tensors[graph.inputs[0]]
    if len(graph.inputs) != 1 or source.elements != inputs.size:
        raise TinymlError(
            f"The item has {inputs.size} values, the model takes {source.elements}",
            "",
            "Use an item of the kind that the run was trained on.",
        )
    runtime.set_tensor(source.index, inputs.reshape(source.shape).astype(np.float32))
    runtime.invoke()
    return [
        LayerOutput(name, operator.name, np.array(runtime.get_tensor(output.index)))
        for name, operator in zip(activation_names(graph), graph.operators, strict=True)
        if (output := graph.output(operator)) is not None and output.dtype == "float32"
    ]
