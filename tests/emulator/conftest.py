"""Where the programs for the emulated board are compiled: once for all tests of a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.desk import compiled


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A program's ELF file by its name."""
    folder = tmp_path_factory.mktemp("programs")
    return lambda name: compiled(name, folder)
