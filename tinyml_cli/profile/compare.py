"""One model by two engines, operator by operator, counted by the same emulator."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from tinyml_cli import tables
from tinyml_cli.build import tflm_tree
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.engines.export import ENGINES
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.profiles import ComparedOperator, EngineComparison, ProfileFigures
from tinyml_cli.profile.profile import profile
from tinyml_cli.profile.text import short
from tinyml_cli.run import Run

TFLM_VARIABLE = "TINYML_TFLM"
"""Names the sources of TensorFlow Lite Micro where --tflm does not."""

_OPTION = "--compare"


def targets_of(value: str, target: BuildTarget) -> tuple[BuildTarget, BuildTarget]:
    """What the option compares.

    Args:
        value: "tflm,aot": the second is compared with the first.
        target: the board.

    Raises:
        TinymlError: not two engines, a target that is not counted, or no sources of TensorFlow Lite Micro.
    """
    engines = [name.strip() for name in value.split(",")]
    if sorted(engines) != sorted(ENGINES):
        raise TinymlError(f"`{value}` does not name both engines", _OPTION, f"Give {_OPTION} tflm,aot.")
    if target.asked_engine is not None:
        raise TinymlError(f"{_OPTION} names the engines itself", "--engine", "Omit --engine.")
    if target.board.level == "host" or target.port is not None:
        raise TinymlError(
            "Engines are compared by instructions, which are counted on the virtual Cortex-M4 only",
            "--board" if target.port is None else "--port",
            "Use --board sim or a real board's name, and omit --port.",
        )
    named = os.environ.get(TFLM_VARIABLE)
    tree = target.tflm_dir or (Path(named) if named else None)
    if tree is None:
        raise TinymlError(
            "Comparing with TensorFlow Lite Micro needs its sources",
            _OPTION,
            f"Give a source tree with --tflm DIR or {TFLM_VARIABLE}=DIR, or omit {_OPTION}.",
        )
    target = replace(target, tflm_dir=tflm_tree.check_tree(tree))
    return replace(target, asked_engine=engines[0]), replace(target, asked_engine=engines[1])


def compare(run: Run, targets: tuple[BuildTarget, BuildTarget]) -> tuple[ProfileFigures, EngineComparison]:
    """Profiles a run's model with both engines; returns the second's profile, and both side by side.

    Raises:
        TinymlError: as `profile`, with either engine.
    """
    first, second = (profile(run, target) for target in targets)
    return second, _side_by_side(first, second)


def _side_by_side(first: ProfileFigures, second: ProfileFigures) -> EngineComparison:
    both = (first, second)
    return EngineComparison(
        engines=(first.engine, second.engine),
        instructions=_pair(*(each.instructions for each in both)),
        cycles=_pair(*(each.cycles for each in both)),
        cycles_with_flash=_pair(*(each.cycles_with_flash for each in both)),
        flash_bytes=_pair(*(each.memory.flash_bytes for each in both)),
        arena_bytes=_pair(*(each.memory.arena_bytes for each in both)),
        ratio=_ratio(first.instructions, second.instructions),
        operators=[
            ComparedOperator(
                index=one.index,
                name=one.name,
                shape=one.shape,
                macs=one.macs,
                instructions=_pair(one.instructions, other.instructions),
                cycles=_pair(one.cycles, other.cycles),
                ratio=_ratio(one.instructions, other.instructions),
            )
            for one, other in zip(first.operators, second.operators, strict=True)
        ],
    )


def text(comparison: EngineComparison, width: int) -> str:
    """The comparison for people, in lines of at most `width` columns."""
    one, other = comparison.engines
    heads = ["operator", "output", "MACs", f"instr {one}", f"instr {other}", "ratio",
             f"cycles {one}", f"cycles {other}"]  # fmt: skip
    rows = [_row(f"{row.index} {row.name}", row) for row in comparison.operators]
    rows.append(_row("total", comparison))
    sizes = (
        f"flash {one} {comparison.flash_bytes[0]:,} B, {other} {comparison.flash_bytes[1]:,} B; "
        f"arena {one} {comparison.arena_bytes[0]:,} B, {other} {comparison.arena_bytes[1]:,} B "
        "(linked; instructions emulated, cycles estimated)"
    )
    return tables.render(f"{other} compared with {one}", heads, rows, width) + f"\n\n{sizes}"


def _row(name: str, row: ComparedOperator | EngineComparison) -> list[str]:
    shape, macs = (row.shape, row.macs) if isinstance(row, ComparedOperator) else ([], 0)
    return [
        name,
        "×".join(str(size) for size in shape[1:] or shape),
        short(macs) if macs else "",
        *map(short, row.instructions),
        "-" if row.ratio is None else f"{row.ratio:.3f}",
        *map(short, row.cycles),
    ]


def _pair(first: int | None, second: int | None) -> tuple[int, int]:
    return first or 0, second or 0


def _ratio(first: int | None, second: int | None) -> float | None:
    return round(second / first, 4) if first and second is not None else None
