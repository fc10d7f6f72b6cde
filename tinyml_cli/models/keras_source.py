"""A Keras model as a network to convert."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.errors import TinymlError
from tinyml_cli.models import bounds
from tinyml_cli.models.fused_lstm import fused, fusible
from tinyml_cli.models.keras_file import load_keras, not_loaded
from tinyml_cli.models.source_network import Array, batches, endpoint, input_spec, joined, tensor_specs
from tinyml_cli.quiet_import import import_quietly
from tinyml_cli.silence import silenced

# Where layers such as Bidirectional and TimeDistributed keep those that they wrap.
_WRAPPED = ("forward_layer", "backward_layer", "layer")

_FUSED = "one operator, whose state lasts from one inference to the next"
_UNROLLED = "its steps one after another"
_STATEFUL = ", with a state that lasts from one inference to the next"


class KerasSource:
    """A Keras 3 model, or a Keras 2 model in an HDF5 file."""

    signature: str | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._model = self._load()
        self._tf = import_quietly("tensorflow")
        self._keras = import_quietly("keras")
        if not getattr(self._model, "inputs", None):
            raise TinymlError(
                "The model does not define its inputs: it is a subclassed model",
                str(path),
                "Where it was trained, export it as a folder, model.export('folder'), and convert that.",
            )
        self.inputs = tuple(input_spec(each.name, each.shape, each.dtype) for each in self._model.inputs)
        self.parameters = int(self._model.count_params())
        self.rescaling = self._rescaling()
        self.layer_names = frozenset(_scope_name(layer.name) for layer in self._layers())
        self._batch = bounds.batch_of(path, self._layers())

    def save(self, path: Path) -> None:
        """Writes the model in Keras 3's own format."""
        with silenced():
            self._model.save(path)

    def predict(self, samples: Sequence[Array]) -> list[Array]:
        """Outputs [n, ...] in order, for one array [n, ...] per input; a stateful model begins anew."""
        size = 1 if any(each.shape[0] == 1 for each in self._model.inputs) else self._batch
        with silenced():
            for layer in self._layers():
                if getattr(layer, "stateful", False):
                    layer.reset_state()
            parts = [self._call(batch) for batch in batches(samples, size)]
        return joined(parts)

    def function(self, shapes: Sequence[Sequence[int]]) -> Any:
        """A concrete function of batch 1 and inputs of these shapes; None where `export` is needed."""
        if len(self._model.inputs) > 1 or len(self._model.outputs) > 1:
            return None
        # Steps that are unrolled come out in another order than from a SavedModel, with other roundings.
        if any(hasattr(layer, "unroll") for layer in self._layers()):
            return None
        self._make_expressible()
        signature = tensor_specs(self._tf, self.inputs, shapes)
        with silenced():
            traced = self._tf.function(endpoint(self._call), input_signature=signature, autograph=False)
            return traced.get_concrete_function()

    def export(self, folder: str, shapes: Sequence[Sequence[int]]) -> None:
        """Writes a SavedModel whose one signature has batch 1 and inputs of these shapes."""
        self._make_expressible()
        archive = self._keras.export.ExportArchive()
        archive.track(self._model)
        with silenced(), fused(self._layers()):
            archive.add_endpoint(
                "serve", endpoint(self._call), input_signature=tensor_specs(self._tf, self.inputs, shapes)
            )
            archive.write_out(folder, verbose=False)

    def recurrence(self) -> dict[str, str]:
        """What becomes of each recurrent layer, by name."""
        return {
            layer.name: _FUSED if fusible(layer) else _UNROLLED + (_STATEFUL if layer.stateful else "")
            for layer in self._layers()
            if hasattr(layer, "unroll")
        }

    def _rescaling(self) -> float | None:
        for layer in self._model.layers[:3]:
            if isinstance(layer, self._keras.layers.Rescaling):
                return float(np.max(np.abs(layer.scale)))
            if isinstance(layer, self._keras.layers.Normalization):
                return 1.0
        return None

    def _layers(self) -> Iterator[Any]:
        """Every layer, those inside of models and wrappers too."""
        layers = list(self._model.layers)
        while layers:
            layer = layers.pop()
            yield layer
            layers += getattr(layer, "layers", [])
            layers += [getattr(layer, name) for name in _WRAPPED if hasattr(layer, name)]

    def _make_expressible(self) -> None:
        """Has layers compute the same by operators with an int8 form, under names that TensorFlow takes."""
        self._model.name = _scope_name(self._model.name)
        for layer in self._layers():
            layer.name = _scope_name(layer.name)
            # A loop over time steps has none; the same steps one after another have.
            if getattr(layer, "unroll", None) is False:
                layer.unroll = True
            # Keras repeats rows and columns, or steps, which becomes TILE.
            upsampling = isinstance(layer, self._keras.layers.UpSampling2D)
            if upsampling and (layer.interpolation, layer.data_format) == ("nearest", "channels_last"):
                layer._resize_images = self._resize_nearest
            if isinstance(layer, self._keras.layers.UpSampling1D):
                layer.call = functools.partial(self._repeat_steps, layer.size)

    def _repeat_steps(self, times: int, inputs: Any) -> Any:
        return self._resize_nearest(inputs[:, :, None, :], times, 1)[:, :, 0, :]

    def _resize_nearest(self, images: Any, rows: int, columns: int, *_: Any, **__: Any) -> Any:
        size = images.shape[1] * rows, images.shape[2] * columns
        return self._tf.image.resize(images, size, method="nearest")

    def _call(self, samples: Sequence[Any]) -> list[Any]:
        # A functional model may take a list or a dictionary of any depth.
        sequential = isinstance(self._model, self._keras.Sequential)
        structure = self._model.inputs[0] if sequential else self._model.input
        packed = self._keras.tree.pack_sequence_as(structure, list(samples))
        return list(self._keras.tree.flatten(self._model(packed, training=False)))

    def _load(self) -> Any:
        if not self.path.is_file():
            raise TinymlError("The model does not exist", str(self.path), "Check the path.")
        try:
            return load_keras(self.path)
        except TinymlError:
            raise
        # Keras raises nearly every kind of exception on files that it did not write.
        except Exception as error:
            raise not_loaded(error, self.path) from error


def _scope_name(name: str) -> str:
    """A layer's name as a scope in TensorFlow's graph, which has no blanks and letters of English alone."""
    plain = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return plain if re.match(r"[A-Za-z0-9.]", plain) else f"layer{plain}"
