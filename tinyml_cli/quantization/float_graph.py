"""A float32 flatbuffer whose constants and ranges can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.tflite import write
from tinyml_cli.tflite.graph import ABSENT, Graph, Operator, parse

FloatArray = npt.NDArray[np.float32]

# Operator -> axis of its weights that counts output channels, and whether it has one filter per channel.
WEIGHTED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}


@dataclass(frozen=True)
class FloatLayer:
    """An operator with constant float32 weights and bias.

    Attributes:
        weights: float32, the output channels along `axis`.
        bias: float32 [output channels].
        axis: of the weights' output channels.
    """

    operator: Operator
    weights: FloatArray
    bias: FloatArray
    axis: int

    @property
    def is_depthwise(self) -> bool:
        """Whether each channel has a filter of its own."""
        return self.operator.name == "DEPTHWISE_CONV_2D"

    @property
    def source(self) -> int:
        """Index of the tensor that it reads."""
        return self.operator.inputs[0]

    @property
    def target(self) -> int:
        """Index of the tensor that it writes."""
        return self.operator.outputs[0]


class FloatGraph:
    """The flatbuffer, taken apart.

    Attributes:
        graph: how it was when it was read.
        layers: of the operators with constant weights and bias, in order of execution.
    """

    def __init__(self, model_bytes: bytes) -> None:
        self.graph: Graph = parse(model_bytes)
        self._model = write.unpack(model_bytes)
        self._tensors = self._model.subgraphs[0].tensors
        self.layers = [layer for operator in self.graph.operators if (layer := self._layer(operator))]

    def computed(self) -> list[int]:
        """Indices of float32 tensors that are no constants."""
        return [
            tensor.index
            for tensor in self.graph.tensors
            if tensor.data is None and tensor.dtype == "float32" and tensor.index in self._touched()
        ]

    def set_weights(self, layer: FloatLayer, weights: FloatArray) -> None:
        """Gives a layer other weights, float32 of the same shape."""
        self._set(layer.operator.inputs[1], weights)

    def set_bias(self, layer: FloatLayer, bias: FloatArray) -> None:
        """Gives a layer another bias, float32 [output channels]."""
        self._set(layer.operator.inputs[2], bias)

    def set_ranges(self, ranges: Mapping[int, tuple[float, float]]) -> None:
        """Enters the range of each tensor, as calibration does."""
        api = write.schema()
        for index, (low, high) in ranges.items():
            parameters = api.QuantizationParametersT()
            parameters.min, parameters.max = np.array([low], np.float32), np.array([high], np.float32)
            self._tensors[index].quantization = parameters

    def pack(self) -> bytes:
        """The flatbuffer with all changes."""
        return write.pack(self._model)

    def _touched(self) -> set[int]:
        return {
            index
            for operator in self.graph.operators
            for index in (*operator.inputs, *operator.outputs)
            if index != ABSENT
        }

    def _layer(self, operator: Operator) -> FloatLayer | None:
        if operator.name not in WEIGHTED:
            return None
        weights, bias = self.graph.input(operator, 1), self.graph.input(operator, 2)
        if weights is None or bias is None or weights.data is None or bias.data is None:
            return None
        if weights.dtype != "float32" or bias.dtype != "float32":
            return None
        return FloatLayer(
            operator, np.array(weights.data), np.array(bias.data).ravel(), WEIGHTED[operator.name]
        )

    def _set(self, index: int, values: FloatArray) -> None:
        """Writes into a buffer of its own: equal constants may share one."""
        buffer: Any = write.schema().BufferT()
        buffer.data = write.data_vector(np.ascontiguousarray(values, np.float32).tobytes())
        self._tensors[index].buffer = len(self._model.buffers)
        self._model.buffers.append(buffer)
