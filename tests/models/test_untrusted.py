"""Keras files of strangers: what is loaded is known to be arithmetic."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.models import untrusted
from tinyml_cli.run import MODEL, Run


def archive(config: Any, weights: bytes = b"", **more: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        file.writestr("model.weights.h5", weights)
        for name, content in more.items():
            file.writestr(name, content)
    return stream.getvalue()


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": "Sequential",
        "config": {"name": "s", "layers": list(layers)},
        "compile_config": {"loss": {"module": "builtins", "class_name": "function", "config": "mine"}},
    }


def layer(name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "registered_name": None, "config": config}


def test_a_model_that_keras_saved_is_let_through(trained_run: Run) -> None:
    content = trained_run.file(MODEL).read_bytes()
    untrusted.check_archive(content, "model.keras")
    untrusted.check_weights(content, "model.keras")


@pytest.mark.parametrize(
    "part",
    [
        layer("Lambda"),
        layer("TFSMLayer", filepath="/etc"),
        layer("StringLookup", vocabulary="/etc/passwd"),
        layer("TorchModuleWrapper"),
        layer("system", "os"),
        layer("Dense", "keras.src.utils.file_utils"),
        layer("get_file", "keras.utils"),
        layer("load_model", "keras.models"),
        layer("Sequential", "keras.layers.Sequential"),
        {**layer("Dense"), "registered_name": "mine>Dense"},
        layer("Dense", activation={"module": "builtins", "class_name": "function", "config": "eval"}),
        layer("Dense", activation={"class_name": "__lambda__", "config": {"value": "4wAAAA"}}),
        layer("Bidirectional", layer=layer("Lambda")),
        layer("Dense", kernel_initializer=layer("x.y", "keras.initializers")),
        {"class_name": "Dense", "config": {}},
        {"module": ["keras"], "class_name": {"a": 1}},
    ],
)
def test_what_is_not_arithmetic_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(TinymlError, match="not loaded from a stranger's file") as refused:
        untrusted.check_archive(archive(sequential(layer("InputLayer"), part)), "model.keras")
    assert "model_int8.tflite" in refused.value.next_step


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_MAX_DECODE_MB", "1")
    with pytest.raises(TinymlError, match="limit is 1 MB"):
        untrusted.check_archive(archive(sequential(), bytes(4 << 20)), "model.keras")
    with pytest.raises(TinymlError, match="larger than 4 MB"):
        monkeypatch.setenv("TINYML_MAX_DECODE_MB", "512")
        untrusted.check_archive(archive(" " * (5 << 20) + "{}"), "model.keras")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\3\4", archive("[" * 100_000), archive("no json"), archive("[]"), archive({}, assets=b"x")],
)
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(TinymlError):
        untrusted.check_archive(content, "model.keras")


def test_weights_that_point_elsewhere_are_refused() -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")

    def weights(spoil: str) -> bytes:
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            group = file.create_group("layers")
            group["plain"] = [1.0, 2.0]
            if spoil == "soft":
                group["link"] = h5py.SoftLink("/layers/plain")
            elif spoil == "external":
                group["link"] = h5py.ExternalLink("/etc/passwd", "/")
            elif spoil == "raw":
                group.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])
        return stream.getvalue()

    untrusted.check_weights(archive(sequential(), weights("")), "model.keras")
    for spoil in ("soft", "external", "raw"):
        with pytest.raises(TinymlError, match=r"link to elsewhere|outside"):
            untrusted.check_weights(archive(sequential(), weights(spoil)), "model.keras")
    with pytest.raises(TinymlError, match="cannot be read"):
        untrusted.check_weights(archive(sequential(), b"no hdf5"), "model.keras")
