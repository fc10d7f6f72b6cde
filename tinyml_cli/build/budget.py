"""Whether a program fits a board's flash and RAM: estimated before a build, measured after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from tinyml_cli.boards.boards import Board
from tinyml_cli.build.sizes import Memory, Sizes
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.wording import counted

_ADVICE = "Choose a smaller model (another --config), or --engine aot, which needs less flash and RAM."
_SHOWN = 3


def check_estimate(
    board: Board,
    graphs: Sequence[Graph],
    arena_bytes: int,
    peripherals: Collection[str] = (),
    stack_bytes: int | None = None,
) -> None:
    """Refuses, before a long build, what cannot fit: the models alone beside an empty program are too large.

    Only boards with an Arduino core are judged; the others build in seconds and their linker tells.

    Args:
        graphs: the int8 models that share the board; where they are not known, only RAM is judged.
        arena_bytes: what the engine reserves for their activations.
        peripherals: what the application drives.
        stack_bytes: of the firmware's own main thread; None: the core's.

    Raises:
        TinymlError: names the largest tensors.
    """
    if board.arduino is None:
        return
    subject = "The two models together" if len(graphs) > 1 else "The model"
    tensors = [tensor for graph in graphs for tensor in graph.tensors]
    weights = [tensor for tensor in tensors if tensor.data is not None]
    weight_bytes = sum(tensor.bytes for tensor in weights)
    empty_bytes = board.arduino.empty_flash_bytes(peripherals)
    _check(board, "flash", subject, "weights", weight_bytes, empty_bytes, weights)
    activations = [tensor for tensor in tensors if tensor.data is None]
    empty_bytes = board.arduino.empty_ram_bytes(peripherals, stack_bytes)
    _check(board, "ram", subject, "arena", arena_bytes, empty_bytes, activations)


def check_measured(
    board: Board,
    sizes: Sizes | None,
    log: Path,
    peripherals: Collection[str] = (),
    kept_flash_bytes: int = 0,
) -> None:
    """Refuses a program that links, but leaves the board's core, and what the application drives, too little.

    Args:
        kept_flash_bytes: what the application keeps in flash besides the program.

    Raises:
        TinymlError: names the largest symbols.
    """
    if sizes is None:
        return
    heap_bytes = board.arduino.free_heap_bytes(peripherals) if board.arduino else 0
    limits: list[tuple[Memory, int, int | None]] = [
        ("flash", sizes.flash_bytes + kept_flash_bytes, board.flash_bytes),
        ("ram", sizes.ram_bytes + heap_bytes, board.ram_bytes),
    ]
    for memory, used, limit in limits:
        if limit is None or used <= limit:
            continue
        name = _name(memory)
        kept, what = kept_flash_bytes, "data"
        if memory == "ram":
            kept, what = heap_bytes, "heap of the board's core"
        heap = f", {kept:,} of them {what}" if kept else ""
        largest = [symbol for symbol in sizes.largest_symbols if symbol.memory == memory][:_SHOWN]
        raise TinymlError(
            f"The program does not fit the board `{board.name}`: {counted(used - limit, 'byte')} of "
            f"{name} too "
            f"many (it needs {used:,}{heap}, the board has {limit:,}). Largest: "
            + ", ".join(f"{symbol.name} {symbol.bytes:,} B of {name}" for symbol in largest),
            str(log),
            _ADVICE,
        )


def _check(
    board: Board,
    memory: Memory,
    subject: str,
    what: str,
    model_bytes: int,
    empty_bytes: int,
    tensors: Iterable[Tensor],
) -> None:
    limit = board.flash_bytes if memory == "flash" else board.ram_bytes
    if limit is None or model_bytes + empty_bytes <= limit:
        return
    largest = sorted(tensors, key=lambda tensor: tensor.bytes, reverse=True)[:_SHOWN]
    detail = ", ".join(f"{tensor.label} {tensor.bytes:,} B" for tensor in largest)
    raise TinymlError(
        f"{subject} cannot fit the board `{board.name}`: {what} of {model_bytes:,} B and an otherwise "
        f"empty program (about {empty_bytes:,} B) need more {_name(memory)} than the {limit:,} B available"
        + (f". Largest tensors: {detail}" if detail else ""),
        "estimated before the build",
        _ADVICE,
    )


def _name(memory: Memory) -> str:
    return "RAM" if memory == "ram" else memory
