"""A computer with a simulated USB board on it, a run, and what building that run shall yield. Linux only."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.doubles.fake_usb_board import Bus, FakeUsbBoard, Faults, OtherDevice
from tests.doubles.reference_device import LABELS
from tinyml_cli.build.target import build_target
from tinyml_cli.flash.bootloader import Timing
from tinyml_cli.flash.flash import flash
from tinyml_cli.flash.upload_tool import UploadTool
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact
from tinyml_cli.outcomes.stages import Flashed
from tinyml_cli.run import MODEL_INT8, Run

HERE = Path(__file__).parent
BOSSAC = UploadTool((sys.executable, "-S", str(HERE / "fake_bossac.py")))
QUICK = Timing(
    bootloader_s=4.0, double_press_s=9.0, sketch_s=6.0, banner_s=9.0, settle_s=0.3, access_s=0.5, poll_s=0.02
)
# For boards of which it is known that they will not do what is waited for.
HASTY = replace(QUICK, bootloader_s=0.5, sketch_s=1.0)
MODEL = "0123456789ab"
OTHER_MODEL = "ba9876543210"


def program(model: str = MODEL) -> bytes:
    call = shlex.join([sys.executable, "-S", str(HERE / "reference_device.py"), "--stdio", "--model", model])
    # As large as a small firmware, so that its upload takes several pages.
    return f"#!/bin/sh\nexec {call}\n".encode() + b"#" * 50_000 + b"\n"


CRASHES = b"#!/bin/sh\nexit 1\n"
TALKS = b"#!/bin/sh\nwhile sleep 0.1; do echo Blink; done\n"
OLD = program(OTHER_MODEL)


class Desk:
    """A computer with a bus, a printer that must not be touched, a run and what its build shall yield."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bus = Bus(folder / "ports.json")
        self.printer = OtherDevice(self.bus)
        self.program = folder / "built"
        self.program.write_bytes(program())
        self.run = Run(folder / "run")
        self.run.path.mkdir()
        manifest = Manifest(task="kws", seed=1, labels=LABELS)
        manifest.artifacts[MODEL_INT8] = Artifact(sha256=MODEL + "0" * 52, bytes=1, made_by="test")
        self.run.save(manifest)

    def board(self, program: bytes = OLD, faults: Faults | None = None, **more: Any) -> FakeUsbBoard:
        return FakeUsbBoard(self.bus, program, self.folder, faults, **more)

    def flash(self, port: str | None = None, timing: Timing = QUICK) -> Flashed:
        return flash(self.run, build_target("nano33ble", port=port), tool=BOSSAC, timing=timing)
