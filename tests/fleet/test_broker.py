"""Server and gateway over a real broker, on a line that loses and doubles messages."""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.simulated import release_of
from tinyml_cli import processes
from tinyml_cli.fleet import broker, intake, releases, rollout
from tinyml_cli.fleet.broker import Broker, MqttLine, together
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.gateway import Gateway, GatewayOptions
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.members import HeldRelease, MemberSlots
from tinyml_cli.fleet.plan import RolloutPlan, latest
from tinyml_cli.fleet.programs import Programs
from tinyml_cli.fleet.server import FleetServer
from tinyml_cli.fleet.summary import DeviceSummary

DEVICES = 5
FIRST = RolloutPlan(stages=[100], soak_s=0)


class QuietMember:
    """A device that takes every release, and answers rightly."""

    board = "native"
    is_silent = False
    takes_updates = False

    def __init__(self, id: str, state: GatewayState) -> None:
        self.id = id
        self.slots = MemberSlots(state, id)

    def model(self) -> str:
        return ""

    def install(self, release: HeldRelease, revision: int) -> None:
        self.slots.write(release.document.id, revision)
        self.slots.keep()

    def resume(self) -> None:
        pass

    def shadow(self, release: HeldRelease | None) -> None:
        pass

    def turn(self, summary: DeviceSummary) -> None:
        summary.add([], 1.0)
        summary.probe(True)


class HeldAlready(Programs):
    """Packages that hold nothing."""

    def held(self, id: str) -> HeldRelease | None:
        return HeldRelease(release_of(id), Path())


@pytest.fixture
def address(tmp_path: Path) -> Iterator[Broker]:
    pytest.importorskip("aiomqtt", reason="aiomqtt is not installed: pip install 'tinyml-cli[fleet]'")
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with processes.Process([program, "-c", str(config)], stderr=processes.DEVNULL) as process:
        yield Broker.at(f"mqtt://127.0.0.1:{port}")
        process.stop()


@pytest.mark.slow
def test_a_release_reaches_all_and_telemetry_counts_once(
    tmp_path: Path, address: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyml_cli.fleet.gateway._RESEND_S", 0.5)
    monkeypatch.setattr("tinyml_cli.fleet.gateway._manifest", lambda held: None)
    (tmp_path / "fleet").mkdir()
    state = FleetDatabase(tmp_path / "fleet")
    with state.writing() as table:
        releases.add(table, release_of("first"), b"")
        rollout.start(table, "first", FIRST)
    gateway_state = GatewayState(tmp_path)
    options = GatewayOptions("g", pace_s=0.05, report_s=0.2, bytes_per_s=1e6, heartbeat_s=1)
    members = [QuietMember(f"d{n}", gateway_state) for n in range(DEVICES)]
    line = MqttLine(0.2, 0.2, random.Random(1))
    gateway = Gateway(address, options, members, gateway_state, HeldAlready(tmp_path), line)

    def is_done() -> bool:
        with state.reading() as table:
            found = latest(table)
            told = intake.counts_of(table, "first").messages
        return found is not None and found.state == "done" and told >= 5 * DEVICES

    async def first_life() -> None:  # the server ends in the middle, and another one goes on
        await together(FleetServer(address, state).serve(), _until(is_done))

    async def main() -> None:
        await together(gateway.serve(), _lives(first_life, FleetServer(address, state)))

    broker.run(main)
    with state.reading() as table:
        counts = intake.total(table.execute("select document from counts"))  # what had no release, too
        devices = table.execute("select release from devices").fetchall()
    made = sum(_numbers(tmp_path))
    waiting = len(gateway_state.waiting(10_000))
    assert [row["release"] for row in devices] == ["first"] * DEVICES
    assert made - waiting <= counts.messages <= made
    assert counts.wrong == 0


def _numbers(folder: Path) -> list[int]:
    import sqlite3

    with sqlite3.connect(folder / "gateway.sqlite3") as table:
        return [row[0] for row in table.execute("select number from members")]


async def _until(is_true: Callable[[], bool], most_s: float = 60.0) -> None:
    until_s = time.monotonic() + most_s
    while not is_true():
        assert time.monotonic() < until_s
        await asyncio.sleep(0.2)


async def _lives(first: Callable[[], Coroutine[Any, Any, None]], second: FleetServer) -> None:
    await first()
    await together(second.serve(), asyncio.sleep(2))


def test_addresses_of_brokers() -> None:
    found = Broker.at("mqtts://anna@broker.example")
    assert (found.host, found.port, found.user, found.is_encrypted) == ("broker.example", 8883, "anna", True)
    assert Broker.at("localhost").port == 1883
    for wrong in (
        "http://host",
        "mqtt://",
        "mqtt://user:secret@host",
        "mqtt://host:99999",
        "mqtt://host/path",
    ):
        with pytest.raises(broker.TinymlError, match="address of a broker"):
            Broker.at(wrong)
