"""A linked Cortex-M program for the profiler: its code, functions, stack and the model's constants."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import on_this_run

_EXECUTABLE = 4  # SHF_EXECINSTR: System V ABI, section header flags
_AOT_OPERATOR = re.compile(r"op_(\d{2,})_")
# TfLiteStatus f(TfLiteContext*, TfLiteNode*): the type of every operator's function in TensorFlow Lite Micro.
_TFLM_OPERATOR = "P13TfLiteContextP10TfLiteNode"
_TFLM_WINDOWS = ("_ZN6tflite16MicroInterpreter6InvokeEv",)
_AOT_WINDOWS = ("network_invoke", "network_invoke_io")
_MODEL_DATA = re.compile(r"op_\d{2,}_|kModelData$")


@dataclass(frozen=True)
class Function:
    """A function: where its code starts, how many bytes it has, and its names."""

    names: tuple[str, ...]
    address: int
    bytes: int


@dataclass(frozen=True)
class Program:
    """What a firmware.elf says.

    Attributes:
        functions: by address.
        sections: (address, bytes) of each section with code.
        stack: (bottom, top) addresses.
        model_bytes: constants of the model in flash: weights, biases, requantisation; or the flatbuffer.
    """

    path: Path
    functions: tuple[Function, ...]
    sections: tuple[tuple[int, bytes], ...]
    stack: tuple[int, int]
    model_bytes: int

    def code(self, start: int, end: int) -> bytes:
        """The instructions at start..end.

        Raises:
            TinymlError: the program has no code there.
        """
        for address, data in self.sections:
            if address <= start < end <= address + len(data):
                return data[start - address : end - address]
        raise TinymlError(
            f"The virtual board ran code at {start:#x}, but the program has none there",
            str(self.path),
            f"Rebuild the firmware: {on_this_run('build', '--board', 'sim')}",
        )

    def function_at(self, address: int) -> str:
        """The name of the function that holds an address; "?" where no symbol covers it."""
        index = bisect_right(self._addresses, address) - 1
        if index < 0 or address >= self.functions[index].address + self.functions[index].bytes:
            return "?"
        return self.functions[index].names[0]

    @cached_property
    def _addresses(self) -> list[int]:
        return [function.address for function in self.functions]

    def window(self, engine: str) -> int:
        """The address of the function that runs one inference.

        Raises:
            TinymlError: the program has no such function.
        """
        names = _AOT_WINDOWS if engine == "aot" else _TFLM_WINDOWS
        for function in self.functions:
            if any(name in function.names for name in names):
                return function.address
        raise TinymlError(
            f"The program has no function `{names[0]}` to profile",
            str(self.path),
            f"Build it for the engine {engine}: {on_this_run('build', '--board', 'sim', '--engine', engine)}",
        )

    def operators(self, engine: str) -> dict[int, tuple[int, ...]]:
        """Address of each operator's function -> the operators that it is, in order of execution.

        Compilers merge functions that are equal. Operators of TensorFlow Lite Micro share a function for each
        kind and are known by their order alone: (), which stands for "the next".
        """
        if engine != "aot":
            return {
                f.address: () for f in self.functions for name in f.names if name.endswith(_TFLM_OPERATOR)
            }
        found: dict[int, tuple[int, ...]] = {}
        for function in self.functions:
            matches = (_AOT_OPERATOR.match(name) for name in function.names)
            if indices := sorted({int(match[1]) for match in matches if match}):
                found[function.address] = tuple(indices)
        return found


def load_program(elf: Path) -> Program:
    """Reads a firmware of the virtual board.

    Raises:
        TinymlError: not a whole ELF file, or one without symbols.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with elf.open("rb") as stream:
            return _read(ELFFile(stream), elf)
    except (OSError, ELFError, ValueError, KeyError) as error:
        raise TinymlError(
            f"Cannot read the program ({error})",
            str(elf),
            f"Rebuild the firmware: {on_this_run('build', '--board', 'sim')}",
        ) from error


def _read(file: Any, elf: Path) -> Program:
    table = file.get_section_by_name(".symtab")
    if table is None:
        raise ValueError("it has no symbols")
    by_address: dict[int, Function] = {}
    marks: dict[str, int] = {}
    model_bytes = 0
    for symbol in table.iter_symbols():
        kind, size, address = symbol["st_info"]["type"], symbol["st_size"], symbol["st_value"]
        if kind == "STT_FUNC" and size:
            address &= ~1  # the lowest bit says Thumb
            names = by_address[address].names if address in by_address else ()
            by_address[address] = Function((*names, symbol.name), address, size)
        elif kind == "STT_OBJECT" and _MODEL_DATA.match(symbol.name):
            model_bytes += size
        elif symbol.name in ("_stack_bottom", "_stack_top"):
            marks[symbol.name] = address
    return Program(
        path=elf,
        functions=tuple(by_address[address] for address in sorted(by_address)),
        sections=tuple(
            (section["sh_addr"], section.data())
            for section in file.iter_sections()
            if section["sh_flags"] & _EXECUTABLE and section["sh_type"] == "SHT_PROGBITS"
        ),
        stack=(marks["_stack_bottom"], marks["_stack_top"]),
        model_bytes=model_bytes,
    )
