"""Runs one inference on the virtual board with the counting plugin, and attributes the instructions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinyml_cli import temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.next_step import on_this_run
from tinyml_cli.profile import plugin
from tinyml_cli.profile.cycles import CodeCost, block_cost, flash_cost
from tinyml_cli.profile.program import Program, load_program
from tinyml_cli.profile.trace import CodeBlock, Trace, read_trace

INPUT_SEED = 20
_TIMEOUT_S = 120  # for models of thousands of millions of instructions


@dataclass
class Counts:
    """What one inference executed.

    Attributes:
        operators: index of the operator -> cost, in order of execution.
        outside: the engine's own code between the operators.
        functions: name of the function -> cost.
        counted_by_firmware: instructions by the program's own timer, in steps of 40.
        stack_bytes: how deep the stack was in the inference, callers included.
        stack_bytes_ever: since reset.
    """

    operators: dict[int, CodeCost] = field(default_factory=dict)
    outside: CodeCost = field(default_factory=CodeCost)
    functions: dict[str, CodeCost] = field(default_factory=dict)
    counted_by_firmware: int = 0
    stack_bytes: int = 0
    stack_bytes_ever: int = 0

    @property
    def total(self) -> CodeCost:
        """The whole inference."""
        return total([*self.operators.values(), self.outside])


def total(costs: Iterable[CodeCost]) -> CodeCost:
    """The sum of some costs."""
    sum_of = CodeCost()
    for cost in costs:
        sum_of.add(cost)
    return sum_of


def count_inference(elf: Path, engine: str) -> Counts:
    """Boots a firmware of the board `sim` and counts its second inference on random int8 inputs.

    The first one may set something up. The inputs are the same every time (INPUT_SEED).

    Args:
        engine: "aot" or "tflm".

    Raises:
        TinymlError: the plugin cannot be had, the firmware does not run, or its counts make no sense.
    """
    program = load_program(elf)
    marks = program.operators(engine)
    specification = plugin.specification(program.window(engine), marks, program.stack)
    library = plugin.plugin()
    with temporary.folder("profile") as name:
        spec, out = Path(name) / "spec", Path(name) / "trace"
        spec.write_text(specification, encoding="ascii", newline="\n")
        with (
            VirtualDevice("sim", elf, plugin.options(library, spec, out)) as device,
            Link(device.url, timeout_s=_TIMEOUT_S) as link,
        ):
            by_firmware = _run_twice(link)
        counts = attribute(program, read_trace(out), marks)
    counts.counted_by_firmware = by_firmware
    return counts


def attribute(program: Program, trace: Trace, marks: dict[int, tuple[int, ...]]) -> Counts:
    """Adds up a trace by operator and by function.

    Args:
        marks: what `Program.operators` says.

    Raises:
        TinymlError: the trace does not fit the program.
    """
    counts = Counts()
    entries: Counter[int] = Counter()
    for segment in trace.segments:
        owner = counts.outside
        if segment.mark:
            index = _operator_index(program, segment.mark, marks, entries)
            owner = counts.operators.setdefault(index, CodeCost())
        owner.add(flash_cost(segment.flash_reads, segment.cache_misses))
        for block in segment.blocks:
            cost = _cost(program, block)
            owner.add(cost)
            counts.functions.setdefault(program.function_at(block.start), CodeCost()).add(cost)
    top = program.stack[1]
    counts.stack_bytes = max(0, top - trace.stack_lowest)
    counts.stack_bytes_ever = max(0, top - trace.stack_lowest_ever)
    return counts


def _operator_index(
    program: Program, mark: int, marks: dict[int, tuple[int, ...]], entries: Counter[int]
) -> int:
    if mark not in marks:
        raise TinymlError(
            f"The virtual board counted an operator at {mark:#x}, but the program has none there",
            str(program.path),
            "Run the command again.",
        )
    so_far = entries.total()
    indices = marks[mark]
    place = entries[mark]
    entries[mark] += 1
    return indices[min(place, len(indices) - 1)] if indices else so_far


def _cost(program: Program, block: CodeBlock) -> CodeCost:
    try:
        return block_cost(block, program.code(block.start, block.end))
    except ValueError as error:
        raise TinymlError(
            f"The virtual board ran a block at {block.start:#x} that the program does not have ({error})",
            str(program.path),
            f"Rebuild the firmware: {on_this_run('build', '--board', 'sim')}",
        ) from error


def _run_twice(link: Link) -> int:
    """Runs the same inputs twice; instructions of the second by the firmware's own count."""
    size = link.wait_ready().input_bytes
    values = np.random.default_rng(INPUT_SEED).integers(-128, 128, size).astype(np.int8)
    for _ in range(2):
        link.write_input(values)
        answer = link.run_inference()
    return answer.instructions
