"""A run whose model takes bright images for a person: made tensor by tensor, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines.export import export
from tinyml_cli.features.image_settings import ImageInput, Presence
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Quantization
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

SIZE = 32
GRID = (4, 5)
IMAGE = ImageInput(size=SIZE)
PERSON_GREY, NOBODY_GREY = 230, 20
_LOGIT_PER_BRIGHTNESS, _MIDDLE = 10.0, 0.4


def model() -> bytes:
    """The mean brightness, through one dense layer: logits of ten times its distance from 0.4."""
    network = Model()
    pixel = 1 / 255
    image = network.tensor((1, SIZE, SIZE, 1), pixel, -128)
    mean = network.tensor((1, 1, 1, 1), pixel, -128)
    network.operator(
        "AVERAGE_POOL_2D", [image], [mean], "Pool2DOptions", strideW=1, strideH=1, filterWidth=SIZE,
        filterHeight=SIZE, padding=1,
    )  # fmt: skip
    flat = network.tensor((1, 1), pixel, -128)
    network.operator("RESHAPE", [mean, network.integers([1, 1])], [flat], "ReshapeOptions", newShape=[1, 1])
    weights = network.tensor((2, 1), 0.1, 0, data=[[-100], [100]])
    offset = round(_LOGIT_PER_BRIGHTNESS * _MIDDLE / (pixel * 0.1))
    bias = network.tensor((2,), pixel * 0.1, 0, dtype="int32", data=[offset, -offset])
    logits = network.tensor((1, 2), 0.1, 0)
    network.operator("FULLY_CONNECTED", [flat, weights, bias], [logits], "FullyConnectedOptions")
    scores = network.tensor((1, 2), 1 / 256, -128)
    network.operator("SOFTMAX", [logits], [scores], "SoftmaxOptions", beta=1.0)
    return network.build([image], [scores])


def float_model() -> bytes:
    """The same without rounding: from pixels of 0 to 1 to the softmax."""
    network, exact = Model(), {"dtype": "float32"}
    image = network.tensor((1, SIZE, SIZE, 1), None, **exact)
    mean, flat = network.tensor((1, 1, 1, 1), None, **exact), network.tensor((1, 1), None, **exact)
    network.operator(
        "AVERAGE_POOL_2D", [image], [mean], "Pool2DOptions", strideW=1, strideH=1, filterWidth=SIZE,
        filterHeight=SIZE, padding=1,
    )  # fmt: skip
    network.operator("RESHAPE", [mean, network.integers([1, 1])], [flat], "ReshapeOptions", newShape=[1, 1])
    slope = _LOGIT_PER_BRIGHTNESS
    weights = network.tensor((2, 1), None, data=[[-slope], [slope]], **exact)
    bias = network.tensor((2,), None, data=[slope * _MIDDLE, -slope * _MIDDLE], **exact)
    logits, scores = network.tensor((1, 2), None, **exact), network.tensor((1, 2), None, **exact)
    network.operator("FULLY_CONNECTED", [flat, weights, bias], [logits], "FullyConnectedOptions")
    network.operator("SOFTMAX", [logits], [scores], "SoftmaxOptions", beta=1.0)
    return network.build([image], [scores])


def grid_model() -> bytes:
    """Twenty scores, of 4 x 5 cells: the brightest cell is the class."""
    network = Model()
    image = network.tensor((1, SIZE, SIZE, 1), 1 / 255, -128)
    cells = network.tensor((1, *GRID, 1), 1 / 255, -128)
    rows, columns = (SIZE // count for count in GRID)
    network.operator(
        "AVERAGE_POOL_2D", [image], [cells], "Pool2DOptions", strideW=columns, strideH=rows,
        filterWidth=columns, filterHeight=rows, padding=1,
    )  # fmt: skip
    count = GRID[0] * GRID[1]
    flat, scores = network.tensor((1, count), 1 / 255, -128), network.tensor((1, count), 1 / 256, -128)
    network.operator(
        "RESHAPE", [cells, network.integers([1, count])], [flat], "ReshapeOptions", newShape=[1, count]
    )
    network.operator("SOFTMAX", [flat], [scores], "SoftmaxOptions", beta=12.0)
    return network.build([image], [scores])


def cell(index: int) -> np.ndarray:
    """An image in which one cell of the grid is white and the rest dark, uint8 [SIZE, SIZE]."""
    rows, columns = (SIZE // count for count in GRID)
    row, column = divmod(index, GRID[1])
    pixels = np.full((SIZE, SIZE), 30, np.uint8)
    pixels[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = 255
    return pixels


def of_cells(path: Path) -> Run:
    """A run of `images` with twenty classes and no background."""
    names = [f"cell_{index}" for index in range(GRID[0] * GRID[1])]
    return make(path, data=grid_model(), task="images", labels=names, background=None)


def make(
    path: Path,
    engine: str = "aot",
    data: bytes | None = None,
    image: ImageInput = IMAGE,
    task: str = "vww",
    labels: Sequence[str] = ("none", "person"),
    background: str | None = "none",
) -> Run:
    """The run, exported; of another model, where one is given."""
    run = Run.create(path)
    data = data or model()
    write_atomic(run.file(MODEL_INT8), data)
    source, target = interpret.io_quantization(parse(data))
    manifest = Manifest(
        task=task,
        seed=1,
        labels=list(labels),
        background=background,
        image=image,
        presence=Presence(),
        quantization=Quantization(method="ptq", calibration_samples=1, input=source, output=target),
    )
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    export(run, engine)
    return run


def picture(grey: int) -> np.ndarray:
    """A frame of one brightness, uint8 [144, 176]."""
    return np.full((144, 176), grey, np.uint8)
