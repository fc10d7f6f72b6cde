"""From a host's bytes to int8 inputs, and from int8 outputs to results, exactly as the device does it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.bench_settings import input_bytes, quantization, result_decimals
from tinyml_cli.engines.benchmarks import Benchmark
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.tflite.interpret import quantize_values

Int8Array = npt.NDArray[np.int8]
FloatArray = npt.NDArray[np.float64]


class Scorer:
    """What a benchmark makes of a model's bytes.

    Raises:
        TinymlError: the model's first input or output is not int8.
    """

    def __init__(self, graph: Graph, benchmark: Benchmark) -> None:
        source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
        if source.dtype != "int8" or target.dtype != "int8":
            raise TinymlError(
                f"The model has {source.dtype} input and {target.dtype} output; bench measures int8 models",
                source.label,
                "Quantise its input and output too: tinyml convert.",
            )
        self._benchmark = benchmark
        scale, zero_point = quantization(source)
        self._input = TensorQuantization(scale=scale, zero_point=zero_point)
        self._scale, self._zero_point = quantization(target)
        self.outputs = target.elements
        self._decimals = result_decimals(benchmark, self._scale)
        self.input_bytes = input_bytes(graph, benchmark)

    def model_input(self, data: bytes) -> Int8Array:
        """int8 [values] of one input as the host sends it."""
        if self._benchmark.input_format == "float32":
            return quantize_values(np.frombuffer(data, "<f4"), self._input)
        values = np.frombuffer(data, np.uint8)
        return (values ^ np.uint8(128 if self._benchmark.input_format == "uint8_minus_128" else 0)).view(
            np.int8
        )

    def results(self, data: bytes, output: Int8Array) -> FloatArray:
        """float64 [scores], or [1] for an anomaly score, rounded as the device prints them.

        Args:
            data: the input as the host sends it.
            output: int8, the bytes of all outputs; the first output counts.
        """
        values = self._scale * (output[: self.outputs].astype(np.float64) - self._zero_point)
        if self._benchmark.result == "squared_error":
            differences = values - np.frombuffer(data, "<f4").astype(np.float64)
            # One after another, as the device adds: numpy's sum adds in pairs.
            values = np.array([np.cumsum(differences * differences)[-1] / len(values)])
        return _round(values, self._decimals)


def _round(values: FloatArray, decimals: int) -> FloatArray:
    """Half away from zero; ten times ten as the device multiplies, for the same last bit."""
    scaled = values
    for _ in range(decimals):
        scaled = scaled * 10.0
    rounded: FloatArray = np.trunc(scaled + np.copysign(0.5, scaled)) / 10.0**decimals
    return rounded
