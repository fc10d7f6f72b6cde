"""`tinyml fleet serve` and `tinyml fleet bridge`: what they open, and how they end."""

from __future__ import annotations

import contextlib
import random
import re
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import checks, locks
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet import broker
from tinyml_cli.fleet.board_member import BoardMember
from tinyml_cli.fleet.broker import Broker, MqttLine
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.gateway import Gateway, GatewayOptions
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.members import Member
from tinyml_cli.fleet.messages import ID
from tinyml_cli.fleet.programs import Programs
from tinyml_cli.fleet.rooms import recordings_by_word
from tinyml_cli.fleet.server import FleetServer
from tinyml_cli.fleet.virtual_member import FAULTS, VirtualMember
from tinyml_cli.outcomes.fleets import FleetServed, GatewayOpened
from tinyml_cli.run import Run
from tinyml_cli.wording import counted


@dataclass(frozen=True)
class VirtualDevices:
    """Which virtual devices a gateway has.

    Attributes:
        count: how many.
        sounds: a folder of recordings, with a folder for each word.
        broken: share of them that is broken.
        seed: of their rooms, faults and line.
    """

    count: int
    sounds: Path
    broken: float = 0.0
    seed: int = 1


def serve(fleet: Path, address: Broker) -> None:
    """Serves a fleet until Ctrl-C.

    Raises:
        TinymlError: the folder cannot be written, or another server has it; aiomqtt is missing.
    """
    broker.require_aiomqtt()
    with contextlib.ExitStack() as stack:
        folder = _folder(stack, fleet, "fleet", "--fleet")
        state = FleetDatabase(folder)
        stack.callback(state.close)
        with state.reading() as table:
            devices = table.execute("select count(*) from devices").fetchone()[0]
        served = FleetServed(fleet=str(fleet), broker=str(address), devices=devices)
        known = f"{counted(devices, 'device')} so far"
        console.result(served, f"Serving the fleet in {fleet}, {known}, by {address}. Ctrl-C ends it.")
        _until_stopped(FleetServer(address, state).serve)


def bridge(
    folder: Path,
    address: Broker,
    options: GatewayOptions,
    virtual: VirtualDevices | None,
    boards: tuple[Run, BuildTarget] | None,
    line: MqttLine,
) -> None:
    """Is a gateway until Ctrl-C.

    Args:
        folder: of its state.
        virtual, boards: its devices; one of both.

    Raises:
        TinymlError: a bad name, no recordings, no board, or a folder that another gateway has.
    """
    broker.require_aiomqtt()
    if not re.fullmatch(ID, options.id):
        raise TinymlError(
            f"`{options.id}` cannot name a gateway",
            "--gateway",
            "Use lower-case letters, digits and hyphens.",
        )
    with contextlib.ExitStack() as stack:
        home = _folder(stack, folder, "gateway", "--state")
        state = GatewayState(home)
        stack.callback(state.close)
        programs = Programs(home / "releases")
        members: list[Member] = []
        broken: dict[str, str] = {}
        if virtual is not None:
            recordings_by_word(virtual.sounds)
            members, broken = _virtual(virtual, options.id, state, programs)
        if boards is not None:
            name = f"{options.id}-{boards[1].board.name}".replace("_", "-")
            board = BoardMember(name, *boards, state, programs)
            board.open()
            stack.callback(board.close)
            members.append(board)
        ids = [member.id for member in members]
        opened = GatewayOpened(
            gateway=options.id, broker=str(address), state=str(folder), devices=ids, broken=broken
        )
        console.result(
            opened,
            f"Gateway {options.id} speaks for {counted(len(ids), 'device')} to {address}. Ctrl-C ends it.",
        )
        _until_stopped(Gateway(address, options, members, state, programs, line).serve)


def default_gateway() -> str:
    """This computer's name, as far as it can name a gateway."""
    return re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:40] or "gateway"


def _folder(stack: contextlib.ExitStack, path: Path, what: str, option: str) -> Path:
    checks.output_folder(path, option)
    path.mkdir(parents=True, exist_ok=True)
    stack.enter_context(locks.locked(path.resolve(), what))
    return path.resolve()


def _virtual(
    virtual: VirtualDevices, gateway: str, state: GatewayState, programs: Programs
) -> tuple[list[Member], dict[str, str]]:
    """Which are broken, and how, depends on the seed alone."""
    rng = random.Random(virtual.seed)
    indices = sorted(rng.sample(range(virtual.count), round(virtual.broken * virtual.count)))
    faults = {index: FAULTS[n % len(FAULTS)] for n, index in enumerate(indices)}
    width = len(str(virtual.count - 1))
    members: list[Member] = [
        VirtualMember(
            f"{gateway}-{index:0{width}d}",
            state,
            programs,
            virtual.sounds,
            virtual.seed * 100_003 + index,
            faults.get(index, ""),
        )
        for index in range(virtual.count)
    ]
    return members, {members[index].id: fault for index, fault in faults.items()}


def _until_stopped(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    was_quiet, console.quiet = console.quiet, True  # builds would tell their progress
    try:
        with contextlib.suppress(KeyboardInterrupt):
            broker.run(main)
    finally:
        console.quiet = was_quiet
