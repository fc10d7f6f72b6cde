"""The output of the counting plugin: basic blocks and how often each ran, by operator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import on_this_run

_HEADER = "tcg_profile 2"
_LARGEST_TRACE_BYTES = 64 << 20
_LARGEST_COUNT = 1 << 62


@dataclass(frozen=True)
class CodeBlock:
    """Instructions at start..end (addresses) that ran one after another.

    Attributes:
        executions: how often.
        jumps: how often the block was left by a taken branch.
    """

    start: int
    end: int
    executions: int
    jumps: int


@dataclass(frozen=True)
class Segment:
    """A stretch of one inference: an operator, or (mark 0) the code that calls the operators.

    Attributes:
        flash_reads: how often it read data from the code region, where flash lies.
        cache_misses: lines of code that the plugin's cache lacked.
    """

    mark: int
    blocks: tuple[CodeBlock, ...]
    flash_reads: int = 0
    cache_misses: int = 0


@dataclass(frozen=True)
class Trace:
    """One inference.

    Attributes:
        stack_lowest: the lowest stack address that the inference wrote.
        stack_lowest_ever: the lowest that the program wrote since reset.
    """

    segments: tuple[Segment, ...]
    stack_lowest: int
    stack_lowest_ever: int


def read_trace(path: Path) -> Trace:
    """Reads the plugin's output.

    Raises:
        TinymlError: there is none, or it is not a whole trace.
    """
    try:
        if path.stat().st_size > _LARGEST_TRACE_BYTES:
            raise ValueError(f"larger than {_LARGEST_TRACE_BYTES} bytes")
        return parse_trace(path.read_text(encoding="ascii"))
    except FileNotFoundError as error:
        raise TinymlError(
            "The virtual board ran, but its inference function never returned: nothing was counted",
            str(path),
            f"Rebuild the firmware: {on_this_run('build', '--board', 'sim')}",
        ) from error
    except (OSError, ValueError) as error:
        raise TinymlError(
            f"The counts of the virtual board are damaged ({error})", str(path), "Run the command again."
        ) from error


def parse_trace(text: str) -> Trace:
    """Parses a trace.

    Raises:
        ValueError: it is not a whole trace; says which line.
    """
    lines = text.splitlines()
    if len(lines) < 3 or lines[0] != _HEADER or lines[-1] != "end":
        raise ValueError("it does not start and end like a trace")
    kind, *fields = lines[-2].split(" ")
    if kind != "stack" or len(fields) != 2:
        raise ValueError(f"line {len(lines) - 1} is {lines[-2][:40]!r}")
    lowest, lowest_ever = (_address(field, len(lines) - 1) for field in fields)
    return Trace(_segments(lines[1:-2]), lowest, lowest_ever)


def _segments(lines: list[str]) -> tuple[Segment, ...]:
    """Segments: a line that opens it, its blocks, a line of reads that closes it."""
    segments: list[Segment] = []
    mark: int | None = None
    blocks: list[CodeBlock] = []
    for number, line in enumerate(lines, 2):
        kind, *fields = line.split(" ")
        if kind == "segment" and len(fields) == 1 and mark is None:
            mark = _address(fields[0], number)
        elif kind == "block" and len(fields) == 4 and mark is not None:
            blocks.append(_block(fields, number))
        elif kind == "reads" and len(fields) == 2 and mark is not None:
            reads, misses = (_count(field, number) for field in fields)
            segments.append(Segment(mark, tuple(blocks), reads, misses))
            mark, blocks = None, []
        else:
            raise ValueError(f"line {number} is {line[:40]!r}")
    if mark is not None:
        raise ValueError("the last segment is not closed")
    return tuple(segments)


def _block(fields: list[str], number: int) -> CodeBlock:
    start, end = _address(fields[0], number), _address(fields[1], number)
    executions, jumps = (_count(field, number) for field in fields[2:])
    if not start < end or start % 2 or end % 2 or not 0 <= jumps <= executions or executions == 0:
        raise ValueError(f"line {number} has an impossible count")
    return CodeBlock(start, end, executions, jumps)


def _address(field: str, number: int) -> int:
    if not 1 <= len(field) <= 8 or not set(field) <= set("0123456789abcdef"):
        raise ValueError(f"line {number} has no address in {field[:20]!r}")
    return int(field, 16)


def _count(field: str, number: int) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 19) or int(field) > _LARGEST_COUNT:
        raise ValueError(f"line {number} has no count in {field[:20]!r}")
    return int(field)
