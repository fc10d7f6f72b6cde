"""tinyml fleet bridge"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import fleet_options, options, training_options
from tinyml_cli.errors import TinymlError


def command(
    run: options.RunArgument = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board", callback=options.given(checks.board), help="A board with the run's firmware."
        ),
    ] = None,
    port: Annotated[str | None, typer.Option("--port", help="The board's; found by itself.")] = None,
    virtual: Annotated[
        int | None, typer.Option("--virtual", metavar="N", min=1, max=5000, help="So many virtual devices.")
    ] = None,
    sounds: Annotated[
        Path | None,
        typer.Option(
            "--sounds",
            metavar="DIR",
            callback=options.given(checks.data_folder),
            help="What virtual devices hear: a folder for each word.",
        ),
    ] = None,
    gateway: Annotated[
        str | None, typer.Option("--gateway", metavar="ID", help="Its name; this computer's by default.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="Its state; fleet-gateway-ID by default."),
    ] = None,
    broker: fleet_options.Broker = "mqtt://127.0.0.1",
    pace: Annotated[
        float, typer.Option("--pace", min=0, help="Seconds between two utterances of a virtual device.")
    ] = 10.0,
    report: Annotated[
        float, typer.Option("--report", min=0.1, help="Seconds between two summaries of a device, at least.")
    ] = 60.0,
    bytes_per_s: Annotated[
        float, typer.Option("--bytes-per-second", min=0.1, help="Of a device's summaries, at most.")
    ] = 10.0,
    heartbeat: Annotated[
        float, typer.Option("--heartbeat", min=1, help="Seconds between two signs of life of a device.")
    ] = 600.0,
    broken: Annotated[
        float, typer.Option("--broken", min=0, max=1, help="Share of virtual devices that is broken.")
    ] = 0.0,
    drop: Annotated[
        float, typer.Option("--drop", min=0, max=0.9, help="Share of messages to lose, for trials.")
    ] = 0.0,
    duplicate: Annotated[
        float,
        typer.Option("--duplicate", min=0, max=0.9, help="Share of messages to send twice, for trials."),
    ] = 0.0,
    seed: training_options.Seed = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Speak MQTT for a board on a port, or for virtual devices, until Ctrl-C.

    Virtual devices run the board's own C, each in a room of its own: voices, loudness, noise. What a device
    does is summarised here, so that a hundred of them fit one kilobyte a second.

    \b
    Examples:
      tinyml fleet bridge runs/lamp --board nano33ble
      tinyml fleet bridge --virtual 20 --sounds recordings/
      tinyml fleet bridge --virtual 200 --sounds recordings/ --broken 0.05 --drop 0.1 --duplicate 0.1 --pace 1
    """
    import random

    from tinyml_cli.build.target import build_target
    from tinyml_cli.fleet.broker import Broker, MqttLine
    from tinyml_cli.fleet.gateway import GatewayOptions
    from tinyml_cli.fleet.service import VirtualDevices, bridge, default_gateway
    from tinyml_cli.run import Run

    if (board is None) == (virtual is None):
        raise TinymlError(
            "A gateway speaks for a board or for virtual devices", "--board", "Give one of both."
        )
    if virtual is not None and sounds is None:
        raise TinymlError(
            "Virtual devices need something to hear", "--sounds", "Give a folder of recordings."
        )
    id = gateway or default_gateway()
    devices = VirtualDevices(virtual, sounds, broken, seed or 1) if virtual and sounds else None
    boards = (Run.open(run), build_target(board, port=port)) if board else None
    how = GatewayOptions(id, pace if virtual else 0.0, report, bytes_per_s, heartbeat)
    line = MqttLine(drop, duplicate, random.Random(seed or 1))
    bridge(state or Path(f"fleet-gateway-{id}"), Broker.at(broker), how, devices, boards, line)
