"""Builds and runs small Cortex-M4 programs under the counting plugin."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml_cli.link.virtual import qemu_command
from tinyml_cli.profile import plugin
from tinyml_cli.profile.emulate import Counts, attribute
from tinyml_cli.profile.program import load_program
from tinyml_cli.profile.trace import read_trace

STACK = (0x20000000, 0x20001000)
CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")


def require(*tools: str) -> None:
    """Skips the test where a program is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def require_counting() -> None:
    """Skips the test where no instructions can be counted."""
    if sys.platform == "win32":
        pytest.skip("QEMU for Windows loads no plugins that count")
    require("qemu-system-arm", "cc")


def assemble(source: Path, folder: Path, *flags: str) -> Path:
    """A program at address 0 that starts with its vector table."""
    require("arm-none-eabi-gcc")
    elf = folder / "program.elf"
    layout = f"-Wl,-Ttext=0,-ereset,--defsym=_stack_bottom={STACK[0]},--defsym=_stack_top={STACK[1]}"
    command = ["arm-none-eabi-gcc", *CPU, "-nostdlib", layout, *flags, str(source), "-o", str(elf)]
    subprocess.run(command, check=True)
    return elf


def count(elf: Path, folder: Path, engine: str = "aot") -> Counts:
    """Runs a program that leaves the emulator by itself; counts its last inference."""
    require_counting()
    program = load_program(elf)
    marks = program.operators(engine)
    spec, out = folder / "spec, with a comma", folder / "trace"
    spec.write_text(plugin.specification(program.window(engine), marks, program.stack))
    options = plugin.options(plugin.plugin(), spec, out)
    answer = subprocess.run(
        [*qemu_command(elf), *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return attribute(program, read_trace(out), marks)
