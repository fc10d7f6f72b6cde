"""Flash and RAM of a program, from its ELF file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_WRITE, _ALLOC = 1, 2  # SHF_WRITE, SHF_ALLOC: System V ABI, section header flags
# Marked writable, but constant: they stay in flash.
_START_UP_TABLES = ("SHT_INIT_ARRAY", "SHT_PREINIT_ARRAY", "SHT_FINI_ARRAY")

# Arduino's core lets its heap have all RAM that is left.
_LEFT_OVER = (".heap",)

Memory = Literal["flash", "ram"]


@dataclass(frozen=True)
class Symbol:
    """A function or variable and the bytes it takes in flash or RAM."""

    name: str
    bytes: int
    memory: Memory


@dataclass(frozen=True)
class Sizes:
    """Bytes of flash (code, constants, initial values) and of RAM (variables and reserved stack)."""

    flash_bytes: int
    ram_bytes: int
    largest_symbols: list[Symbol]


def measure(elf: Path, n_symbols: int = 10) -> Sizes | None:
    """Measures a linked program; None if the file is not ELF (a native build on macOS)."""
    with elf.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return None
        from elftools.elf.elffile import ELFFile

        file = ELFFile(stream)
        flash_bytes = ram_bytes = 0
        for section in file.iter_sections():
            if not section["sh_flags"] & _ALLOC or section.name in _LEFT_OVER:
                continue
            if section["sh_type"] != "SHT_NOBITS":
                flash_bytes += section["sh_size"]
            if _memory(section) == "ram":
                ram_bytes += section["sh_size"]
        return Sizes(flash_bytes, ram_bytes, _largest(_symbols(file), n_symbols))


def largest_symbols(objects: Iterable[Path], memory: Memory, n: int = 3) -> list[Symbol]:
    """The `n` largest symbols of one memory in object files, for a program that could not be linked."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    found: list[Symbol] = []
    for path in objects:
        try:
            with path.open("rb") as stream:
                found += _symbols(ELFFile(stream))
        except (OSError, ELFError):
            continue
    return _largest((symbol for symbol in found if symbol.memory == memory), n)


def _symbols(file: Any) -> list[Symbol]:
    table = file.get_section_by_name(".symtab")
    if table is None:
        return []
    found = []
    for symbol in table.iter_symbols():
        index = symbol["st_shndx"]
        if (
            symbol["st_size"]
            and symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT")
            and isinstance(index, int)
        ):
            section = file.get_section(index)
            if section["sh_flags"] & _ALLOC:
                found.append(Symbol(symbol.name, symbol["st_size"], _memory(section)))
    return found


def _memory(section: Any) -> Memory:
    writable = section["sh_flags"] & _WRITE and section["sh_type"] not in _START_UP_TABLES
    return "ram" if writable else "flash"


def _largest(symbols: Iterable[Symbol], n: int) -> list[Symbol]:
    return sorted(symbols, key=lambda symbol: (-symbol.bytes, symbol.name))[:n]
