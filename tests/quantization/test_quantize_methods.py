"""Choices of int8: each does what its paper says, on flatbuffers, and the run records them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pattern_task import as_input, patterns
from tinyml_cli.conversion.convert import convert, to_flatbuffers
from tinyml_cli.errors import TinymlError
from tinyml_cli.quantization import bias_correction, histogram, ranges
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.quantization.equalise import equalise
from tinyml_cli.quantization.float_graph import FloatGraph
from tinyml_cli.quantization.histogram import BINS, Histogram
from tinyml_cli.quantization.precision import kind_of
from tinyml_cli.quantization.prepare import prepare
from tinyml_cli.quantization.scheme import COMPARISONS, RANGES, Scheme
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.stages.quantize import Choices, quantize_run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

SAMPLES = as_input(patterns(48, 5)[0])


def _accuracy(model: bytes) -> float:
    features, labels = patterns(200, 77)
    source, _ = interpret.io_quantization(parse(model))
    outputs = interpret.run_int8(model, interpret.quantize_values(as_input(features), source))
    return float((outputs.argmax(axis=1) == labels).mean())


@pytest.fixture
def float_model(converted_run: Run) -> bytes:
    return converted_run.file(MODEL_FLOAT32).read_bytes()


def _badly_scaled(model: bytes, seed: int = 1) -> bytes:
    """The same function with channels of the first layer up to 100,000 times apart."""
    graph = FloatGraph(model)
    first, second = graph.layers[:2]
    scale = (10 ** np.random.default_rng(seed).uniform(-2.5, 2.5, len(first.bias))).astype(np.float32)
    graph.set_weights(first, first.weights * scale.reshape(-1, 1, 1, 1))
    graph.set_bias(first, first.bias * scale)
    graph.set_weights(second, second.weights / scale)
    return graph.pack()


def test_our_min_max_is_the_converters_own(converted_run: Run, float_model: bytes) -> None:
    """Through our calibration the last step gives the scales and answers of TensorFlow's whole converter."""
    from tinyml_cli.conversion.converter import round_ranged
    from tinyml_cli.models.source import open_source

    whole = to_flatbuffers(open_source(converted_run.file(MODEL)), [SAMPLES]).int8
    ours = round_ranged(prepare(float_model, [SAMPLES], Scheme()).ranged, Scheme(), Path("model"))
    mine, theirs = parse(ours), parse(whole)
    for one, other in zip(mine.operators, theirs.operators, strict=True):
        a, b = (graph.tensors[op.outputs[0]].quantization for graph, op in ((mine, one), (theirs, other)))
        assert a is not None
        assert b is not None
        np.testing.assert_allclose(a.scales, b.scales, rtol=1e-6)
        np.testing.assert_array_equal(a.zero_points, b.zero_points)
    inputs = interpret.quantize_inputs(mine, [as_input(patterns(60, 8)[0])])[0]
    answers = [interpret.run_int8(model, inputs).astype(int) for model in (ours, whole)]
    assert np.abs(answers[0] - answers[1]).max() <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(RANGES), st.booleans())
def test_every_range_holds_zero_and_stays_inside(seed: int, how: str, positive: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(3, 20_000)
    values = np.maximum(values, 0) if positive else values
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    counts = np.histogram(values, BINS, (low, high))[0].astype(float)
    chosen = ranges.choose(Histogram(low, high, counts), how)
    assert low - 1e-6 <= chosen[0] <= 0 <= chosen[1] <= high + 1e-6
    assert chosen[1] > 0


def test_the_mse_range_has_the_smallest_error_of_all() -> None:
    """A few values far out: clipping them gains more in the middle than it loses."""
    values = np.random.default_rng(2).normal(size=100_000)
    values[:5] *= 15
    low, high = float(values.min()), float(values.max())
    counted = Histogram(low, high, np.histogram(values, BINS, (low, high))[0].astype(float))

    def error(limits: tuple[float, float]) -> float:
        step = (limits[1] - limits[0]) / 255
        rounded = np.clip(np.round((values - limits[0]) / step), 0, 255) * step + limits[0]
        return float(np.square(values - rounded).mean())

    errors = {how: error(ranges.choose(counted, how)) for how in RANGES}
    assert errors["mse"] == min(errors.values())
    assert errors["mse"] < 0.9 * errors["min-max"]


def test_the_percentile_clips_what_it_says() -> None:
    values = np.random.default_rng(2).normal(size=200_000)
    counted = Histogram(-10.0, 10.0, np.histogram(values, BINS, (-10, 10))[0].astype(float))
    low, high = ranges.choose(counted, "percentile")
    assert np.mean(values < low) == pytest.approx(1e-4, rel=0.3)
    assert np.mean(values > high) == pytest.approx(1e-4, rel=0.3)


def test_an_activation_that_is_always_zero_is_no_problem() -> None:
    for how in RANGES:
        assert ranges.choose(Histogram(0.0, 0.0, np.zeros(BINS)), how) == (0.0, 0.0)


def test_equalising_changes_no_answer_and_evens_out_channels(float_model: bytes) -> None:
    spoiled = _badly_scaled(float_model)
    mended, pairs = equalise(spoiled)
    assert pairs == 3, "stem to depthwise to pointwise to dense"
    np.testing.assert_allclose(
        interpret.run_float(mended, SAMPLES), interpret.run_float(spoiled, SAMPLES), atol=1e-5
    )

    def spread(model: bytes) -> float:
        largest = np.abs(FloatGraph(model).layers[1].weights).max(axis=(0, 1, 2))
        return float(largest.max() / largest.min())

    assert spread(mended) < spread(spoiled) / 5


def test_equalising_rescues_badly_scaled_channels_per_tensor(float_model: bytes) -> None:
    """The case of the paper: one scale per tensor and channels orders of magnitude apart."""
    from tinyml_cli.conversion.converter import round_ranged

    spoiled = _badly_scaled(float_model)
    features, labels = patterns(200, 77)
    exact = float((interpret.run_float(spoiled, as_input(features)).argmax(axis=1) == labels).mean())

    def rounded(scheme: Scheme) -> float:
        return _accuracy(round_ranged(prepare(spoiled, [SAMPLES], scheme).ranged, scheme, Path("model")))

    naive = rounded(Scheme(per_channel=False))
    rescued = rounded(Scheme(per_channel=False, equalise=True))
    assert naive < exact - 0.2, "the case is not hard"
    assert rescued >= exact - 0.2 * (exact - naive)


def test_bias_correction_takes_back_the_mean_error(float_model: bytes) -> None:
    """Mean outputs of the first layer with rounded weights: nearer to the float ones with the new bias."""
    from tinyml_cli.quantization import weights

    graph = FloatGraph(float_model)
    layer = graph.layers[-1]
    corrected = FloatGraph(bias_correction.correct(float_model, False, [SAMPLES])).layers[-1]
    mean = histogram.channel_means(float_model, [layer.source], [SAMPLES])[layer.source]
    rounded = weights.restored(layer, False)
    before = (rounded - layer.weights) @ mean
    after = before + corrected.bias - layer.bias
    assert np.abs(after).max() < 1e-4 < np.abs(before).max()


def test_weights_are_restored_as_the_converter_rounds_them(converted_run: Run, float_model: bytes) -> None:
    from tinyml_cli.quantization import weights

    graph = parse(converted_run.file(MODEL_INT8).read_bytes())
    for layer, operator in zip(FloatGraph(float_model).layers, _weighted(graph), strict=True):
        tensor = graph.input(operator, 1)
        assert tensor is not None
        assert tensor.data is not None
        assert tensor.quantization is not None
        shape = [1] * tensor.data.ndim
        if tensor.quantization.per_channel:
            shape[tensor.quantization.axis] = -1
        real = tensor.data * tensor.quantization.scales.reshape(shape)
        np.testing.assert_allclose(weights.restored(layer, True), real, atol=1e-6)


def _weighted(graph):  # type: ignore[no-untyped-def]
    return [op for op in graph.operators if op.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")]


def test_choices_reach_the_model_and_the_manifest(trained_run: Run) -> None:
    choices = Choices(samples=32, ranges="mse", per_channel=False, equalise=True, bias_correction=True)
    outcome = quantize_run(trained_run, choices)
    assert outcome.scheme.ranges == "mse"
    assert len(outcome.layers) == 8
    convert(trained_run)
    graph = parse(trained_run.file(MODEL_INT8).read_bytes())
    for operator in _weighted(graph):
        tensor = graph.input(operator, 1)
        assert tensor is not None
        assert tensor.quantization is not None
        assert not tensor.quantization.per_channel
    assert trained_run.manifest().metrics["quantize"] == outcome.scheme.as_dict()
    assert _accuracy(trained_run.file(MODEL_INT8).read_bytes()) > 0.9


def test_equal_choices_give_equal_bytes(trained_run: Run, tmp_path: Path) -> None:
    other = Run(Path(shutil.copytree(trained_run.path, tmp_path / "other")))
    for run in (trained_run, other):
        quantize_run(run, Choices(samples=16, ranges="entropy", bias_correction=True))
        convert(run)
    assert trained_run.file(MODEL_INT8).read_bytes() == other.file(MODEL_INT8).read_bytes()


@pytest.mark.parametrize("method", COMPARISONS)
def test_models_for_comparison_lie_beside_the_int8_model(
    converted_run: Run, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyml_cli.engines.export import export
    from tinyml_cli.stages.adopt import open_run

    before = converted_run.file(MODEL_INT8).read_bytes()
    outcome = quantize(converted_run, method, 10)
    path = converted_run.file(f"model_{method}.tflite")
    assert outcome.path == str(path)
    assert converted_run.file(MODEL_INT8).read_bytes() == before
    converted_run.require(converted_run.manifest(), f"model_{method}.tflite")
    features, labels = patterns(100, 77)
    outputs = interpret.run_float(path.read_bytes(), as_input(features))
    assert (outputs.argmax(axis=1) == labels).mean() > 0.9
    if method == "dynamic":
        assert kind_of(parse(path.read_bytes())) is None, "weights of fewer than 1024 values stay float32"
        return
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "adopted"))
    if method == "int16x8":
        assert export(open_run(path), "aot").arena_bytes["aot"] > 0
        return
    with pytest.raises(TinymlError, match=r"comparison only.*float16"):
        export(open_run(path), "aot")


def test_a_variant_is_a_run_of_its_own(converted_run: Run) -> None:
    before = converted_run.file(MODEL_INT8).read_bytes()
    outcome = quantize_run(converted_run, Choices(samples=16, per_channel=False), variant="per-tensor")
    variant = Run(Path(outcome.run))
    assert variant.path == converted_run.path / "variants" / "per-tensor"
    assert converted_run.file(MODEL_INT8).read_bytes() == before
    manifest = variant.manifest()
    assert manifest.artifacts[MODEL].sha256 == converted_run.manifest().artifacts[MODEL].sha256
    variant.require(manifest, MODEL_INT8)
    assert outcome.int8.bytes < len(before)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "latest", ".hidden"])
def test_a_variant_cannot_lie_elsewhere(converted_run: Run, name: str) -> None:
    with pytest.raises(TinymlError, match="variant"):
        quantize_run(converted_run, Choices(samples=10), variant=name)


def test_float_layers_are_refused_with_the_reason(trained_run: Run) -> None:
    with pytest.raises(TinymlError, match=r"`stem` cannot stay in float32.*--equalise"):
        quantize_run(trained_run, Choices(), keep_float="stem")
    assert not trained_run.file(CALIBRATION).exists()


def test_unknown_choices_name_the_known_ones(trained_run: Run) -> None:
    with pytest.raises(TinymlError, match="percentile"):
        quantize_run(trained_run, Choices(ranges="guess"))
    with pytest.raises(TinymlError, match="int16x8"):
        quantize(trained_run, "int4")


def test_pictures_are_drawn(trained_run: Run) -> None:
    outcome = quantize(trained_run, n_samples=10, pictures=True)
    assert [Path(path).name for path in outcome.pictures] == ["weights.png", "activations.png"]
    for path in outcome.pictures:
        with Image.open(path) as picture:
            picture.verify()


def test_damaged_choices_are_found_on_reading(trained_run: Run) -> None:
    quantize(trained_run, n_samples=10)
    path = trained_run.file(CALIBRATION)
    whole = CalibrationSet.load(path)
    for scheme in ({"colour": 1}, {"fixed": {"a": [1]}}):
        CalibrationSet(whole.samples, "ptq", "train", 1, whole.model_sha256, scheme=scheme).save(path)
        with pytest.raises(TinymlError, match="damaged"):
            CalibrationSet.load(path)
