"""Runs whose models are made tensor by tensor, without TensorFlow: what they say is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines.export import export
from tinyml_cli.features.gesture_settings import CLIP, GestureInput, ImuInput
from tinyml_cli.features.raster import CHANNELS, SIZE, rasterise_all
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Quantization
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.wand import hand
from tinyml_cli.tasks.wand.strokes import to_points
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

IMU = ImuInput(rate_hz=119, window_samples=60, stride_samples=20, start_mg=0, suppression_ms=1000)
LABELS = ["unknown", "upright", "wide"]


def _dense(shape: tuple[int, ...], scale: float, weights: np.ndarray, bias: list[float]) -> bytes:
    """One dense layer, float weights [labels, inputs] within +-12.7, and a softmax."""
    network = Model()
    source = network.tensor(shape, scale, 0 if shape[-1] == 1 else -128)
    flat = network.tensor((1, weights.shape[1]), scale, 0 if shape[-1] == 1 else -128)
    size = network.integers([1, weights.shape[1]])
    network.operator("RESHAPE", [source, size], [flat], "ReshapeOptions", newShape=[1, weights.shape[1]])
    step = float(np.abs(weights).max()) / 127
    rounded = np.rint(weights / step).astype(int)
    kernel = network.tensor(rounded.shape, step, 0, data=rounded.tolist())
    offsets = network.tensor(
        (len(bias),), scale * step, 0, dtype="int32", data=[round(b / (scale * step)) for b in bias]
    )
    logits = network.tensor((1, len(bias)), 0.1, 0)
    network.operator("FULLY_CONNECTED", [flat, kernel, offsets], [logits], "FullyConnectedOptions")
    scores = network.tensor((1, len(bias)), 1 / 256, -128)
    network.operator("SOFTMAX", [logits], [scores], "SoftmaxOptions", beta=1.0)
    return network.build([source], [scores])


def line_model() -> bytes:
    """Tells strokes that reach the left and right edge of their picture (wide) from those that do not."""
    pixels = np.zeros((SIZE, SIZE, CHANNELS))
    pixels[:, : SIZE // 4] = pixels[:, -SIZE // 4 :] = 1.0
    sides = pixels.reshape(-1)
    return _dense((1, SIZE, SIZE, CHANNELS), 1 / 255, np.stack([0 * sides, -sides, sides]), [0.0, 4.0, -4.0])


def digit_model(digits: str, per_digit: int = 150) -> bytes:
    """A linear classifier of drawn digits and scribbles, by ridge regression on pictures of strokes."""
    strokes, classes = [], []
    for label, digit in enumerate(["", *digits]):
        for number in range(per_digit):
            rng = np.random.default_rng([label, number])
            writer = hand.random_writer(rng)
            strokes.append(to_points(hand.draw(digit, writer, rng) if digit else hand.scribble(writer, rng)))
            classes.append(label)
    pictures = rasterise_all(strokes).reshape(len(strokes), -1) / 255
    targets = np.eye(1 + len(digits))[classes] - 1 / (1 + len(digits))
    gram = pictures @ pictures.T + 20 * np.eye(len(pictures))
    weights = (pictures.T @ np.linalg.solve(gram, targets)).T
    return _dense((1, SIZE, SIZE, CHANNELS), 1 / 255, 8 * weights, [0.0] * (1 + len(digits)))


def motion_model() -> bytes:
    """`wide` is a mean rotation about z above 0.4 of the scale, `upright` one below -0.4."""
    weights = np.zeros((3, IMU.window_samples, 6))
    weights[1, :, 5], weights[2, :, 5] = -20 / IMU.window_samples, 20 / IMU.window_samples
    shape = (1, IMU.window_samples, 6, 1)
    return _dense(shape, 2 * CLIP / 255, weights.reshape(3, -1), [4.0, 0.0, 0.0])


def make(path: Path, data: bytes, gesture: GestureInput, labels: Sequence[str] = LABELS) -> Run:
    """The run, exported."""
    run = Run.create(path)
    write_atomic(run.file(MODEL_INT8), data)
    source, target = interpret.io_quantization(parse(data))
    manifest = Manifest(
        task="wand",
        seed=1,
        labels=list(labels),
        gesture=gesture,
        quantization=Quantization(method="ptq", calibration_samples=1, input=source, output=target),
    )
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    export(run, "aot")
    return run
