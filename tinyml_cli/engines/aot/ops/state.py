"""State: variable tensors, and VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE of streaming models.

A variable tensor is the memory that a recurrent operator reads and changes. A handle's offset in the arena is
the memory of its state. Reading is free unless the state is assigned while the value that was read is still
in use.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.fold import fold
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, State, tensor_name
from tinyml_cli.tflite.graph import Graph, Operator, Tensor

_AGAIN = "Convert the model again."
_CONVERT = "Quantise the whole model to int8: tinyml quantize, then tinyml convert."
_NEVER = 1 << 30


def var_handle(context: OpContext) -> Kernel:
    """VAR_HANDLE: the first handle of a name owns the memory, others are its aliases."""
    handle, name = context.result(), context.option("shared_name")
    first = next(op for op in _named(context.graph, "VAR_HANDLE") if op.options.get("shared_name") == name)
    if first.index != context.operator.index:
        return Kernel(alias_of=first.outputs[0])
    values = _values(context.graph, name)
    if not values:
        context.refuse(f"names the state {name}, which nobody assigns or reads ({handle.label})", _AGAIN)
    kinds = {(tensor.bytes, tensor.dtype) for tensor in values}
    if len(kinds) != 1 or not values[0].bytes:
        context.refuse(f"names the state {name}, which is used with different sizes", _AGAIN)
    return Kernel(states={handle.index: State(values[0].bytes, _initial(context, name, values))})


def read_variable(context: OpContext) -> Kernel:
    """READ_VARIABLE: an alias of the state, or a copy when it is assigned before the value's last use."""
    handle, value = context.input(), context.result()
    name = _name(context, handle)
    last = _last_use(context.graph, value.index, context.operator.index)
    for operator in _named(context.graph, "ASSIGN_VARIABLE"):
        same = _name_of(context.graph, operator.inputs[0]) == name
        if same and context.operator.index < operator.index < last:
            to, from_ = (f"arena + {tensor_name(tensor)}" for tensor in (value, handle))
            return Kernel(f"memcpy({to}, {from_}, {value.bytes});\nreturn 0;")
    return Kernel(alias_of=handle.index)


def assign_variable(context: OpContext) -> Kernel:
    """ASSIGN_VARIABLE: copies a value into the state."""
    handle, value = context.input(0), context.input(1)
    _name(context, handle)
    if value.data is not None or not value.bytes:
        context.refuse(f"assigns {value.label}, a constant or nothing", _AGAIN)
    # memmove, since the value may be the state itself under another name.
    return Kernel(
        f"memmove(arena + {tensor_name(handle)}, arena + {tensor_name(value)}, {value.bytes});\nreturn 0;"
    )


def call_once(context: OpContext) -> Kernel:
    """CALL_ONCE: its subgraph's constants have become initial values; see `var_handle`."""
    number = context.option("init_subgraph_index")
    if not 1 <= number <= len(context.graph.functions):
        context.refuse(f"calls subgraph {number}", _AGAIN)
    return Kernel()


def variable(context: OpContext, position: int) -> Tensor:
    """A variable tensor in int8 or int16, by input position; nobody but the operator uses it."""
    tensor = context.input(position)
    if not tensor.variable or tensor.data is not None:
        context.refuse(f"takes {tensor.label} as its state, which is not a variable", _AGAIN)
    users = [
        op for op in context.graph.operators for index in op.inputs + op.outputs if index == tensor.index
    ]
    if len(users) > 1 or tensor.index in (*context.graph.inputs, *context.graph.outputs):
        context.refuse(f"keeps its state in {tensor.label}, which is used elsewhere too", _AGAIN)
    quantization = tensor.quantization
    if quantization is None or quantization.per_channel or not quantization.scales[0] > 0:
        context.refuse(f"keeps its state in {tensor.label}, which has no single positive scale", _AGAIN)
    if tensor.dtype not in ("int8", "int16"):
        context.refuse(f"keeps its state in {tensor.dtype} ({tensor.label}), not in int8 or int16", _CONVERT)
    limits = np.iinfo(tensor.dtype)
    if not limits.min <= quantization.zero_points[0] <= limits.max:
        context.refuse(
            f"keeps its state in {tensor.label}, whose zero point is not an {tensor.dtype}", _AGAIN
        )
    return tensor


def kept(*variables: Tensor) -> dict[int, State]:
    """Variable tensors as states. TensorFlow Lite Micro starts int8 at its zero point, other types at 0."""
    return {
        tensor.index: State(
            tensor.bytes, np.full(tensor.bytes, _zero(tensor) if tensor.dtype == "int8" else 0, np.int8)
        )
        for tensor in variables
    }


def _zero(tensor: Tensor) -> np.int8:
    """The zero point's lowest byte, or 0 for a tensor without a scale."""
    quantization = tensor.quantization
    return np.int64(0 if quantization is None else quantization.zero_points[0]).astype(np.int8)


def _named(graph: Graph, name: str) -> list[Operator]:
    return [
        operator
        for operator in graph.operators
        if operator.name == name and operator.inputs + operator.outputs
    ]


def _name_of(graph: Graph, handle: int) -> str | None:
    """The state that a handle tensor stands for."""
    for operator in _named(graph, "VAR_HANDLE"):
        if handle in operator.outputs:
            return str(operator.options.get("shared_name"))
    return None


def _name(context: OpContext, handle: Tensor) -> str:
    name = _name_of(context.graph, handle.index)
    if name is None:
        context.refuse(f"uses {handle.label}, which is not the handle of a state", _AGAIN)
    return name


def _values(graph: Graph, name: str) -> list[Tensor]:
    """Tensors assigned to a state, then those read; TensorFlow Lite Micro goes by the first one assigned."""
    assigned = [
        graph.tensors[operator.inputs[1]]
        for operator in _named(graph, "ASSIGN_VARIABLE")
        if len(operator.inputs) == 2 and _name_of(graph, operator.inputs[0]) == name
    ]
    read = [
        graph.tensors[operator.outputs[0]]
        for operator in _named(graph, "READ_VARIABLE")
        if operator.outputs and _name_of(graph, operator.inputs[0]) == name
    ]
    return assigned + read


def _initial(context: OpContext, name: str, values: list[Tensor]) -> npt.NDArray[np.int8]:
    """What an initialiser assigns, or else the zero point in every byte, as TensorFlow Lite Micro has it."""
    size = values[0].bytes
    for operator in [op for op in context.graph.operators if op.name == "CALL_ONCE"]:
        number = operator.options.get("init_subgraph_index", 0)
        if not 1 <= number <= len(context.graph.functions):
            continue
        function = fold(context.graph.functions[number - 1])
        for assignment in _named(function, "ASSIGN_VARIABLE"):
            if _name_of(function, assignment.inputs[0]) != name:
                continue
            value = function.tensors[assignment.inputs[1]]
            if value.data is None or value.bytes != size:
                context.refuse(f"has an initial value that is computed ({value.label})", "Use --engine tflm.")
            return np.frombuffer(np.ascontiguousarray(value.data).tobytes(), np.int8)
    return np.full(size, _zero(values[0]), np.int8)


def _last_use(graph: Graph, tensor: int, start: int) -> int:
    """The last operator that may still need a tensor's bytes, whichever names views of them go by."""
    names, last = {tensor}, start
    for operator in graph.operators:
        if operator.index > start and names & set(operator.inputs):
            last = operator.index
            if operator.name in _MAY_ALIAS:
                names |= set(operator.outputs)
    return _NEVER if names & set(graph.outputs) else last


_MAY_ALIAS = frozenset({
    "ABS", "ADD", "CAST", "DEPTH_TO_SPACE", "ELU", "EXPAND_DIMS", "GATHER", "HARD_SWISH", "LEAKY_RELU",
    "MAXIMUM", "MINIMUM", "MUL", "PAD", "PADV2", "PRELU", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1",
    "RESHAPE", "REVERSE_V2", "SLICE", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE",
    "SUB", "TRANSPOSE", "UNPACK",
})  # fmt: skip
"""Operators whose output may be the same bytes as an input."""
