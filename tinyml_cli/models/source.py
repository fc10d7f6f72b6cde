"""A trained network on disk, as the converter needs it: a Keras file or a SavedModel folder."""

from __future__ import annotations

import contextlib
import functools
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.models import bounds
from tinyml_cli.models.legacy import mended
from tinyml_cli.models.saved_model import loadable
from tinyml_cli.next_step import next_step
from tinyml_cli.quiet_import import import_quietly
from tinyml_cli.silence import silenced
from tinyml_cli.wording import counted

Array = npt.NDArray[Any]

HDF5_SUFFIXES = (".h5", ".hdf5")
KERAS_SUFFIXES = (".keras", *HDF5_SUFFIXES)
SAVED_MODEL_FILE = "saved_model.pb"

# Where layers such as Bidirectional and TimeDistributed keep those that they wrap.
_WRAPPED = ("forward_layer", "backward_layer", "layer")
_SIGNATURES = ("serving_default", "serve")


@dataclass(frozen=True)
class InputSpec:
    """One input of a network.

    Attributes:
        name: as the network calls it.
        shape: of one sample, without the batch; None where any size is taken.
        dtype: numpy's name.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def accepts(self, shape: Sequence[int]) -> bool:
        """Whether a sample of this shape fits."""
        return len(shape) == len(self.shape) and all(
            mine is None or mine == theirs for mine, theirs in zip(self.shape, shape, strict=True)
        )

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"`{self.name}` [{sizes}] {self.dtype}"


class SourceNetwork(Protocol):
    """A network that can be run and exported.

    Attributes:
        path: where it lies.
        parameters: number of trained values.
        layer_names: of its layers, at any depth; empty where unknown.
        signature: the SavedModel's function that is run; None for a Keras file.
        rescaling: the factor of a Rescaling layer at its start; None without one, or where unknown.
    """

    path: Path
    inputs: tuple[InputSpec, ...]
    parameters: int
    rescaling: float | None
    layer_names: frozenset[str]
    signature: str | None

    def predict(self, samples: Sequence[Array]) -> list[Array]:
        """Outputs [n, ...] in order, for one array [n, ...] per input."""

    def function(self, shapes: Sequence[Sequence[int]]) -> Any:
        """A concrete function of batch 1 and inputs of these shapes; None where `export` is needed."""

    def export(self, folder: str, shapes: Sequence[Sequence[int]]) -> None:
        """Writes a SavedModel whose one signature has batch 1 and inputs of these shapes."""


def is_source(path: Path) -> bool:
    """Whether a path is a model that `open_source` reads: a Keras file or a SavedModel folder."""
    if path.is_dir():
        return (path / SAVED_MODEL_FILE).is_file()
    return path.suffix.lower() in KERAS_SUFFIXES


def open_source(path: Path, signature: str | None = None) -> SourceNetwork:
    """Loads a network.

    Args:
        signature: which function of a SavedModel; None for its only one or its default.

    Raises:
        TinymlError: TensorFlow is not installed, the file is not a model that it can load, or a SavedModel
            does not have the signature, or several and no default.
    """
    if signature is not None and not path.is_dir():
        raise TinymlError("A Keras file has one signature", "--signature", "Leave it out.")
    source = SavedModelSource(path, signature) if path.is_dir() else KerasSource(path)
    for each in source.inputs:
        if each.dtype not in ("float32", "int32", "int64"):
            raise TinymlError(
                f"The input {each} is neither float32 nor an integer",
                str(path),
                "Cast it inside the model, so that the input is float32.",
            )
    return source


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
        self.inputs = tuple(_spec(each.name, each.shape, each.dtype) for each in self._model.inputs)
        self.parameters = int(self._model.count_params())
        self.rescaling = self._rescaling()
        self.layer_names = frozenset(_scope_name(layer.name) for layer in self._layers())
        self._batch = bounds.batch_of(path, self._layers())

    def save(self, path: Path) -> None:
        """Writes the model in Keras 3's own format."""
        with silenced():
            self._model.save(path)

    def predict(self, samples: Sequence[Array]) -> list[Array]:
        """Outputs [n, ...] in order, for one array [n, ...] per input."""
        size = 1 if any(each.shape[0] == 1 for each in self._model.inputs) else self._batch
        with silenced():
            parts = [self._call(batch) for batch in _batches(samples, size)]
        return _joined(parts)

    def function(self, shapes: Sequence[Sequence[int]]) -> Any:
        """A concrete function of batch 1 and inputs of these shapes; None where `export` is needed."""
        if len(self._model.inputs) > 1 or len(self._model.outputs) > 1:
            return None
        # Steps that are unrolled come out in another order than from a SavedModel, with other roundings.
        if any(hasattr(layer, "unroll") for layer in self._layers()):
            return None
        self._make_expressible()
        signature = _signature(self._tf, self.inputs, shapes)
        with silenced():
            traced = self._tf.function(_endpoint(self._call), input_signature=signature, autograph=False)
            return traced.get_concrete_function()

    def export(self, folder: str, shapes: Sequence[Sequence[int]]) -> None:
        """Writes a SavedModel whose one signature has batch 1 and inputs of these shapes."""
        self._make_expressible()
        archive = self._keras.export.ExportArchive()
        archive.track(self._model)
        with silenced():
            archive.add_endpoint(
                "serve", _endpoint(self._call), input_signature=_signature(self._tf, self.inputs, shapes)
            )
            archive.write_out(folder, verbose=False)

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
            raise _not_loaded(error, self.path) from error


class SavedModelSource:
    """A SavedModel folder, by its serving signature."""

    rescaling: float | None = None
    layer_names: frozenset[str] = frozenset()

    def __init__(self, path: Path, signature: str | None = None) -> None:
        self._tf = import_quietly("tensorflow")
        self.path = path
        try:
            with silenced():
                # Assets are read from the folder for as long as the model lives.
                self._folder = loadable(path)
                self._loaded = self._tf.saved_model.load(str(self._folder.path))
            signatures = dict(self._loaded.signatures)
        except TinymlError:
            raise
        # TensorFlow raises many kinds, some of them not public.
        except Exception as error:
            raise _not_loaded(error, path) from error
        chosen = self._chosen(signatures, signature)
        self.signature: str | None = chosen
        self._function = signatures[chosen]
        specs = sorted(self._function.structured_input_signature[1].items())
        for name, spec in specs:
            if spec.shape.rank is None or spec.shape.rank < 1 or spec.shape[0] not in (None, 1):
                raise TinymlError(
                    f"The input `{name}` of the SavedModel has the shape {spec.shape}: its batch size is "
                    "fixed",
                    str(path),
                    "Save it with a signature of shape [None, …].",
                )
        self._names = [name for name, _ in specs]
        batch = bounds.graph_batch(path, self._function)
        self._batch = 1 if any(spec.shape[0] == 1 for _, spec in specs) else batch
        self.inputs = tuple(_spec(name, tuple(spec.shape), spec.dtype.name) for name, spec in specs)
        variables = getattr(self._loaded, "variables", None) or self._function.variables
        self.parameters = sum(int(np.prod(variable.shape)) for variable in variables)

    def predict(self, samples: Sequence[Array]) -> list[Array]:
        """Outputs [n, ...] in alphabetical order of their names, for one array [n, ...] per input."""
        with silenced():
            return _joined([self._call(batch) for batch in _batches(samples, self._batch)])

    def function(self, shapes: Sequence[Sequence[int]]) -> Any:
        """None: tables and variables of whoever wrote the SavedModel need not be constants."""
        return None

    def export(self, folder: str, shapes: Sequence[Sequence[int]]) -> None:
        """Writes a SavedModel whose one signature has batch 1 and inputs of these shapes."""
        module = self._tf.Module()
        module.loaded = self._loaded
        module.serve = self._tf.function(
            _endpoint(self._call), input_signature=_signature(self._tf, self.inputs, shapes)
        )
        with silenced():
            self._tf.saved_model.save(module, folder, signatures=module.serve)

    def _call(self, samples: Sequence[Any]) -> list[Any]:
        given = {
            name: self._tf.convert_to_tensor(each) for name, each in zip(self._names, samples, strict=True)
        }
        return [value for _, value in sorted(self._function(**given).items())]

    def _chosen(self, signatures: dict[str, Any], wanted: str | None) -> str:
        names = sorted(signatures)
        listed = ", ".join(f"`{each}`" for each in names) or "none"
        if not names:
            step = "Save it with model.export('folder')."
            raise TinymlError("The SavedModel has no signature", str(self.path), step)
        if wanted is not None and wanted not in names:
            raise TinymlError(
                f"The SavedModel has no signature `{wanted}`; it has {listed}",
                str(self.path),
                "Check --signature.",
            )
        default = next((each for each in (*_SIGNATURES, *names[: len(names) == 1]) if each in names), None)
        if (chosen := wanted or default) is None:
            raise TinymlError(
                f"The SavedModel has {counted(len(names), 'signature')}: {listed}",
                str(self.path),
                f"Choose one: {next_step('convert', self.path, '--signature', names[0])}",
            )
        if wanted is None and set(names) - {*_SIGNATURES}:
            console.info(f"Of the signatures {listed}, `{chosen}` is converted; --signature chooses another.")
        return chosen


def load_keras(path: Path) -> Any:
    """The model of a .keras or HDF5 file, without its optimiser.

    Raises:
        TinymlError: it would take too much memory, or TensorFlow is not installed.
        Exception: of nearly every kind, on files that Keras did not write.
    """
    held_bytes = bounds.check_keras(path)
    keras = import_quietly("keras")
    with _readable(path) as readable, bounds.bounded_weights(path, held_bytes), silenced():
        return keras.saving.load_model(readable, compile=False)


def _scope_name(name: str) -> str:
    """A layer's name as a scope in TensorFlow's graph, which has no blanks and letters of English alone."""
    plain = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return plain if re.match(r"[A-Za-z0-9.]", plain) else f"layer{plain}"


def _spec(name: str, shape: Sequence[int | None], dtype: str) -> InputSpec:
    return InputSpec(name, tuple(None if size is None else int(size) for size in shape[1:]), str(dtype))


def _endpoint(call: Any) -> Any:
    # The names keep the order of outputs, which TensorFlow sorts.
    def one(*samples: Any) -> Any:
        outputs = call(samples)
        return (
            outputs[0] if len(outputs) == 1 else {f"output_{i:02d}": value for i, value in enumerate(outputs)}
        )

    return one


def _signature(tf: Any, inputs: Sequence[InputSpec], shapes: Sequence[Sequence[int]]) -> list[Any]:
    """Batch 1: an open batch size makes Flatten five operators. The names keep the order of inputs."""
    return [
        tf.TensorSpec((1, *shape), each.dtype, name=f"input_{index:02d}")
        for index, (each, shape) in enumerate(zip(inputs, shapes, strict=True))
    ]


def _batches(samples: Sequence[Array], size: int) -> Iterator[list[Array]]:
    for start in range(0, len(samples[0]), size):
        yield [each[start : start + size] for each in samples]


def _joined(parts: Sequence[Sequence[Any]]) -> list[Array]:
    return [np.concatenate([np.asarray(value) for value in column]) for column in zip(*parts, strict=True)]


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[Path]:
    if path.suffix.lower() in HDF5_SUFFIXES:
        with mended(path) as copy:
            yield copy
    else:
        yield path


_UNKNOWN = re.compile(r"(?:Unknown layer|[Cc]ould not locate (?:class|function))[^'`]*['`]([\w>.]+)")
_REFUSED = re.compile(r"arguments? passed to (\w+): (\{[^}]*\})")
_EXPORT = "Where it was trained, export it as a folder, model.export('folder'), and convert that."


def _not_loaded(error: Exception, path: Path) -> TinymlError:
    """Keras' errors run over pages; what helps is which layer, and the way around it."""
    message = str(error)
    if unknown := _UNKNOWN.search(message):
        return TinymlError(f"Keras does not know the layer `{unknown[1]}` of this model", str(path), _EXPORT)
    if refused := _REFUSED.search(message):
        reason = f"its {refused[1]} was saved with {refused[2]}, which this Keras does not accept"
        return TinymlError(f"Cannot load the model: {reason}", str(path), _EXPORT)
    if "Lambda" in message or "unsafe" in message:
        return TinymlError(
            "The model has a Lambda layer, which contains Python code and is not loaded", str(path), _EXPORT
        )
    if "parent module" in message:
        return TinymlError(
            "The .keras file was written by Keras 2 or contains classes that are not installed here",
            str(path),
            "Where it was trained, save it as HDF5, model.save('model.h5'), and convert that.",
        )
    if "No model config" in message:
        return TinymlError(
            "The file contains weights without a model", str(path), "Save the whole model: model.save(…)."
        )
    lines = message.strip().splitlines() or ["no reason given"]
    # A layer that this Keras cannot rebuild raises one of these; damaged files raise the rest.
    understood = isinstance(error, TypeError | ValueError | AttributeError | NotImplementedError)
    return TinymlError(
        f"Cannot load the model ({type(error).__name__}: {lines[0][:300]})",
        str(path),
        _EXPORT if understood and _is_whole(path) else "Check that the copy is complete.",
    )


def _is_whole(path: Path) -> bool:
    """Whether a Keras file is the archive that its name promises."""
    if path.suffix.lower() in HDF5_SUFFIXES:
        return bool(import_quietly("h5py").is_hdf5(path))
    return zipfile.is_zipfile(path)
