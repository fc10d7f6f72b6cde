"""What must be installed here to build firmware for a virtual board, and to run it."""

from __future__ import annotations

import shutil

import pytest

from tinyml_cli.boards.boards import load_board

TOOLS = {"native": ("g++",), "sim": ("arm-none-eabi-gcc", "qemu-system-arm"), "browser": ("node",)}

# The quick tests ask the emulated Cortex-M4, the closest to a real board; the slow ones this computer too.
BOARDS = (pytest.param("native", marks=pytest.mark.slow), "sim")


def require_tools(board: str) -> None:
    """Skips the test where a tool is missing."""
    for tool in TOOLS[board]:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    if board == "browser" and not load_board(board).needs[0].present:
        pytest.skip("no compiler for WebAssembly here")
