"""Fixtures: boards that are not there."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.doubles.desk import Desk

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


@pytest.fixture
def native_double(tmp_path: Path) -> Callable[..., Path]:
    """Writes a program that speaks the protocol on standard input and output, as `native` firmware does."""

    def write(*arguments: str, to: Path | None = None) -> Path:
        if sys.platform == "win32":
            pytest.skip("the board `native` needs POSIX")
        program = to or tmp_path / "firmware.elf"
        program.parent.mkdir(parents=True, exist_ok=True)
        call = " ".join([sys.executable, str(REFERENCE_DEVICE), "--stdio", *arguments])
        program.write_text(f"#!/bin/sh\nexec {call}\n")
        program.chmod(0o755)
        return program

    return write


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A computer with simulated USB ports, whose printer nobody may open; builds are simulated too."""
    from tests.doubles.desk import Desk
    from tests.doubles.fake_usb_board import comports
    from tests.doubles.fake_usb_cli import fake_build

    desk = Desk(tmp_path)
    monkeypatch.setattr("serial.tools.list_ports.comports", functools.partial(comports, desk.bus.file))
    monkeypatch.setattr("tinyml_cli.flash.flash.build", functools.partial(fake_build, desk.program))
    yield desk
    assert not desk.printer.was_opened


@pytest.fixture(scope="session")
def banner_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny program for the virtual board: prints a banner, echoes, and crashes on `!`."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    elf = tmp_path_factory.mktemp("banner") / "banner.elf"
    flags = ["-nostdlib", "-mcpu=cortex-m4", "-mthumb", "-Wl,-Ttext=0x100,--section-start=.vectors=0,-estart"]
    source = Path(__file__).with_name("banner.S")
    subprocess.run(["arm-none-eabi-gcc", *flags, "-o", str(elf), str(source)], check=True)
    return elf
