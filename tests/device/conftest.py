"""Fixtures of the device tests."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.export import export
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Quantization
from tinyml_cli.run import MODEL_INT8, Run

if TYPE_CHECKING:
    from tests.device.desk import Desk

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
    from tests.device.desk import Desk
    from tests.device.fake_usb_board import comports
    from tests.device.fake_usb_cli import fake_build

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


@pytest.fixture(scope="session")
def firmware_run(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a third-party int8 model, exported for the engine aot: enough to build real firmware."""
    model = shared / "models" / "kws_ref_model.tflite"
    if not model.is_file():
        pytest.skip(f"there is no {model}")
    run = Run(tmp_path_factory.mktemp("firmware") / "run")
    run.path.mkdir()
    shutil.copy(model, run.file(MODEL_INT8))
    # The model takes 49 frames of 10 features and tells 12 classes; what they mean does not matter here.
    words = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"]
    features = AudioFrontendSettings(channels=10)
    manifest = Manifest(task="kws", seed=0, labels=["silence", "unknown", *words], features=features)
    tensors = {"input": {"scale": 0.58, "zero_point": 83}, "output": {"scale": 1 / 256, "zero_point": -128}}
    manifest.quantization = Quantization.model_validate(
        {"method": "ptq", "calibration_samples": 0, **tensors}
    )
    run.record(manifest, MODEL_INT8, made_by="tinyml convert")
    run.save(manifest)
    export(run, "aot")
    return run


@pytest.fixture(scope="session", params=["native", "sim"])
def firmware(request: pytest.FixtureRequest, firmware_run: Run) -> tuple[str, Path]:
    """(board, ELF) of real firmware, built once."""
    board = load_board(request.param)
    missing = [need.tool for need in board.needs if not need.present]
    if missing or (board.hosts and sys.platform not in board.hosts):
        pytest.skip(f"board {board.name} cannot run here (missing: {', '.join(missing) or sys.platform})")
    return board.name, Path(build(firmware_run, build_target(board.name, "aot")).elf)
