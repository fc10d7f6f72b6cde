"""Estimates the cycles of counted instructions on a Cortex-M4. A model, not a measurement.

Costs: Cortex-M4 Technical Reference Manual (Arm DDI 0439), section 3.3 "Instruction set summary", tables 3-1
and its "Load/store timings", and section 7.2 (floating point). Memory has no wait states, as in
these tables; `CodeCost.cycles_with_flash` and the highest estimate add those of a chip's flash. See
docs/profile.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tinyml_cli.profile.thumb import Instruction, Kind, decode
from tinyml_cli.profile.trace import CodeBlock


class Component(Enum):
    """What cycles are spent on, for people."""

    MULTIPLY = "multiply"
    ARITHMETIC = "arithmetic"
    LOAD = "load"
    STORE = "store"
    BRANCH = "branch"
    OTHER = "other"


@dataclass(frozen=True)
class CycleAssumptions:
    """What the manuals give as a range.

    Attributes:
        refill: cycles to refill the pipeline after a taken branch ("P", 1 to 3).
        divide: cycles of SDIV and UDIV (2 to 12, fewer for small quotients).
    """

    refill: int = 2
    divide: int = 7


TYPICAL = CycleAssumptions()
LOWEST = CycleAssumptions(refill=1, divide=2)
HIGHEST = CycleAssumptions(refill=3, divide=12)

FLASH_READ_WAIT = 2
"""Wait states of a read of data from the nRF52840's flash, which its cache does not serve: W_FLASH of its
Product Specification, chapter CPU."""
CACHE_MISS_WAIT = 3
"""Wait states of a fetch that its instruction cache lacks: W_FLASHCACHE, the same chapter."""

_COMPONENTS = {
    Kind.MULTIPLY: Component.MULTIPLY,
    Kind.ALU: Component.ARITHMETIC,
    Kind.LOAD: Component.LOAD,
    Kind.LOAD_MULTIPLE: Component.LOAD,
    Kind.STORE: Component.STORE,
    Kind.STORE_INDEXED: Component.STORE,
    Kind.STORE_MULTIPLE: Component.STORE,
    Kind.BRANCH: Component.BRANCH,
    Kind.TABLE_BRANCH: Component.BRANCH,
    Kind.IF_THEN: Component.BRANCH,
}
_FIXED = {
    Kind.FLOAT_PAIR: 2,
    Kind.FLOAT_MULTIPLY_ADD: 3,
    Kind.FLOAT_DIVIDE: 14,
    Kind.STORE_INDEXED: 2,
    Kind.LOAD: 2,
    Kind.SYSTEM: 2,
    # Two for the load and one for the addition; the refill is counted with the jump.
    Kind.TABLE_BRANCH: 3,
}


@dataclass
class CodeCost:
    """Instructions and estimated cycles of some code; adds up."""

    instructions: int = 0
    cycles: int = 0
    cycles_lowest: int = 0
    cycles_highest: int = 0
    flash_reads: int = 0
    cache_misses: int = 0
    components: dict[Component, int] = field(default_factory=dict)

    @property
    def cycles_with_flash(self) -> int:
        """The cycles with what the nRF52840 waits for its flash."""
        return self.cycles + flash_wait(self.flash_reads, self.cache_misses)

    def add(self, other: CodeCost) -> None:
        """Adds another cost to this one."""
        self.instructions += other.instructions
        self.cycles += other.cycles
        self.cycles_lowest += other.cycles_lowest
        self.cycles_highest += other.cycles_highest
        self.flash_reads += other.flash_reads
        self.cache_misses += other.cache_misses
        for component, cycles in other.components.items():
            self.components[component] = self.components.get(component, 0) + cycles


def flash_wait(reads: int, misses: int) -> int:
    """Cycles that the nRF52840 waits for reads of data from flash, and for code that its cache lacks."""
    return reads * FLASH_READ_WAIT + misses * CACHE_MISS_WAIT


def flash_cost(reads: int, misses: int = 0) -> CodeCost:
    """What accesses to flash add to the instructions that make them."""
    return CodeCost(cycles_highest=flash_wait(reads, misses), flash_reads=reads, cache_misses=misses)


def block_cost(block: CodeBlock, code: bytes) -> CodeCost:
    """What all executions of a block cost.

    Args:
        block: how often it ran, and was left by a jump.
        code: its instructions.

    Raises:
        ValueError: the code ends within an instruction.
    """
    instructions = tuple(decode(code))
    typical = _components(instructions, block, TYPICAL)
    return CodeCost(
        instructions=len(instructions) * block.executions,
        cycles=sum(typical.values()),
        cycles_lowest=sum(_components(instructions, block, LOWEST).values()),
        cycles_highest=sum(_components(instructions, block, HIGHEST).values()),
        components=typical,
    )


def _components(
    instructions: tuple[Instruction, ...], block: CodeBlock, assumptions: CycleAssumptions
) -> dict[Component, int]:
    cycles: dict[Component, int] = {Component.BRANCH: block.jumps * assumptions.refill}
    previous: Instruction | None = None
    for instruction in instructions:
        component = _COMPONENTS.get(instruction.kind, Component.OTHER)
        cost = _straight(instruction, previous, assumptions) * block.executions
        cycles[component] = cycles.get(component, 0) + cost
        previous = instruction
    return {component: count for component, count in cycles.items() if count}


def _straight(instruction: Instruction, previous: Instruction | None, assumptions: CycleAssumptions) -> int:
    """Cycles of an instruction without what a jump adds."""
    if instruction.kind is Kind.DIVIDE:
        return assumptions.divide
    if instruction.kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE):
        return 1 + instruction.registers
    if instruction.kind is Kind.IF_THEN:
        # Folded into a 16-bit instruction before it.
        return 0 if previous is not None and previous.size == 2 else 1
    cost = _FIXED.get(instruction.kind, 1)
    if previous is not None and _is_pipelined(instruction, previous):
        cost = 1
    return cost


def _is_pipelined(instruction: Instruction, previous: Instruction) -> bool:
    """A load or store right after a load whose result its address does not need overlaps with it."""
    return (
        instruction.kind in (Kind.LOAD, Kind.STORE_INDEXED)
        and not instruction.loads_pc
        and previous.kind is Kind.LOAD
        and not previous.updates_base
        and not instruction.address >> previous.target & 1
    )
