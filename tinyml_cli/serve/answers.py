"""From what clients send to int8 inputs, and from int8 outputs to answers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.parity import run_inputs, run_windows
from tinyml_cli.features.audio_frontend import quantize_features
from tinyml_cli.link.link import Link
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.run import MANIFEST, MODEL_INT8, MODEL_STREAM, Run, board_model
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

Int8Array = NDArray[np.int8]

BOARD = "native"
"""Answers by the very C of the boards, on this computer."""


class ServedModel:
    """A run's int8 model with one input and one output.

    Attributes:
        run: it.
        labels: of the outputs; empty where they are none.
        shape: of an input.
        sha256: of the model.

    Raises:
        TinymlError: it has several inputs or outputs, others than int8, or is not there.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.manifest = run.manifest()
        self.flatbuffer = run.require(self.manifest, MODEL_INT8).read_bytes()
        graph = parse(self.flatbuffer, run.path.name)
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise TinymlError(
                "The model has several inputs or outputs", run.path.name, "Ask for its firmware instead."
            )
        self.input, self.output = interpret.io_quantization(graph)
        self.shape = tuple(graph.tensors[graph.inputs[0]].shape[1:])
        outputs = int(np.prod(graph.tensors[graph.outputs[0]].shape[1:]))
        self.sha256 = self.manifest.artifacts[MODEL_INT8].sha256
        labels = list(self.manifest.labels)
        self.labels = labels if len(labels) == outputs else []

    @property
    def hop(self) -> int | None:
        """Frames that the firmware's model takes at once; None where it takes whole inputs."""
        is_stream = board_model(self.manifest) == MODEL_STREAM
        return self.manifest.recognizer.inference_stride_frames if is_stream else None

    def of_file(self, path: Path) -> Int8Array:
        """The int8 input [1, ...] of a sound, picture, stroke or recording, as the firmware makes it.

        Raises:
            TinymlError: it cannot be read, or is of another kind.
        """
        item = registry.task(self.manifest.task).model_input(self.run, path)
        if item.look == "features":
            return self._shaped(quantize_features(item.shown[None], self.input.scale, self.input.zero_point))
        return self.of_values(item.values)

    def of_values(self, values: NDArray[Any]) -> Int8Array:
        """The int8 inputs of real ones [n, ...]; int8 arrays are taken as they are."""
        shaped = self._shaped(values)
        if shaped.dtype == np.int8:
            return shaped
        real = shaped.astype(np.float64)
        if not np.isfinite(real).all():
            raise TinymlError("An input has a value that is no number", "inputs", "Send finite numbers.")
        return interpret.quantize_values(real.astype(np.float32), self.input)

    def by_firmware(self, link: Link, inputs: Int8Array) -> Int8Array:
        """int8 outputs [n, values], by the C that boards run."""
        if self.hop is None:
            return run_inputs(link, inputs).outputs
        return run_windows(link, inputs, self.hop).outputs

    def by_litert(self, inputs: Int8Array) -> Int8Array:
        """int8 outputs [n, values], by LiteRT's kernels."""
        return interpret.run_int8(self.flatbuffer, inputs)

    def told(self, outputs: Int8Array) -> list[dict[str, Any]]:
        """What clients are told of each output."""
        return [_told(row, self.labels, self.output) for row in outputs]

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        size = int(np.prod(self.shape))
        if values.dtype.kind not in "biuf" or values.ndim == 0 or len(values) == 0:
            raise TinymlError("The inputs are no array of numbers", "inputs", f"Send [n, {self._text()}].")
        if values[0].size != size:
            raise TinymlError(
                f"An input has {values[0].size:,} values; the model takes {size:,}",
                "inputs",
                f"Send arrays of shape [n, {self._text()}].",
            )
        return values.reshape(len(values), *self.shape)

    def _text(self) -> str:
        return ", ".join(map(str, self.shape))


def served(run: Run) -> ServedModel:
    """The model of a run; read again when its manifest or its model has changed.

    Raises:
        TinymlError: as ServedModel.
    """
    states = (path.stat() for path in (run.file(MANIFEST), run.file(MODEL_INT8)) if path.is_file())
    return _served(run.path, tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in states))


@functools.lru_cache(maxsize=32)
def _served(path: Path, state: tuple[tuple[int, int, int], ...]) -> ServedModel:
    return ServedModel(Run(path))


def _told(row: Int8Array, labels: Sequence[str], output: TensorQuantization) -> dict[str, Any]:
    values = [round(float(each), 6) for each in interpret.dequantize_values(row, output)]
    if not labels:
        return {"label": None, "score": None, "scores": {}, "values": values, "int8": row.tolist()}
    best = int(row.argmax())
    return {
        "label": labels[best],
        "score": values[best],
        "scores": dict(zip(labels, values, strict=True)),
        "values": values,
        "int8": row.tolist(),
    }
