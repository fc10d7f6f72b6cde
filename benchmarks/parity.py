"""Byte parity of one int8 model on every runtime, and what it costs on the virtual board.

Runs the same inputs through TensorFlow Lite Micro's own Python runtime and through firmware of the
ahead-of-time engine on `native` and `sim`, and counts output bytes that differ from the first.

    python benchmarks/parity.py [RUN] [--inputs 200] [--boards native,sim] [--json parity.json]
    python benchmarks/parity.py --model kws_ref_model.tflite

The run must be converted; missing exports and builds are made. With --model, a run is made from any
int8 model: for keyword spotting if its input is [frames, channels] of audio features, otherwise for the
application bench. Exits with 1 if a byte differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.console import console
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.parity import run_inputs
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Quantization
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.run import CALIBRATION, MODEL_INT8, Run
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import load, parse, total_macs
from tinyml_cli.tflite.opset import check_int8

EVIDENCE = {"native": "host", "sim": "emulated"}
SEED = 20
_FEATURE_DIMENSIONS = 2


@dataclass(frozen=True)
class Row:
    """One runtime. Fields that it cannot measure are None.

    Attributes:
        evidence: "host" (ran on this computer), "emulated" (QEMU's Cortex-M4) or "on the board".
        differing_bytes: output bytes other than TensorFlow Lite Micro's, over all inputs.
        instructions: median per inference.
    """

    runtime: str
    evidence: str
    differing_bytes: int
    instructions: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    arena_bytes: int | None = None


def run_around(model: Path, folder: Path) -> Run:
    """A run that holds nothing but a flatbuffer."""
    graph = load(model)
    sizes = [size for size in graph.tensors[graph.inputs[0]].shape if size > 1]
    if len(sizes) != _FEATURE_DIMENSIONS:
        os.environ["TINYML_RUNS"] = str(folder)
        return open_run(model)
    source, target = interpret.io_quantization(graph)
    frames, channels = sizes
    features = AudioFrontendSettings(channels=channels)
    samples = features.window_samples + (frames - 1) * features.stride_samples
    run = Run.create(folder / model.stem)
    write_atomic(run.file(MODEL_INT8), model.read_bytes())
    manifest = Manifest(
        task="kws",
        seed=0,
        labels=[f"label{index}" for index in range(graph.tensors[graph.outputs[0]].elements)],
        features=features,
        clip_ms=-(-samples * 1000 // features.sample_rate_hz),
        quantization=Quantization(method="foreign", calibration_samples=0, input=source, output=target),
        ops=check_int8(graph, str(model)),
    )
    run.record(manifest, MODEL_INT8, "benchmarks/parity.py")
    run.save(manifest)
    return run


def draw_inputs(run: Run, model: bytes, n: int) -> interpret.Int8Array:
    """int8 [n, ...]: calibration samples where the run has some, then uniform noise to reach every corner."""
    graph = parse(model)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    noise = np.random.default_rng(SEED).integers(-128, 128, (n, *shape)).astype(np.int8)
    if run.file(CALIBRATION).is_file():
        source, _ = interpret.io_quantization(graph)
        samples = CalibrationSet.load(run.file(CALIBRATION)).samples[: n // 2]
        noise[: len(samples)] = interpret.quantize_values(samples.reshape(-1, *shape), source)
    return noise


def on_board(run: Run, board: str, inputs: interpret.Int8Array, expected: interpret.Int8Array) -> Row:
    """Builds for the board if needed and runs every input there."""
    target = build_target(board, "aot")
    built = build(run, target)
    with open_board(run, target) as link:
        ready = link.wait_ready()
        if not run.manifest().artifacts[MODEL_INT8].sha256.startswith(ready.model):
            raise TinymlError("The board runs another model", board, f"Run `tinyml flash --board {board}`.")
        answer = run_inputs(link, inputs)
    return Row(
        runtime=f"aot {board}",
        evidence=EVIDENCE.get(board, "on the board"),
        differing_bytes=int(np.count_nonzero(answer.outputs != expected)),
        instructions=int(np.median(answer.instructions)) or None,
        flash_bytes=built["flash_bytes"] if board != "native" else None,
        ram_bytes=built["ram_bytes"] if board != "native" else None,
        arena_bytes=built["arena_bytes"],
    )


def compare(run: Run, n_inputs: int, boards: list[str]) -> dict[str, Any]:
    """All runtimes on the same inputs; the document that --json writes."""
    manifest = run.manifest()
    model = run.require(manifest, MODEL_INT8).read_bytes()
    inputs = draw_inputs(run, model, n_inputs)
    expected = interpret.run_int8(model, inputs, "tflm")
    litert = interpret.run_int8(model, inputs, "litert")
    rows = [
        Row("TFLM Python", "host", 0),
        Row("LiteRT", "host", int(np.count_nonzero(litert != expected))),
    ]
    export(run, "aot")
    rows += [on_board(run, board, inputs, expected) for board in boards]
    return {
        "run": run.path.resolve().name,
        "model_sha256": manifest.artifacts[MODEL_INT8].sha256,
        "model_bytes": len(model),
        "macs": total_macs(parse(model)),
        "inputs": len(inputs),
        "output_bytes": int(expected.size),
        "distinct_outputs": len(np.unique(expected, axis=0)),
        "rows": [asdict(row) for row in rows],
    }


def show(document: dict[str, Any]) -> None:
    """Prints the table."""
    columns = ["Runtime", "Evidence", "Differing", "Instructions", "Flash", "RAM", "Arena"]
    rows = [["-" if v is None else v for v in row.values()] for row in document["rows"]]
    console.table(
        f"{document['run']}: int8 model of {document['model_bytes']:,} bytes, {document['macs']:,} MACs\n"
        f"{document['inputs']} inputs, {document['output_bytes']} output bytes, "
        f"{document['distinct_outputs']} different outputs; sizes in bytes",
        columns,
        rows,
    )


def main() -> int:
    """0 when aot computes TensorFlow Lite Micro's bytes everywhere, 1 when not, 2 on bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", nargs="?", help="run directory; the latest by default")
    parser.add_argument("--model", type=Path, help="a foreign int8 .tflite instead of a run")
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--boards", default="native,sim")
    parser.add_argument("--json", type=Path, help="also write the table here")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
            run = run_around(options.model, Path(folder)) if options.model else Run.open(options.run)
            document = compare(run, options.inputs, options.boards.split(","))
    except TinymlError as error:
        console.error(error)
        return 2
    show(document)
    if options.json:
        write_atomic(options.json, json.dumps(document, indent=2) + "\n")
    aot = [row for row in document["rows"] if row["runtime"].startswith("aot")]
    return int(any(row["differing_bytes"] for row in aot))


if __name__ == "__main__":
    sys.exit(main())
