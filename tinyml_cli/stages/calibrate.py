"""Draws the calibration set and measures the int8 error of each layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli import checks, recipes, registry
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import LayerError, Quantization
from tinyml_cli.next_step import command_line, next_step
from tinyml_cli.outcomes.stages import ChosenScheme, Quantized
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.quantization.scheme import COMPARISONS, METHODS, Scheme, checked
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_INT8, MODEL_QAT, RECIPE, Run, writes
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse
from tinyml_cli.wording import counted

LAYER_SAMPLES = 64
# Below this, ranges of rare activations are a matter of luck.
_FEW_SAMPLES = 50


@writes
def quantize(
    run: Run,
    method: str | None = None,
    n_samples: int | None = None,
    seed: int | None = None,
    scheme: Scheme | None = None,
    pictures: bool = False,
    epochs: int | None = None,
) -> Quantized:
    """Writes calibration.npz from the training split and reports the error of each layer.

    A trial conversion in memory gives the figures; `tinyml convert` writes the flatbuffers. The methods
    "dynamic", "float16" and "int16x8" write `model_<method>.tflite` instead, for comparison.

    Args:
        run: holds a trained model.
        method: "ptq", "qat" or one of COMPARISONS; the recipe's by default.
        n_samples: how many samples; the recipe's by default.
        seed: of the draw; the run's by default.
        scheme: how int8 is chosen; the recipe's by default.
        pictures: whether to draw weights and activations before and after.
        epochs: of training with rounding; the recipe's by default.

    Raises:
        TinymlError: unknown method, no trained model, no training data, or a layer without int8 kernel.
    """
    manifest = run.manifest()
    if not manifest.has_task:
        raise TinymlError(
            "The run was imported from a model file, so it has no training split to draw samples from",
            str(run.path),
            "To calibrate on other data: tinyml convert MODEL --calibration DATA",
        )
    recipe = recipes.load(run.file(RECIPE))
    wanted = recipe.quantization
    method = _known(method or wanted.method)
    scheme = scheme or checked(wanted.ranges, wanted.per_channel, wanted.bias_correction, wanted.equalise)
    n_samples = wanted.calibration_samples if n_samples is None else n_samples
    seed = manifest.seed if seed is None else seed
    if n_samples < 1:
        raise TinymlError(f"Too few calibration samples: {n_samples}", "--samples", "Use at least 10.")
    run.require(manifest, MODEL)
    checks.tensorflow("Quantisation")
    checks.room(run.path, checks.ROOM_FOR_A_RUN_BYTES, "the calibration set and its models")
    samples = _draw(run, recipe, n_samples, seed)
    if method in COMPARISONS:
        return _for_comparison(run, method, samples, seed)
    if method == "qat":
        from tinyml_cli.training.energy_ledger import spending
        from tinyml_cli.training.qat import train_quantized

        with spending(run.root, str):
            scheme = train_quantized(run, recipe, samples, scheme, seed, epochs)
        manifest = run.manifest()
    source = source_of(method)
    calibration = CalibrationSet(
        samples=samples,
        method=method,
        split="train",
        seed=seed,
        model_sha256=manifest.artifacts[source].sha256,
        scheme=scheme.as_dict(),
    )
    layers, drawn = _trial(run, manifest, calibration, source, pictures)
    return Quantized(
        run=str(run.path),
        method=method,
        split=calibration.split,
        calibration_samples=len(calibration.samples),
        seed=seed,
        scheme=ChosenScheme(**calibration.scheme),
        layers=layers,
        pictures=drawn,
    )


def source_of(method: str) -> str:
    """The artifact that a method makes int8 of."""
    return MODEL_QAT if method == "qat" else MODEL


def _trial(
    run: Run, manifest: Manifest, calibration: CalibrationSet, source: str, pictures: bool
) -> tuple[list[LayerError], list[str]]:
    """Converts in memory, writes calibration set and manifest; the layers' errors and drawn pictures."""
    console.info(f"Trial conversion on {counted(len(calibration.samples), 'training sample')} …")
    from tinyml_cli.conversion import convert

    with convert.opened(run.require(manifest, source), manifest) as network:
        converted = convert.to_flatbuffers(network, calibration.inputs, calibration.chosen)
    shown = calibration.samples[:LAYER_SAMPLES]
    layers = convert.measure_layers(converted, [shown], "training samples")
    graph = parse(converted.int8)
    entry, target = interpret.io_quantization(graph)
    calibration.save(run.file(CALIBRATION))
    run.record(manifest, CALIBRATION, "tinyml quantize", [source])
    convert.remember(manifest, source, converted)
    manifest.quantization = Quantization(
        method=calibration.method,
        calibration_samples=len(calibration.samples),
        input=entry,
        output=target,
        layers=layers,
    )
    manifest.metrics["quantize"] = calibration.scheme
    run.save(manifest)
    if not pictures:
        return layers, []
    from tinyml_cli.inspection.pictures import draw
    from tinyml_cli.inspection.report import InspectedModel

    subject = InspectedModel(run.file(MODEL_INT8), converted.int8, graph, run, converted.float32, (shown,))
    return layers, [str(path) for path in draw(subject, run.file("report"))]


def _for_comparison(run: Run, method: str, samples: npt.NDArray[np.float32], seed: int) -> Quantized:
    """Writes `model_<method>.tflite`; the int8 model and its calibration stay as they are."""
    from tinyml_cli.conversion import convert, converter

    manifest = run.manifest()
    name = f"model_{method}.tflite"
    with convert.opened(run.require(manifest, MODEL), manifest) as network:
        model = converter.for_comparison(network, [samples], method)
    write_atomic(run.file(name), model)
    run.record(manifest, name, command_line("tinyml", "quantize", "--method", method), [MODEL])
    run.save(manifest)
    return Quantized(
        run=str(run.path),
        method=method,
        split="train",
        calibration_samples=len(samples) if method == "int16x8" else 0,
        seed=seed,
        scheme=ChosenScheme(),
        layers=[],
        pictures=[],
        path=str(run.file(name)),
        bytes=len(model),
    )


def sentence(outcome: Quantized) -> str:
    """The outcome in a line or two."""
    if outcome.path is not None:
        return (
            f"{outcome.path}: {outcome.bytes:,} bytes, for comparison only: no engine can run it "
            "on a microcontroller. "
            f"Next: {next_step('compare', Path(outcome.run))}"
        )
    drawn = "".join(f"Drew {path}\n" for path in outcome.pictures)
    step = next_step("convert", Path(outcome.run))
    return f"{drawn}Calibrated on {counted(outcome.calibration_samples, 'training sample')}. Next: {step}"


def _known(method: str) -> str:
    known = (*METHODS, *COMPARISONS)
    if method not in known:
        raise TinymlError(
            f"Unknown quantisation method `{method}`", "--method", f"Choose from: {', '.join(known)}."
        )
    return method


def _draw(run: Run, recipe: BaseRecipe, n_samples: int, seed: int) -> npt.NDArray[np.float32]:
    task = registry.task(recipe.task)
    samples = np.asarray(task.calibration_samples(run, recipe, n_samples, seed), np.float32)
    if samples.ndim < 2 or not len(samples) or not np.isfinite(samples).all():
        raise TinymlError(
            f"The training split gave no usable calibration samples (shape {samples.shape})",
            str(run.path),
            "Check the data and train again.",
        )
    if len(samples) < min(n_samples, _FEW_SAMPLES):
        console.warn(f"only {counted(len(samples), 'calibration sample')}: int8 ranges may be too narrow")
    return samples
