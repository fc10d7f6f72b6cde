"""A model that declares more memory than the limit is refused before any is taken for it."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import VARIABLE
from tinyml_cli.models.source import open_source

HUGE = 123_456_789
OVER = r"MB of memory, but the limit is 512 MB.*TINYML_MAX_DECODE_MB"


@pytest.fixture(scope="module")
def layers() -> Any:
    from tinyml_cli.quiet_import import import_quietly

    return import_quietly("keras").layers


@pytest.fixture(autouse=True)
def _no_memory_taken() -> Any:
    if sys.platform != "linux":  # no such count on Windows, bytes on macOS
        yield
        return
    import resource

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 400 << 10


def _edited(path: Path, change: Callable[[dict[str, Any]], None], name: str = "config.json") -> Path:
    """The archive with another configuration, as an attacker writes it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members[name])
    change(document)
    members[name] = json.dumps(document).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def _saved(path: Path, shape: tuple[int, ...], *chain: Any, batch: int | None = None) -> Path:
    import keras

    keras.Sequential([keras.Input(shape, batch_size=batch), *chain]).save(path)
    return path


def _last(document: dict[str, Any]) -> dict[str, Any]:
    return document["config"]["layers"][-1]["config"]


@pytest.mark.parametrize(
    ("kind", "shape", "arguments", "change"),
    [
        ("Dense", (1000,), {"units": 2}, {"units": 625_000}),
        ("Conv2D", (8, 8, 3), {"filters": 2, "kernel_size": 3}, {"filters": HUGE}),
        ("Embedding", (8,), {"input_dim": 5, "output_dim": 2}, {"input_dim": HUGE}),
        ("LSTM", (10, 3), {"units": 2}, {"units": 20_000}),
        ("UpSampling2D", (8, 8, 3), {"size": 2}, {"size": [33_333, 33_333]}),
        ("ZeroPadding1D", (10, 3), {"padding": 1}, {"padding": [HUGE, 1]}),
        ("RepeatVector", (10,), {"n": 2}, {"n": HUGE}),
    ],
)  # fmt: skip
def test_a_layer_is_judged_before_it_is_made(
    layers: Any, kind: str, shape: tuple[int, ...], arguments: Any, change: Any, tmp_path: Path
) -> None:
    path = _saved(tmp_path / "m.keras", shape, getattr(layers, kind)(**arguments))
    open_source(path)
    _edited(path, lambda document: _last(document).update(change))
    with pytest.raises(TinymlError, match=OVER):
        open_source(path)


def test_a_model_of_many_samples_at_once_is_refused(layers: Any, tmp_path: Path) -> None:
    path = _saved(tmp_path / "m.keras", (10, 3), layers.LSTM(2, stateful=True), batch=1)
    open_source(path)

    def grow(document: Any) -> None:
        for key, value in document.items() if isinstance(document, dict) else ():
            if key in ("batch_shape", "build_input_shape", "input_shape") and isinstance(value, list):
                value[0] = HUGE
            grow(value)
        for value in document if isinstance(document, list) else ():
            grow(value)

    with pytest.raises(TinymlError, match="built for batches of 123,456,789 samples"):
        open_source(_edited(path, grow))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_an_array_that_is_declared_but_not_there_is_refused(suffix: str, layers: Any, tmp_path: Path) -> None:
    import h5py

    path = _saved(tmp_path / f"m{suffix}", (1000,), layers.Dense(2))
    source: Any = path
    if suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        source = io.BytesIO(members["model.weights.h5"])
    with h5py.File(source, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, each: names.append(name) if getattr(each, "shape", 0) else None)
        del file[names[0]]
        file.create_dataset(names[0], (1000, 625_000), "f4", chunks=(1000, 1000), compression="gzip")
    if suffix == ".keras":
        members["model.weights.h5"] = source.getvalue()
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
    assert path.stat().st_size < 100_000
    with pytest.raises(TinymlError, match=OVER):
        open_source(path)


def test_the_configuration_of_an_hdf5_file_is_judged_too(layers: Any, tmp_path: Path) -> None:
    import h5py

    path = _saved(tmp_path / "m.h5", (1000,), layers.Dense(2))
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"units": 2', '"units": 625000')
    with pytest.raises(TinymlError, match=OVER):
        open_source(path)


def _saved_model(path: Path, size: int) -> Path:
    import tensorflow as tf

    class Filled(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 8])])
        def serve(self, x: Any) -> Any:
            return x + tf.reduce_sum(tf.fill([size, 1000], tf.reduce_max(x))) + tf.constant([1.5])

    module = Filled()
    tf.saved_model.save(module, str(path), signatures=module.serve)
    return path


def test_the_tensors_of_a_saved_model_are_judged(tmp_path: Path) -> None:
    assert open_source(_saved_model(tmp_path / "small", 10))
    with pytest.raises(TinymlError, match=OVER):
        open_source(_saved_model(tmp_path / "large", 625_000))


def test_a_constant_that_repeats_one_value_is_judged(tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    path = _saved_model(tmp_path / "m", 10) / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    library = model.meta_graphs[0].graph_def.library
    constants = [node for function in library.function for node in function.node_def if node.op == "Const"]
    value = next(node.attr["value"].tensor for node in constants if node.attr["value"].tensor.float_val)
    value.tensor_shape.dim[0].size = HUGE * 10
    path.write_bytes(model.SerializeToString())
    with pytest.raises(TinymlError, match=OVER):
        open_source(path.parent)


def test_weights_are_those_of_the_file(layers: Any, tmp_path: Path) -> None:
    import keras

    chain = [layers.Conv1D(4, 3), layers.BatchNormalization(), layers.GRU(5), layers.Dense(2)]
    path = _saved(tmp_path / "m.keras", (10, 3), *chain)
    x = np.random.default_rng(1).normal(size=(7, 10, 3)).astype(np.float32)
    expected = keras.saving.load_model(path)(x)
    np.testing.assert_allclose(open_source(path).predict([x])[0], expected, atol=1e-6)
    assert layers.Dense(3)(x).numpy().any(), "layers made afterwards draw their first values again"


def test_a_batch_shrinks_where_layers_are_large(
    layers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _saved(tmp_path / "m.keras", (8, 8, 3), layers.UpSampling2D(16))
    monkeypatch.setenv(VARIABLE, "1")
    x = np.ones((9, 8, 8, 3), np.float32)
    assert open_source(path).predict([x])[0].shape == (9, 128, 128, 3)
