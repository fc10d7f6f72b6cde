"""A .keras file of a stranger's: only layers that are known to do nothing but arithmetic are loaded.

Keras' own `safe_mode` refuses Lambda layers, but a configuration may name any class of any module, layers
that read files (TFSMLayer, StringLookup) among them. So the configuration is judged by lists of what is
allowed, before Keras sees it.
"""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import over_limit
from tinyml_cli.quiet_import import import_quietly

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MOST_CONFIG_BYTES = 4 << 20
_JSON_ERRORS = (ValueError, RecursionError)

# Networks, and what the inside of a layer's configuration is made of.
_MODULES = {
    "keras",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.src.models.functional",
    "keras.src.models.sequential",
}
_CLASSES_OF_KERAS = {"DTypePolicy", "Functional", "Model", "Sequential"}
_LAYERS = frozenset(
    [
        "Activation",
        "Add",
        "Average",
        "AveragePooling1D",
        "AveragePooling2D",
        "BatchNormalization",
        "Bidirectional",
        "Concatenate",
        "Conv1D",
        "Conv1DTranspose",
        "Conv2D",
        "Conv2DTranspose",
        "Cropping1D",
        "Cropping2D",
        "Dense",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "Dropout",
        "ELU",
        "Flatten",
        "GRU",
        "GRUCell",
        "GaussianDropout",
        "GaussianNoise",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "InputLayer",
        "LSTM",
        "LSTMCell",
        "LayerNormalization",
        "LeakyReLU",
        "Maximum",
        "MaxPooling1D",
        "MaxPooling2D",
        "Minimum",
        "Multiply",
        "Normalization",
        "PReLU",
        "Permute",
        "RNN",
        "ReLU",
        "RepeatVector",
        "Rescaling",
        "Reshape",
        "SeparableConv1D",
        "SeparableConv2D",
        "SimpleRNN",
        "SimpleRNNCell",
        "Softmax",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "StackedRNNCells",
        "Subtract",
        "TimeDistributed",
        "UpSampling1D",
        "UpSampling2D",
        "ZeroPadding1D",
        "ZeroPadding2D",
    ]
)
_DATA_CLASSES = {"__keras_tensor__", "__tuple__", "__slice__", "__ellipsis__", "__numpy__", "__tensor__"}
_NEXT_STEP = "Convert it on your own computer, tinyml convert, and upload model_int8.tflite."


def check_archive(content: bytes, where: str) -> None:
    """Judges the archive and its configuration; neither Keras nor HDF5's library is needed.

    Raises:
        TinymlError: it is no .keras file, would take too much memory, or names something that is not allowed.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries([each.filename for each in entries], where)
            if reason := over_limit(sum(each.file_size for each in entries)):
                raise TinymlError(f"The model is not loaded: {reason}", where, _NEXT_STEP)
            if archive.getinfo(_CONFIG).file_size > _MOST_CONFIG_BYTES:
                raise TinymlError("The model's configuration is larger than 4 MB", where, _NEXT_STEP)
            config = json.loads(archive.read(_CONFIG))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, EOFError, OSError, *_JSON_ERRORS) as error:
        raise TinymlError(
            f"This is no whole .keras file ({str(error)[:100] or type(error).__name__})",
            where,
            "Save it with Keras 3: model.save('model.keras')",
        ) from error
    if not isinstance(config, dict):
        raise _not_allowed("a configuration that is no object", where)
    _check_part({key: value for key, value in config.items() if key != "compile_config"}, where)


def check_weights(content: bytes, where: str) -> None:
    """Refuses weights that lie elsewhere: an HDF5 file may point to any file of this computer.

    Raises:
        TinymlError: it does, or cannot be read.
    """
    h5py = import_quietly("h5py")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            weights = archive.read(_WEIGHTS)
        with h5py.File(BytesIO(weights), "r") as file:
            _check_group(h5py, file, where)
    except (OSError, KeyError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise TinymlError(
            "The model's weights cannot be read", where, "Save it again with Keras 3."
        ) from error


def _check_entries(names: list[str], where: str) -> None:
    if others := set(names) - {_CONFIG, _METADATA, _WEIGHTS}:
        raise _not_allowed(f"the file `{min(others)[:60]}` in the archive", where)
    if len(names) != len(set(names)):
        raise _not_allowed("a file twice in the archive", where)


def _check_part(part: Any, where: str) -> None:
    if isinstance(part, dict):
        if "class_name" in part or "module" in part:
            _check_class(part, where)
        for each in part.values():
            _check_part(each, where)
    elif isinstance(part, list):
        for each in part:
            _check_part(each, where)


def _check_class(part: dict[str, Any], where: str) -> None:
    module, name, registered = (part.get(key) for key in ("module", "class_name", "registered_name"))
    known = isinstance(name, str) and name in _DATA_CLASSES and module is None
    if isinstance(name, str) and isinstance(module, str):
        known = (
            name in _LAYERS
            if module == "keras.layers"
            else name in _CLASSES_OF_KERAS
            if module in ("keras", "keras.src.models.functional", "keras.src.models.sequential")
            else module in _MODULES and name.isidentifier()
        )
    if not known or registered not in (None, name):
        raise _not_allowed(f"`{module}.{name}`"[:120], where)


def _check_group(h5py: Any, group: Any, where: str) -> None:
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _not_allowed(f"a link to elsewhere, `{name[:60]}`, in its weights", where)
        inner = group[name]
        if isinstance(inner, h5py.Group):
            _check_group(h5py, inner, where)
        elif getattr(inner, "external", None) or getattr(inner, "is_virtual", False):
            raise _not_allowed(f"data outside of the file, `{name[:60]}`, in its weights", where)


def _not_allowed(what: str, where: str) -> TinymlError:
    return TinymlError(f"The model has {what}, which is not loaded from a stranger's file", where, _NEXT_STEP)
