"""Whose bytes a program's are, by the linker's map: model, its kernels, firmware, libraries or core."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from pathlib import Path

from tinyml_cli.files import firmware_dir
from tinyml_cli.outcomes.stages import ProgramPart

NAME = "firmware.map"
_START = "Linker script and memory map"
# What takes flash, RAM, or, as initial values of variables, both.
_FLASH = ("vectors", "text", "rodata", "ARM.extab", "ARM.exidx", "init_array", "fini_array", "data")
_RAM = ("data", "bss", "noinit", "stack")
_OUTPUT = re.compile(r"^\.?(?P<name>[A-Za-z][\w.]*)(?:\s|$)")
_INPUT = re.compile(
    r"^ (?P<section>\.\S+|COMMON|\S+)?\s+0x[0-9a-f]+\s+0x(?P<size>[0-9a-f]+)\s(?P<object>\S.*)$"
)
# Constants and calls of a network, and the code of its operators with the engine `aot`, by library.
_NETWORK = {"model": "model", "tinyml_nn": "kernels"}
_ORDER = ("model", "kernels", "firmware", "libraries", "core")


def read(path: Path) -> list[ProgramPart]:
    """The parts of a program in this order, as far as they take anything; none without a map."""
    if not path.is_file():
        return []
    _, _, text = path.read_text(encoding="utf-8", errors="replace").partition(_START)
    ours = {folder.name for folder in (firmware_dir() / "lib").iterdir() if folder.is_dir()}
    flash: defaultdict[str, int] = defaultdict(int)
    ram: defaultdict[str, int] = defaultdict(int)
    section = ""
    for line in text.splitlines():
        if output := _OUTPUT.match(line):
            section = output["name"]
        elif found := _INPUT.match(line):
            part = _owner(found["object"], ours)
            flash[part] += int(found["size"], 16) if section in _FLASH else 0
            ram[part] += int(found["size"], 16) if section in _RAM else 0
    return [
        ProgramPart(part=part, flash_bytes=flash[part], ram_bytes=ram[part])
        for part in _ORDER
        if flash[part] or ram[part]
    ]


def _owner(name: str, ours: set[str]) -> str:
    """Whose an object file is, as PlatformIO lays them out: src/…, lib123/NAME/…, FrameworkArduino/…"""
    folders = Path(name.replace("\\", "/")).parts[:-1]
    libraries = [after for before, after in itertools.pairwise(folders) if _is_library(before)]
    if libraries:
        return _NETWORK.get(libraries[0]) or ("firmware" if libraries[0] in ours else "libraries")
    return "firmware" if folders and folders[-1] == "src" else "core"


def _is_library(folder: str) -> bool:
    return re.fullmatch(r"lib[0-9a-fA-F]{3}", folder) is not None
