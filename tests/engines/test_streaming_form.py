"""Networks rewritten to take new frames only give the bytes of whole windows, by aot and by TFLM."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Built, Judge, build
from tinyml_cli.errors import TinymlError
from tinyml_cli.models import build_model
from tinyml_cli.models.architectures import STREAMING
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.streaming import hops, to_streaming

GRID = (0.05, -7)
SHAPE = (49, 40, 1)


def weights(model: Model, seed: int, *shape: int, depthwise: bool = False) -> int:
    values = np.random.default_rng(seed).integers(-127, 128, shape)
    return model.tensor(
        shape, data=values, scales=[0.01] * shape[3 if depthwise else 0], axis=3 if depthwise else 0
    )


def classify(model: Model, x: int, elements: int) -> int:
    flat, y, p = (
        model.tensor((1, n), *grid) for n, grid in ((elements, GRID), (3, GRID), (3, (1 / 256, -128)))
    )
    model.operator(
        "RESHAPE", [x, model.integers((1, elements))], [flat], "ReshapeOptions", newShape=[1, elements]
    )
    table = np.random.default_rng(8).integers(-127, 128, (3, elements))
    model.operator(
        "FULLY_CONNECTED",
        [flat, model.tensor((3, elements), 0.004, data=table), -1],
        [y],
        "FullyConnectedOptions",
    )
    model.operator("SOFTMAX", [y], [p], "SoftmaxOptions", beta=1.0)
    return p


def convolve(model: Model, x: int, kernel: int, y: tuple[int, ...], **fields: int) -> int:
    target = model.tensor(y, *GRID)
    fields = {"padding": 1, "strideH": 1, "strideW": 1} | fields
    model.operator("CONV_2D", [x, kernel], [target], "Conv2DOptions", **fields)
    return target


def strided() -> bytes:
    """Strides, dilation and pooling over time, all without padding."""
    model = Model()
    x = model.tensor((1, 25, 4, 2), *GRID)
    y = convolve(model, x, weights(model, 1, 5, 3, 4, 2), (1, 12, 1, 5), strideH=2)
    y = convolve(model, y, weights(model, 2, 6, 3, 1, 5), (1, 8, 1, 6), dilationHFactor=2, dilationWFactor=1)
    z = model.tensor((1, 8, 1, 6), *GRID)
    model.operator("ADD", [y, model.tensor((6,), *GRID, data=np.arange(6) * 9)], [z], "AddOptions")
    pooled = model.tensor((1, 4, 1, 6), *GRID)
    model.operator(
        "MAX_POOL_2D", [z], [pooled], "Pool2DOptions",
        padding=1, strideH=2, strideW=1, filterHeight=2, filterWidth=1,
    )  # fmt: skip
    return model.build([x], [classify(model, pooled, 24)])


def padded() -> bytes:
    """The first layer pads over time: nothing it makes may be kept."""
    model = Model()
    x = model.tensor((1, 12, 3, 2), *GRID)
    y = convolve(model, x, weights(model, 3, 4, 3, 3, 2), (1, 12, 3, 4), padding=0)
    return model.build([x], [classify(model, y, 144)])


def branches() -> bytes:
    """Two branches of different lengths meet, one of which drops its oldest frames."""
    model = Model()
    x = model.tensor((1, 14, 1, 4), *GRID)
    y = convolve(model, x, weights(model, 4, 4, 5, 1, 4), (1, 10, 1, 4))
    bounds = [model.integers(values) for values in ((0, 4, 0, 0), (0, 14, 0, 0), (1, 1, 1, 1))]
    newest, total = model.tensor((1, 10, 1, 4), *GRID), model.tensor((1, 10, 1, 4), *GRID)
    model.operator("STRIDED_SLICE", [x, *bounds], [newest], "StridedSliceOptions", beginMask=13, endMask=13)
    model.operator("ADD", [y, newest], [total], "AddOptions")
    return model.build([x], [classify(model, total, 40)])


@functools.cache
def converted(name: str) -> tuple[bytes, bytes]:
    """float32 and int8 of an untrained streaming architecture."""
    keras = pytest.importorskip("keras", reason="TensorFlow makes the models of this test")
    from tinyml_cli.conversion.convert import to_flatbuffers
    from tinyml_cli.models.source import open_source

    keras.utils.set_random_seed(5)
    samples = np.random.default_rng(1).uniform(0, 26, (16, *SHAPE)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model = build_model(name, SHAPE, 4, {})
        # The scores of an untrained network hardly differ: spread them.
        scores = model.get_layer("scores")
        kernel = scores.get_weights()[0]
        logits = keras.Model(model.inputs, scores.input).predict(samples, verbose=0) @ kernel
        spread = 2 / logits.std(axis=0)
        scores.set_weights([kernel * spread, -logits.mean(axis=0) * spread])
        model.save(path)
        made = to_flatbuffers(open_source(path), [samples])
    return made.float32, made.int8


# network -> (how it is made, hops to try, share of the window's work that the first of them takes at most)
CASES: dict[str, tuple[Callable[[], bytes], tuple[int, ...], float]] = {
    "strided": (strided, (4, 2, 3), 0.35),
    "padded": (padded, (2, 5), 1.0),
    "branches": (branches, (1, 4), 0.6),
    "stream_conv": (lambda: converted("stream_conv")[1], (5, 1, 7), 0.15),
    # Its strides take frames by fours; with another hop it computes whole windows.
    "stream_ds_cnn": (lambda: converted("stream_ds_cnn")[1], (4, 8, 5), 0.15),
}
assert set(STREAMING) <= set(CASES)
PAIRS = [(name, hop) for name, (_, tried, _) in CASES.items() for hop in tried]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[bytes, bytes, Built]]:
    wholes = {name: make() for name, (make, _, _) in CASES.items()}
    streams = [to_streaming(wholes[name], hop) for name, hop in PAIRS]
    networks = build(streams, tmp_path_factory.mktemp("streams") / "all")
    return {
        (name, hop): (wholes[name], stream, network)
        for (name, hop), stream, network in zip(PAIRS, streams, networks, strict=True)
    }


@pytest.mark.parametrize(("name", "hop"), PAIRS)
def test_each_window_of_a_stream_gives_the_bytes_of_the_whole_network(
    name: str, hop: int, built: dict[tuple[str, int], tuple[bytes, bytes, Built]]
) -> None:
    whole, stream, network = built[name, hop]
    graph = tflite_graph.parse(whole)
    frames, *rest = graph.tensors[graph.inputs[0]].shape[1:]
    sound = np.random.default_rng(hop).integers(-128, 128, (frames + 6 * hop, *rest)).astype(np.int8)
    by_window, by_hop, seen = Judge(whole), Judge(stream), set()
    network.reset()
    for index, piece in enumerate(hops(sound, hop)):
        (ours,), (theirs,) = network.run([piece[None]]), by_hop.run([piece[None]])
        np.testing.assert_array_equal(ours, theirs, err_msg=f"hop {index}")
        end = len(sound) - (len(hops(sound, hop)) - 1 - index) * hop
        if end >= frames:
            np.testing.assert_array_equal(ours, by_window.run([sound[None, end - frames : end]])[0])
            seen.add(ours.tobytes())
    assert len(seen) > 3


@pytest.mark.parametrize("name", CASES)
def test_only_new_frames_are_computed(
    name: str, built: dict[tuple[str, int], tuple[bytes, bytes, Built]]
) -> None:
    _, (hop, *_), share = CASES[name]
    whole, stream, _ = built[name, hop]
    before, after = (tflite_graph.total_macs(tflite_graph.parse(model)) for model in (whole, stream))
    assert after <= share * before
    states = [op for op in tflite_graph.parse(stream).operators if op.name == "VAR_HANDLE"]
    assert states


def test_a_window_is_fed_as_hops_that_end_with_it() -> None:
    window = np.arange(7, dtype=np.int8)[:, None]
    fed = hops(window, 3)
    assert fed.shape == (3, 3, 1)
    assert fed.ravel().tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert hops(window, 7)[0].ravel().tolist() == window.ravel().tolist()


@pytest.mark.parametrize("name", STREAMING)
def test_floating_point_is_close_too(name: str) -> None:
    whole = converted(name)[0]
    sound = np.random.default_rng(3).uniform(0, 26, (55, 40, 1)).astype(np.float32)
    judge = Judge(to_streaming(whole, 5))
    answers = [judge.run([piece[None]])[0] for piece in sound.reshape(-1, 5, 40, 1)]
    np.testing.assert_allclose(answers[-1], interpret.run_float(whole, sound[None, -49:]), atol=1e-6)


@pytest.mark.parametrize(
    ("hop", "message"), [(0, "does not match"), (25, "does not match"), (9, "receptive field")]
)
def test_a_hop_that_makes_no_stream_is_refused(hop: int, message: str) -> None:
    with pytest.raises(TinymlError, match=message):
        to_streaming(strided() if hop != 9 else branches_of_a_mean(), hop)


def branches_of_a_mean() -> bytes:
    """The layer before the classifier looks at 8 frames."""
    model = Model()
    x = model.tensor((1, 14, 1, 4), *GRID)
    y = convolve(model, x, weights(model, 4, 4, 7, 1, 4), (1, 8, 1, 4))
    return model.build([x], [classify(model, y, 32)])


def test_an_output_for_each_frame_is_refused() -> None:
    model = Model()
    x = model.tensor((1, 14, 1, 4), *GRID)
    y = convolve(model, x, weights(model, 4, 4, 5, 1, 4), (1, 10, 1, 4))
    with pytest.raises(TinymlError, match="one output per frame"):
        to_streaming(model.build([x], [y]), 2)


def test_an_output_that_only_drops_frames_is_one_of_each_frame() -> None:
    model = Model()
    x = model.tensor((1, 14, 1, 4), *GRID)
    bounds = [model.integers(values) for values in ((0, 4, 0, 0), (0, 14, 0, 0), (1, 1, 1, 1))]
    newest = model.tensor((1, 10, 1, 4), *GRID)
    model.operator("STRIDED_SLICE", [x, *bounds], [newest], "StridedSliceOptions", beginMask=13, endMask=13)
    scores = classify(model, newest, 40)
    with pytest.raises(TinymlError, match="one output per frame"):
        to_streaming(model.build([x], [scores, newest]), 2)


def test_several_inputs_are_refused() -> None:
    model = Model()
    a, b, y = (model.tensor((1, 8), *GRID) for _ in range(3))
    model.operator("ADD", [a, b], [y], "AddOptions")
    with pytest.raises(TinymlError, match="2 inputs"):
        to_streaming(model.build([a, b], [y]), 2)
