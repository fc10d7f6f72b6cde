"""Whether the flatbuffer computes what the source model does, and whether all runtimes agree on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.ratio import sqnr_db

COMPARED_SAMPLES = 200

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparison:
    """How runtimes agree.

    Attributes:
        compared: number of inputs.
        max_abs_error_float: largest difference of any output value, Keras against LiteRT in float32.
        agreement_int8_float: share of inputs where int8 and Keras put the same class first; None where the
            first output has a single value.
        sqnr_db: of each int8 output against Keras: 10 log10(sum x^2 / sum (x - x')^2).
        oracle: the runtime whose bytes the firmware is held to.
        mismatches: int8 output bytes that differ between LiteRT and TensorFlow Lite Micro; None where the
            latter is not installed.
        max_difference: the largest such difference, in steps of the output's scale; None likewise.
    """

    compared: int
    max_abs_error_float: float
    agreement_int8_float: float | None
    sqnr_db: list[float]
    oracle: interpret.Runtime
    mismatches: int | None
    max_difference: int | None


def compare(
    float_model: bytes, int8_model: bytes, samples: Sequence[Array], reference: Sequence[Array]
) -> Comparison:
    """Runs both flatbuffers on one array [n, ...] per input, against the outputs [n, ...] of Keras."""
    n, graph = len(samples[0]), parse(int8_model)
    inputs = interpret.quantize_inputs(graph, samples)
    expected = [values.reshape(n, -1) for values in reference]
    with console.progress(n * (3 if interpret.has_tflm() else 2), "comparing runtimes") as bar:
        float_outputs = interpret.run(float_model, samples, "litert", bar.advance)
        int8_outputs = interpret.run(int8_model, inputs, "litert", bar.advance)
        mismatches, max_difference = _tflm_mismatches(int8_model, inputs, int8_outputs, bar)
    restored = interpret.dequantize_outputs(graph, int8_outputs)
    return Comparison(
        compared=n,
        max_abs_error_float=max(
            float(np.abs(mine - theirs).max()) for mine, theirs in zip(float_outputs, expected, strict=True)
        ),
        agreement_int8_float=_agreement(int8_outputs[0], expected[0]),
        sqnr_db=[
            sqnr_db(float(np.square(exact).sum()), float(np.square(exact - mine).sum()))
            for mine, exact in zip(restored, expected, strict=True)
        ],
        oracle=interpret.reference_runtime(),
        mismatches=mismatches,
        max_difference=max_difference,
    )


def tflm_mismatches(
    int8_model: bytes, inputs: interpret.Int8Array, litert_outputs: interpret.Int8Array, bar: Any = None
) -> tuple[int, int] | tuple[None, None]:
    """How many output bytes of TensorFlow Lite Micro differ from `litert_outputs`, and by how much.

    One step is rounding: LiteRT's FULLY_CONNECTED rounds once where the device's kernels round twice. More
    is warned about.

    Returns:
        (mismatches, largest difference); (None, None), with a note, where the runtime is not installed.
    """
    return _tflm_mismatches(int8_model, [inputs], [litert_outputs], bar)


def _tflm_mismatches(
    int8_model: bytes, inputs: Sequence[Array], litert_outputs: Sequence[Array], bar: Any
) -> tuple[int, int] | tuple[None, None]:
    if not interpret.has_tflm():
        console.info(
            "TensorFlow Lite Micro's Python runtime is not installed: LiteRT without delegates is the "
            "reference; its Dense layers and softmax may differ from the device's by a step or two."
        )
        return None, None
    outputs = interpret.run(int8_model, inputs, "tflm", bar.advance if bar else None)
    differences = [
        np.abs(mine.astype(np.int64) - theirs) for mine, theirs in zip(outputs, litert_outputs, strict=True)
    ]
    mismatches = sum(int(np.count_nonzero(each)) for each in differences)
    largest = max(int(each.max(initial=0)) for each in differences)
    if largest > 1:
        console.warn(
            f"{mismatches} of {sum(each.size for each in outputs)} int8 output bytes differ, by up to "
            f"{largest}, between LiteRT and TensorFlow Lite Micro; the device matches the latter."
        )
    return mismatches, largest


def _agreement(rounded: Array, exact: Array) -> float | None:
    if exact.shape[1] < 2:
        return None
    return float(np.mean(rounded.argmax(axis=1) == exact.argmax(axis=1)))
