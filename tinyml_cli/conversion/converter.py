"""TensorFlow Lite's converter: a network's float32 flatbuffer, and what is rounded of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from tinyml_cli import system_errors, temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.models.source_network import SourceNetwork
from tinyml_cli.quantization.scheme import Scheme
from tinyml_cli.quiet_import import import_quietly
from tinyml_cli.silence import silenced
from tinyml_cli.tflite import names

Array = npt.NDArray[Any]


def to_float32(source: SourceNetwork, shapes: Sequence[Sequence[int]]) -> bytes:
    """The network for batch 1 and inputs of these shapes.

    Raises:
        TinymlError: a layer the converter cannot express.
    """
    return _convert(source, shapes, lambda converter: None)


def to_int8(model: bytes, samples: Sequence[Array], where: Path) -> bytes:
    """Full int8 of a float32 flatbuffer, as the converter itself makes it of the network.

    Args:
        model: the flatbuffer.
        samples: one array [n, ...] per input; the range of an activation is that of its values.
        where: the network, for messages.

    Raises:
        TinymlError: a layer the converter cannot round.
    """
    api = import_quietly("tensorflow.lite.python.optimize.calibrator")
    with _explained(where):
        calibrator = api.Calibrator(api.add_intermediate_tensors(model))
        ranged = calibrator.calibrate(lambda: _one_by_one(samples))
    return _rounded(ranged, where, disable_per_channel=False)


def round_ranged(ranged: bytes, scheme: Scheme, where: Path) -> bytes:
    """Full int8 of a float32 flatbuffer whose activations all have ranges; errors as `to_int8`."""
    return _rounded(ranged, where, disable_per_channel=not scheme.per_channel, fully_quantize=True)


def for_comparison(source: SourceNetwork, samples: Sequence[Array], method: str) -> bytes:
    """Converts to what no firmware of a run takes: "dynamic", "float16" or "int16x8", float32 in and out.

    Raises:
        TinymlError: a layer the converter cannot express.
    """
    tf = import_quietly("tensorflow")

    def configure(converter: Any) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if method == "int16x8":
            converter.representative_dataset = lambda: _one_by_one(samples)
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            ]
        if method == "float16":
            converter.target_spec.supported_types = [tf.float16]

    return _convert(source, [values.shape[1:] for values in samples], configure)


def _convert(
    source: SourceNetwork, shapes: Sequence[Sequence[int]], configure: Callable[[Any], None]
) -> bytes:
    lite = import_quietly("tensorflow").lite
    try:
        # Several times as fast as through a SavedModel.
        if (function := source.function(shapes)) is not None:
            with silenced():
                converter = lite.TFLiteConverter.from_concrete_functions([function])
                configure(converter)
                return names.with_signature(bytes(converter.convert()))
    # What it cannot do, the other way does or explains.
    except Exception:
        pass
    with temporary.folder("convert") as folder:
        try:
            source.export(folder, shapes)
        # Tracing runs the layers' own code, which may raise anything.
        except Exception as error:
            raise inexpressible(_first_line(str(error)), source.path, str(error)) from error
        with _explained(source.path):
            converter = lite.TFLiteConverter.from_saved_model(folder)
            configure(converter)
            return bytes(converter.convert())


def _rounded(ranged: bytes, where: Path, **options: bool) -> bytes:
    """The converter's own last steps."""
    tf = import_quietly("tensorflow")
    api = import_quietly("tensorflow.lite.python.convert")
    with _explained(where):
        rounded = api.mlir_quantize(
            ranged,
            input_data_type=tf.int8,
            output_data_type=tf.int8,
            disable_per_channel_for_dense_layers=True,
            enable_variable_quantization=True,
            **options,
        )
        return bytes(api.deduplicate_readonly_buffers(rounded))


def _one_by_one(samples: Sequence[Array]) -> Iterator[list[Array]]:
    for index in range(len(samples[0])):
        yield [values[index][None] for values in samples]


@contextmanager
def _explained(where: Path) -> Iterator[None]:
    """Turns what the converter raises, several kinds and none of them public, into one error."""
    with silenced() as log:
        try:
            yield
            return
        except Exception as error:
            failed = error
    said = str(failed) + log.tail
    raise inexpressible(_reason(said), where, said) from failed


def inexpressible(reason: str, where: Path, said: str) -> TinymlError:
    """The error for a network that TensorFlow Lite cannot convert.

    Args:
        reason: in a few words.
        where: the network.
        said: everything that the converter wrote, which may tell that the system is to blame.
    """
    if refused := system_errors.temporary_files() or system_errors.found_in(said, str(where)):
        return refused
    loop = "TensorList" in reason or "unroll" in reason
    return TinymlError(
        f"TensorFlow Lite cannot convert the model ({reason})",
        str(where),
        "Build recurrent layers with unroll=True and a fixed number of steps."
        if loop
        else "Use layers with int8 kernels: convolutions, Dense, pooling, ReLU, softmax.",
    )


def _first_line(message: str) -> str:
    """What Keras says, without colours and without the frames and tracebacks it puts around."""
    text = re.sub(r"\x1b\[\d*m", "", message)
    inner = re.split(r"Exception encountered when calling[^\n]*\n|\n\s+\w+Error: ", text)[-1]
    lines = [line.strip() for line in inner.splitlines() if line.strip()]
    return lines[0][:300] if lines else "no reason given"


def _reason(log: str) -> str:
    """The operators that the converter names, else its last line."""
    if named := re.findall(r"(?:error: '|Custom ops: |Flex ops: |op: )([\w., ]+)", log):
        return ", ".join(dict.fromkeys(name.strip() for name in named))[:300]
    lines = [line for line in log.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason given"
