"""Profiles a run's model on a board: builds its firmware, runs it, and assembles the report."""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.boards.boards import Board
from tinyml_cli.build.build import build
from tinyml_cli.build.sizes import Symbol
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.profile import energy
from tinyml_cli.profile.emulate import INPUT_SEED, Counts, count_inference
from tinyml_cli.profile.program import Program, load_program
from tinyml_cli.profile.report import (
    FunctionRow,
    Memory,
    OnBoard,
    OperatorRow,
    ProfileReport,
    component_names,
    counted_row,
    operator_rows,
)
from tinyml_cli.run import Run, board_model
from tinyml_cli.tflite.graph import load, total_macs

_COUNTED_ON = "sim"
_LISTED_FUNCTIONS = 12
_LISTED_SYMBOLS = 12
_TIMED_RUNS = 20
_WARM_UPS = 3


def profile(run: Run, target: BuildTarget) -> ProfileReport:
    """Profiles a run's int8 model.

    Instructions are counted on the virtual board, whatever the Cortex-M board; on `native` time is measured.

    Args:
        run: a run with an int8 model that was exported, or of a bare model.
        target: without an engine, the virtual board's default; with a `port`, a real board that runs the
            model already, whose inferences are timed too.

    Raises:
        TinymlError: a model that does not build, no QEMU or compiler, a silent firmware, a
            board that runs another model.
    """
    if target.port is not None and not target.is_usb:
        raise TinymlError("--port needs a real board", "--port", "Give it: --board nano33ble.")
    manifest = run.manifest()
    model = run.require(manifest, board_model(manifest))
    graph = load(model)
    board = target.board
    if board.kind == "process":
        built = build(run, target)
        facts = _facts(run, manifest, built, total_macs(graph))
        return _on_host(run, target, facts, operator_rows(graph), built)
    chip = energy.chip_board(board)
    built = build(run, target.on(_COUNTED_ON))
    facts = _facts(run, manifest, built, total_macs(graph))
    elf = Path(built.elf)
    counts = count_inference(elf, built.engine)
    memory = _memory(built, load_program(elf), counts, board, manifest)
    report = _emulated(
        facts | {"board": board.name}, operator_rows(graph), counts, chip, memory, _symbols(built)
    )
    return report if target.port is None else _with_board(report, run, manifest, target)


def _facts(run: Run, manifest: Manifest, built: Built, macs: int) -> dict[str, Any]:
    return {
        "run": run.path.resolve().name,
        "model_sha256": manifest.artifacts[board_model(manifest)].sha256,
        "board": built.board,
        "engine": built.engine,
        "app": built.app,
        "macs": macs,
    }


def _emulated(
    facts: dict[str, Any],
    rows: list[OperatorRow],
    counts: Counts,
    chip: Board,
    memory: Memory,
    symbols: tuple[Symbol, ...],
) -> ProfileReport:
    unknown = [index for index in counts.operators if index >= len(rows)]
    if unknown:
        raise TinymlError(
            f"The program runs an operator {unknown[0]}, but the model has {len(rows)}",
            facts["run"],
            f"Rebuild the firmware: {on_this_run('build', '--board', 'sim')}",
        )
    total = counts.total
    clock_hz = chip.clock_hz or 1
    time_ms = energy.milliseconds(total.cycles, clock_hz)
    ranked = sorted(counts.functions.items(), key=lambda item: (-item[1].cycles, item[0]))
    return ProfileReport(
        **facts,
        chip=chip.name,
        clock_hz=clock_hz,
        time_ms=round(time_ms, 6),
        operators=tuple(
            counted_row(row, counts.operators.get(row.index), total.cycles, clock_hz) for row in rows
        ),
        memory=memory,
        evidence=_EVIDENCE_EMULATED,
        instructions=total.instructions,
        instructions_by_firmware=counts.counted_by_firmware,
        cycles=total.cycles,
        cycles_range=(total.cycles_lowest, total.cycles_highest),
        time_ms_range=(
            round(energy.milliseconds(total.cycles_lowest, clock_hz), 6),
            round(energy.milliseconds(total.cycles_highest, clock_hz), 6),
        ),
        flash_reads=total.flash_reads,
        energy_uj=round(energy.microjoules(time_ms, chip.power), 3) if chip.power else None,
        energy_source=chip.power.source if chip.power else None,
        outside={
            "instructions": counts.outside.instructions,
            "cycles": counts.outside.cycles,
            **component_names(counts.outside),
        },
        functions=tuple(
            FunctionRow(name, cost.instructions, cost.cycles) for name, cost in ranked[:_LISTED_FUNCTIONS]
        ),
        symbols=symbols,
    )


# Virtual boards may stand behind a port too.
_EVIDENCE_BY_BOARD = {"sim": "emulated", "native": "host"}
_EVIDENCE_EMULATED = {
    "instructions": "emulated",
    "flash_reads": "emulated",
    "cycles": "estimated",
    "time_ms": "estimated",
    "energy_uj": "estimated",
    "stack_bytes": "emulated",
    "flash_bytes": "linked",
    "ram_bytes": "linked",
    "arena_bytes": "linked",
}


def _memory(built: Built, program: Program, counts: Counts, board: Board, manifest: Manifest) -> Memory:
    flash, ram = built.flash_bytes or 0, built.ram_bytes or 0
    on_board: tuple[int | None, int | None, str | None] = (None, None, None)
    if board.kind == "usb":
        record = manifest.firmware.get(board.name, {})
        if record.get("engine") == built.engine and record.get("flash_bytes"):
            on_board = record["flash_bytes"], record["ram_bytes"], "built"
        elif board.arduino:
            on_board = (
                flash + board.arduino.core_flash_bytes,
                ram + board.arduino.core_ram_bytes,
                "estimated",
            )
    return Memory(
        flash_bytes=flash,
        code_bytes=flash - program.model_bytes,
        model_bytes=program.model_bytes,
        ram_bytes=ram,
        arena_bytes=built.arena_bytes,
        stack_bytes=counts.stack_bytes_ever,
        stack_inference_bytes=counts.stack_bytes,
        stack_reserved_bytes=program.stack[1] - program.stack[0],
        board_flash_bytes=on_board[0],
        board_ram_bytes=on_board[1],
        board_evidence=on_board[2],
    )


def _on_host(
    run: Run, target: BuildTarget, facts: dict[str, Any], rows: list[OperatorRow], built: Built
) -> ProfileReport:
    """Time on this computer."""
    with open_board(run, target) as link:
        time_ms = _time_inferences(link, link.wait_ready().input_bytes)
    return ProfileReport(
        **facts,
        chip=None,
        clock_hz=None,
        time_ms=time_ms,
        operators=tuple(rows),
        memory=Memory(arena_bytes=built.arena_bytes),
        evidence={"time_ms": "host", "arena_bytes": "linked"},
    )


def _with_board(report: ProfileReport, run: Run, manifest: Manifest, target: BuildTarget) -> ProfileReport:
    """The report with inferences that a real board made, by its own clock."""
    with open_board(run, target) as link:
        ready = link.wait_ready()
        check_firmware(ready, manifest, report.board)
        time_ms = _time_inferences(link, ready.input_bytes)
    return dataclasses.replace(
        report,
        on_board=OnBoard(
            time_ms=time_ms,
            engine=ready.engine,
            estimate_error=round(report.time_ms / time_ms - 1, 4) if time_ms else None,
        ),
        evidence=report.evidence | {"on_board": _EVIDENCE_BY_BOARD.get(ready.board, "on the board")},
    )


def _time_inferences(link: Link, input_bytes: int) -> float:
    """The median of some inferences in ms, by the device's own clock."""
    values = np.random.default_rng(INPUT_SEED).integers(-128, 128, input_bytes).astype(np.int8)
    times_us = []
    for _ in range(_WARM_UPS + _TIMED_RUNS):
        link.write_input(values)
        times_us.append(link.run_inference().inference_us)
    return statistics.median(times_us[_WARM_UPS:]) / 1000


def _symbols(built: Built) -> tuple[Symbol, ...]:
    listed = [Symbol(each.name, each.bytes, each.memory) for each in built.largest_symbols]
    return tuple(symbol for symbol in listed if symbol.memory == "flash")[:_LISTED_SYMBOLS]
