"""The stage export-c-array: from a run's int8 model to C and C++ sources for firmware."""

from __future__ import annotations

from typing import Any

from tinyml_cli.engines import settings, tflm
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.tables import render_header
from tinyml_cli.files import sha256_file, write_atomic
from tinyml_cli.manifest import Manifest, Op
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import Graph

ENGINES = ("tflm", "aot")


def export(run: Run, engine: str) -> dict[str, Any]:
    """Writes `export/tflm` and/or `export/aot` of a run and records the files in its manifest.

    Everything is generated before the first file is written.

    Args:
        engine: "tflm", "aot" or "both".

    Returns:
        engine, files (relative to the run), arena_bytes by engine, ops, model_bytes.

    Raises:
        TinymlError: no or a stale model, or one that an engine cannot take.
    """
    engines = _chosen(engine)
    manifest = run.manifest()
    path = run.require(manifest, MODEL_INT8)
    model, sha256 = path.read_bytes(), sha256_file(path)
    graph = tflite_graph.parse(model, str(path))
    files: dict[str, str] = {}
    arena_bytes: dict[str, int] = {}
    for name in engines:
        generate = _tflm if name == "tflm" else _aot
        texts, arena_bytes[name] = generate(manifest, graph, model, sha256, str(path))
        files |= {f"export/{name}/{file}": text for file, text in texts.items()}
    ops = [
        Op(name=name, version=version, count=count) for name, version, count in tflite_graph.op_list(graph)
    ]
    _write(run, manifest, files, ops, arena_bytes)
    return {
        "engine": engine,
        "files": sorted(files),
        "arena_bytes": arena_bytes,
        "ops": [op.model_dump() for op in ops],
        "model_bytes": len(model),
    }


def _chosen(engine: str) -> tuple[str, ...]:
    if engine == "both":
        return ENGINES
    if engine not in ENGINES:
        raise TinymlError(f"There is no engine `{engine}`", "--engine", "Choose tflm, aot or both.")
    return (engine,)


def _tflm(
    manifest: Manifest, graph: Graph, model: bytes, sha256: str, where: str
) -> tuple[dict[str, str], int]:
    tflm.check(graph, where)
    arena_bytes = tflm.measure_arena(model)
    return {
        "model_data.h": tflm.model_data_header(model, sha256),
        "model_data.cc": tflm.model_data_source(model),
        "op_resolver.h": tflm.op_resolver_header(graph),
        **_common(manifest, graph, sha256, arena_bytes),
    }, arena_bytes


def _aot(
    manifest: Manifest, graph: Graph, model: bytes, sha256: str, where: str
) -> tuple[dict[str, str], int]:
    network = compiler.compile_graph(graph, where)
    return {
        "network.h": emit.header(network, sha256),
        "network.c": emit.source(network),
        **_common(manifest, graph, sha256, None),
    }, network.plan.arena_bytes


def _common(manifest: Manifest, graph: Graph, sha256: str, tflm_arena_bytes: int | None) -> dict[str, str]:
    texts = {"model_settings.h": settings.render(manifest, graph, sha256, tflm_arena_bytes)}
    if manifest.features is not None:
        texts["audio_frontend_tables.h"] = render_header(manifest.features)
    return texts


def _write(
    run: Run, manifest: Manifest, files: dict[str, str], ops: list[Op], arena_bytes: dict[str, int]
) -> None:
    for name, text in files.items():
        write_atomic(run.file(name), text)
    for name in files:
        run.record(manifest, name, "tinyml export-c-array", [MODEL_INT8])
    manifest.ops = ops
    manifest.arena_bytes = {**manifest.arena_bytes, **arena_bytes}
    run.save(manifest)
