"""Writes small .tflite models tensor by tensor, for graphs that no converter would emit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers

_TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9, "uint64": 12,
          "resource": 13, "uint32": 15}  # fmt: skip


def schema() -> Any:
    """The object API of the schema that TensorFlow Lite Micro's Python package carries."""
    pytest.importorskip("tflite_micro", reason="tflite-micro has no wheel for this platform")
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

    return schema_py_generated


class Subgraph:
    """Tensors and operators of one subgraph; tensors are known by their index."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.graph = model.schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []

    def tensor(
        self,
        shape: tuple[int, ...],
        scale: float | None = 0.05,
        zero_point: int = 0,
        *,
        dtype: str = "int8",
        data: Any = None,
        scales: Any = None,
        axis: int = 0,
        variable: bool = False,
    ) -> int:
        """Adds a tensor; with `data` it is a constant, with `scales` it is quantised along `axis`.

        A `variable` is kept from one inference to the next.
        """
        tensor = self._model.schema.TensorT()
        tensor.shape, tensor.type = list(shape), _TYPES[dtype]
        tensor.name = f"t{len(self.graph.tensors)}"
        tensor.isVariable = variable
        tensor.buffer = 0 if data is None else self._model.buffer(np.asarray(data, dtype).tobytes())
        if (scale is not None and dtype not in ("float32", "int64", "resource")) or scales is not None:
            quantization = self._model.schema.QuantizationParametersT()
            quantization.scale = [scale] if scales is None else [float(value) for value in scales]
            quantization.zeroPoint = [zero_point] * len(quantization.scale)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def integers(self, values: Any) -> int:
        """Adds an int32 constant."""
        array = np.asarray(values, np.int32)
        return self.tensor(array.shape, None, dtype="int32", data=array)

    def operator(
        self, name: str, inputs: list[int], outputs: list[int], options: str = "", **fields: Any
    ) -> None:
        """Adds an operator with an option table, fields by the schema's camelCase names.

        A custom operator ("CUSTOM x") takes its fields as a flexbuffer map.
        """
        operator = self._model.schema.OperatorT()
        operator.opcodeIndex = self._model.operator_code(name)
        operator.inputs, operator.outputs = inputs, outputs
        if name.startswith("CUSTOM ") and fields:
            operator.customOptions = np.frombuffer(bytes(flexbuffers.Dumps(fields)), np.uint8)
        if options:
            table = getattr(self._model.schema, f"{options}T")()
            for field, value in fields.items():
                assert hasattr(table, field), (options, field)
                setattr(table, field, value)
            operator.builtinOptionsType = getattr(self._model.schema.BuiltinOptions, options)
            operator.builtinOptions = table
        self.graph.operators.append(operator)


class Model(Subgraph):
    """A model under construction; itself its first subgraph."""

    def __init__(self) -> None:
        self.schema = schema()
        self.model = self.schema.ModelT()
        self.model.version, self.model.operatorCodes = 3, []
        empty = self.schema.BufferT()
        self.model.buffers = [empty]
        super().__init__(self)
        self.model.subgraphs = [self.graph]

    def function(self) -> Subgraph:
        """Adds another subgraph."""
        subgraph = Subgraph(self)
        self.model.subgraphs.append(subgraph.graph)
        return subgraph

    def buffer(self, data: bytes) -> int:
        """Adds the bytes of a constant."""
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(data, np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def operator_code(self, name: str) -> int:
        """The index of an operator code, added when it is new; "CUSTOM x" is the custom operator x."""
        builtin, _, custom = name.partition(" ")
        number = getattr(self.schema.BuiltinOperator, builtin)
        for index, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == number and (code.customCode or "") == custom:
                return index
        code = self.schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
        code.customCode = custom or None
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def build(self, inputs: list[int], outputs: list[int]) -> bytes:
        """The file."""
        import flatbuffers

        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
