"""Does the flatbuffer compute what the Keras model does, and do all runtimes agree on it?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

COMPARED_SAMPLES = 200


@dataclass(frozen=True)
class Comparison:
    """How runtimes agree.

    Attributes:
        compared: number of inputs.
        max_abs_error_float: largest difference of any output value, Keras against LiteRT in float32.
        agreement_int8_float: share of inputs where int8 and Keras put the same class first.
        mismatches: int8 output bytes that differ between LiteRT and TensorFlow Lite Micro; None where the
            latter is not installed.
        max_difference: the largest such difference, in steps of the output's scale; None likewise.
    """

    compared: int
    max_abs_error_float: float
    agreement_int8_float: float
    mismatches: int | None
    max_difference: int | None

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def compare(
    float_model: bytes,
    int8_model: bytes,
    samples: npt.NDArray[np.float32],
    keras_outputs: npt.NDArray[np.float32],
) -> Comparison:
    """Runs both flatbuffers on `samples` float32 [n, ...], against Keras outputs float32 [n, classes]."""
    in_quantization, _ = interpret.io_quantization(parse(int8_model))
    inputs = interpret.quantize_values(samples, in_quantization)
    with console.progress(len(samples) * (3 if interpret.has_tflm() else 2), "comparing runtimes") as bar:
        float_outputs = interpret.run_float(float_model, samples, bar.advance)
        int8_outputs = interpret.run_int8(int8_model, inputs, "litert", bar.advance)
        mismatches, max_difference = tflm_mismatches(int8_model, inputs, int8_outputs, bar)
    return Comparison(
        compared=len(samples),
        max_abs_error_float=float(np.abs(float_outputs - keras_outputs).max()),
        agreement_int8_float=float(np.mean(int8_outputs.argmax(axis=1) == keras_outputs.argmax(axis=1))),
        mismatches=mismatches,
        max_difference=max_difference,
    )


def tflm_mismatches(
    int8_model: bytes, inputs: interpret.Int8Array, litert_outputs: interpret.Int8Array, bar: Any = None
) -> tuple[int, int] | tuple[None, None]:
    """How many output bytes TensorFlow Lite Micro computes otherwise than `litert_outputs`, and by how much.

    One step is rounding: LiteRT's FULLY_CONNECTED rounds once where the device's kernels round twice. More
    is warned about.

    Returns:
        (mismatches, largest difference); (None, None), with a note, where the runtime is not installed.
    """
    if not interpret.has_tflm():
        console.info("TensorFlow Lite Micro's Python runtime is not installed here: not compared with it.")
        return None, None
    outputs = interpret.run_int8(int8_model, inputs, "tflm", bar.advance if bar else None)
    difference = np.abs(outputs.astype(np.int16) - litert_outputs)
    mismatches, largest = int(np.count_nonzero(difference)), int(difference.max(initial=0))
    if largest > 1:
        console.warn(
            f"{mismatches} of {outputs.size} int8 output bytes differ, by up to {largest}, between LiteRT "
            "and TensorFlow Lite Micro; the device computes the latter's."
        )
    return mismatches, largest
