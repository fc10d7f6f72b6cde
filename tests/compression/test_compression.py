"""Rounding, pruning and clustering in training: what was promised is in the int8 model."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.pattern_task import as_input, patterns, small_ds_cnn
from tinyml_cli.compression import kept, stage, structured
from tinyml_cli.compression.steps import CompressionStep, check_order, parse
from tinyml_cli.conversion.convert import convert
from tinyml_cli.errors import TinymlError
from tinyml_cli.quantization.scheme import Scheme
from tinyml_cli.run import MODEL, MODEL_INT8, MODEL_QAT, Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse as parse_graph
from tinyml_cli.training import network, qat
from tinyml_cli.training.constraints import MIN_WEIGHTS, ClusteredKernel
from tinyml_cli.training.fine_tune import FineTuneSettings, predict

FEW = FineTuneSettings(epochs=3, learning_rate=2e-3, samples=200)


def _model(run: Run) -> keras.Model:
    return keras.saving.load_model(run.file(MODEL), compile=False)


def _randomised(model: keras.Model, seed: int = 4) -> keras.Model:
    """Statistics and factors of every normalisation away from their defaults, negative ones too."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.moving_mean.shape[0]
            gamma = [rng.normal(1, 0.7, n)] if layer.scale else []
            layer.set_weights([*gamma, rng.normal(0, 0.5, n), rng.normal(0, 0.5, n), rng.uniform(0.2, 3, n)])
    return model


def _residual() -> keras.Model:
    layers = keras.layers
    source = keras.Input((12, 8, 3))
    x = layers.Conv2D(16, 3, padding="same", name="stem")(source)
    x = first = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="n1")(x))
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="dw")(x)
    x = layers.ReLU()(layers.BatchNormalization(scale=False, name="n2")(x))
    x = layers.Conv2D(16, 1, activation="relu", name="inner")(x)
    x = layers.Conv2D(16, 1, name="outer")(x)
    x = layers.ReLU(name="after")(layers.Add(name="sum")([first, x]))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(source, layers.Dense(1, activation="sigmoid", name="score")(x))


@pytest.mark.parametrize("build", [small_ds_cnn, _residual])
def test_folding_keeps_the_function(build) -> None:  # type: ignore[no-untyped-def]
    keras.utils.set_random_seed(1)
    model = _randomised(build())
    folded = network.fold(model)
    x = np.random.default_rng(0).normal(size=(5, *model.input_shape[1:])).astype(np.float32)
    np.testing.assert_allclose(predict(folded, x), predict(model, x), atol=2e-5)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    again = network.fold(folded)
    np.testing.assert_allclose(predict(again, x), predict(folded, x), atol=1e-6)


def test_a_normalisation_without_a_convolution_is_refused() -> None:
    source = keras.Input((4,))
    model = keras.Model(source, keras.layers.BatchNormalization(name="lonely")(source))
    with pytest.raises(TinymlError, match="`lonely`"):
        network.fold(model)


def _int8_of(model: keras.Model, samples: np.ndarray, scheme: Scheme, folder: Path) -> tuple[bytes, bytes]:
    from tinyml_cli.conversion.convert import to_flatbuffers
    from tinyml_cli.models.source import open_source

    path = folder / "m.keras"
    model.save(path)
    made = to_flatbuffers(open_source(path), [samples], scheme)
    return made.float32, made.int8


def _autoencoder() -> keras.Model:
    layers = keras.layers
    source = keras.Input((20,), name="features")
    x = layers.Dense(6, activation="relu", name="encoder")(source)
    return keras.Model(source, layers.Dense(20, name="reconstruction")(x))


@pytest.mark.parametrize(
    ("build", "per_channel"),
    [
        (small_ds_cnn, True),
        (_residual, False),
        (_autoencoder, True),
        pytest.param(small_ds_cnn, False, marks=pytest.mark.slow),
        pytest.param(_residual, True, marks=pytest.mark.slow),
        pytest.param(_autoencoder, False, marks=pytest.mark.slow),
    ],
)
def test_rounding_in_training_is_the_rounding_of_int8(build, per_channel: bool, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The network in training and the int8 flatbuffer answer within one step of each other."""
    keras.utils.set_random_seed(2)
    model = network.fold(_randomised(build()))
    rng = np.random.default_rng(3)
    x = np.abs(rng.normal(size=(96, *model.input_shape[1:]))).astype(np.float32)
    scheme = Scheme(per_channel=per_channel)
    plain, fixed = qat.quantize_aware(model, x[:64], predict(model, x[:64]), x[:64], scheme, FEW, 1)
    _, int8 = _int8_of(plain, x[:64], Scheme(per_channel=per_channel, fixed=fixed), tmp_path)

    graph = parse_graph(int8)
    source, target = interpret.io_quantization(graph)
    answers = interpret.run_int8(int8, interpret.quantize_values(x[64:], source)).astype(int)
    trained = predict(qat.with_rounding(plain, fixed, per_channel), x[64:])
    steps = interpret.quantize_values(trained, target).astype(int)
    assert np.abs(steps - answers).max() <= 1


@pytest.mark.slow
def test_the_converter_takes_the_trained_ranges(trained_run: Run) -> None:
    quantize(trained_run, "qat", 32, epochs=2)
    convert(trained_run)
    from tinyml_cli.quantization.calibration_set import CalibrationSet

    fixed = CalibrationSet.load(trained_run.file("calibration.npz")).chosen.fixed
    assert set(fixed) == {"input", "stem", "depthwise", "pointwise", "scores"}
    graph = parse_graph(trained_run.file(MODEL_INT8).read_bytes())
    found = {"input": graph.tensors[graph.inputs[0]]}
    for operator in graph.operators:
        found.setdefault(graph.tensors[operator.outputs[0]].name, graph.tensors[operator.outputs[0]])
    for name, (low, high) in fixed.items():
        quantization = found[name].quantization
        assert quantization is not None
        assert float(quantization.scales[0]) == pytest.approx((high - low) / 255, rel=1e-5)
    manifest = trained_run.manifest()
    assert manifest.quantization is not None
    assert manifest.quantization.method == "qat"
    trained_run.require(manifest, MODEL_QAT)
    features, labels = patterns(150, 77)
    model = trained_run.file(MODEL_INT8).read_bytes()
    inputs = interpret.quantize_inputs(graph, [as_input(features)])[0]
    assert (interpret.run_int8(model, inputs).argmax(axis=1) == labels).mean() > 0.9


def test_a_new_training_makes_the_rounded_model_stale(trained_run: Run) -> None:
    quantize(trained_run, "qat", 16, epochs=0)
    manifest = trained_run.manifest()
    trained_run.file(MODEL).write_bytes(b"other")
    trained_run.record(manifest, MODEL, "tinyml train")
    trained_run.save(manifest)
    with pytest.raises(TinymlError, match="stale"):
        convert(trained_run)


def test_clusters_have_few_values_in_int8_and_keep_zeros() -> None:
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(300, 8)).astype(np.float32) * rng.uniform(0.01, 9, 8).astype(np.float32)
    weights[rng.random(weights.shape) < 0.6] = 0
    clusters = ClusteredKernel.of(weights, 16, keep_zero=True)
    for _ in range(3):
        projected = clusters.project(
            weights + rng.normal(scale=0.02, size=weights.shape).astype(np.float32) * (weights != 0)
        )
    rounded = np.round(projected / (np.abs(projected).max(axis=0) / 127)).astype(int)
    assert len(np.unique(rounded)) <= 16
    np.testing.assert_array_equal(rounded == 0, weights == 0)
    again = ClusteredKernel.of(projected, 16, keep_zero=True).project(projected)
    np.testing.assert_allclose(again, projected, atol=1e-4 * np.abs(projected).max())


def test_pruned_weights_are_zero_in_int8(converted_run: Run) -> None:
    outcome = stage.compress(converted_run, [CompressionStep("prune", 0.7)], FEW, on_board=False)
    variant = Run(Path(outcome.run))
    assert variant.path.name == "pruned-70"
    assert all(row.zeros_share >= 0.69 for row in outcome.kept.layers)
    assert outcome.after.value > 0.9
    assert outcome.after.gzip_bytes < outcome.before.gzip_bytes
    assert outcome.after.bytes == outcome.before.bytes, "zeros take room in a flatbuffer"


def test_channels_really_go(converted_run: Run) -> None:
    outcome = stage.compress(
        converted_run, [CompressionStep("prune", 0.7, structured=True)], FEW, on_board=False
    )
    graph = parse_graph(Path(outcome.run, MODEL_INT8).read_bytes())
    stem = graph.input(graph.operators[0], 1)
    assert stem is not None
    assert stem.shape[0] == 4
    assert outcome.after.macs < 0.6 * outcome.before.macs
    assert outcome.after.bytes < outcome.before.bytes
    assert outcome.after.value > 0.8
    model = Run(Path(outcome.run)).manifest().model
    before = converted_run.manifest().model
    assert model is None or before is None or model.parameters < before.parameters


def test_taking_out_dead_channels_changes_nothing() -> None:
    """Half of the filters are zero: without them the network must answer the same."""
    keras.utils.set_random_seed(3)
    model = network.fold(_randomised(small_ds_cnn()))
    for name, dead in (("stem", [1, 2, 5, 7]), ("pointwise", [0, 3, 4, 6])):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[..., dead], bias[dead] = 0, 0
        model.get_layer(name).set_weights([kernel, bias])
    kernel, bias = model.get_layer("depthwise").get_weights()
    bias[[1, 2, 5, 7]] = 0
    model.get_layer("depthwise").set_weights([kernel, bias])
    smaller = structured.shrink(model, 0.75)
    x = np.random.default_rng(0).normal(size=(6, 49, 40, 1)).astype(np.float32)
    np.testing.assert_allclose(predict(smaller, x), predict(model, x), atol=1e-5)
    assert smaller.count_params() < 0.6 * model.count_params()


def test_layers_that_meet_in_an_addition_keep_their_channels() -> None:
    smaller = structured.shrink(network.fold(_residual()), 0.5)
    assert smaller.get_layer("stem").filters == 16
    assert smaller.get_layer("outer").filters == 16
    assert smaller.get_layer("inner").filters == 12


@pytest.mark.nightly
def test_steps_after_one_another_keep_what_was_gained(converted_run: Run) -> None:
    steps = [CompressionStep("prune", 0.6), CompressionStep("cluster", clusters=8), CompressionStep("qat")]
    outcome = stage.compress(converted_run, steps, FEW, on_board=False)
    variant = Run(Path(outcome.run))
    assert variant.path.name == "pruned-60-clustered-8-qat"
    large = [row for row in outcome.kept.layers if row.weights >= MIN_WEIGHTS]
    assert len(large) == 2
    assert all(row.zeros_share >= 0.59 and row.distinct <= 8 for row in large)
    assert outcome.after.value > 0.9
    assert outcome.after.gzip_bytes < 0.75 * outcome.before.gzip_bytes
    manifest = variant.manifest()
    assert manifest.quantization is not None
    assert manifest.quantization.method == "qat"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(converted_run: Run, tmp_path: Path) -> None:
    other = Run(Path(shutil.copytree(converted_run.path, tmp_path / "other")))
    few = FineTuneSettings(epochs=1, samples=64)
    models = [
        Path(
            stage.compress(
                run, [CompressionStep("prune", 0.5), CompressionStep("qat")], few, on_board=False
            ).run,
            MODEL_INT8,
        )
        for run in (converted_run, other)
    ]
    assert models[0].read_bytes() == models[1].read_bytes()


def test_a_lost_promise_is_found(converted_run: Run) -> None:
    metrics = {"compression": [{"method": "prune", "sparsity": 0.5}]}
    with pytest.raises(TinymlError, match="lost the result of its training"):
        kept.check(converted_run.file(MODEL_INT8).read_bytes(), MIN_WEIGHTS, metrics, "run")


@pytest.mark.parametrize(
    "steps",
    [
        [CompressionStep("qat"), CompressionStep("prune", 0.5)],
        [CompressionStep("cluster", clusters=8), CompressionStep("prune", 0.5)],
        [CompressionStep("prune", 0.5), CompressionStep("prune", 0.5, structured=True)],
    ],
)
def test_orders_that_undo_are_refused(steps: list[CompressionStep]) -> None:
    with pytest.raises(TinymlError, match="--then"):
        check_order(steps)


@pytest.mark.parametrize("text", ["", "prune", "prune=2", "cluster=1", "qat=8", "melt=3", "cluster=x"])
def test_steps_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(TinymlError):
        parse(text)


def test_steps_that_would_change_nothing_are_refused() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(16), keras.layers.Dense(1)])
    for step in (CompressionStep("prune", sparsity=0.9), CompressionStep("cluster", clusters=16)):
        with pytest.raises(TinymlError, match=f"`{step.method}` would change nothing"):
            stage.check_effect(model, [step], "run")
    stage.check_effect(model, [CompressionStep("prune", sparsity=0.5, structured=True)], "run")
    stage.check_effect(model, [CompressionStep("control"), CompressionStep("qat")], "run")


def test_steps_are_read_as_they_are_written() -> None:
    assert parse("structured=0.5") == CompressionStep("prune", 0.5, structured=True)
    assert parse("cluster=16") == CompressionStep("cluster", clusters=16)
    assert parse(" qat ") == CompressionStep("qat")
