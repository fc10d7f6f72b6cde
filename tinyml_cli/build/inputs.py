"""The inputs of a firmware project: board, engine, application, and the run's exported files."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.boards.boards import Board
from tinyml_cli.build import tflm_tree
from tinyml_cli.build.project import ProjectInputs, default_app
from tinyml_cli.console import console
from tinyml_cli.engines import bench_settings, benchmarks, tflm
from tinyml_cli.engines.export import export
from tinyml_cli.engines.freshness import exported_io, needs_export
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import next_step
from tinyml_cli.run import Run, board_model
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import Graph

EXPORTS = {
    "aot": ("network.h", "network.c", "model_settings.h"),
    "tflm": ("model_data.h", "model_data.cc", "op_resolver.h", "model_settings.h"),
}
_TASK_EXPORTS = ("audio_frontend_tables.h",)


def check_target(board: Board, engine: str, tflm_dir: Path | None) -> None:
    """Whether firmware can be built for a board and run on it, as far as that is known without a model.

    Raises:
        TinymlError: an engine that the board has not, no sources for it, or a tool that is missing.
    """
    _check_engine(board, engine)
    if engine == "tflm" and (tflm_dir is not None or board.arduino is None):
        tflm_tree.check_tree(tflm_dir)
    board.require("build")
    board.require("run")
    checks.package("platformio", "Building firmware", "Run: pip install platformio")


def _check_engine(board: Board, engine: str) -> None:
    if engine not in board.engines:
        raise TinymlError(
            f"The board `{board.name}` has no engine `{engine}`",
            "--engine",
            f"Choose from: {', '.join(board.engines)}.",
        )


def gather(
    run: Run,
    board: Board,
    engine: str | None = None,
    tflm_dir: Path | None = None,
    app: str | None = None,
    benchmark: str | None = None,
) -> ProjectInputs:
    """Everything a project is generated from; the model is exported where that is not done.

    Args: as of `build`.

    Raises:
        TinymlError: unknown engine, missing or stale export, or no sources of TensorFlow Lite Micro.
    """
    name = engine or board.default_engine
    _check_engine(board, name)
    manifest = run.manifest()
    if board_model(manifest) in manifest.artifacts and needs_export(run, manifest, name):
        console.info(f"Exporting the model for engine {name}.")
        export(run, name, exported_io(manifest, name))
        manifest = run.manifest()
    files = EXPORTS[name] + (_TASK_EXPORTS if manifest.features is not None else ())
    paths = [_require_export(run, manifest, name, file) for file in files]
    if name == "tflm" and (tflm_dir is not None or board.arduino is None):
        tflm_dir = tflm_tree.check_tree(tflm_dir)
    if name == "tflm":
        _check_library(run, board, tflm_dir)
    app = app or default_app(manifest.task)
    return ProjectInputs(
        board=board,
        engine=name,
        app=app,
        exports=tuple(paths),
        tflm_dir=tflm_dir if name == "tflm" else None,
        bench_settings=_bench_settings(run, benchmark) if app == "bench" else None,
    )


def _check_library(run: Run, board: Board, tflm_dir: Path | None) -> None:
    if (graph := model_graph(run)) is None:
        return
    if tflm_dir is not None:
        tree = tflm_tree.sources_dir(tflm_dir)
        newer = tflm.takes_scales_per_output(tree)
        tflm.check_library(graph, tflm.missing_ops(tree), str(tflm_dir), newer)
    elif board.arduino:
        # None of the Arduino packings is of September 2024 or later.
        tflm.check_library(graph, board.arduino.tflm_lacks, board.arduino.tflm, False)


def model_graph(run: Run) -> Graph | None:
    """The run's int8 model; None for a run that holds nothing but its export."""
    path = run.file(board_model(run.manifest()))
    return tflite_graph.parse(path.read_bytes(), str(path)) if path.is_file() else None


def _bench_settings(run: Run, benchmark: str | None) -> str:
    manifest = run.manifest()
    path = run.require(manifest, board_model(manifest))
    graph = tflite_graph.parse(path.read_bytes(), str(path))
    return bench_settings.render(graph, benchmarks.choose(graph, benchmark))


def _require_export(run: Run, manifest: Manifest, engine: str, file: str) -> Path:
    name = f"export/{engine}/{file}"
    if name in manifest.artifacts:
        return run.require(manifest, name)
    if not run.file(name).is_file():
        raise TinymlError(
            f"The model has not been exported for engine {engine}",
            str(run.file(name)),
            f"Run `{next_step('export-c-array', run.path, '--engine', engine)}` first.",
        )
    return run.file(name)
