"""TensorFlow's converter clips the cell state of a fused LSTM to 10, which Keras does not."""

from __future__ import annotations

from tinyml_cli.tflite import write
from tinyml_cli.tflite.graph import parse

FUSED_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def without_cell_clip(model_bytes: bytes) -> bytes:
    """The same function with cell states of any size; the same bytes without a fused LSTM.

    Args:
        model_bytes: a float32 flatbuffer of one subgraph.
    """
    fused = [each.index for each in parse(model_bytes).operators if each.name == FUSED_LSTM]
    if not fused:
        return model_bytes
    model = write.unpack(model_bytes)
    for index in fused:
        model.subgraphs[0].operators[index].builtinOptions.cellClip = 0.0
    return write.pack(model)
