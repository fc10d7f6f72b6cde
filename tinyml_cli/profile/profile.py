"""Profiles a run's model on a board: builds its firmware, runs it, and assembles the report."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.boards.boards import Board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import BuildTarget, peripherals
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.profiles import FunctionCost, ProfileFigures, ProgramMemory, TimedOnBoard
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.profile import energy
from tinyml_cli.profile.emulate import INPUT_SEED, Counts, count_inference
from tinyml_cli.profile.operators import component_names, counted, operator_costs
from tinyml_cli.profile.program import load_program
from tinyml_cli.run import Run, board_model
from tinyml_cli.tflite.graph import Graph, load, total_macs

_COUNTED_ON = "sim"
_LISTED_FUNCTIONS = 12
_LISTED_SYMBOLS = 12
_TIMED_RUNS = 20
_WARM_UPS = 3


@dataclass(frozen=True)
class _Subject:
    """A model and the program that runs it."""

    run: Run
    manifest: Manifest
    graph: Graph
    built: Built

    def figures(self, **measured: Any) -> ProfileFigures:
        """With what is known before anything is measured."""
        known = {
            "run": self.run.path.resolve().name,
            "model_sha256": self.manifest.artifacts[board_model(self.manifest)].sha256,
            "board": self.built.board,
            "engine": self.built.engine,
            "app": self.built.app,
            "macs": total_macs(self.graph),
            "operators": operator_costs(self.graph),
            "functions": [],
            "symbols": [],
        }
        return ProfileFigures.filled(**known | measured)


def profile(run: Run, target: BuildTarget) -> ProfileFigures:
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
    if board.level == "host":
        return _on_host(_Subject(run, manifest, graph, build(run, target)), target)
    chip = energy.chip_board(board)
    report = _emulated(_Subject(run, manifest, graph, build(run, target.on(_COUNTED_ON))), board, chip)
    return report if target.port is None else _with_board(report, run, manifest, target)


def _emulated(subject: _Subject, board: Board, chip: Board) -> ProfileFigures:
    """Counted on the virtual board, with the clock and the currents of `chip`."""
    built, operators = subject.built, operator_costs(subject.graph)
    counts = count_inference(Path(built.elf), built.engine)
    unknown = [index for index in counts.operators if index >= len(operators)]
    if unknown:
        raise TinymlError(
            f"The program runs an operator {unknown[0]}, but the model has {len(operators)}",
            subject.run.path.resolve().name,
            f"Rebuild the firmware: {on_this_run('build', '--board', 'sim')}",
        )
    total = counts.total
    clock_hz = chip.clock_hz or 1
    time_ms = energy.milliseconds(total.cycles, clock_hz)
    ranked = sorted(counts.functions.items(), key=lambda item: (-item[1].cycles, item[0]))
    return subject.figures(
        board=board.name,
        chip=chip.name,
        clock_hz=clock_hz,
        time_ms=round(time_ms, 6),
        operators=[
            counted(each, counts.operators.get(each.index), total.cycles, clock_hz) for each in operators
        ],
        memory=_memory(subject, counts, board),
        evidence=_EVIDENCE_EMULATED,
        instructions=total.instructions,
        instructions_by_firmware=counts.counted_by_firmware,
        cycles=total.cycles,
        cycles_range=(total.cycles_lowest, total.cycles_highest),
        time_ms_range=(
            round(energy.milliseconds(total.cycles_lowest, clock_hz), 6),
            round(energy.milliseconds(total.cycles_highest, clock_hz), 6),
        ),
        cycles_with_flash=total.cycles_with_flash,
        time_ms_with_flash=round(energy.milliseconds(total.cycles_with_flash, clock_hz), 6),
        flash_reads=total.flash_reads,
        cache_misses=total.cache_misses,
        energy_uj=round(energy.microjoules(time_ms, chip.power), 3) if chip.power else None,
        energy_source=chip.power.source if chip.power else None,
        outside={
            "instructions": counts.outside.instructions,
            "cycles": counts.outside.cycles,
            "cycles_with_flash": counts.outside.cycles_with_flash,
            **component_names(counts.outside),
        },
        functions=[
            FunctionCost(name=name, instructions=cost.instructions, cycles=cost.cycles)
            for name, cost in ranked[:_LISTED_FUNCTIONS]
        ],
        symbols=[each for each in built.largest_symbols if each.memory == "flash"][:_LISTED_SYMBOLS],
    )


# Virtual boards may stand behind a port too.
_EVIDENCE_BY_BOARD = {"sim": "emulated", "native": "host"}
_EVIDENCE_EMULATED = {
    "instructions": "emulated",
    "flash_reads": "emulated",
    "cache_misses": "estimated",
    "cycles": "estimated",
    "cycles_with_flash": "estimated",
    "time_ms": "estimated",
    "energy_uj": "estimated",
    "stack_bytes": "emulated",
    "flash_bytes": "linked",
    "ram_bytes": "linked",
    "arena_bytes": "linked",
}


def _memory(subject: _Subject, counts: Counts, board: Board) -> ProgramMemory:
    built, program = subject.built, load_program(Path(subject.built.elf))
    flash, ram = built.flash_bytes or 0, built.ram_bytes or 0
    on_board: tuple[int | None, int | None, str | None] = (None, None, None)
    if board.kind == "usb":
        record = subject.manifest.firmware.get(board.name, {})
        if record.get("engine") == built.engine and record.get("flash_bytes"):
            on_board = record["flash_bytes"], record["ram_bytes"], "built"
        elif board.arduino:
            drives = peripherals(built.app)
            # The virtual board's own stack, 8 KB, stands for the ring of the real one's microphone.
            on_board = (
                flash + board.arduino.empty_flash_bytes(drives),
                ram + board.arduino.empty_ram_bytes(drives, board.arduino.stack_bytes(drives)),
                "estimated",
            )
    return ProgramMemory(
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


def _on_host(subject: _Subject, target: BuildTarget) -> ProfileFigures:
    """Time on this computer."""
    with open_board(subject.run, target) as link:
        time_ms = _time_inferences(link, link.wait_ready().input_bytes)
    return subject.figures(
        time_ms=time_ms,
        memory=ProgramMemory.filled(arena_bytes=subject.built.arena_bytes),
        evidence={"time_ms": "host", "arena_bytes": "linked"},
    )


def _with_board(report: ProfileFigures, run: Run, manifest: Manifest, target: BuildTarget) -> ProfileFigures:
    """The report with inferences that a real board made, by its own clock."""
    with open_board(run, target) as link:
        ready = link.wait_ready()
        check_firmware(ready, manifest, report.board)
        time_ms = _time_inferences(link, ready.input_bytes)
    on_board = TimedOnBoard(
        time_ms=time_ms,
        engine=ready.engine,
        estimate_error=round(report.time_ms / time_ms - 1, 4) if time_ms else None,
    )
    evidence = report.evidence | {"on_board": _EVIDENCE_BY_BOARD.get(ready.board, "on the board")}
    return report.model_copy(update={"on_board": on_board, "evidence": evidence})


def _time_inferences(link: Link, input_bytes: int) -> float:
    """The median of some inferences in ms, by the device's own clock."""
    values = np.random.default_rng(INPUT_SEED).integers(-128, 128, input_bytes).astype(np.int8)
    times_us = []
    for _ in range(_WARM_UPS + _TIMED_RUNS):
        link.write_input(values)
        times_us.append(link.run_inference().inference_us)
    return statistics.median(times_us[_WARM_UPS:]) / 1000
