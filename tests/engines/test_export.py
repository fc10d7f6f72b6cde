"""The stage export-c-array on a run directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import zoo
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_INT8, Run

COMMON = {"model_settings.h", "audio_frontend_tables.h"}


def make_run(path: Path, model: bytes) -> Run:
    run = Run.create(path)
    manifest = Manifest(
        task="kws", seed=1, labels=["silence", "unknown", "yes", "no"], features=AudioFrontendSettings()
    )
    run.file(MODEL_INT8).write_bytes(model)
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    return run


def test_both_engines(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro has no wheel for this platform")
    run = make_run(tmp_path / "run", zoo.model("one_channel_depthwise"))
    outcome = export(run, "both")
    names = {engine: {p.name for p in run.file(f"export/{engine}").iterdir()} for engine in ("tflm", "aot")}
    assert names["tflm"] == COMMON | {"model_data.h", "model_data.cc", "op_resolver.h"}
    assert names["aot"] == COMMON | {"network.h", "network.c"}
    assert outcome.model_fields_set == {"engine", "files", "arena_bytes", "ops", "model_bytes", "plan"}
    assert set(outcome.files) == {f"export/{engine}/{name}" for engine in names for name in names[engine]}
    assert outcome.arena_bytes["tflm"] > outcome.arena_bytes["aot"] > 0
    assert f"TFLM_ARENA_BYTES {outcome.arena_bytes['tflm']}" in run.file(
        "export/tflm/model_settings.h"
    ).read_text(encoding="utf-8")
    manifest = run.manifest()
    assert manifest.arena_bytes == outcome.arena_bytes
    assert [op.model_dump() for op in manifest.ops] == [op.model_dump() for op in outcome.ops]
    assert all(run.is_fresh(manifest, name) for name in outcome.files)


def test_a_second_export_writes_the_same_bytes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", zoo.model("one_channel_depthwise"))
    export(run, "aot")
    before = {path: path.read_bytes() for path in run.file("export/aot").iterdir()}
    export(run, "aot")
    assert {path: path.read_bytes() for path in run.file("export/aot").iterdir()} == before


def test_a_new_model_makes_the_export_stale(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", zoo.model("one_channel_depthwise"))
    export(run, "aot")
    manifest = run.manifest()
    run.file(MODEL_INT8).write_bytes(zoo.model("one_channel_depthwise") + b"\0")
    run.record(manifest, MODEL_INT8, "tinyml convert")
    assert not run.is_fresh(manifest, "export/aot/network.c")


def test_a_refused_model_writes_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", zoo.unsupported_model())
    with pytest.raises(TinymlError, match="CUMSUM"):
        export(run, "aot")
    assert not run.file("export").exists()


def test_an_unknown_engine(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", b"")
    with pytest.raises(TinymlError, match="warp"):
        export(run, "warp")


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", zoo.model("one_channel_depthwise"))
    run.file(MODEL_INT8).write_bytes(b"other")
    with pytest.raises(TinymlError, match="tinyml convert"):
        export(run, "aot")
