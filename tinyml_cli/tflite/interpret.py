"""Runs flatbuffers on the host: LiteRT in bulk, TensorFlow Lite Micro's own runtime as the reference.

LiteRT runs without delegates. Its XNNPACK delegate rounds int8 differently from the microcontroller
kernels; the builtin kernels give the same bytes as TensorFlow Lite Micro on convolutional networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.next_step import model_again, on_this_run
from tinyml_cli.tflite.graph import Graph, Tensor, parse, with_axes_of_vectors
from tinyml_cli.wording import counted

Runtime = Literal["litert", "tflm"]
Int8Array = npt.NDArray[np.int8]
FloatArray = npt.NDArray[np.float32]

TFLM_ARENA_BYTES = 16 << 20
"""For TFLM's runtime on the host; its default, 10 x the flatbuffer, is too little for large activations."""


def lite_interpreter(model_bytes: bytes, preserve_all_tensors: bool = False) -> Any:
    """An allocated LiteRT interpreter without delegates; TensorFlow's copy where ai-edge-litert has no wheel.

    Raises:
        TinymlError: neither runtime is installed, or the flatbuffer is not one it can load.
    """
    try:
        from ai_edge_litert import interpreter as lite
    except ImportError:
        from tinyml_cli.quiet_import import import_quietly

        lite = import_quietly("tensorflow").lite
    resolver = getattr(lite, "OpResolverType", None) or lite.experimental.OpResolverType

    def loaded(model: bytes) -> Any:
        interpreter = lite.Interpreter(
            model_content=model,
            num_threads=1,
            experimental_op_resolver_type=resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=preserve_all_tensors,
        )
        interpreter.allocate_tensors()
        return interpreter

    try:
        try:
            return loaded(model_bytes)
        except (ValueError, RuntimeError) as error:
            if "quantized_dimension" not in str(error):
                raise
            return loaded(with_axes_of_vectors(model_bytes))
    except (ValueError, RuntimeError) as error:
        raise TinymlError(f"LiteRT cannot load the model ({error})", "", model_again()) from error


def has_tflm() -> bool:
    """Whether TensorFlow Lite Micro's Python runtime is installed (Linux on x86-64 only)."""
    try:
        from tflite_micro.python.tflite_micro import runtime  # noqa: F401
    except ImportError:
        return False
    return True


def reference_runtime() -> Runtime:
    """Whose bytes the firmware is held to: TensorFlow Lite Micro's, LiteRT's where that is not installed.

    LiteRT's FULLY_CONNECTED and softmax may differ from the device's kernels by a step or two.
    """
    return "tflm" if has_tflm() else "litert"


def with_custom_names(message: str, model_bytes: bytes) -> str:
    """What TFLM says of a model; it calls each custom operator CUSTOM, and here they have their names."""
    if "CUSTOM" not in message:
        return message
    graph = parse(model_bytes)
    operators = (each for function in (graph, *graph.functions) for each in function.operators)
    names = sorted({each.name for each in operators if each.name.startswith("CUSTOM ")})
    return message.replace("CUSTOM", ", ".join(names) or "CUSTOM")


def io_quantization(graph: Graph) -> tuple[TensorQuantization, TensorQuantization]:
    """Scale and zero point of a model's first input and output: value = scale * (q - zero_point).

    Raises:
        TinymlError: one of them is not an int8 tensor.
    """
    return (
        tensor_quantization(graph.tensors[graph.inputs[0]]),
        tensor_quantization(graph.tensors[graph.outputs[0]]),
    )


def tensor_quantization(tensor: Tensor) -> TensorQuantization:
    """Scale and zero point of an activation.

    Raises:
        TinymlError: it is not int8, or not quantised per tensor.
    """
    quantization = tensor.quantization
    if tensor.dtype != "int8" or quantization is None or quantization.per_channel:
        raise TinymlError(
            f"{tensor.label} is not an int8 tensor with one scale: the model is not full int8",
            "",
            "Replace the layer that produces it with one that has an int8 kernel, and train again.",
        )
    return TensorQuantization(
        scale=float(quantization.scales[0]), zero_point=int(quantization.zero_points[0])
    )


def quantize_values(values: FloatArray, quantization: TensorQuantization) -> Int8Array:
    """Float to int8, half away from zero: q = clamp(round(v / scale) + zero_point, -128, 127).

    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", 2018, equation 1. Not for audio features: firmware quantises those in integers.
    """
    scaled = np.asarray(values, np.float64) / quantization.scale
    rounded = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    grid: Int8Array = np.clip(rounded + quantization.zero_point, -128, 127).astype(np.int8)
    return grid


def dequantize_values(values: Int8Array, quantization: TensorQuantization) -> FloatArray:
    """int8 to float: value = scale * (q - zero_point)."""
    shifted = np.asarray(values, np.float32) - np.float32(quantization.zero_point)
    return (shifted * np.float32(quantization.scale)).astype(np.float32)


def quantize_inputs(graph: Graph, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Real values as a model takes them: int8 by each input's scale, other types as they are.

    Args:
        graph: the model.
        inputs: one array [n, ...] per model input.
    """
    return [
        quantize_values(values, tensor_quantization(tensor))
        if tensor.dtype == "int8"
        else np.asarray(values, tensor.dtype)
        for tensor, values in zip((graph.tensors[index] for index in graph.inputs), inputs, strict=True)
    ]


def dequantize_outputs(graph: Graph, outputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """A model's outputs as real values: int8 by each output's scale, other types as they are."""
    return [
        dequantize_values(values, tensor_quantization(tensor)) if tensor.dtype == "int8" else values
        for tensor, values in zip((graph.tensors[index] for index in graph.outputs), outputs, strict=True)
    ]


def run_int8(
    model_bytes: bytes,
    inputs: Int8Array,
    runtime: Runtime = "litert",
    advance: Callable[[], object] | None = None,
) -> Int8Array:
    """Runs a full-int8 model with one input on each sample.

    Args:
        model_bytes: the flatbuffer.
        inputs: int8 [n, ...]; the rest must hold as many values as the model's input.
        runtime: "litert" (bulk) or "tflm" (TensorFlow Lite Micro's reference kernels, slower).
        advance: called after each inference, for a progress bar.

    Returns:
        int8 [n, values of the first output].

    Raises:
        TinymlError: the runtime is not installed, or inputs and model do not fit.
    """
    return _first_output(model_bytes, inputs, np.dtype(np.int8), runtime, advance)


def run_float(
    model_bytes: bytes, inputs: FloatArray, advance: Callable[[], object] | None = None
) -> FloatArray:
    """Runs a float32 model on each of `inputs` float32 [n, ...]; returns float32 [n, values of output].

    Raises:
        TinymlError: no runtime is installed, or inputs and model do not fit.
    """
    return _first_output(model_bytes, inputs, np.dtype(np.float32), "litert", advance)


def run(
    model_bytes: bytes,
    inputs: Sequence[npt.NDArray[Any]],
    runtime: Runtime = "litert",
    advance: Callable[[], object] | None = None,
) -> list[npt.NDArray[Any]]:
    """Runs a model with any number of inputs and outputs on each sample.

    Args:
        model_bytes: the flatbuffer.
        inputs: one array [n, ...] per model input, in the model's order and of its types.
        runtime: as of `run_int8`.
        advance: called after each inference.

    Returns:
        One array [n, values] per model output, of its type.

    Raises:
        TinymlError: the runtime is not installed, or inputs and model do not fit.
    """
    session = _Tflm(model_bytes) if runtime == "tflm" else _Lite(model_bytes)
    if len(inputs) != len(session.sources):
        raise TinymlError(
            f"The model has {counted(len(session.sources), 'input')}, got {len(inputs)}",
            "",
            "Give one array per input.",
        )
    shaped = [
        _shaped(values, np.dtype(source["dtype"]), source["dtype"], source["shape"])
        for values, source in zip(inputs, session.sources, strict=True)
    ]
    outputs = [
        np.empty((len(shaped[0]), int(np.prod(target["shape"]))), target["dtype"])
        for target in session.targets
    ]
    for index in range(len(shaped[0])):
        answer = session.invoke([values[index] for values in shaped])
        for output, values in zip(outputs, answer, strict=True):
            output[index] = values.reshape(-1)
        if advance:
            advance()
    return outputs


def _first_output(
    model_bytes: bytes,
    inputs: npt.NDArray[Any],
    dtype: np.dtype[Any],
    runtime: Runtime,
    advance: Callable[[], object] | None,
) -> npt.NDArray[Any]:
    session = _Tflm(model_bytes) if runtime == "tflm" else _Lite(model_bytes)
    source, target = session.sources[0], session.targets[0]
    shaped = _shaped(inputs, dtype, source["dtype"], source["shape"])
    outputs = np.empty((len(shaped), int(np.prod(target["shape"]))), dtype)
    for index, value in enumerate(shaped):
        outputs[index] = session.invoke([value])[0].reshape(-1)
        if advance:
            advance()
    return outputs


class _Lite:
    """LiteRT with a model."""

    def __init__(self, model_bytes: bytes) -> None:
        self._interpreter = lite_interpreter(model_bytes)
        self.sources = self._interpreter.get_input_details()
        self.targets = self._interpreter.get_output_details()

    def invoke(self, values: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        for source, value in zip(self.sources, values, strict=False):
            self._interpreter.set_tensor(source["index"], value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(target["index"]) for target in self.targets]


class _Tflm:
    """TensorFlow Lite Micro with a model."""

    def __init__(self, model_bytes: bytes) -> None:
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError as error:
            raise TinymlError(
                "TensorFlow Lite Micro's Python runtime is not installed",
                "",
                "It is available for Linux on x86-64: pip install tflite-micro, or compare only with LiteRT.",
            ) from error
        try:
            self._interpreter = runtime.Interpreter.from_bytes(model_bytes, arena_size=TFLM_ARENA_BYTES)
        except (RuntimeError, ValueError) as error:
            raise TinymlError(
                f"TensorFlow Lite Micro cannot load the model ({with_custom_names(str(error), model_bytes)})",
                "",
                model_again(),
            ) from error
        graph = parse(model_bytes)
        self.sources = [self._interpreter.get_input_details(i) for i in range(len(graph.inputs))]
        self.targets = [self._interpreter.get_output_details(i) for i in range(len(graph.outputs))]

    def invoke(self, values: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        for index, value in enumerate(values):
            self._interpreter.set_input(value, index)
        self._interpreter.invoke()
        return [self._interpreter.get_output(index) for index in range(len(self.targets))]


def _shaped(
    inputs: npt.NDArray[Any], wanted: np.dtype[Any], model_dtype: Any, model_shape: npt.NDArray[np.int32]
) -> npt.NDArray[Any]:
    """Inputs as [n, *model input shape], dtypes checked."""
    inputs = np.asarray(inputs)
    if np.dtype(model_dtype) != wanted or inputs.dtype != wanted:
        raise TinymlError(
            f"The model needs {np.dtype(model_dtype).name}, the inputs are {inputs.dtype.name}, "
            f"and {wanted.name} was asked for",
            "",
            f"Run `{on_this_run('convert')}` again.",
        )
    values = int(np.prod(model_shape))
    if values == 1 and inputs.ndim == 1:
        inputs = inputs[:, None]  # of a model whose input is a single number
    if inputs.ndim < 2 or inputs[0:1].size not in (0, values) or (len(inputs) and inputs[0].size != values):
        raise TinymlError(
            f"The model needs inputs of shape {tuple(int(n) for n in model_shape)}, got {inputs.shape[1:]}",
            "",
            "Use data made with the features of this run, or train and convert again.",
        )
    return inputs.reshape(len(inputs), *model_shape)
