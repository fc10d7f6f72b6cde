"""Keras 2 models in HDF5 files, rewritten for Keras 3.

Keras 3 reads the format itself but refuses constructor arguments that Keras 2 wrote for every layer of a type
although they had no effect there.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml_cli import temporary
from tinyml_cli.documents import parse_json
from tinyml_cli.quiet_import import import_quietly

# Layer kinds, an argument that their Keras 3 classes lack, and the only value with which it means nothing.
_WITHOUT_EFFECT: tuple[tuple[re.Pattern[str], str, Any], ...] = (
    (re.compile(r"(Depthwise|Separable)Conv[12]D|Conv[123]DTranspose"), "groups", 1),
    (re.compile(r"LSTM|GRU|SimpleRNN|RNN|ConvLSTM[123]D"), "time_major", False),
    (re.compile(r"SpatialDropout[123]D"), "noise_shape", None),
    (re.compile(r"BatchNormalization"), "virtual_batch_size", None),
)
# Where layers such as Bidirectional and TimeDistributed keep those that they wrap.
_WRAPPED = ("layer", "forward_layer", "backward_layer", "cell")
_RENAMED = {"BatchNormalizationV1": "BatchNormalization", "Model": "Functional"}


@contextlib.contextmanager
def mended(path: Path) -> Iterator[Path]:
    """Yields an HDF5 model that Keras 3 can read: the file itself where nothing had to change.

    Raises:
        OSError: not an HDF5 file.
        ValueError: its model configuration is not JSON, or nested too deeply.
    """
    h5py = import_quietly("h5py")
    with h5py.File(path, "r") as archive:
        text = archive.attrs.get("model_config")
    before = None if text is None else parse_json(text.decode() if isinstance(text, bytes) else text)
    after = modernised(before)
    if after == before:
        yield path
        return
    with temporary.folder("legacy") as folder:
        copy = Path(folder) / "model.h5"
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as archive:
            archive.attrs["model_config"] = json.dumps(after)
        yield copy


def modernised(config: Any) -> Any:
    """A copy of a Keras 2 model configuration, at any depth, in the words of Keras 3."""
    if isinstance(config, list):
        return [modernised(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("Policy", "DTypePolicy") and "name" in config.get("config", {}):
        return config["config"]["name"]
    fresh = {key: modernised(value) for key, value in config.items()}
    kind, arguments = fresh.get("class_name"), fresh.get("config")
    if isinstance(kind, str) and isinstance(arguments, dict):
        fresh["class_name"] = _RENAMED.get(kind, kind)
        if isinstance(arguments.get("name"), str):
            arguments["name"] = _without_slashes(arguments["name"])
        for kinds, name, value in _WITHOUT_EFFECT:
            if kinds.fullmatch(fresh["class_name"]) and name in arguments and arguments[name] == value:
                del arguments[name]
        if fresh["class_name"] == "Functional" and isinstance(arguments.get("layers"), list):
            _rename_layers(arguments)
            _count_nodes_from_0(arguments)
        for name in _WRAPPED:
            # Keras 3 looks for layers by class name alone only at the top.
            if isinstance(inner := arguments.get(name), dict) and "class_name" in inner:
                arguments[name] = {"module": "keras.layers", "registered_name": None, **inner}
    return fresh


def _without_slashes(name: str) -> str:
    """Keras 3 refuses names with slashes, which Keras 2 wrote for layers inside of a name scope."""
    return name.replace("/", "_")


def _rename_layers(functional: dict[str, Any]) -> None:
    """Gives the layers of a graph, and all references to them, names that Keras 3 takes."""
    names = {layer["name"]: _without_slashes(layer["name"]) for layer in functional["layers"]}
    for layer in functional["layers"]:
        layer["name"] = names[layer["name"]]
        layer["config"].setdefault("name", layer["name"])
    for reference in _references(functional):
        reference[0] = names.get(reference[0], reference[0])


def _count_nodes_from_0(functional: dict[str, Any]) -> None:
    """In Keras 2 the first use of a model inside of a model is node 1: node 0 was when it was made alone."""
    for layer in functional["layers"]:
        uses = [each for each in _references(functional) if each[0] == layer["name"]]
        surplus = max((each[1] for each in uses), default=0) - max(len(layer["inbound_nodes"]) - 1, 0)
        if layer["class_name"] in ("Functional", "Sequential") and surplus > 0:
            for each in uses:
                each[1] -= surplus


def _references(functional: dict[str, Any]) -> Iterator[list[Any]]:
    """Every [layer, node, tensor, ...] of a functional model's graph."""
    places: list[Any] = [layer.get("inbound_nodes", []) for layer in functional["layers"]]
    places += [functional.get("input_layers", []), functional.get("output_layers", [])]
    while places:
        place = places.pop()
        if isinstance(place, dict):
            places += place.values()
        elif isinstance(place, list):
            if len(place) >= 3 and isinstance(place[0], str) and isinstance(place[1], int):
                yield place
            else:
                places += place
