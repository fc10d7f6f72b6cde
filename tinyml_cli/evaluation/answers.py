"""Outputs of a run's two flatbuffers on an evaluation set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.features.audio_frontend import quantize_features
from tinyml_cli.outcomes.evaluations import Parity
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.compare import tflm_mismatches
from tinyml_cli.tflite.graph import parse

TFLM_SAMPLE = 100

# The float model takes the feature divided by this (as in TFLM's micro_speech).
FEATURE_TO_FLOAT = np.float32(1 / 25.6)

UInt16Array = npt.NDArray[np.uint16]


class Int8Model:
    """An int8 flatbuffer whose input is the firmware's features.

    Attributes:
        model: the flatbuffer.
        output: scale and zero point of its scores.

    Raises:
        TinymlError: its first input or output is not int8.
    """

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._source, self.output = interpret.io_quantization(parse(model))

    def inputs(self, features: UInt16Array) -> interpret.Int8Array:
        """int8 [n, ...] of uint16 features [n, ...], in the firmware's integer arithmetic."""
        return quantize_features(features, self._source.scale, self._source.zero_point)

    def run(
        self, inputs: interpret.Int8Array, advance: Callable[[], object] | None = None
    ) -> interpret.Int8Array:
        """int8 outputs [n, classes] on this computer."""
        return interpret.run_int8(self.model, inputs, "litert", advance)

    def reference(
        self, inputs: interpret.Int8Array, advance: Callable[[], object] | None = None
    ) -> tuple[interpret.Int8Array, str]:
        """The bytes that the firmware must give, and the runtime that gave them."""
        runtime = interpret.reference_runtime()
        return interpret.run_int8(self.model, inputs, runtime, advance), runtime

    def scores(self, outputs: interpret.Int8Array) -> npt.NDArray[np.float64]:
        """Real values float64 [n, classes] of int8 outputs."""
        return interpret.dequantize_values(outputs, self.output).astype(np.float64)


@dataclass(frozen=True)
class Answers:
    """Outputs on one evaluation set.

    Attributes:
        float32: float32 [n, classes], outputs of the float model.
        int8: int8 [n, classes], outputs of the int8 model.
        scores: float64 [n, classes], `int8` as real values.
        tflm: TensorFlow Lite Micro on an evenly spread sample.
    """

    float32: interpret.FloatArray
    int8: interpret.Int8Array
    scores: npt.NDArray[np.float64]
    tflm: Parity


def answer_inputs(
    float_model: bytes, int8_model: Int8Model, real: interpret.FloatArray, inputs: interpret.Int8Array
) -> Answers:
    """Runs both models on the same examples, as float32 and as int8 [n, ...]."""
    chosen = np.linspace(0, len(inputs) - 1, min(TFLM_SAMPLE, len(inputs))).astype(np.int64)
    with console.progress(2 * len(inputs) + len(chosen), "evaluating") as bar:
        float_outputs = interpret.run_float(float_model, real, bar.advance)
        outputs = int8_model.run(inputs, bar.advance)
        mismatches, largest = tflm_mismatches(int8_model.model, inputs[chosen], outputs[chosen], bar)
    tflm = Parity(
        oracle=interpret.reference_runtime(),
        compared=len(chosen),
        mismatches=mismatches,
        max_difference=largest,
    )
    return Answers(float_outputs, outputs, int8_model.scores(outputs), tflm)
