"""From a Keras model to float32 and full-int8 flatbuffers. The one place here that imports TensorFlow."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Artifact, Quantization
from tinyml_cli.models import import_quietly
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.silence import silenced
from tinyml_cli.tflite import compare, interpret, layers, opset
from tinyml_cli.tflite.calibration_set import CalibrationSet
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.shrink import shrink

FloatArray = npt.NDArray[np.float32]

_PREDICT_BATCH = 64


def convert(run: Run) -> dict[str, Any]:
    """Writes model_float32.tflite and model_int8.tflite and compares the runtimes on calibration samples.

    Returns:
        float32 and int8 {bytes, sha256}; ops [{name, version, count}]; and the figures of
        `compare.Comparison`, where mismatches counts int8 output bytes that differ between LiteRT and
        TensorFlow Lite Micro (None where the latter is not installed).

    Raises:
        TinymlError: an input is missing or stale, a layer has no int8 kernel on the device, or TensorFlow
            is not installed.
    """
    manifest = run.manifest()
    model_path = run.require(manifest, MODEL)
    calibration = CalibrationSet.load(run.require(manifest, CALIBRATION))
    console.info("Converting to TensorFlow Lite …")
    network = KerasNetwork(model_path)
    converted = network.convert(calibration.samples)
    ops = opset.check_int8(parse(converted.int8, MODEL_INT8), MODEL_INT8)
    reference = calibration.samples[: compare.COMPARED_SAMPLES]
    comparison = compare.compare(converted.float32, converted.int8, reference, network.predict(reference))

    write_atomic(run.file(MODEL_FLOAT32), converted.float32)
    write_atomic(run.file(MODEL_INT8), converted.int8)
    run.record(manifest, MODEL_FLOAT32, "tinyml convert", [MODEL])
    run.record(manifest, MODEL_INT8, "tinyml convert", [MODEL, CALIBRATION])
    manifest.ops = ops
    manifest.quantization = _quantization(manifest.quantization, calibration, converted.int8)
    run.save(manifest)
    return {
        "run": str(run.path),
        "float32": _artifact(manifest.artifacts[MODEL_FLOAT32]),
        "int8": _artifact(manifest.artifacts[MODEL_INT8]),
        "ops": [op.model_dump() for op in ops],
        **comparison.as_dict(),
    }


@dataclass(frozen=True)
class Converted:
    """Two flatbuffers of one network."""

    float32: bytes
    int8: bytes


class KerasNetwork:
    """A Keras model with one input and one output, loaded from disk."""

    def __init__(self, path: Path) -> None:
        """Loads it.

        Raises:
            TinymlError: TensorFlow is not installed, or the file is not a model it can load.
        """
        self._tf = import_quietly("tensorflow")
        self._keras = import_quietly("keras")
        try:
            with silenced():
                self._model = self._keras.saving.load_model(path, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise TinymlError(
                f"The Keras model cannot be loaded ({_first_line(error)})",
                str(path),
                "Train again: tinyml train …",
            ) from error
        if len(self._model.inputs) != 1 or len(self._model.outputs) != 1:
            raise TinymlError(
                "Only models with one input and one output can be converted",
                str(path),
                "Split the model, or merge its inputs into one tensor.",
            )
        self._path = path
        self.input_shape: tuple[int, ...] = tuple(self._model.input_shape[1:])

    def predict(self, samples: FloatArray) -> FloatArray:
        """Float outputs [n, values] for inputs float32 [n, ...]."""
        batches = [samples[i : i + _PREDICT_BATCH] for i in range(0, len(samples), _PREDICT_BATCH)]
        with silenced():
            outputs = [np.asarray(self._model(batch, training=False)) for batch in batches]
        return np.concatenate(outputs).reshape(len(samples), -1).astype(np.float32)

    def convert(self, samples: FloatArray) -> Converted:
        """Converts to float32 and, calibrated on `samples` float32 [n, ...], to full int8.

        Equal model and samples give equal bytes. Dense weights get one scale per tensor: older kernels of
        TensorFlow Lite Micro ignore per-channel scales of FULLY_CONNECTED and answer wrongly in silence.

        Raises:
            TinymlError: samples that do not fit the model, or a layer the converter cannot express.
        """
        if samples.shape[1:] != self.input_shape:
            raise TinymlError(
                f"The model takes inputs of shape {self.input_shape}, "
                f"the calibration set has {samples.shape[1:]}",
                str(self._path),
                "Run `tinyml quantize` again.",
            )
        with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
            self._export(folder)
            float32 = self._run_converter(folder, None)
            int8 = self._run_converter(folder, samples)
        names = layers.activation_names(parse(int8))
        return Converted(
            float32, shrink(int8, names, import_quietly("tensorflow.lite.python.schema_py_generated"))
        )

    def _export(self, folder: str) -> None:
        """A SavedModel whose signature has batch 1: an open batch size makes Flatten five operators."""
        tf, model = self._tf, self._model
        signature = [tf.TensorSpec((1, *self.input_shape), tf.float32)]
        with silenced():
            archive = self._keras.export.ExportArchive()
            archive.track(model)
            archive.add_endpoint("serve", lambda x: model(x, training=False), input_signature=signature)
            archive.write_out(folder, verbose=False)

    def _run_converter(self, folder: str, samples: FloatArray | None) -> bytes:
        lite = self._tf.lite
        try:
            with silenced() as log:
                converter = lite.TFLiteConverter.from_saved_model(folder)
                if samples is not None:
                    converter.optimizations = [lite.Optimize.DEFAULT]
                    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
                    converter.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS_INT8]
                    converter.inference_input_type = self._tf.int8
                    converter.inference_output_type = self._tf.int8
                    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
                return bytes(converter.convert())
        # The converter's own error class is not public; it and its C++ side raise several kinds.
        except Exception as error:
            raise TinymlError(
                f"TensorFlow Lite cannot express the model ({_reason(str(error) + log.tail)})",
                str(self._path),
                "Use layers with int8 kernels: convolutions, Dense, pooling, ReLU, softmax.",
            ) from error


def tensorflow_lite() -> Any:
    """The module tf.lite, whose interpreter serves where ai-edge-litert has no wheel.

    Raises:
        TinymlError: TensorFlow is not installed either.
    """
    return import_quietly("tensorflow").lite


def _quantization(drawn: Quantization | None, calibration: CalibrationSet, int8: bytes) -> Quantization:
    source, target = interpret.io_quantization(parse(int8))
    return Quantization(
        method=calibration.method,
        calibration_samples=len(calibration.samples),
        input=source,
        output=target,
        layers=drawn.layers if drawn else [],
    )


def _artifact(entry: Artifact) -> dict[str, Any]:
    return {"bytes": entry.bytes, "sha256": entry.sha256}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _reason(log: str) -> str:
    """The operators that the converter names, else its last line."""
    if named := re.findall(r"(?:error: '|Custom ops: |Flex ops: |op: )([\w., ]+)", log):
        return ", ".join(dict.fromkeys(name.strip() for name in named))[:300]
    lines = [line for line in log.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it gave no reason"
