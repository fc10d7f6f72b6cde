"""Draws the calibration set and measures what int8 costs in each layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli import recipes
from tinyml_cli.adopt import MODEL_TASK
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Quantization
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import CALIBRATION, MODEL, RECIPE, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.calibration_set import CalibrationSet
from tinyml_cli.tflite.graph import parse

METHODS = ("ptq",)
LAYER_SAMPLES = 64
# Below this, ranges of rare activations are a matter of luck.
_FEW_SAMPLES = 50


def quantize(
    run: Run, method: str | None = None, n_samples: int | None = None, seed: int | None = None
) -> dict[str, Any]:
    """Writes calibration.npz from the training split and reports the error of each layer.

    A trial conversion in memory gives the figures; `tinyml convert` writes the flatbuffers.

    Args:
        run: holds a trained model.
        method: "ptq"; the recipe's by default.
        n_samples: how many samples; the recipe's by default.
        seed: of the draw; the run's by default.

    Returns:
        method, split, calibration_samples, seed, and layers with `LayerError`'s fields.

    Raises:
        TinymlError: unknown method, no trained model, no training data, or a layer without int8 kernel.
    """
    manifest = run.manifest()
    if manifest.task == MODEL_TASK:
        raise TinymlError(
            "The run was made from a model alone: there is no training split to draw samples from",
            str(run.path),
            "To calibrate on other data: tinyml convert MODEL --calibration DATA",
        )
    recipe = recipes.load(run.file(RECIPE))
    method = _known(method or recipe.quantization.method)
    n_samples = recipe.quantization.calibration_samples if n_samples is None else n_samples
    seed = manifest.seed if seed is None else seed
    if n_samples < 1:
        raise TinymlError(f"{n_samples} calibration samples are too few", "--samples", "Give 10 or more.")
    model_path = run.require(manifest, MODEL)
    calibration = CalibrationSet(
        samples=_draw(run, recipe, n_samples, seed),
        method=method,
        split="train",
        seed=seed,
        model_sha256=manifest.artifacts[MODEL].sha256,
    )
    console.info(f"Trial conversion on {len(calibration.samples)} training samples …")
    from tinyml_cli.tflite import convert

    with convert.opened(model_path) as network:
        converted = convert.to_flatbuffers(network, calibration.inputs)
    layers = convert.measure_layers(converted, [calibration.samples[:LAYER_SAMPLES]], "training samples")
    source, target = interpret.io_quantization(parse(converted.int8))
    calibration.save(run.file(CALIBRATION))
    run.record(manifest, CALIBRATION, "tinyml quantize", [MODEL])
    manifest.quantization = Quantization(
        method=method,
        calibration_samples=len(calibration.samples),
        input=source,
        output=target,
        layers=layers,
    )
    run.save(manifest)
    return {
        "run": str(run.path),
        "method": method,
        "split": calibration.split,
        "calibration_samples": len(calibration.samples),
        "seed": seed,
        "layers": [layer.model_dump() for layer in layers],
    }


def _known(method: str) -> str:
    if method not in METHODS:
        raise TinymlError(
            f"There is no quantisation method `{method}`", "--method", f"Known methods: {', '.join(METHODS)}."
        )
    return method


def _draw(run: Run, recipe: BaseRecipe, n_samples: int, seed: int) -> npt.NDArray[np.float32]:
    from tinyml_cli.tasks import get_task

    task = get_task(recipe.task)
    samples = np.asarray(task.calibration_samples(run, recipe, n_samples, seed), np.float32)
    if samples.ndim < 2 or not len(samples) or not np.isfinite(samples).all():
        raise TinymlError(
            f"The training split gave no usable calibration samples (shape {samples.shape})",
            str(run.path),
            "Check the data and train again.",
        )
    if len(samples) < min(n_samples, _FEW_SAMPLES):
        console.warn(f"only {len(samples)} calibration samples: int8 ranges may be too narrow")
    return samples
