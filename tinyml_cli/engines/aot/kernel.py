"""The input of a lowering (OpContext) and its result for an operator (Kernel)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from flatbuffers import flexbuffers

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.graph import READ_ERRORS, Graph, Operator, Tensor
from tinyml_cli.wording import counted

C_TYPES = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t", "float32": "float",
    "int64": "int64_t", "uint32": "uint32_t", "uint64": "uint64_t", "bool": "bool",
}  # fmt: skip
"""C's names for the types of tensors and constants."""

BOUNDARY_TYPES = ("int8", "uint8", "int16", "int32", "float32")
"""What a model may take and give."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A const array of the generated C.

    Attributes:
        role: what it is to its operator ("weights"); the C name is made of it and the operator's name.
        values: int8, uint8, int16, int32 or float32, in memory order.
    """

    role: str
    values: npt.NDArray[Any]


@dataclass(frozen=True)
class TensorView:
    """An output that may cost nothing: tensor `target` is the bytes of tensor `source` from `offset` on."""

    target: int
    source: int
    offset: int = 0


@dataclass(frozen=True)
class OutputPiece:
    """A run of bytes of the output that repeats tensor `source` whole.

    If the planner has `source` made at `offset` bytes into the output, it removes `body`, the statements that
    copy it there, from the kernel's body. A kernel of which only COPIED is left is not called.
    """

    source: int
    offset: int
    body: str


COPIED = "return 0;"
"""The last statement of a kernel with pieces."""


@dataclass(frozen=True)
class Overlap:
    """Permission to write the output over an input that nobody needs afterwards; see `overlap.py`.

    Attributes:
        position: the input.
        lead: the output starts at least this many bytes before the input; may be negative.
        step: the distance is `lead` plus a multiple of this many bytes.
    """

    position: int
    lead: int
    step: int = 1


@dataclass(frozen=True)
class RowWindow:
    """Which rows of its input an operator needs for a row of its output: a window of `size` rows."""

    size: int
    stride: int
    dilation: int
    padding: int

    def first_row(self, output: int) -> int:
        """The first one; negative where it is padding."""
        return output * self.stride - self.padding

    def end_row(self, output: int) -> int:
        """The one after the last; may lie below the input."""
        return self.first_row(output) + (self.size - 1) * self.dilation + 1


@dataclass(frozen=True, eq=False)
class State:
    """Memory that keeps its bytes from one inference to the next.

    Attributes:
        bytes: its size.
        initial: its bytes after network_reset, int8 [bytes].
    """

    bytes: int
    initial: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Kernel:
    """One operator as C.

    Attributes:
        body: statements of a function `int name(uint8_t* arena)` that returns 0 when all is well; names
            tensors by `read` and `write`, working memory by `OpContext.scratch_name`, arrays by
            `OpContext.array`.
        constants: the arrays that the body reads.
        scratch_bytes: working memory that the call needs, beyond inputs and outputs.
        alias_of: set when the operator moves no data: its output is this tensor under another shape.
        may_overwrite: input positions whose bytes, as many as the output's, the output may be written over:
            each is read before the output's byte at the same place is written.
        overlaps: other ways in which the output may lie over an input.
        views: what all outputs are when they share their inputs' bytes; `body` copies them where the planner
            does not want that.
        pieces: parts of the output that may be made in place; `body` copies them all.
        states: memory that stays between inferences, by tensor: a handle that the operator makes, whose
            offset in the arena is that memory's, or a variable tensor that it takes and changes. Handles of
            one state are aliases of the first.
        rows: set when it can run for some rows of its output alone: its body then declares a `window` by
            `ops.window.declaration` and takes nothing else from the images' heights.
    """

    body: str = ""
    constants: tuple[Constant, ...] = ()
    scratch_bytes: int = 0
    alias_of: int | None = None
    may_overwrite: tuple[int, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    views: tuple[TensorView, ...] = ()
    pieces: tuple[OutputPiece, ...] = ()
    states: Mapping[int, State] = field(default_factory=dict)
    rows: RowWindow | None = None


@dataclass(frozen=True)
class OpContext:
    """One operator of a graph, with checked access to its tensors.

    Attributes:
        retrainable: the C shall be the same, tables apart, for other weights and scales of these shapes.
    """

    graph: Graph
    operator: Operator
    where: str
    retrainable: bool = False

    @property
    def name(self) -> str:
        """The C name of its function."""
        return f"op_{self.operator.index:02d}_{self.operator.name.removeprefix('CUSTOM ').lower()}"

    def array(self, role: str) -> str:
        """The C name of one of its constants."""
        return f"{self.name}_{role}"

    def option(self, name: str) -> Any:
        """An option of the operator, as the schema calls it in snake_case."""
        if name not in self.operator.options:
            self.refuse(f"lacks its option `{name}`", "Convert the model again with a current converter.")
        return self.operator.options[name]

    def number(self, name: str, lowest: int, highest: int) -> int:
        """An integer or boolean of a custom operator's options, a flexbuffer map, within these limits."""
        try:
            value = int(flexbuffers.GetRoot(self.operator.custom_options).AsMap[name].AsInt)
        except READ_ERRORS:
            self.refuse(
                f"lacks its option `{name}`", "Make the model again with TensorFlow Lite Micro's tools."
            )
        if not lowest <= value <= highest:
            self.refuse(f"has `{name}` {value}, not {lowest} to {highest}", "Make the model again.")
        return value

    def activation(self, position: int = 0) -> Tensor:
        """A computed int8 tensor with one scale, by input position."""
        return self._int8(self.input(position))

    def operand(self, position: int) -> Tensor:
        """An int8 tensor with one scale, computed or constant, by input position."""
        return self._int8(self.input(position), constant=True)

    def wide(self, position: int = 0, *, constant: bool = False) -> Tensor:
        """An int16 tensor with one scale and zero point 0, by input position."""
        return self._int16(self.input(position), constant)

    def wide_output(self) -> Tensor:
        """The only output: an int16 tensor with one scale and zero point 0."""
        return self._int16(self.result())

    def plain(self, dtype: str, position: int = 0, *, constant: bool = True) -> Tensor:
        """A tensor of float32, or of an integer type without a scale, by input position.

        Args:
            constant: whether it may be one.
        """
        tensor = self.input(position)
        if tensor.data is not None and not constant:
            self.refuse(f"takes {tensor.label}, a constant", "Convert the model with constant folding.")
        return self._plain(tensor, dtype)

    def plain_output(self, dtype: str) -> Tensor:
        """The only output, of the same kind."""
        return self._plain(self.result(), dtype)

    def input(self, position: int = 0) -> Tensor:
        """A tensor of any type, by input position."""
        return self._given(self.graph.input(self.operator, position), f"input {position}")

    def output(self) -> Tensor:
        """The only output: an int8 tensor with one scale."""
        return self._int8(self.result())

    def result(self) -> Tensor:
        """The only output, a tensor of any type."""
        if len(self.operator.outputs) != 1:
            self.refuse(
                f"has {counted(len(self.operator.outputs), 'output')}", "Export it with --engine tflm."
            )
        return self._given(self.graph.output(self.operator), "output")

    def weights(self, position: int = 1) -> Tensor:
        """Constant int8 weights, quantised symmetrically."""
        tensor = self.constant(position)
        if tensor.dtype != "int8" or tensor.quantization is None:
            self._float(tensor)
        if np.any(tensor.quantization.zero_points):
            self.refuse(f"has weights with a zero point other than 0 ({tensor.label})", _CONVERT)
        return tensor

    def bias(self, channels: int, position: int = 2) -> npt.NDArray[np.int32]:
        """Constant int32 bias of `channels` values; zeros when the operator has none."""
        if self.graph.input(self.operator, position) is None:
            return np.zeros(channels, np.int32)
        tensor = self.constant(position)
        if tensor.dtype != "int32" or tensor.data is None or tensor.elements != channels:
            self.refuse(f"has a bias that is not int32[{channels}] ({tensor.label})", _CONVERT)
        return tensor.data.astype(np.int32).reshape(-1)

    def constant(self, position: int) -> Tensor:
        """A constant tensor of any type, by input position."""
        tensor = self.input(position)
        if tensor.data is None:
            self.refuse(
                f"takes {tensor.label} as a computed value; it must be a constant",
                "Export it with --engine tflm.",
            )
        return tensor

    def clamp(self, tensor: Tensor) -> str:
        """The fused activation as a C initialiser `{lowest, highest}`."""
        low, high = self.clamp_range(tensor)
        return f"{{{low}, {high}}}"

    def clamp_range(self, tensor: Tensor) -> tuple[int, int]:
        """The fused activation as the lowest and highest value of the tensor's type, int8 or int16."""
        name = self.option("fused_activation_function")
        if name not in arithmetic.ACTIVATIONS:
            self.refuse(
                f"has the fused activation {name}",
                "Use ReLU, ReLU6 or none, or export it with --engine tflm.",
            )
        limits = np.iinfo(tensor.dtype)
        return arithmetic.activation_range(
            name, scale_of(tensor), zero_point_of(tensor), (int(limits.min), int(limits.max))
        )

    def image(self, tensor: Tensor) -> tuple[int, int, int, int]:
        """The shape of a four-dimensional tensor of batch 1: (1, height, width, channels)."""
        if len(tensor.shape) != 4 or tensor.shape[0] != 1 or min(tensor.shape) < 1:
            self.refuse(
                f"works on {tensor.label} of shape {list(tensor.shape)}, not [1, height, width, channels]",
                "Convert the model with a batch of 1.",
            )
        return tensor.shape

    @property
    def scratch_name(self) -> str:
        """The C name of its working memory's offset in the arena."""
        return f"SCRATCH_{self.operator.index}"

    def refuse(self, why: str, next_step: str) -> NoReturn:
        """Stops the compilation with this operator's name."""
        raise TinymlError(
            f"Operator {self.operator.index} ({self.operator.name}) {why}; the aot engine cannot compile it",
            self.where,
            next_step,
        )

    def _given(self, tensor: Tensor | None, what: str) -> Tensor:
        if tensor is None:
            self.refuse(f"lacks its {what}", "Convert the model again with a current converter.")
        return tensor

    def _int8(self, tensor: Tensor, constant: bool = False) -> Tensor:
        if tensor.dtype != "int8" or tensor.quantization is None:
            self._float(tensor)
        if tensor.data is not None and not constant:
            self._float(tensor)
        if tensor.quantization.per_channel or not tensor.quantization.scales[0] > 0:
            self.refuse(f"works on {tensor.label}, which has no single positive scale", _CONVERT)
        if not arithmetic.INT8_MIN <= zero_point_of(tensor) <= arithmetic.INT8_MAX:
            self.refuse(f"works on {tensor.label}, whose zero point is not an int8", _CONVERT)
        return tensor

    def _int16(self, tensor: Tensor, constant: bool = False) -> Tensor:
        if tensor.dtype != "int16" or tensor.quantization is None:
            self._float(tensor)
        if tensor.data is not None and not constant:
            self._float(tensor)
        # A constant of zeros has the scale 0.
        scale = float(tensor.quantization.scales[0])
        if tensor.quantization.per_channel or not (scale > 0 or (tensor.data is not None and scale == 0)):
            self.refuse(f"works on {tensor.label}, which has no single positive scale", _CONVERT)
        if zero_point_of(tensor) != 0:
            self.refuse(f"works on {tensor.label}, an int16 tensor whose zero point is not 0", _CONVERT)
        return tensor

    def _plain(self, tensor: Tensor, dtype: str) -> Tensor:
        if tensor.dtype != dtype or not tensor.elements:
            self.refuse(
                f"works on {tensor.label}, {tensor.dtype}{list(tensor.shape)}, not values of type {dtype}",
                "Convert the model again.",
            )
        if tensor.quantization is not None and dtype != "float32" and np.any(tensor.quantization.scales > 0):
            self.refuse(f"works on {tensor.label}, which has a scale, as plain {dtype}", _CONVERT)
        return tensor

    def _float(self, tensor: Tensor) -> NoReturn:
        kind = "a constant" if tensor.data is not None else "a value"
        # Integers of another width come from another tool: nothing here converts them to int8.
        advice = _CONVERT if tensor.dtype.startswith("float") else "Export it with --engine tflm."
        self.refuse(f"uses {tensor.label} as {kind} of type {tensor.dtype}, not quantised int8", advice)


_CONVERT = "Quantise the whole model to int8: tinyml quantize, then tinyml convert."


def tensor_name(tensor: Tensor) -> str:
    """The C name of a tensor's offset in the arena."""
    return f"TENSOR_{tensor.index}"


def read(tensor: Tensor) -> str:
    """C expression: the tensor's values, to read."""
    return f"(const {C_TYPES[tensor.dtype]}*)(arena + {tensor_name(tensor)})"


def write(tensor: Tensor) -> str:
    """C expression: the tensor's values, to write."""
    return f"({C_TYPES[tensor.dtype]}*)(arena + {tensor_name(tensor)})"


def scale_of(tensor: Tensor) -> np.float32:
    """The one scale of an activation."""
    assert tensor.quantization is not None
    return np.float32(tensor.quantization.scales[0])


def zero_point_of(tensor: Tensor) -> int:
    """The one zero point of an activation."""
    assert tensor.quantization is not None
    return int(tensor.quantization.zero_points[0])


def same_padding(context: OpContext, size: int, window: int, stride: int, dilation: int, output: int) -> int:
    """Padding before the first element, as TensorFlow splits it: the odd one goes to the end."""
    if min(window, stride, dilation, output) < 1:
        context.refuse("has a window, stride or output of size 0", "Convert the model again.")
    reach = (window - 1) * dilation + 1
    if context.option("padding") == "VALID":
        expected, total = (size - reach) // stride + 1, 0
    else:
        expected = -(-size // stride)
        total = max((output - 1) * stride + reach - size, 0)
    if expected != output:
        context.refuse(
            f"produces {counted(output, 'value')} from {size} where {expected} were expected",
            "Convert the model again.",
        )
    return total // 2


def channel_constants(multipliers: list[arithmetic.Multiplier]) -> tuple[Constant, Constant]:
    """Per-channel multipliers and shifts as arrays."""
    return (
        Constant("multipliers", np.array([m.significand for m in multipliers], np.int32)),
        Constant("shifts", np.array([m.shift for m in multipliers], np.int32)),
    )
