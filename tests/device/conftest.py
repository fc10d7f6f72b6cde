"""Fixtures of the device tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REFERENCE_DEVICE = Path(__file__).with_name("reference_device.py")


@pytest.fixture
def reference_device() -> Iterator[Callable[..., str]]:
    """Starts protocol test doubles: reference_device("--fault", "crc:1") -> URL."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> str:
        process = subprocess.Popen(
            [sys.executable, str(REFERENCE_DEVICE), *arguments], stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout
        return f"socket://127.0.0.1:{int(process.stdout.readline())}"

    yield start
    for process in processes:
        process.kill()
        process.communicate()
