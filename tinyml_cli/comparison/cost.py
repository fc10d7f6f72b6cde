"""What a model costs: bytes, multiply-accumulates, and flash, RAM and instructions of its firmware."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli import temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import MODEL_TASK, Manifest
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.anatomy import gzip_bytes
from tinyml_cli.tflite.graph import Graph

if TYPE_CHECKING:
    from tinyml_cli.outcomes.profiles import ProfileFigures

COUNTED_ON = "sim"


@dataclass(frozen=True)
class ModelCost:
    """What one model costs; None where it is not known.

    Attributes:
        bytes: of the flatbuffer.
        gzip_bytes: of the flatbuffer through gzip -9.
        macs: multiply-accumulates of one inference.
        flash_bytes: of the firmware `bench` with the model, linked for the virtual board.
        ram_bytes: the same firmware's.
        arena_bytes: memory for activations.
        instructions: of one inference, counted on the virtual board (emulated).
        why_not: why firmware figures are missing; empty where they are there.
    """

    bytes: int
    gzip_bytes: int
    macs: int
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    arena_bytes: int | None = None
    instructions: int | None = None
    why_not: str = ""


def is_for_devices(graph: Graph) -> bool:
    """Whether inputs and outputs are integers, as a model for a microcontroller has them."""
    return all(graph.tensors[index].dtype != "float32" for index in (*graph.inputs, *graph.outputs))


def cost_of(model: bytes, where: str, on_board: bool, engine: str | None = None) -> ModelCost:
    """Measures a model; with `on_board` its firmware is built and one inference counted, in a few seconds.

    Args:
        model: a flatbuffer.
        where: what error messages call it.
        on_board: whether to build and count.
        engine: as of `profile`.

    Raises:
        TinymlError: it is not a TensorFlow Lite model.
    """
    graph = tflite_graph.parse(model, where)
    basic = ModelCost(len(model), gzip_bytes(model), tflite_graph.total_macs(graph))
    if not on_board:
        return basic
    if not is_for_devices(graph):
        return replace(basic, why_not="its inputs and outputs are float32: for comparison only")
    try:
        return _with_firmware(basic, model, engine)
    except TinymlError as error:
        return replace(basic, why_not=error.what)


def firmware_report(model: bytes, engine: str | None = None) -> ProfileFigures:
    """The profile of the firmware `bench` with an int8 model, on the virtual board.

    Raises:
        TinymlError: the model does not build or run there, or tools are missing.
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.profile.profile import profile

    with temporary.folder("compare") as folder:
        run = Run.create(Path(folder) / "run")
        write_atomic(run.file(MODEL_INT8), model)
        manifest = Manifest(task=MODEL_TASK, seed=0)
        run.record(manifest, MODEL_INT8, "tinyml compare")
        run.save(manifest)
        return profile(run, build_target(COUNTED_ON, engine))


def _with_firmware(cost: ModelCost, model: bytes, engine: str | None) -> ModelCost:
    report = firmware_report(model, engine)
    memory = report.memory
    return replace(
        cost,
        flash_bytes=memory.flash_bytes,
        ram_bytes=memory.ram_bytes,
        arena_bytes=memory.arena_bytes,
        instructions=report.instructions,
    )
