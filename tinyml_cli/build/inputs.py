"""The inputs of a firmware project: its target, and the run's exported files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.build import tflm_tree
from tinyml_cli.build.project import ProjectInputs
from tinyml_cli.build.target import LEARNER, BuildTarget
from tinyml_cli.console import console
from tinyml_cli.engines import bench_settings, benchmarks, tflm
from tinyml_cli.engines.export import export_as_before
from tinyml_cli.engines.freshness import needs_export
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

_MICROPHONE_MARGIN_MS = 132
_MOST_MICROPHONE_SAMPLES = 8192  # what two models share; also where a model seldom looks


def check_target(target: BuildTarget) -> None:
    """Whether firmware can be built for a target and run on it, as far as that is known without a model.

    Raises:
        TinymlError: an engine that the board has not, no sources for it, or a tool that is missing.
    """
    _check_engine(target)
    _tflm_dir(target)
    target.board.require("build")
    target.board.require("run")
    checks.package("platformio", "Building firmware", "Run: pip install platformio")


def _check_engine(target: BuildTarget) -> None:
    if target.engine not in target.board.engines:
        raise TinymlError(
            f"The board `{target.board.name}` has no engine `{target.engine}`",
            "--engine",
            f"Choose from: {', '.join(target.board.engines)}.",
        )


def _tflm_dir(target: BuildTarget) -> Path | None:
    """The source tree to compile TensorFlow Lite Micro from; None if the board has a library."""
    if target.engine != "tflm" or (target.tflm_dir is None and target.board.arduino is not None):
        return None
    return tflm_tree.check_tree(target.tflm_dir)


def gather(run: Run, target: BuildTarget) -> ProjectInputs:
    """Everything that a project with this run's model alone is generated from; exports the model if needed.

    Raises:
        TinymlError: unknown engine, missing or stale export, or no sources of TensorFlow Lite Micro.
    """
    _check_engine(target)
    engine = target.engine
    manifest = run.manifest()
    if board_model(manifest) in manifest.artifacts and needs_export(run, manifest, engine):
        console.info(f"Exporting the model for engine {engine}.")
        export_as_before(run, engine)
        manifest = run.manifest()
    files = EXPORTS[engine] + (_TASK_EXPORTS if manifest.features is not None else ())
    paths = [_require_export(run, manifest, engine, file) for file in files]
    target = replace(target, tflm_dir=_tflm_dir(target))
    if engine == "tflm":
        _check_library(run, target)
    app = target.application(run)
    return ProjectInputs(
        target=target,
        app=app,
        exports=tuple(paths),
        bench_settings=_bench_settings(run, target.benchmark) if app == "bench" else None,
        defines=_microphone(manifest) if app in ("kws", LEARNER) and target.board.arduino else {},
    )


def _microphone(manifest: Manifest) -> dict[str, str]:
    """How much sound a real board keeps meanwhile.

    An inference may take as long as the time between two, or sound is lost whatever is kept; two blocks of
    the PDM library and events that wait for USB come on top (docs/memory.md).
    """
    assert manifest.features is not None
    features, stride = manifest.features, manifest.recognizer.inference_stride_frames
    kept_ms = stride * features.stride_ms + _MICROPHONE_MARGIN_MS
    samples = kept_ms * features.sample_rate_hz // 1000
    return {"MICROPHONE_SAMPLES": str(min(_MOST_MICROPHONE_SAMPLES, 1 << (samples - 1).bit_length()))}


def _check_library(run: Run, target: BuildTarget) -> None:
    if (graph := model_graph(run)) is None:
        return
    if target.tflm_dir is not None:
        tree = tflm_tree.sources_dir(target.tflm_dir)
        newer = tflm.takes_scales_per_output(tree)
        tflm.check_library(graph, tflm.missing_ops(tree), str(target.tflm_dir), newer)
    elif arduino := target.board.arduino:
        # None of the Arduino packings is of September 2024 or later.
        tflm.check_library(graph, arduino.tflm_lacks, arduino.tflm, False)


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
