"""A model as if it had been trained again: other weights and scales in the same architecture."""

from __future__ import annotations

import numpy as np

from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import write


def retrained(model_bytes: bytes, seed: int) -> bytes:
    """Every constant weight shuffled, its scales changed by up to a third.

    Activations keep their scales, since some operators want those of input and output to be equal.
    """
    rng = np.random.default_rng(seed)
    graph = tflite_graph.parse(model_bytes)
    weights = {
        operator.inputs[1]
        for operator in graph.operators
        if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    }
    model = write.unpack(model_bytes)
    for index in weights:
        tensor = model.subgraphs[0].tensors[index]
        buffer = model.buffers[tensor.buffer]
        buffer.data = write.data_vector(rng.permutation(np.asarray(buffer.data, np.uint8)).tobytes())
        scales = np.asarray(tensor.quantization.scale, np.float32)
        tensor.quantization.scale = (scales * rng.uniform(0.75, 1.33, scales.shape)).astype(np.float32)
    return write.pack(model)
