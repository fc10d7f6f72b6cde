"""A typed, read-only view of a .tflite file: tensors, operators, constants. Needs no TensorFlow.

Every offset, length and index of the file is checked when it is read, so code that uses `Graph` may rely
on it: indices exist, shapes are not negative, constants have exactly the bytes of their shape.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import over_limit
from tinyml_cli.tflite import opcodes
from tinyml_cli.wording import counted

ABSENT = -1
# Of QuantizationParameters.quantized_dimension in the schema: field 6.
_AXIS_FIELD = 4 + 2 * 6
"""The index that stands for an optional operator input that is not given."""

_SCHEMA_VERSION = 3
_MAXIMUM_RANK = 8
_PIXEL_BYTES = 40
# What the flatbuffer reader and numpy raise on offsets and numbers that make no sense.
READ_ERRORS = (
    struct.error, ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, AssertionError,
    MemoryError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class QuantizationParameters:
    """real = scale * (q - zero_point), one pair per tensor or per slice along `axis`."""

    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int64]
    axis: int

    @property
    def per_channel(self) -> bool:
        """Whether there is more than one scale."""
        return len(self.scales) > 1


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        index: its position in the subgraph.
        dtype: numpy's name of the type ("int8"), or the schema's lower-case name where numpy has none.
        shape: sizes, outermost first.
        quantization: None for a tensor without scales.
        data: the constant's values in `shape`, or None for a tensor that is computed.
        variable: operators that take it change it, and it keeps its values from one inference to the next.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    quantization: QuantizationParameters | None
    data: npt.NDArray[Any] | None
    variable: bool = False

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Number of bytes (0 for types that numpy does not know)."""
        item = opcodes.NUMPY_TYPES.get(self.dtype)
        return self.elements * item.itemsize if item else 0

    @property
    def label(self) -> str:
        """How messages call it: index and shortened name."""
        name = self.name if len(self.name) <= 60 else f"{self.name[:57]}..."
        return f"tensor {self.index} `{name}`"


@dataclass(frozen=True)
class Operator:
    """One operator; inputs and outputs are tensor indices, ABSENT for an optional input not given.

    Attributes:
        options: of a builtin operator, by the schema's name in snake_case.
        custom_options: of a custom operator, as the file has them.
    """

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    custom_options: bytes = b""


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a model.

    Attributes:
        inputs: tensor indices in signature order.
        outputs: tensor indices in signature order.
        model_bytes: size of the whole file.
        subgraphs: how many subgraphs the file has.
        functions: the other subgraphs in the file's order, that of index 1 first.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    model_bytes: int
    subgraphs: int
    description: str
    functions: tuple[Graph, ...] = ()

    @property
    def computed(self) -> frozenset[int]:
        """Tensors that operators make; some operators make none, such as ASSIGN_VARIABLE."""
        return frozenset(index for operator in self.operators for index in operator.outputs)

    @property
    def remembers(self) -> bool:
        """Whether anything is kept from one inference to the next."""
        return any(operator.name == "VAR_HANDLE" for operator in self.operators) or any(
            tensor.variable for tensor in self.tensors
        )

    def input(self, operator: Operator, position: int) -> Tensor | None:
        """The tensor at an operator's input position, None when it is absent."""
        if position >= len(operator.inputs) or operator.inputs[position] == ABSENT:
            return None
        return self.tensors[operator.inputs[position]]

    def output(self, operator: Operator, position: int = 0) -> Tensor | None:
        """The tensor at an operator's output position."""
        return self.tensors[operator.outputs[position]] if position < len(operator.outputs) else None


def load(path: Path) -> Graph:
    """Reads a .tflite file.

    Raises:
        TinymlError: missing, or not a whole TensorFlow Lite model.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TinymlError(
            f"Cannot read the model: {error.strerror}", str(path), "Create it first: tinyml convert"
        ) from error
    return parse(data, str(path))


def parse(data: bytes, where: str = "model") -> Graph:
    """Reads the bytes of a .tflite file.

    Args:
        data: the file.
        where: what error messages call it.

    Raises:
        TinymlError: the bytes are not a whole TensorFlow Lite model of schema version 3, or a tensor is over
            the limit of memory.
    """
    try:
        graph = _Reader(data).graph()
    except READ_ERRORS as error:
        reason = str(error) or type(error).__name__
        raise TinymlError(
            f"This is not a complete TensorFlow Lite model ({reason})",
            where,
            "Check that the download or copy is complete, or create it again: tinyml convert",
        ) from error
    if reason := over_limit(max(map(_planning_bytes, graph.tensors), default=0)):
        raise TinymlError(f"The model is not read: {reason}", where, "Check where the file is from.")
    return graph


def _planning_bytes(tensor: Tensor) -> int:
    """What a tensor takes, or the memory plan of the operator that makes it: some numbers for each pixel."""
    return max(tensor.bytes, _PIXEL_BYTES * math.prod(tensor.shape[:-1]))


def op_list(graph: Graph) -> list[tuple[str, int, int]]:
    """The operator kinds: (name, version, count), in order of first use."""
    counts = Counter((operator.name, operator.version) for operator in graph.operators)
    return [(name, version, count) for (name, version), count in counts.items()]


def macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one operator; 0 for kinds with hardly any."""
    output = graph.output(operator)
    weights = graph.input(operator, 1)
    if output is None or weights is None or not weights.shape:
        return 0
    if operator.name == "CONV_2D":
        return output.elements * math.prod(weights.shape[1:])
    if operator.name == "DEPTHWISE_CONV_2D":
        return output.elements * math.prod(weights.shape[1:3])
    if operator.name == "FULLY_CONNECTED":
        return output.elements * weights.shape[-1]
    if operator.name == "SVDF":
        return output.shape[0] * (weights.elements + _elements(graph, operator, 2))
    if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        each_step = sum(_elements(graph, operator, position) for position in range(1, 9))
        return math.prod(output.shape[:-1]) * each_step
    if operator.name == "TRANSPOSE_CONV" and (source := graph.input(operator, 2)):
        return source.elements * math.prod(weights.shape[:3])
    if operator.name == "BATCH_MATMUL" and len(weights.shape) > 1:
        return output.elements * weights.shape[-1 if operator.options.get("adj_y") else -2]
    return 0


def _elements(graph: Graph, operator: Operator, position: int) -> int:
    tensor = graph.input(operator, position)
    return tensor.elements if tensor else 0


def total_macs(graph: Graph) -> int:
    """Multiply-accumulates of one inference."""
    return sum(macs(graph, operator) for operator in graph.operators)


class _Reader:
    """Walks the flatbuffer; raises one of READ_ERRORS on anything invalid."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 8 or data[4:8] != b"TFL3":
            raise ValueError("the file identifier TFL3 is missing")
        self._data = data
        self._model = tflite.Model.GetRootAs(data, 0)

    def graph(self) -> Graph:
        model = self._model
        if model.Version() != _SCHEMA_VERSION:
            raise ValueError(f"schema version {model.Version()} instead of {_SCHEMA_VERSION}")
        subgraphs = self._length(model.SubgraphsLength())
        if subgraphs == 0:
            raise ValueError("no subgraph")
        functions = tuple(self._subgraph(index, subgraphs) for index in range(subgraphs))
        return replace(functions[0], functions=functions[1:])

    def _subgraph(self, number: int, subgraphs: int) -> Graph:
        subgraph = self._model.Subgraphs(number)
        tensors = tuple(
            self._tensor(index, subgraph.Tensors(index))
            for index in range(self._length(subgraph.TensorsLength()))
        )
        operators = tuple(
            self._operator(index, subgraph.Operators(index), len(tensors))
            for index in range(self._length(subgraph.OperatorsLength()))
        )
        return Graph(
            tensors=tensors,
            operators=operators,
            inputs=_indices(subgraph.InputsAsNumpy(), len(tensors), optional=False),
            outputs=_indices(subgraph.OutputsAsNumpy(), len(tensors), optional=False),
            model_bytes=len(self._data),
            subgraphs=subgraphs,
            description=_text(self._model.Description()),
        )

    def _length(self, length: int) -> int:
        # A table takes at least its four-byte offset, so a longer vector cannot be in the file.
        if not 0 <= length * 4 <= len(self._data):
            raise ValueError(f"a vector of {length} elements does not fit the file")
        return length

    def _tensor(self, index: int, tensor: Any) -> Tensor:
        shape = tuple(int(size) for size in _vector(tensor.ShapeAsNumpy()))
        if len(shape) > _MAXIMUM_RANK or any(size < 0 for size in shape):
            raise ValueError(f"tensor {index} has the shape {list(shape)}")
        dtype = opcodes.TENSOR_TYPES[tensor.Type()]
        return Tensor(
            index=index,
            name=_text(tensor.Name()),
            dtype=dtype,
            shape=shape,
            quantization=_quantization(index, tensor.Quantization(), shape),
            data=self._constant(index, tensor.Buffer(), dtype, shape),
            variable=bool(tensor.IsVariable()),
        )

    def _constant(
        self, index: int, number: int, dtype: str, shape: tuple[int, ...]
    ) -> npt.NDArray[Any] | None:
        if not 0 <= number < self._length(self._model.BuffersLength()):
            raise ValueError(f"tensor {index} names buffer {number}, which does not exist")
        buffer = self._model.Buffers(number)
        if buffer is None:
            return None
        if buffer.Size() > 1:
            raise ValueError(f"tensor {index} stores its data outside the flatbuffer")
        raw = _vector(buffer.DataAsNumpy())
        item = opcodes.NUMPY_TYPES.get(dtype)
        if number == 0 or raw.size == 0:
            return None
        if item is None:
            return raw
        if raw.size != math.prod(shape) * item.itemsize:
            raise ValueError(f"tensor {index} of shape {list(shape)} has {raw.size} bytes of data")
        return np.frombuffer(raw.tobytes(), item.newbyteorder("<")).reshape(shape)

    def _operator(self, index: int, operator: Any, tensors: int) -> Operator:
        number = operator.OpcodeIndex()
        if not 0 <= number < self._length(self._model.OperatorCodesLength()):
            raise ValueError(f"operator {index} has no operator code")
        code = self._model.OperatorCodes(number)
        name = opcodes.OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if name == "CUSTOM":
            name = f"CUSTOM {_text(code.CustomCode())}"
        return Operator(
            index=index,
            name=name,
            version=code.Version(),
            inputs=_indices(operator.InputsAsNumpy(), tensors, optional=True),
            outputs=_indices(operator.OutputsAsNumpy(), tensors, optional=False),
            options=opcodes.option_fields(operator.BuiltinOptionsType(), operator.BuiltinOptions()),
            custom_options=_vector(operator.CustomOptionsAsNumpy()).astype(np.uint8).tobytes(),
        )


def with_axes_of_vectors(model: bytes) -> bytes:
    """A valid model with axis 0 for the scales of every vector: LiteRT refuses others, which TFLM ignores."""
    root, changed = tflite.Model.GetRootAs(model, 0), bytearray(model)
    for graph in map(root.Subgraphs, range(root.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            table = tensor.Quantization()
            if tensor.ShapeLength() == 1 and table is not None and table.QuantizedDimension():
                at = table._tab.Pos + table._tab.Offset(_AXIS_FIELD)
                changed[at : at + 4] = bytes(4)
    return bytes(changed)


def _vector(value: Any) -> npt.NDArray[Any]:
    # The reader returns the number 0 for a missing vector.
    return value if isinstance(value, np.ndarray) else np.zeros(0, np.int32)


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def _indices(value: Any, tensors: int, *, optional: bool) -> tuple[int, ...]:
    lowest = ABSENT if optional else 0
    indices = tuple(int(index) for index in _vector(value))
    for index in indices:
        if not lowest <= index < tensors:
            raise ValueError(f"tensor {index} does not exist")
    return indices


def _quantization(index: int, table: Any, shape: tuple[int, ...]) -> QuantizationParameters | None:
    if table is None:
        return None
    scales = _vector(table.ScaleAsNumpy()).astype(np.float32)
    if not scales.size:
        return None
    zero_points = _vector(table.ZeroPointAsNumpy()).astype(np.int64)
    if not zero_points.size:  # TensorFlow Lite Micro ignores scales without them
        return None
    # A vector has one axis, whatever the file says; TensorFlow Lite Micro ignores the field too.
    axis = table.QuantizedDimension() if len(shape) > 1 else 0
    if not np.all(np.isfinite(scales)) or len(scales) != len(zero_points):
        raise ValueError(f"tensor {index} has invalid scales or zero points")
    if len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
        raise ValueError(
            f"tensor {index} has {counted(len(scales), 'scale')} on axis {axis} of {list(shape)}"
        )
    return QuantizationParameters(scales, zero_points, axis)
