from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model


def small_model(seed: int = 0) -> Model:
    """A convolution (per channel) and a dense layer in int8, not yet built; the input is tensor 0."""
    model, rng = Model(), np.random.default_rng(seed)
    source = model.tensor((1, 6, 6, 2), 0.5, 3)
    filters = model.tensor(
        (4, 3, 3, 2),
        data=rng.integers(-127, 128, (4, 3, 3, 2)),
        scales=[0.01, 0.02, 0.03, 0.04],
        axis=0,
    )
    bias = model.tensor((4,), dtype="int32", data=[1, -2, 3, 0], scales=[0.005, 0.01, 0.015, 0.02], axis=0)
    feature = model.tensor((1, 4, 4, 4), 0.4, -5)
    model.operator("CONV_2D", [source, filters, bias], [feature], "Conv2DOptions",
                   padding=1, strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1)  # fmt: skip
    flat = model.tensor((1, 64), 0.4, -5)
    model.operator("RESHAPE", [feature, model.integers([1, 64])], [flat])
    weights = model.tensor((3, 64), 0.02, data=rng.integers(-127, 128, (3, 64)))
    answer = model.tensor((1, 3), 0.7, 1)
    model.operator(
        "FULLY_CONNECTED",
        [flat, weights, model.tensor((3,), 0.008, dtype="int32", data=[9, 0, -9])],
        [answer],
        "FullyConnectedOptions",
    )
    model.graph.name = "main"
    model.model.description = "made by a test"
    return model


ANSWER = 7


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """small_model as a file."""
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model().build([0], [ANSWER]))
    return path
