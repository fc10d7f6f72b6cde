"""The streaming form of an int8 network: it takes only new frames, and keeps earlier outputs.

A layer that does not pad over time gives the same output for a frame in every window with that frame. So the
output stays in a state (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE) as long as a later layer needs it, and
each inference computes only the columns of its new frames. Weights and scales are unchanged: once the states
have seen a whole window, the output bytes equal those of the original for that window. From the first
layer that mixes the whole window (a mean over time, a dense layer), the network is computed as before.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import write
from tinyml_cli.tflite.graph import Graph, Operator, parse
from tinyml_cli.wording import counted

_TIME = 1
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_POINTWISE = (
    "RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH", "ABS", "QUANTIZE",
    "ELU", "ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU",
)  # fmt: skip


def to_streaming(model_bytes: bytes, hop: int, where: str = "model") -> bytes:
    """Rewrites a network [1, frames, ...] so that each inference takes its next `hop` frames.

    Args:
        model_bytes: int8 flatbuffer with one input.
        hop: new frames in each inference.
        where: what error messages call the model.

    Returns:
        A flatbuffer with the input [1, hop, ...] and the same outputs. Its states start at zero, and outputs
        count once it has taken as many frames as the original has.

    Raises:
        TinymlError: the model has several inputs, or the hop does not fit.
    """
    return _Rewriter(parse(model_bytes, where), write.unpack(model_bytes, where), hop, where).run()


def hops(window: npt.NDArray[np.int8], hop: int) -> npt.NDArray[np.int8]:
    """The inputs [n, hop, ...] that feed one window [frames, ...] to a streaming network; the last ends it.

    The first may begin with frames of zeros, which the network has forgotten by the end.
    """
    missing = -len(window) % hop
    padded = np.concatenate([np.zeros((missing, *window.shape[1:]), np.int8), window])
    return padded.reshape(-1, hop, *window.shape[1:])


class _Rewriter:
    """Goes through the operators once, in their order.

    Attributes:
        fresh: tensor -> frames of it that each inference computes anew; others are as in the original.
        moved: tensor -> the tensor that stands for it, where a layer only drops old frames.
    """

    def __init__(self, graph: Graph, model: Any, hop: int, where: str) -> None:
        self.graph, self.model, self.hop, self.where = graph, model, hop, where
        self.tensors = model.subgraphs[0].tensors
        self.fresh: dict[int, int] = {}
        self.moved: dict[int, int] = {}
        self.operators: list[Any] = []
        self.states = 0

    def run(self) -> bytes:
        """The rewritten flatbuffer."""
        self._start()
        originals = list(self.model.subgraphs[0].operators)
        for operator, original in zip(self.graph.operators, originals, strict=True):
            self._rewrite(operator, original)
        if any(self.moved.get(index, index) in self.fresh for index in self.graph.outputs):
            raise TinymlError(
                "The model has one output per frame, not one per window",
                self.where,
                "End the network with a mean over time, or a dense layer.",
            )
        self.model.subgraphs[0].operators = self.operators
        _compact(self.model)
        return write.pack(self.model)

    def _start(self) -> None:
        if len(self.graph.inputs) != 1:
            raise TinymlError(
                f"The model has {counted(len(self.graph.inputs), 'input')}",
                self.where,
                "A streaming model needs exactly one.",
            )
        source = self.graph.tensors[self.graph.inputs[0]]
        if len(source.shape) < 2 or not 1 <= self.hop < source.shape[_TIME]:
            raise TinymlError(
                f"An inference every {counted(self.hop, 'frame')} does not match a model of {source.shape}",
                self.where,
                "Set recognizer.inference_stride_frames below the frames of a window, and convert again.",
            )
        self._shorten(source.index, self.hop)

    def _rewrite(self, operator: Operator, original: Any) -> None:
        inputs = [self.moved.get(index, index) for index in operator.inputs]
        original.inputs = np.array(inputs, np.int32)
        if not any(index in self.fresh for index in inputs):
            self.operators.append(original)
            return
        fresh = max(self.fresh.get(index, 0) for index in inputs)
        output = operator.outputs[0]
        if self._drops_old_frames(operator):
            self.moved[output] = inputs[0]
        elif self._is_local(operator, inputs, fresh):
            self._shorten(output, fresh)
            if operator.name == "RESHAPE":
                self._reshape(original, output)
            self.operators.append(original)
        elif (taps := self._taps(operator, fresh)) is not None:
            span, stride = taps
            original.inputs[0] = self._window(inputs[0], span - stride)
            self._shorten(output, fresh // stride)
            self.operators.append(original)
        else:
            self._compute_whole(operator, original, inputs)

    def _compute_whole(self, operator: Operator, original: Any, inputs: list[int]) -> None:
        for position, index in enumerate(inputs):
            if index in self.fresh:
                frames = self.graph.tensors[operator.inputs[position]].shape[_TIME]
                original.inputs[position] = self._window(index, frames - self.fresh[index])
        self.operators.append(original)

    def _is_local(self, operator: Operator, inputs: list[int], fresh: int) -> bool:
        """Whether each frame of the output follows from the same frame of the inputs."""
        output = self.graph.tensors[operator.outputs[0]]
        source = self.graph.tensors[operator.inputs[0]]
        if operator.name == "RESHAPE":
            return output.shape[: _TIME + 1] == source.shape[: _TIME + 1]
        if operator.name not in _POINTWISE:
            return False
        for index, old in zip(inputs, operator.inputs, strict=True):
            shape = self.graph.tensors[old].shape
            axis = _TIME - (len(output.shape) - len(shape))
            is_stream = index in self.fresh
            same = axis == _TIME and shape[_TIME] == output.shape[_TIME] and self.fresh.get(index) == fresh
            constant = self.graph.tensors[old].data is not None and (axis < 0 or shape[axis] == 1)
            if not (same if is_stream else constant):
                return False
        return True

    def _drops_old_frames(self, operator: Operator) -> bool:
        """Whether the operator is x[:, n:], which keeps the frames that are new."""
        if operator.name != "STRIDED_SLICE":
            return False
        source, end, steps = (self.graph.input(operator, position) for position in (0, 2, 3))
        output = self.graph.tensors[operator.outputs[0]]
        if source is None or steps is None or steps.data is None or (steps.data != 1).any():
            return False
        others = [axis for axis in range(len(source.shape)) if axis != _TIME]
        if len(output.shape) != len(source.shape) or any(
            source.shape[axis] != output.shape[axis] for axis in others
        ):
            return False
        if operator.options["end_mask"] >> _TIME & 1:
            return True
        return end is not None and end.data is not None and int(end.data[_TIME]) >= source.shape[_TIME]

    def _taps(self, operator: Operator, fresh: int) -> tuple[int, int] | None:
        """(frames under the kernel, stride) of a layer that slides over time without padding; else None."""
        options, output = operator.options, self.graph.tensors[operator.outputs[0]]
        if operator.name in _CONVOLUTIONS:
            taps = self.graph.tensors[operator.inputs[1]].shape[1]
            span = (taps - 1) * options["dilation_h_factor"] + 1
        elif operator.name in _POOLS:
            span = options["filter_height"]
        else:
            return None
        stride, frames = options["stride_h"], self.graph.tensors[operator.inputs[0]].shape[_TIME]
        pads = options["padding"] != "VALID" and (output.shape[_TIME] - 1) * stride + span > frames
        aligned = span >= stride and (frames - span) % stride == 0 and fresh % stride == 0
        return (span, stride) if output.shape[_TIME] > 1 and aligned and not pads else None

    def _window(self, index: int, kept: int) -> int:
        """A tensor of `kept` old frames and the fresh ones behind them; they are remembered."""
        if kept == 0:
            return index
        if kept < 0:
            raise TinymlError(
                f"An inference every {counted(self.hop, 'frame')} is more than the network's receptive field",
                self.where,
                "Lower recognizer.inference_stride_frames, and convert again.",
            )
        fresh = self.fresh[index]
        state = self._handle()
        old, window, tail = (self._like(index, frames) for frames in (kept, kept + fresh, kept))
        self._add("READ_VARIABLE", [state], [old], "ReadVariableOptions")
        self._add("CONCATENATION", [old, index], [window], "ConcatenationOptions", axis=_TIME)
        rank = len(self.tensors[index].shape)
        begin = [fresh if axis == _TIME else 0 for axis in range(rank)]
        bounds = [self._integers(values) for values in (begin, [0] * rank, [1] * rank)]
        self._add("STRIDED_SLICE", [window, *bounds], [tail], "StridedSliceOptions", endMask=(1 << rank) - 1)
        self._add("ASSIGN_VARIABLE", [state, tail], [], "AssignVariableOptions")
        return window

    def _shorten(self, index: int, frames: int) -> None:
        shape = [int(size) for size in self.tensors[index].shape]
        shape[_TIME] = frames
        self.tensors[index].shape = shape
        self.fresh[index] = frames

    def _reshape(self, original: Any, output: int) -> None:
        shape = self.tensors[output].shape
        original.inputs[1] = self._integers(shape)
        if original.builtinOptions is not None:
            original.builtinOptions.newShape = list(shape)

    def _like(self, index: int, frames: int) -> int:
        tensor = copy.copy(self.tensors[index])
        shape = list(tensor.shape)
        shape[_TIME] = frames
        tensor.shape, tensor.name = shape, None
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _integers(self, values: list[int]) -> int:
        api = write.schema()
        buffer, tensor = api.BufferT(), api.TensorT()
        buffer.data = write.data_vector(np.asarray(values, "<i4").tobytes())
        self.model.buffers.append(buffer)
        tensor.shape, tensor.type = [len(values)], api.TensorType.INT32
        tensor.buffer = len(self.model.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _handle(self) -> int:
        api = write.schema()
        tensor = api.TensorT()
        tensor.shape, tensor.type, tensor.buffer = [1], api.TensorType.RESOURCE, 0
        self.tensors.append(tensor)
        self.states += 1
        index = len(self.tensors) - 1
        name = f"frames{self.states}"
        self._add("VAR_HANDLE", [], [index], "VarHandleOptions", sharedName=name, container="")
        return index

    def _add(self, name: str, inputs: list[int], outputs: list[int], options: str, **fields: Any) -> None:
        api = write.schema()
        operator, table = api.OperatorT(), getattr(api, f"{options}T")()
        for field, value in fields.items():
            setattr(table, field, value)
        operator.opcodeIndex = write.operator_code(self.model, getattr(api.BuiltinOperator, name))
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        operator.builtinOptionsType = getattr(api.BuiltinOptions, options)
        operator.builtinOptions = table
        self.operators.append(operator)


def _compact(model: Any) -> None:
    """Drops tensors, operator codes and buffers that nothing names any more."""
    graph = model.subgraphs[0]
    named = {int(i) for op in graph.operators for side in (op.inputs, op.outputs) for i in side}
    named |= {int(i) for side in (graph.inputs, graph.outputs) for i in side}
    kept = sorted(named - {-1})
    numbers = {old: new for new, old in enumerate(kept)} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in kept]
    for owner in (graph, *graph.operators):
        owner.inputs = np.array([numbers[int(i)] for i in owner.inputs], np.int32)
        owner.outputs = np.array([numbers[int(i)] for i in owner.outputs], np.int32)
    codes = sorted({op.opcodeIndex for op in graph.operators})
    model.operatorCodes = [model.operatorCodes[index] for index in codes]
    for op in graph.operators:
        op.opcodeIndex = codes.index(op.opcodeIndex)
    write.drop_unused_buffers(model)
