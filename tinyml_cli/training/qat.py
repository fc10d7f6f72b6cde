"""Quantisation-aware training: the network is trained with the rounding of int8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.files import atomic_path
from tinyml_cli.quantization import ranges
from tinyml_cli.quantization.histogram import BINS, Histogram
from tinyml_cli.quantization.prepare import INPUT
from tinyml_cli.quantization.scheme import Scheme
from tinyml_cli.run import MODEL, MODEL_QAT, Run
from tinyml_cli.training import network
from tinyml_cli.training.constraints import Constraints
from tinyml_cli.training.fake_quant import RangedActivation, SameRange, rounded_layer
from tinyml_cli.training.fine_tune import (
    FineTuneSettings,
    FloatArray,
    fine_tune,
    load,
    predict,
    training_inputs,
)
from tinyml_cli.variants import parent_of

if TYPE_CHECKING:
    from tinyml_cli.recipes.base import BaseRecipe

# Shares of the training after which ranges stand still, so that the weights settle on the final grid.
_RANGES_STOP = 0.7

Range = tuple[float, float]


def train_quantized(
    run: Run,
    recipe: BaseRecipe,
    samples: npt.NDArray[np.float32],
    scheme: Scheme,
    seed: int,
    epochs: int | None = None,
) -> Scheme:
    """Fine-tunes the run's model with rounding and writes model_qat.keras, plain layers without rounding.

    Zeros and clusters of a model that was pruned or clustered stay.

    Returns:
        The scheme for the converter: the trained range of each activation.

    Raises:
        TinymlError: a model that cannot be folded or loaded.
    """
    if scheme.equalise or scheme.bias_correction:
        console.warn("qat replaces equalisation and bias correction")
    wanted = recipe.quantization
    settings = FineTuneSettings(wanted.epochs if epochs is None else epochs, wanted.learning_rate)
    settings.check()
    manifest = run.manifest()
    model = network.fold(load(run.require(manifest, MODEL)))
    original = parent_of(run)
    teacher = load(original.require(original.manifest(), MODEL))
    inputs = training_inputs(run, recipe, settings.samples, seed)
    constraints = Constraints.of(model, manifest)
    trained, fixed = quantize_aware(
        model, inputs, predict(teacher, inputs), samples, scheme, settings, seed, constraints
    )
    with atomic_path(run.file(MODEL_QAT)) as temporary:
        trained.save(temporary, include_optimizer=False)
    run.record(manifest, MODEL_QAT, "tinyml quantize --method qat", [MODEL])
    run.save(manifest)
    return replace(scheme, fixed=fixed, equalise=False, bias_correction=False)


def quantize_aware(
    model: keras.Model,
    inputs: FloatArray,
    targets: FloatArray,
    samples: FloatArray,
    scheme: Scheme,
    settings: FineTuneSettings,
    seed: int,
    constraints: Constraints | None = None,
) -> tuple[keras.Model, dict[str, Range]]:
    """Fine-tunes a folded model; the plain model with the new weights, and the range of each activation.

    Args:
        model: folded; it stays as it is.
        inputs: float32 [n, ...] to train on.
        targets: what to answer to them.
        samples: float32 [n, ...] for the first ranges.
        scheme: how first ranges are chosen, and whether weights have a scale per channel.
        settings: how to train.
        seed: fixes everything.
        constraints: what the weights must keep.
    """
    first = initial_ranges(model, samples, scheme.ranges)
    rounded = with_rounding(model, first, scheme.per_channel)
    activations = [layer for layer in rounded.layers if isinstance(layer, RangedActivation)]

    def after_step(share: float) -> None:
        if constraints is not None:
            constraints.project(rounded, share)
        if share >= _RANGES_STOP:
            for layer in activations:
                layer.stands.assign(1.0)

    fine_tune(rounded, inputs, targets, settings, seed, after_step, "Quantisation-aware training")
    plain = keras.models.clone_model(model)
    for name in network.plan(model).weighted:
        plain.get_layer(name).set_weights(rounded.get_layer(name).get_weights())
    return plain, {layer.about: layer.limits for layer in activations}


def with_rounding(model: keras.Model, limits: Mapping[str, Range], per_channel: bool) -> keras.Model:
    """The folded model with rounded weights and activations, the weights' values its own.

    Args:
        model: folded.
        limits: name of each range -> its limits at first, as of `initial_ranges`.
        per_channel: whether weights have a scale per output channel.
    """
    plan = network.plan(model)
    source = model.inputs[0]._keras_history.operation.name
    made: dict[str, RangedActivation] = {}

    def wrap(name: str, output: Any) -> Any:
        if name in plan.ranged:
            about = plan.ranged[name]
            made[name] = RangedActivation(f"{name}_range", about, limits[about])
            return made[name](output)
        if name in plan.pooled:
            return SameRange(f"{name}_range", made[plan.pooled[name]])(output)
        return output

    entry = RangedActivation(f"{source}_range", INPUT, limits[INPUT])
    # What the sensor gives does not change in training.
    entry.stands.assign(1.0)
    rounded = network.rebuild(model, lambda layer: rounded_layer(layer, per_channel), wrap, entry)
    for name in plan.weighted:
        rounded.get_layer(name).set_weights(model.get_layer(name).get_weights())
    return rounded


def initial_ranges(model: keras.Model, samples: FloatArray, how: str) -> dict[str, Range]:
    """Name of each range -> its limits on samples, chosen as after training."""
    plan = network.plan(model)
    watched = keras.Model(model.inputs, [model.get_layer(name).output for name in plan.ranged])
    outputs = watched.predict(samples, batch_size=64, verbose=0)
    values = dict(zip(plan.ranged.values(), outputs if isinstance(outputs, list) else [outputs], strict=True))
    return {name: _range(each, how) for name, each in {INPUT: samples, **values}.items()}


def _range(values: FloatArray, how: str) -> Range:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    counts = np.histogram(values, BINS, (low, high))[0] if high > low else np.zeros(BINS)
    return ranges.choose(Histogram(low, high, counts.astype(np.float64)), how)
