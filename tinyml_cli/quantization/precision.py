"""Why a model of a precision other than int8 is not for these engines."""

from __future__ import annotations

from tinyml_cli.errors import TinymlError
from tinyml_cli.quantization.float_graph import WEIGHTED
from tinyml_cli.tflite.graph import Graph, Tensor

_REASONS = {
    "float16": "its weights are float16, which a Cortex-M4 unpacks to float32 before it can compute: half "
    "the flash, all of the time and RAM of float32",
    "dynamic": "it is hybrid, int8 weights with float32 activations (dynamic range): TensorFlow Lite Micro "
    "has no such kernels, and RAM and time would be those of float32",
}


def kind_of(graph: Graph) -> tuple[str, Tensor] | None:
    """ "float16", "dynamic" or "int16x8", and the first tensor that shows it; None for any other model."""
    for tensor in graph.tensors:
        if tensor.dtype == "float16":
            return "float16", tensor
    for operator in graph.operators:
        source, weights = graph.input(operator, 0), graph.input(operator, 1)
        if operator.name not in WEIGHTED or source is None or weights is None or weights.dtype != "int8":
            continue
        if source.dtype == "float32":
            return "dynamic", source
        if source.dtype == "int16":
            return "int16x8", source
    return None


def check_int8(graph: Graph, where: str) -> None:
    """Refuses dynamic and float16 models, which `tinyml quantize` makes for comparison only.

    Raises:
        TinymlError: with the reason.
    """
    found = kind_of(graph)
    if found is not None and found[0] in _REASONS:
        kind, tensor = found
        raise TinymlError(
            f"For comparison only: tensor `{tensor.name}` is {tensor.dtype}: {_REASONS[kind]}",
            where,
            "Export the int8 model: tinyml quantize, tinyml convert, tinyml export-c-array RUN",
        )
