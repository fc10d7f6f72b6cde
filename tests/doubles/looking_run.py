"""A run whose model takes bright images for a person: made tensor by tensor, without TensorFlow."""

from __future__ import annotations

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


def make(path: Path, engine: str = "aot", data: bytes | None = None, image: ImageInput = IMAGE) -> Run:
    """The run, exported; of another model that tells two classes apart, where one is given."""
    run = Run.create(path)
    data = data or model()
    write_atomic(run.file(MODEL_INT8), data)
    source, target = interpret.io_quantization(parse(data))
    manifest = Manifest(
        task="vww",
        seed=1,
        labels=["none", "person"],
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
