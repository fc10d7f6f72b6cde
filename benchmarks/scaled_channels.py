"""A network with unchanged outputs but widely different scales: the worst case for one scale per layer."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np

from tinyml_cli.run import MODEL, Run

# The largest channel against the smallest, as networks trained without normalisation may have them.
RANGE = 64.0


def scale_channels(source: Path, target: Path, seed: int) -> None:
    """Copies a run of `ds_cnn` whose depthwise outputs are scaled, and the next weights divided likewise.

    ReLU lets positive factors through, so that float32 answers stay as they are (M. Nagel et al., "Data-Free
    Quantization Through Weight Equalization and Bias Correction", arXiv:1906.04721, section 4.1).
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        source, target, ignore=shutil.ignore_patterns("variants", "export", "firmware", "*.tflite")
    )
    run = Run(target)
    model = keras.models.load_model(run.file(MODEL), compile=False)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            _scale(layer, rng)
    model.save(run.file(MODEL))
    manifest = run.manifest()
    for name in [name for name in manifest.artifacts if name.endswith((".tflite", ".npz"))]:
        if not name.startswith("logs/"):
            del manifest.artifacts[name]
    run.record(manifest, MODEL, "tinyml train")
    run.save(manifest)


def _scale(layer: keras.layers.Layer, rng: np.random.Generator) -> None:
    norm = _next(layer, keras.layers.BatchNormalization)
    weighted = _next(norm, keras.layers.Conv2D)
    gamma, beta, mean, variance = norm.get_weights()
    factors = np.exp(rng.uniform(-np.log(RANGE) / 2, np.log(RANGE) / 2, len(gamma))).astype(np.float32)
    norm.set_weights([gamma * factors, beta * factors, mean, variance])
    kernel, *rest = weighted.get_weights()
    weighted.set_weights([kernel / factors[None, None, :, None], *rest])


def _next(layer: keras.layers.Layer, kind: type) -> keras.layers.Layer:
    """The first layer of a kind that follows."""
    while not isinstance(layer, kind):
        (node,) = layer._outbound_nodes
        layer = node.operation
    return layer
