"""The streaming form of a run's model, for architectures that a board computes frame by frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.models.architectures import STREAMING
from tinyml_cli.outcomes.stages import AfterConversion, StreamingModel
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import CALIBRATION, MODEL_INT8, MODEL_STREAM, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse, total_macs
from tinyml_cli.tflite.streaming import hops, to_streaming

if TYPE_CHECKING:
    import keras

# More prove no more: each window runs all weights, and bytes either agree or do not.
_COMPARED = 10


def after_convert(run: Run) -> AfterConversion:
    """Writes model_stream_int8.tflite beside model_int8.tflite where the architecture streams.

    Returns:
        For other architectures nothing. `compared` windows of the calibration set were given to both forms,
        which answered with the same bytes. There are none without TensorFlow Lite Micro's runtime: LiteRT
        reads no state before something was assigned to it.

    Raises:
        TinymlError: the recogniser's stride does not fit the network, or the two forms differ.
    """
    manifest = run.manifest()
    if manifest.model is None or manifest.model.name not in STREAMING:
        return AfterConversion()
    whole = run.require(manifest, MODEL_INT8).read_bytes()
    hop = manifest.recognizer.inference_stride_frames
    stream = to_streaming(whole, hop, MODEL_INT8)
    compared = _compare(run, manifest, whole, stream, hop)
    write_atomic(run.file(MODEL_STREAM), stream)
    run.record(manifest, MODEL_STREAM, "tinyml convert", [MODEL_INT8])
    run.save(manifest)
    entry = manifest.artifacts[MODEL_STREAM]
    made = StreamingModel(
        bytes=entry.bytes,
        sha256=entry.sha256,
        hop_frames=hop,
        macs=total_macs(parse(stream)),
        compared=compared,
    )
    return AfterConversion(stream=made)


def on_board(recipe: KwsRecipe, model: bytes) -> bytes:
    """The int8 model of the recipe's network as a board computes it: its streaming form, or itself."""
    if recipe.model.name not in STREAMING:
        return model
    return to_streaming(model, recipe.recognizer.inference_stride_frames, recipe.model.name)


def check_hop(recipe: KwsRecipe, build: Callable[[], keras.Model]) -> None:
    """Whether window and inferences fit the strides of a network that streams.

    Otherwise it would compute whole windows again at each inference, for many times the work.

    Raises:
        TinymlError: they do not.
    """
    if recipe.model.name not in STREAMING:
        return
    hop = recipe.recognizer.inference_stride_frames
    layers = [
        (layer.kernel_size[0], layer.strides[0]) for layer in build().layers if hasattr(layer, "kernel_size")
    ]
    stride = math.prod(step for _, step in layers)
    frames = recipe.features.frames(recipe.clip_samples)
    if not _fits(frames, layers):
        longer = next((n for n in range(frames, frames + stride) if _fits(n, layers)), frames)
        fitting_ms = recipe.features.window_ms + (longer - 1) * recipe.features.stride_ms
        raise TinymlError(
            f"{recipe.model.name} cannot pass over a window of {frames} frames by its strides, and would "
            "compute it again at each inference",
            "clip_ms",
            f"Add --set clip_ms={fitting_ms}",
        )
    if hop % stride:
        raise TinymlError(
            f"{recipe.model.name} takes frames by {stride}, but the recogniser asks it every {hop} frames",
            "recognizer.inference_stride_frames",
            f"Add --set recognizer.inference_stride_frames={max(stride, hop // stride * stride)}",
        )


def _fits(frames: int, layers: Sequence[tuple[int, int]]) -> bool:
    """Whether layers of (kernel, stride) frames leave none of a window over."""
    for kernel, stride in layers:
        if (frames - kernel) % stride:
            return False
        frames = (frames - kernel) // stride + 1
    return True


def _compare(run: Run, manifest: Manifest, whole: bytes, stream: bytes, hop: int) -> int:
    if not interpret.has_tflm():
        return 0
    samples = CalibrationSet.load(run.require(manifest, CALIBRATION)).samples[:_COMPARED]
    windows = interpret.quantize_inputs(parse(whole), [samples])[0]
    expected = interpret.run_int8(whole, windows, "tflm")
    for window, scores in zip(windows, expected, strict=True):
        # A new runtime for each window: its states start empty.
        if not np.array_equal(interpret.run_int8(stream, hops(window, hop), "tflm")[-1], scores):
            raise TinymlError(
                "The streaming form and the model give different results",
                str(run.path),
                "Report this with the run's recipe.yaml; in the meantime, train another model, such as "
                "ds_cnn.",
            )
    return len(windows)
