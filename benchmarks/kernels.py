"""The kernels of the ahead-of-time engine against TensorFlow Lite Micro with CMSIS-NN, model by model.

Builds each model for `sim`, compares its output bytes with TensorFlow Lite Micro's Python runtime, counts the
instructions of an inference, and prints Markdown tables: one row per model, one per operator kind, and the
instructions by function, with the flash of each.

    python benchmarks/kernels.py kws_ref_model.tflite vww_96_int8.tflite … [--tflm DIR] [--json kernels.json]

With --tflm, the other engine is built from those sources and counted in the same run; otherwise the ratio
refers to the counts in RECORDED. Exits with 1 if a byte differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from profile_models import kind_rows, markdown

from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.parity import run_inputs
from tinyml_cli.files import write_atomic
from tinyml_cli.outcomes.profiles import ProfileFigures
from tinyml_cli.profile.profile import profile
from tinyml_cli.profile.program import load_program
from tinyml_cli.run import Run
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import load

RECORDED = {
    "kws_ref_model": 7_846_379,
    "vww_96_int8": 24_735_611,
    "pretrainedResnet_quant": 29_876_556,
    "ad01_int8": 583_303,
}
"""Instructions of TensorFlow Lite Micro with CMSIS-NN, both of August 2026, -O3, on the same emulator."""

SEED = 7
INPUTS = 5
HEAD = [
    "model", "MACs", "instructions", "instr/MAC", "TFLM + CMSIS-NN", "ratio",
    "cycles (estimated)", "with flash", "arena B", "flash B", "of it code B", "differing bytes",
]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One model.

    Attributes:
        reference_instructions: TensorFlow Lite Micro's; None when unknown.
        reference_evidence: "same run" or "recorded".
        differing_bytes: output bytes on `sim` other than those of TensorFlow Lite Micro's Python runtime.
        code_bytes: of each function of the program.
    """

    model: str
    reference_instructions: int | None
    reference_evidence: str
    differing_bytes: int
    report: ProfileFigures
    code_bytes: dict[str, int]

    @property
    def ratio(self) -> float | None:
        """Our instructions over the reference's."""
        if not self.reference_instructions or not self.report.instructions:
            return None
        return self.report.instructions / self.reference_instructions

    def cells(self) -> list[str]:
        """Under HEAD."""
        report, memory = self.report, self.report.memory
        return [
            f"`{self.model}`",
            f"{report.macs:,}",
            f"{report.instructions:,}",
            f"{(report.instructions or 0) / report.macs:.2f}",
            f"{self.reference_instructions:,}" if self.reference_instructions else "",
            f"{self.ratio:.3f}" if self.ratio else "",
            f"{report.cycles:,}",
            f"{report.cycles_with_flash:,}",
            *(f"{size:,}" for size in (memory.arena_bytes, memory.flash_bytes, memory.code_bytes)),
            str(self.differing_bytes),
        ]


def measure(model: Path, tflm_dir: Path | None) -> Row:
    """Builds, compares and counts one model."""
    run = open_run(model)
    report = profile(run, build_target("sim", "aot"))
    program = load_program(Path(build(run, build_target("sim", "aot")).elf))
    code_bytes = {name: function.bytes for function in program.functions for name in function.names}
    differing = differing_bytes(run, model)
    reference, evidence = RECORDED.get(model.stem), "recorded"
    if tflm_dir is not None:
        reference, evidence = profile(run, build_target("sim", "tflm", tflm_dir)).instructions, "same run"
    return Row(model.stem, reference, evidence, differing, report, code_bytes)


def differing_bytes(run: Run, model: Path) -> int:
    """Over uniform noise, after the build that `profile` made."""
    graph = load(model)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    inputs = np.random.default_rng(SEED).integers(-128, 128, (INPUTS, *shape)).astype(np.int8)
    with open_board(run, build_target("sim")) as link:
        link.wait_ready()
        outputs = run_inputs(link, inputs).outputs
    expected = interpret.run_int8(model.read_bytes(), inputs, "tflm").reshape(outputs.shape)
    return int(np.count_nonzero(outputs != expected))


def function_rows(rows: list[Row]) -> list[list[str]]:
    """Functions that execute 0.3 % of some model's instructions: flash, and instructions in each model.

    Empty where a function is not among those that the profile of a model lists.
    """
    sizes = {name: size for row in rows for name, size in row.code_bytes.items()}
    counts = [{each.name: each.instructions for each in row.report.functions} for row in rows]
    totals = [row.report.instructions or 1 for row in rows]
    weights = {
        name: max(count.get(name, 0) / total for count, total in zip(counts, totals, strict=True))
        for name in set().union(*counts)
    }
    chosen = sorted((name for name in weights if weights[name] >= 0.003), key=lambda name: -weights[name])
    return [
        [
            f"`{name}`",
            f"{sizes.get(name, 0):,}",
            *(f"{count[name]:,}" if name in count else "" for count in counts),
        ]
        for name in chosen
    ]


def main() -> int:
    """0 when all bytes are right, 1 when not, 2 on bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path, help="int8 .tflite files")
    parser.add_argument("--tflm", type=Path, help="sources of TensorFlow Lite Micro, counted in the same run")
    parser.add_argument("--json", type=Path, help="also write everything here")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
            os.environ["TINYML_RUNS"] = folder
            rows = [measure(model, options.tflm) for model in options.models]
    except TinymlError as error:
        console.error(error)
        return 2
    console.info(markdown(HEAD, [row.cells() for row in rows]) + "\n")
    kinds = [line for row in rows for line in kind_rows(row.report, Path(row.model))]
    console.info(markdown(["model", "operators", "instructions", "share", "instr/MAC"], kinds) + "\n")
    columns = ["function", "flash B", *(f"`{row.model}`" for row in rows)]
    console.info(markdown(columns, function_rows(rows)))
    if options.json:
        documents = [vars(row) | {"report": row.report.as_dict(), "ratio": row.ratio} for row in rows]
        write_atomic(options.json, json.dumps(documents, indent=2) + "\n")
    return int(any(row.differing_bytes for row in rows))


if __name__ == "__main__":
    sys.exit(main())
