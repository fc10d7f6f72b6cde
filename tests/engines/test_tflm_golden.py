"""Recorded outputs of TensorFlow Lite Micro's integration tests with int16 activations.

TINYML_TFLM_REPOSITORY=<checkout of tensorflow/tflite-micro> pytest tests/engines/test_tflm_golden.py
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.engines.many_networks import Built, build
from tinyml_cli.engines.aot import compiler
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.graph import parse

REPOSITORY = os.environ.get("TINYML_TFLM_REPOSITORY")
SEANET = Path(REPOSITORY or ".", "tensorflow/lite/micro/integration_tests/seanet")
RECORDED_OTHERWISE = 1
"""The outputs were recorded when scales were divided in single precision: an int16 may differ by one step."""

pytestmark = pytest.mark.skipif(
    not REPOSITORY, reason="TINYML_TFLM_REPOSITORY names no checkout of tensorflow/tflite-micro"
)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "kind", ["add", "conv", "leaky_relu", "pad", "quantize", "strided_slice", "sub", "transpose_conv"]
)
def test_outputs_are_those_recorded(kind: str, tmp_path: Path) -> None:
    paths = [path for path in sorted((SEANET / kind).glob("*.tflite")) if _compiles(path)]
    assert paths
    for path, built in zip(paths, build([path.read_bytes() for path in paths], tmp_path), strict=True):
        answer = built.run(_inputs(path, built))[0].reshape(-1).astype(int)
        (golden,) = path.parent.glob(f"{path.stem}_golden_*.csv")
        difference = np.abs(answer - _values(golden))
        allowed = RECORDED_OTHERWISE if kind == "leaky_relu" else 0
        assert difference.max() <= allowed and np.count_nonzero(difference) <= 6, path.name


def _compiles(path: Path) -> bool:
    try:
        compiler.compile_graph(parse(path.read_bytes()))
    except TinymlError:
        return False
    return True


def _inputs(path: Path, built: Built) -> list[np.ndarray]:
    graph = built.network.graph
    tensors = [graph.tensors[index] for index in graph.inputs]
    given = [next(path.parent.glob(f"{path.stem}_input{i}_*.csv")) for i in range(len(tensors))]
    return [
        _values(file).astype(tensor.dtype).reshape(tensor.shape)
        for file, tensor in zip(given, tensors, strict=True)
    ]


def _values(path: Path) -> np.ndarray:
    return np.array(path.read_text().replace("\n", "").rstrip(",").split(","), int)
