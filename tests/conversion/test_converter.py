"""The short way to a flatbuffer gives what TensorFlow's converter makes of a SavedModel, only sooner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow makes the models of this test")

import keras
from keras import layers as k

from tinyml_cli.conversion.convert import to_flatbuffers
from tinyml_cli.models import autoencoders, build_model
from tinyml_cli.models.source import open_source
from tinyml_cli.models.source_network import SourceNetwork
from tinyml_cli.tflite import anatomy, names
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.layers import activation_names
from tinyml_cli.tflite.shrink import shrink

IMAGE, SPECTROGRAM = (32, 32, 1), (49, 40, 1)


def _packaged(name: str, shape: tuple[int, int, int]) -> Callable[[], Any]:
    return lambda: build_model(name, shape, 4, {})


def _residual() -> Any:
    source = keras.Input((10, 10, 2))
    x = k.Conv2D(4, 3, padding="same")(source)
    x = k.Concatenate()([k.Add()([x, k.ReLU()(k.BatchNormalization()(x))]), x])
    x = k.Multiply()([x, k.Activation("sigmoid")(x)])
    return keras.Model(source, k.Dense(3, activation="softmax")(k.GlobalAveragePooling2D()(x)))


SMALL: dict[str, Callable[[], Any]] = {
    "words": lambda: build_model("ds_cnn", SPECTROGRAM, 4, {"stem_filters": 8, "blocks": [[8, 2]]}),
    "windows": lambda: autoencoders.small_fc(24, [8], 4),
    "branches": _residual,
}
PACKAGED = {
    **{name: _packaged(name, SPECTROGRAM) for name in ("ds_cnn", "tiny_conv", "conv1d_sep", "bc_resnet")},
    **{name: _packaged(name, IMAGE) for name in ("vww_micro", "mobilenet_v1", "mobilenet_v2", "stroke_cnn")},
    "stream_conv": _packaged("stream_conv", SPECTROGRAM),
    "motion_conv": _packaged("motion_conv", (60, 6, 1)),
}


def _by_saved_model(source: SourceNetwork, samples: np.ndarray, folder: Path) -> tuple[bytes, bytes]:
    """Float32 and int8 by the converter as its manual says."""
    import tensorflow as tf

    source.export(str(folder), [samples.shape[1:]])
    plain, quantizing = (tf.lite.TFLiteConverter.from_saved_model(str(folder)) for _ in range(2))
    quantizing.optimizations = [tf.lite.Optimize.DEFAULT]
    quantizing.representative_dataset = lambda: ([sample[None]] for sample in samples)
    quantizing.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    quantizing.inference_input_type = quantizing.inference_output_type = tf.int8
    quantizing._experimental_disable_per_channel_quantization_for_dense_layers = True
    return plain.convert(), quantizing.convert()


def _check(build: Callable[[], Any], folder: Path) -> None:
    keras.utils.set_random_seed(1)
    model = build()
    rng = np.random.default_rng(2)
    for weight in model.weights:
        if "moving" in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    model.save(folder / "model.keras")
    source = open_source(folder / "model.keras")
    samples = rng.normal(size=(12, *model.input_shape[1:])).astype(np.float32)
    plain, whole = _by_saved_model(source, samples, folder / "saved")
    made = to_flatbuffers(source, [samples])
    whole = names.restore(whole, source.layer_names)
    assert made.int8 == shrink(whole, activation_names(parse(whole)), ["input"])
    theirs, ours = parse(names.restore(plain, source.layer_names)), parse(made.float32)
    assert [each.name for each in ours.operators] == [each.name for each in theirs.operators]
    assert activation_names(ours) == activation_names(theirs)
    found = [
        [(each.key, *each.inputs, *each.outputs) for each in anatomy.signatures(m)]
        for m in (plain, made.float32)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("network", SMALL)
def test_both_ways_give_the_same(network: str, tmp_path: Path) -> None:
    _check(SMALL[network], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("network", PACKAGED)
def test_both_ways_give_the_same_of_networks_that_are_packaged(network: str, tmp_path: Path) -> None:
    _check(PACKAGED[network], tmp_path)
