"""A streaming model from the converter, over many inferences, against TFLM's own runtime."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.many_networks import Judge, build, random_values
from tinyml_cli.engines.aot import compiler, listing
from tinyml_cli.tflite import graph as tflite_graph

STEPS, CHANNELS, KEPT, POINTS, REMEMBERED, CLASSES = 40, 8, 5, 10, 3, 4


def _module(tf: Any) -> Any:
    """Two causal convolutions; each keeps the frames that its next window needs."""
    rng = np.random.default_rng(3)

    def constant(*shape: int) -> Any:
        return tf.constant(rng.normal(0, 0.4, shape).astype(np.float32))

    kernel, point = constant(KEPT + 1, 1, CHANNELS, 12), constant(1, 1, 12, POINTS)
    depthwise, dense = constant(REMEMBERED + 1, 1, POINTS, 1), constant(POINTS, CLASSES)

    class Stream(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.frames = tf.Variable(tf.zeros((1, KEPT, 1, CHANNELS)), name="frames")
            # Not zero, so that a wrong initial value shows.
            self.memory = tf.Variable(0.3 * tf.ones((1, REMEMBERED, 1, POINTS)), name="memory")

        @tf.function(input_signature=[tf.TensorSpec((1, 1, 1, CHANNELS), tf.float32)])  # type: ignore[untyped-decorator]
        def step(self, x: Any) -> Any:
            window = tf.concat([self.frames, x], 1)
            self.frames.assign(window[:, 1:])
            y = tf.nn.relu(tf.nn.conv2d(window, kernel, 1, "VALID"))
            y = tf.nn.relu(tf.nn.conv2d(y, point, 1, "VALID"))
            window = tf.concat([self.memory, y], 1)
            self.memory.assign(window[:, 1:])
            y = tf.nn.relu(tf.nn.depthwise_conv2d(window, depthwise, (1, 1, 1, 1), "VALID"))
            return tf.nn.softmax(tf.matmul(tf.reshape(y, (1, POINTS)), dense))

    return Stream()


@functools.cache
def streaming_model(quantized_state: bool) -> bytes:
    """The int8 model; what it remembers is float32 or int8."""
    tf = pytest.importorskip("tensorflow", reason="TensorFlow makes the model of this test")
    module = _module(tf)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.step.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        rng = np.random.default_rng(0)
        samples = rng.normal(0, 1, (64, 1, 1, 1, CHANNELS)).astype(np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        converter.experimental_enable_resource_variables = True
        converter._experimental_variable_quantization = quantized_state
        return bytes(converter.convert())


@pytest.mark.parametrize("quantized_state", [False, True])
@pytest.mark.parametrize("io", compiler.IO_MODES)
def test_a_stream_gives_the_bytes_of_tflm(quantized_state: bool, io: str, tmp_path: Path) -> None:
    model = streaming_model(quantized_state)
    graph = tflite_graph.parse(model)
    assert {"READ_VARIABLE", "ASSIGN_VARIABLE"} <= {operator.name for operator in graph.operators}
    (network,) = build([model], tmp_path / "stream", io=io)
    judge, rng, seen = Judge(model), np.random.default_rng(4), []
    for step in range(STEPS):
        frame = random_values(graph.tensors[graph.inputs[0]], rng, step)
        (ours,), (theirs,) = network.run([frame]), judge.run([frame])
        np.testing.assert_array_equal(ours, theirs, err_msg=f"frame {step}")
        seen.append(ours.tobytes())
    assert len(set(seen)) > STEPS // 2


@pytest.mark.parametrize("quantized_state", [False, True])
def test_a_reset_starts_again(quantized_state: bool, tmp_path: Path) -> None:
    model = streaming_model(quantized_state)
    (network,) = build([model], tmp_path / "stream")
    frames = np.random.default_rng(6).integers(-128, 128, (6, 1, 1, 1, CHANNELS)).astype(np.int8)

    def run() -> list[bytes]:
        return [network.run([frame])[0].tobytes() for frame in frames]

    first, second = run(), run()
    network.reset()
    assert first != second
    assert run() == first


def test_states_are_as_large_as_their_type_says() -> None:
    for quantized_state, width in ((False, 4), (True, 1)):
        network = compiler.compile_graph(tflite_graph.parse(streaming_model(quantized_state)))
        states = sorted(row.bytes for row in listing.rows(network) if row.role == "state")
        assert states == sorted([KEPT * CHANNELS * width, REMEMBERED * POINTS * width])
