"""`tinyml bench --serve`: a virtual board as a serial port, until it is interrupted."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tinyml_cli.bench import launch_runner
from tinyml_cli.bench.serve import SerialBridge
from tinyml_cli.build.build import build
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.engines.benchmarks import choose
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.outcomes.boards import Served
from tinyml_cli.run import Run, board_model
from tinyml_cli.tflite import graph as tflite_graph

USB_ID = "1209:0001"
"""Ids for the runner's device table: pid.codes' pair for tests. No such device exists."""


def serve_port(run: Run, target: BuildTarget) -> None:
    """Builds the application `bench`, starts the board and prints its port, until it ends or Ctrl-C.

    Raises:
        TinymlError: it cannot be built or started, or this system has no pseudo-terminals.
    """
    board = target.board.name
    if target.is_usb:
        raise TinymlError(
            f"The board `{board}` already has a serial port",
            "--serve",
            "Flash it with the application bench, and add its USB ids to the runner's device table.",
        )
    manifest = run.manifest()
    path = run.require(manifest, board_model(manifest))
    chosen = choose(tflite_graph.parse(path.read_bytes(), str(path)), target.benchmark)
    outcome = build(run, target.bench(chosen.name))
    with VirtualDevice(board, Path(outcome.elf)) as device, SerialBridge(device.url) as bridge:
        console.info(
            f"Drive it with MLPerf Tiny's runner, whose device table must contain the USB ids {USB_ID}:\n"
            f"  python {launch_runner.__file__} {bridge.port} {USB_ID} main.py -d devices.yaml -s DATASETS\n"
            "Ctrl-C stops the board."
        )
        console.result(Served(port=bridge.port, usb=USB_ID, benchmark=chosen.name), bridge.port)
        with contextlib.suppress(KeyboardInterrupt):
            bridge.wait()
