"""What a foreign model declares, judged before Keras or TensorFlow takes memory for it."""

from __future__ import annotations

import contextlib
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import decode_limit_bytes, over_limit
from tinyml_cli.quiet_import import import_quietly

# Memory of Python's objects for a byte of JSON: a list takes two bytes there and some 60 here.
_JSON_FACTOR = 30
_FLOAT_BYTES = 4
_KERAS_CONFIG = "config.json"
_KERAS_WEIGHTS, _KERAS_WEIGHTS_NPZ = "model.weights.h5", "model.weights.npz"
_LARGEST_BATCH = 64
# Layers that keep a state make one for each sample of a batch, before any weight.
_MOST_SAMPLES = 1024
_BATCH_SHAPES = ("batch_shape", "batch_input_shape", "build_input_shape")


def check_keras(path: Path) -> int:
    """Judges a Keras file by the sizes that it declares; returns the bytes that its content takes.

    Raises:
        TinymlError: it would take too much memory, or keeps weights in a way that no Keras writes.
        OSError, ValueError, zipfile.BadZipFile, NotImplementedError: it is damaged.
    """
    file_bytes = content_bytes(path)
    refuse(path, file_bytes)
    if not zipfile.is_zipfile(path):
        config, arrays_bytes = _hdf5(path)
        refuse(path, file_bytes + _JSON_FACTOR * len(config) + arrays_bytes)
        _check_batches(path, config)
        return file_bytes
    with zipfile.ZipFile(path) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        held_bytes = sum(sizes.values())
        text_bytes = sum(size for name, size in sizes.items() if name.endswith(".json"))
        refuse(path, held_bytes + _JSON_FACTOR * text_bytes)
        if _KERAS_WEIGHTS_NPZ in sizes:
            reason = f"The model keeps its weights in `{_KERAS_WEIGHTS_NPZ}`, which is not supported"
            raise TinymlError(
                reason, str(path), "Where it was trained, save it with model.save('model.keras')."
            )
        if _KERAS_WEIGHTS in sizes:
            refuse(path, held_bytes + _hdf5(BytesIO(archive.read(_KERAS_WEIGHTS)))[1])
        if _KERAS_CONFIG in sizes:
            _check_batches(path, archive.read(_KERAS_CONFIG))
    return held_bytes


def check_image_input(path: Path, wanted: tuple[int, int, int]) -> None:
    """Judges by a Keras file's configuration whether its network takes images of a shape.

    What the configuration does not say is left to `check_input_shape`, once the network is loaded.

    Args:
        path: of a .keras or .h5 file.
        wanted: rows, columns, channels.

    Raises:
        TinymlError: it does not, or is no Keras file.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                refuse(path, _JSON_FACTOR * archive.getinfo(_KERAS_CONFIG).file_size)
                config: str | bytes = archive.read(_KERAS_CONFIG)
        else:
            config = _hdf5(path)[0]
        document = json.loads(config)
    except ImportError:  # no package that reads HDF5, so none that trains: that is said in its place
        return
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError, RecursionError) as error:
        raise no_backbone(path, error) from error
    with contextlib.suppress(KeyError, TypeError, AttributeError):
        layers = document["config"]["layers"]
        inputs = [each["config"] for each in layers if each["class_name"] == "InputLayer"]
        if len(inputs) == 1:
            check_input_shape(
                (inputs[0].get("batch_shape") or inputs[0]["batch_input_shape"])[1:], wanted, path
            )


def check_input_shape(shape: Sequence[int | None], wanted: tuple[int, int, int], path: Path) -> None:
    """Refuses a backbone whose input, without the batch, is no image or one of another shape.

    Raises:
        TinymlError: it is.
    """
    if len(shape) != len(wanted):
        raise TinymlError(
            f"The backbone takes no images: its input is {' x '.join(map(str, shape))}",
            str(path),
            "Use a convolutional image network.",
        )
    if any(mine not in (None, theirs) for mine, theirs in zip(shape, wanted, strict=True)):
        raise TinymlError(
            f"The backbone needs {' x '.join(map(str, shape))}, but the recipe gives "
            f"{' x '.join(map(str, wanted))}",
            str(path),
            f"Add --size {shape[0]} and {'--gray' if shape[-1] == 1 else '--rgb'}.",
        )


def no_backbone(path: Path, error: Exception) -> TinymlError:
    """What a file is answered with that Keras does not load."""
    return TinymlError(
        f"Cannot load the backbone ({str(error)[:200]})",
        str(path),
        "Save it again with Keras: model.save('backbone.keras')",
    )


def _check_batches(path: Path, config: str | bytes) -> None:
    """Refuses a model that is built for a batch of very many samples."""

    def look(entry: dict[str, Any]) -> dict[str, Any]:
        build = entry.get("build_config")
        build = build if isinstance(build, dict) else {}
        named = build.get("shapes_dict")
        shapes = [*(entry.get(key) for key in _BATCH_SHAPES), build.get("input_shape")]
        for shape in [*shapes, *(named.values() if isinstance(named, dict) else ())]:
            sizes = shape.get("items") if isinstance(shape, dict) else shape
            first = sizes[0] if isinstance(sizes, list) and sizes else None
            if isinstance(first, int | float) and first > _MOST_SAMPLES:
                raise TinymlError(
                    f"The model is built for batches of {first:,} samples",
                    str(path),
                    "Save it with an open batch size: keras.Input(shape).",
                )
        return entry

    if config:
        json.loads(config, object_hook=look)


def _hdf5(source: Path | BytesIO) -> tuple[str, int]:
    """A model's configuration, and the bytes of all arrays as they are declared: none need be there."""
    h5py = import_quietly("h5py")
    sizes: list[int] = []

    def note(_: str, each: Any) -> None:
        if isinstance(each, h5py.Dataset):
            sizes.append(int(each.size or 0) * each.dtype.itemsize)

    with h5py.File(source, "r") as archive:
        archive.visititems(note)
        config = archive.attrs.get("model_config", "")
        return config if isinstance(config, str) else bytes(config).decode(), sum(sizes)


@contextlib.contextmanager
def bounded_weights(path: Path, held_bytes: int) -> Iterator[None]:
    """While Keras rebuilds a model, refuses the weight that passes the limit, before it is made.

    Weights start as zeros: those of the file replace them, and some initialisers would take minutes.

    Args:
        path: the model's file.
        held_bytes: what its content takes already.
    """
    layer_type = import_quietly("keras").layers.Layer
    original, total = layer_type.add_weight, held_bytes

    def add_weight(layer: Any, *args: Any, **named: Any) -> Any:
        nonlocal total
        given = dict(zip(("shape", "initializer", "dtype"), args, strict=False)) | named
        total += _declared_bytes(given.get("shape"))
        refuse(path, total)
        return original(layer, **given | {"initializer": "zeros"})

    layer_type.add_weight = add_weight
    try:
        yield
    finally:
        layer_type.add_weight = original


def batch_of(path: Path, layers: Iterable[Any]) -> int:
    """How many samples a Keras model may be given at once, by the largest output of its layers.

    Raises:
        TinymlError: one sample would take too much memory.
    """
    nodes = [node for layer in layers for node in getattr(layer, "_inbound_nodes", ())]
    shapes = [tensor.shape for node in nodes for tensor in node.output_tensors]
    return _batch(path, max((_declared_bytes(shape) for shape in shapes), default=0))


def check_saved_model(path: Path, model: Any) -> None:
    """Judges a SavedModel by its files and by what its constants declare.

    Args:
        path: its folder.
        model: its SavedModel message.

    Raises:
        TinymlError: it would take too much memory.
    """
    total = content_bytes(path)
    for graph in (meta.graph_def for meta in model.meta_graphs):
        for node in _nodes(graph):
            if node.op == "Const":
                total += _declared_bytes(_sizes(node.attr["value"].tensor.tensor_shape))
            elif node.op == "VarHandleOp":
                total += _declared_bytes(_sizes(node.attr["shape"].shape))
    refuse(path, total)


def graph_batch(path: Path, function: Any) -> int:
    """How many samples a SavedModel's function may be given at once, by the largest tensor of its graph.

    Raises:
        TinymlError: one sample would take too much memory.
    """
    largest = 0
    for node in _nodes(function.graph.as_graph_def(add_shapes=True)):
        shapes = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else ()
        largest = max(largest, *(_declared_bytes(_sizes(shape)) for shape in shapes), 0)
    return _batch(path, largest)


def content_bytes(path: Path) -> int:
    """The size of a file, or of all files of a folder; 0 where it cannot be looked at."""
    try:
        files = path.rglob("*") if path.is_dir() else (path,)
        return sum(each.stat().st_size for each in files if each.is_file())
    except OSError:
        return 0


def refuse(path: Path, needed_bytes: int) -> None:
    """Refuses a model that takes more than the limit.

    Raises:
        TinymlError: it does.
    """
    if reason := over_limit(needed_bytes):
        raise TinymlError(f"The model is not loaded: {reason}", str(path), "Check where the file is from.")


def _batch(path: Path, sample_bytes: int) -> int:
    refuse(path, sample_bytes)
    return max(1, min(_LARGEST_BATCH, decode_limit_bytes() // max(1, sample_bytes)))


def _nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _sizes(shape: Any) -> tuple[int, ...]:
    return tuple(dim.size for dim in shape.dim)


def _declared_bytes(shape: Any) -> int:
    """Of a tensor of four bytes a value; a size that is open counts as 1."""
    sizes = (shape,) if isinstance(shape, int) else shape or ()
    return _FLOAT_BYTES * math.prod(max(1, size or 1) for size in sizes)
