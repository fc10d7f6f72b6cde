"""Stateful Keras LSTM layers as the function that TensorFlow's converter replaces by one operator.

That operator keeps its state from one inference to the next, as a stateful layer does. Others start each
inference anew, which it cannot.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinyml_cli.quiet_import import import_quietly


def fusible(layer: Any) -> bool:
    """Whether a layer computes what the operator does: stateful, batch 1, Keras' own functions."""
    keras = import_quietly("keras")
    return (
        isinstance(layer, keras.layers.LSTM)
        and layer.stateful
        and not (layer.go_backwards or layer.return_state)
        and (layer.activation, layer.recurrent_activation)
        == (keras.activations.tanh, keras.activations.sigmoid)
        and all(state.shape[0] == 1 for state in layer.states or ())
    )


@contextlib.contextmanager
def fused(layers: Iterable[Any]) -> Iterator[None]:
    """Has those of the layers that can be one operator traced so, until the context ends."""
    changed = [layer for layer in layers if fusible(layer)]
    for layer in changed:
        layer.call = _call(layer)
    try:
        yield
    finally:
        for layer in changed:
            del layer.call


def _call(layer: Any) -> Callable[..., Any]:
    tf = import_quietly("tensorflow")
    cell = layer.cell

    def steps(inputs: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> tuple[Any, ...]:
        # The converter looks at the arguments and results only, but may ask for the shapes.
        outputs = []
        for x in tf.unstack(inputs, axis=1):
            gates = tf.matmul(x, kernel) + tf.matmul(h, recurrent) + bias
            i, f, g, o = tf.split(gates, 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            outputs.append(h)
        return h, tf.stack(outputs, axis=1), h, c, tf.constant(0.0)

    attributes = {"api_implements": f"lstm_{uuid.uuid4()}", "api_preferred_device": "CPU",
                  "time_major": False, "go_backwards": False}  # fmt: skip
    function = tf.function(steps, autograph=False, experimental_attributes=attributes)

    def call(sequence: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        state = tf.zeros((1, cell.units))
        bias = cell.bias if cell.use_bias else tf.zeros((4 * cell.units,))
        weights = (tf.convert_to_tensor(each) for each in (cell.kernel, cell.recurrent_kernel, bias))
        last, outputs, *_ = function(sequence, state, state, *weights)
        return outputs if layer.return_sequences else last

    return call
