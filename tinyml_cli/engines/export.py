"""The stage export-c-array: from a run's int8 model to C and C++ sources for firmware."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tinyml_cli.console import console
from tinyml_cli.engines import settings, support, tflm
from tinyml_cli.engines.aot import compiler, emit, listing
from tinyml_cli.engines.freshness import DEFAULT_PLACEMENT, Placement, export_key, exported_placement
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Op
from tinyml_cli.outcomes.stages import Exported, MemoryPlan
from tinyml_cli.quantization import precision
from tinyml_cli.run import Run, board_model, writes
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import Graph

ENGINES = ("tflm", "aot")
PLAN_PICTURE = "report/memory_plan.png"


@writes
def export(
    run: Run, engine: str, placement: Placement = DEFAULT_PLACEMENT, picture: bool = False
) -> Exported:
    """Writes `export/tflm` and/or `export/aot` of a run and records the files in its manifest.

    Everything is generated before the first file is written.

    Args:
        engine: "tflm", "aot" or "both".
        placement: of the aot engine's inputs and outputs, and the limit of its arena.
        picture: also draw the aot engine's memory plan as PLAN_PICTURE.

    Raises:
        TinymlError: the model is missing or stale, an engine cannot take it, or the arena exceeds the limit.
    """
    engines = _chosen(engine)
    if "aot" not in engines and (picture or placement != DEFAULT_PLACEMENT):
        raise TinymlError(
            "--plan, --io and --ram-limit apply only to engine aot", f"--engine {engine}", "Add --engine aot."
        )
    manifest = run.manifest()
    path = run.require(manifest, board_model(manifest))
    model, sha256 = path.read_bytes(), sha256_file(path)
    graph = tflite_graph.parse(model, str(path))
    files: dict[str, str | bytes] = {}
    arena_bytes: dict[str, int] = {}
    plan: dict[str, MemoryPlan] = {}
    network: compiler.Network | None = None
    if "tflm" in engines:
        with _advising("tflm", model, graph):
            texts, arena_bytes["tflm"] = _tflm(manifest, graph, model, sha256, str(path))
        files |= {f"export/tflm/{file}": text for file, text in texts.items()}
    if "aot" in engines:
        with _advising("aot", model, graph):
            network = compiler.compile_graph(graph, str(path), *placement)
        texts, arena_bytes["aot"] = _aot(manifest, network, sha256), network.arena_bytes
        files |= {f"export/aot/{file}": text for file, text in texts.items()}
        plan = {"plan": listing.document(network)}
        if picture:
            files[PLAN_PICTURE] = _picture(run, plan["plan"])
    ops = [
        Op(name=name, version=version, count=count) for name, version, count in tflite_graph.op_list(graph)
    ]
    manifest.exports |= {
        name: export_key(manifest, graph, sha256, name, placement if name == "aot" else DEFAULT_PLACEMENT)
        for name in engines
    }
    _write(run, manifest, files, ops, arena_bytes)
    if network is not None:
        _say_what_is_left_out(graph, network)
    if _carries_over(graph):
        console.warn(
            "the model's LSTM begins each sequence in the state that the last one left, on every runtime; "
            "reset the engine between independent sequences (network_reset, or TFLM's Reset)"
        )
    return Exported(
        engine=engine,
        files=sorted(files),
        arena_bytes=arena_bytes,
        ops=ops,
        model_bytes=len(model),
        **plan,
    )


def export_as_before(run: Run, engine: str) -> Exported:
    """Exports for one engine, with the placement that its last export was asked for."""
    return export(run, engine, exported_placement(run.manifest(), engine))


def _say_what_is_left_out(graph: Graph, network: compiler.Network) -> None:
    whole, left = tflite_graph.total_macs(graph), tflite_graph.total_macs(network.graph)
    if left < whole:
        console.info(
            f"{whole - left:,} of the model's {whole:,} multiply-accumulates belong to channels that "
            "have the same value for every input; engine aot leaves them out."
        )


def _carries_over(graph: Graph) -> bool:
    """Whether an LSTM over several time steps, hardly a stream, keeps its state for the next inference."""
    return any(
        operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM"
        and source is not None
        and len(source.shape) == 3
        and source.shape[0 if operator.options.get("time_major") else 1] > 1
        for operator in graph.operators
        for source in [graph.input(operator, 0)]
    )


@contextlib.contextmanager
def _advising(engine: str, model: bytes, graph: Graph) -> Iterator[None]:
    try:
        yield
    except TinymlError as error:
        # To name an unsupported precision helps more than to name the first operator that has it.
        precision.check_int8(graph, error.where)
        raise support.advised(error, engine, model, graph) from error


def _chosen(engine: str) -> tuple[str, ...]:
    if engine == "both":
        return ENGINES
    if engine not in ENGINES:
        raise TinymlError(f"Unknown engine `{engine}`", "--engine", "Choose tflm, aot or both.")
    return (engine,)


def _tflm(
    manifest: Manifest, graph: Graph, model: bytes, sha256: str, where: str
) -> tuple[dict[str, str], int]:
    tflm.check(graph, where, model)
    if wrong := tflm.scales_per_output(graph):
        console.warn(f"{wrong}: use a newer library, or --engine aot")
    arena_bytes = tflm.arena_bytes(model)
    return {
        "model_data.h": tflm.model_data_header(model, sha256),
        "model_data.cc": tflm.model_data_source(model),
        "op_resolver.h": tflm.op_resolver_header(graph),
        **settings.headers(manifest, graph, sha256, arena_bytes),
    }, arena_bytes


def _aot(manifest: Manifest, network: compiler.Network, sha256: str) -> dict[str, str]:
    return {
        "network.h": emit.header(network, sha256),
        "network.c": emit.source(network),
        **settings.headers(manifest, network.graph, sha256),
    }


def _picture(run: Run, plan: MemoryPlan) -> bytes:
    from tinyml_cli.engines.aot.picture import memory_plan_png

    return memory_plan_png(plan, run.path.resolve().name)


def _write(
    run: Run,
    manifest: Manifest,
    files: dict[str, str | bytes],
    ops: list[Op],
    arena_bytes: dict[str, int],
) -> None:
    for name, text in files.items():
        write_atomic(run.file(name), text)
    for name in files:
        run.record(manifest, name, "tinyml export-c-array", [board_model(manifest)])
    manifest.ops = ops
    manifest.arena_bytes = {**manifest.arena_bytes, **arena_bytes}
    run.save(manifest)
