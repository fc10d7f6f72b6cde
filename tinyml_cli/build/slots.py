"""Firmware whose model can be replaced by a signed update: its tables come from slots in flash."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from tinyml_cli.build.project import ProjectInputs
from tinyml_cli.build.target import SlotOptions
from tinyml_cli.engines import model_tables, settings
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.engines.freshness import exported_placement
from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import Run, board_model
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import Graph

PAGE_BYTES = 4096
_SLOTS = 2
_LITERT_STEPS = 2
"""By which its FULLY_CONNECTED and softmax may differ from the device's kernels."""


def lifted(run: Run) -> Lifted:
    """The tables of a run's model, and the program around them.

    Raises:
        TinymlError: no converted model, or one whose inputs or outputs are not int8.
    """
    manifest = run.manifest()
    path = run.require(manifest, board_model(manifest))
    model = path.read_bytes()
    graph = tflite_graph.parse(model, str(path))
    placement = exported_placement(manifest, "aot")
    network = compiler.compile_graph(graph, str(path), *placement, retrainable=True)
    sha256 = hashlib.sha256(model).hexdigest()
    exports = {
        "network.h": emit.header(network, sha256),
        "network.c": emit.source(network, model_tables.may_share),
        **settings.headers(manifest, network.graph, sha256),
    }
    runtime = interpret.reference_runtime()
    golden = _golden(graph, model, sha256, runtime, str(path))
    return model_tables.lift(exports, golden, 0 if runtime == "tflm" else _LITERT_STEPS)


def with_slots(run: Run, inputs: ProjectInputs, options: SlotOptions) -> ProjectInputs:
    """A project whose model reads its tables from slots.

    Raises:
        TinymlError: another engine, or a board without flash for slots.
    """
    board = inputs.target.board
    if inputs.target.engine != "aot":
        raise TinymlError("Only engine aot has slots for models", "--update-key", "Use --engine aot.")
    if board.kind == "page":
        raise TinymlError(
            f"The board `{board.name}` has no flash for models", "--update-key", "Build for another board."
        )
    model = lifted(run)
    key = ", ".join(f"0x{byte:02x}" for byte in options.public_key)
    defines = {
        "FLASH_PAGES_BYTES": str(flash_bytes(len(model.tables))),
        "UPDATE_KEY": f"{{{key}}}",
        "BUILT_IN_RELEASE": f"{release_of(run) if options.release is None else options.release}u",
    }
    kept = tuple(path for path in inputs.exports if path.name not in ("network.c", "model_settings.h"))
    names = {path.name for path in kept}
    texts = {name: text for name, text in model.texts.items() if name not in names}
    return replace(
        inputs, exports=kept, texts={**inputs.texts, **texts}, defines={**inputs.defines, **defines}
    )


def release_of(run: Run) -> int:
    """The release of a run's model where none is given: seconds since 1970 when its file was written."""
    return int(run.file(board_model(run.manifest())).stat().st_mtime)


def flash_bytes(tables_bytes: int) -> int:
    """Flash that the slots take: pages of the tables, and one for the header, each twice."""
    return _SLOTS * (PAGE_BYTES + -(-tables_bytes // PAGE_BYTES) * PAGE_BYTES)


def _golden(
    graph: Graph, model: bytes, sha256: str, runtime: interpret.Runtime, where: str
) -> tuple[bytes, bytes]:
    """An input of arbitrary bytes, the same for the same model, and what the reference makes of it."""
    tensors = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    if any(tensor.dtype != "int8" for tensor in tensors):
        raise TinymlError(
            "The self-test of updates needs int8 inputs and outputs", where, "Quantise the model to int8."
        )
    source = np.random.default_rng(int(sha256[:16], 16))
    inputs = [
        source.integers(-128, 128, (1, *graph.tensors[index].shape[1:]), np.int8) for index in graph.inputs
    ]
    outputs = interpret.run(model, inputs, runtime)
    return b"".join(each.tobytes() for each in inputs), b"".join(each.tobytes() for each in outputs)
