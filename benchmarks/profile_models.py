"""The cost of int8 models on the virtual board: instructions by operator kind, estimated cycles, memory.

Builds each model with the ahead-of-time engine for `sim`, profiles it, and prints two tables in Markdown:
one row per model, and the share of each operator kind.

    python benchmarks/profile_models.py MODEL.tflite… [--engine aot] [--tflm DIR] [--json profile.json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.outcomes.profiles import ProfileFigures
from tinyml_cli.profile.profile import profile
from tinyml_cli.stages.adopt import open_run

COSTS = (
    "model", "engine", "MACs", "instructions", "instr/MAC", "cycles (estimated)", "ms at 64 MHz", "uJ",
    "flash B", "of it model B", "RAM B", "arena B", "stack B",
)  # fmt: skip


def cost_row(report: ProfileFigures, model: Path) -> list[str]:
    """A row under COSTS."""
    memory = report.memory
    low, high = report.cycles_range or (0, 0)
    return [
        f"`{model.stem}`",
        report.engine,
        f"{report.macs:,}",
        f"{report.instructions:,}",
        f"{(report.instructions or 0) / report.macs:.2f}",
        f"{report.cycles:,} ({low / 1e6:.3g}–{high / 1e6:.3g} M)",
        f"{report.time_ms:.1f}",
        f"{report.energy_uj:,.0f}",
        *(f"{size:,}" for size in (memory.flash_bytes, memory.model_bytes, memory.ram_bytes)),
        *(f"{size:,}" for size in (memory.arena_bytes, memory.stack_bytes)),
    ]


def kind_rows(report: ProfileFigures, model: Path) -> list[list[str]]:
    """A row for each operator kind: what share of the instructions it takes."""
    instructions: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    for row in report.operators:
        instructions[row.name] += row.instructions or 0
        macs[row.name] += row.macs
    total = report.instructions or 1
    return [
        [
            f"`{model.stem}`",
            name,
            f"{count:,}",
            f"{count / total:.1%}",
            f"{count / macs[name]:.2f}" if macs[name] else "",
        ]
        for name, count in instructions.most_common()
        if count / total >= 0.001
    ]


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """0, or 2 on bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path, help="int8 .tflite files")
    parser.add_argument("--engine", default="aot")
    parser.add_argument("--tflm", type=Path, help="sources of TensorFlow Lite Micro, for --engine tflm")
    parser.add_argument("--json", type=Path, help="also write all reports here")
    options = parser.parse_args()
    reports: list[tuple[ProfileFigures, Path]] = []
    try:
        with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
            os.environ["TINYML_RUNS"] = folder
            target = build_target("sim", options.engine, options.tflm)
            for model in options.models:
                reports.append((profile(open_run(model), target), model))
    except TinymlError as error:
        console.error(error)
        return 2
    console.info(markdown(list(COSTS), [cost_row(*report) for report in reports]) + "\n")
    kinds = ["model", "operators", "instructions", "share", "instr/MAC"]
    console.info(markdown(kinds, [row for report in reports for row in kind_rows(*report)]))
    if options.json:
        documents = [report.as_dict() for report, _ in reports]
        write_atomic(options.json, json.dumps(documents, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
