"""The int8 operators of TensorFlow Lite Micro, and whether a model uses only those."""

from __future__ import annotations

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import Op
from tinyml_cli.tflite.graph import ABSENT, Graph, Operator, op_list

# Builtin operators whose TensorFlow Lite Micro kernel takes int8 activations (or only moves or compares
# them). Left out on purpose: float-only kernels (CEIL, COS, EXP, FLOOR, FLOOR_DIV, FLOOR_MOD, L2_POOL_2D,
# LOG, NEG, ROUND, SIN, SQRT, SQUARE).
_NAMES = """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CONCATENATION CONV_2D CUMSUM DEPTH_TO_SPACE
    DEPTHWISE_CONV_2D DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXPAND_DIMS FILL
    FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION LEAKY_RELU LESS
    LESS_EQUAL LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM
    MIRROR_PAD MUL NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_MAX REDUCE_MIN RELU RELU6
    RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RSQRT SELECT_V2 SHAPE SLICE SOFTMAX
    SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF
    TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
    """
TFLM_INT8_OPS = frozenset(_NAMES.split())

# Custom operators that hold machine code of one accelerator, with that and the compiler that made them.
_ACCELERATORS = {
    "CUSTOM edgetpu-custom-op": ("the Edge TPU", "the Edge TPU compiler"),
    "CUSTOM ethos-u": ("an Arm Ethos-U", "Arm's compiler Vela"),
}


def refuse_compiled(graph: Graph, where: str) -> None:
    """Refuses a model of which an accelerator's compiler has made machine code, weights included.

    Raises:
        TinymlError: it has such an operator.
    """
    for operator in (each for function in (graph, *graph.functions) for each in function.operators):
        if operator.name in _ACCELERATORS:
            chip, compiler = _ACCELERATORS[operator.name]
            raise TinymlError(
                f"The model is compiled for {chip}: operator {operator.index} "
                f"({operator.name.removeprefix('CUSTOM ')}) holds code that nothing else runs",
                where,
                f"Give the .tflite file that {compiler} was given.",
            )


def check_int8(graph: Graph, where: str = "") -> list[Op]:
    """Checks that a model is int8 throughout and runs on TensorFlow Lite Micro.

    Inputs and outputs may be of another type when QUANTIZE and DEQUANTIZE change it at once.

    Args:
        graph: the model.
        where: its file, for the error.

    Returns:
        Its operator kinds with versions and counts, by name.

    Raises:
        TinymlError: an operator that TFLM lacks, or a tensor that is still floating point; both by name.
    """
    for operator in graph.operators:
        if operator.name not in TFLM_INT8_OPS:
            raise TinymlError(
                f"TensorFlow Lite Micro has no int8 kernel for {operator.name} (operator {operator.index})",
                where,
                "Replace that layer with convolutions, Dense, pooling, ReLU or softmax, and train again.",
            )
        for index in (*operator.inputs, *operator.outputs):
            if index == ABSENT or _at_boundary(graph, operator, index):
                continue
            if graph.tensors[index].dtype.startswith(("float", "bfloat")):
                tensor = graph.tensors[index]
                raise TinymlError(
                    f"{tensor.label} of operator {operator.index} {operator.name} is still {tensor.dtype}: "
                    "the model is not full int8",
                    where,
                    "Replace the layer that produces it with one that has an int8 kernel, and train again.",
                )
    return [Op(name=name, version=version, count=count) for name, version, count in sorted(op_list(graph))]


def _at_boundary(graph: Graph, operator: Operator, index: int) -> bool:
    """Whether a tensor is an input that the operator quantises, or an output that it dequantises."""
    return (operator.name == "QUANTIZE" and index in graph.inputs) or (
        operator.name == "DEQUANTIZE" and index in graph.outputs
    )
