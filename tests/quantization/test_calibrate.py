from __future__ import annotations

import math

import numpy as np
import pytest

from tests.pattern_task import TASK, as_input, patterns
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_INT8, Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.tflite.layers import ActivationPair, _figures, _Sums, layer_name
from tinyml_cli.tflite.ratio import MAX_SQNR_DB


def test_calibration_samples_are_the_tasks_training_samples(trained_run: Run) -> None:
    outcome = quantize(trained_run, n_samples=60, seed=11)

    calibration = CalibrationSet.load(trained_run.file(CALIBRATION))
    np.testing.assert_array_equal(calibration.samples, as_input(patterns(60, 1011)[0]))
    assert (calibration.split, calibration.seed, calibration.method) == ("train", 11, "ptq")
    assert calibration.model_sha256 == trained_run.manifest().artifacts[MODEL].sha256
    assert outcome.calibration_samples == 60
    trained_run.require(trained_run.manifest(), CALIBRATION)


def test_every_layer_has_its_error(trained_run: Run) -> None:
    layers = quantize(trained_run, n_samples=60).layers

    kinds = "INPUT CONV_2D DEPTHWISE_CONV_2D CONV_2D AVERAGE_POOL_2D RESHAPE FULLY_CONNECTED SOFTMAX"
    assert " ".join(layer.op for layer in layers) == kinds
    assert all(layer.sqnr_db > 15 and layer.cosine > 0.98 for layer in layers), layers
    assert layers[0].sqnr_db > layers[3].sqnr_db, "errors add up through the network"
    assert trained_run.manifest().quantization is not None
    kept = trained_run.manifest().quantization.layers  # type: ignore[union-attr]
    assert [error.model_dump() for error in kept] == [layer.model_dump() for layer in layers]


def test_the_same_seed_gives_the_same_bytes(trained_run: Run) -> None:
    contents = []
    for seed in (1, 1, 2):
        quantize(trained_run, n_samples=20, seed=seed)
        contents.append(trained_run.file(CALIBRATION).read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_quantizing_again_leaves_the_flatbuffer_fresh(converted_run: Run) -> None:
    quantize(converted_run, n_samples=64)
    converted_run.require(converted_run.manifest(), MODEL_INT8)


def test_an_unknown_method_names_the_known_ones(trained_run: Run) -> None:
    with pytest.raises(TinymlError, match=r"Unknown quantisation method `int4`.*Choose from: ptq"):
        quantize(trained_run, method="int4")
    assert not trained_run.file(CALIBRATION).exists()


def test_samples_that_are_not_finite_are_refused(trained_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        TASK, "calibration_samples", lambda *_: np.full((4, 49, 40, 1), np.nan), raising=False
    )
    with pytest.raises(TinymlError, match="no usable calibration samples"):
        quantize(trained_run)
    assert not trained_run.file(CALIBRATION).exists()


def test_damaged_calibration_sets_are_refused(trained_run: Run) -> None:
    quantize(trained_run, n_samples=10)
    path = trained_run.file(CALIBRATION)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(whole) - 1, 20):
        path.write_bytes(whole[:cut])
        with pytest.raises(TinymlError, match="damaged"):
            CalibrationSet.load(path)


def test_figures_of_a_known_error() -> None:
    sums, grid = _Sums(), TensorQuantization(scale=1.0, zero_point=0)
    sums.add(np.array([100.0, 0.0, 0.0, 0.0]), np.array([99.0, 0.0, 0.0, 0.0]), grid)
    sums.add(np.array([0.0, 0.0, 0.0, 200.0]), np.array([0.0, 0.0, 0.0, 127.0]), grid)
    figures = _figures(ActivationPair("x", "CONV_2D", 0, 0, grid), sums)

    assert figures.sqnr_db == round(10 * math.log10((100**2 + 200**2) / (1 + 73**2)), 2)
    assert figures.clipped_share == 1 / 8
    product = 100 * 99 + 200 * 127
    assert figures.cosine == round(product / math.sqrt((100**2 + 200**2) * (99**2 + 127**2)), 6)


def test_no_error_is_the_highest_figure() -> None:
    sums, grid = _Sums(), TensorQuantization(scale=1.0, zero_point=0)
    sums.add(np.zeros(3), np.zeros(3), grid)
    figures = _figures(ActivationPair("x", "CONV_2D", 0, 0, grid), sums)
    assert (figures.sqnr_db, figures.cosine, figures.clipped_share) == (MAX_SQNR_DB, 1.0, 0.0)


@pytest.mark.parametrize(
    ("tensor", "name"),
    [
        ("model/re_lu/Relu;model/bn/batchnorm/mul_1;model/stem_1/depthwise;1", "stem_1"),
        ("model/stem/convolution;model/bn/batchnorm/add_1;model/re_lu/Relu", "stem"),
        ("softmax/Relu", "softmax"),
        ("model/scores/MatMul2", "scores"),
        ("StatefulPartitionedCall_1:0", "softmax"),
        ("", "softmax"),
    ],
)
def test_layer_names_are_readable(tensor: str, name: str) -> None:
    assert layer_name(tensor, "SOFTMAX") == name
