"""The fleet's server: takes what devices tell, moves rollouts on, and says what devices shall run.

It keeps nothing in memory that its database does not hold, so it may be killed anywhere: telemetry that it
has not acknowledged comes again, and what devices shall run is published anew.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from tinyml_cli.console import console
from tinyml_cli.fleet import database, intake, rollout, signed
from tinyml_cli.fleet.broker import Broker, MqttLine, connected, together
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.messages import (
    PREFIX,
    Acknowledged,
    DamagedMessageError,
    DesiredState,
    GatewayStatus,
    ReportedState,
    Telemetry,
    device_topic,
    gateway_topic,
    release_topic,
)

if TYPE_CHECKING:
    import aiomqtt

_STEP_S = 1.0
_AGAIN_S = 10.0
_BATCH = 200
_KEPT_HOURS = 14 * 24
_MOST_DEVICES = 100_000
_TOPIC = re.compile(rf"{PREFIX}/(dev|gateway)/([a-z0-9][a-z0-9-]{{0,62}})/(.+)")


class FleetServer:
    """See above.

    Args:
        broker: where to.
        state: the fleet's.
        line: to the broker.
    """

    def __init__(self, broker: Broker, state: FleetDatabase, line: MqttLine | None = None) -> None:
        self._broker = broker
        self._state = state
        self._line = line or MqttLine()
        self._told: dict[str, tuple[int, float]] = {}
        self._released: set[str] = set()
        self._signed: dict[str, int] = {}
        self._swept_hour = 0

    async def serve(self) -> None:
        """Until it is cancelled."""
        await connected(
            self._broker, lambda: self._broker.client("tinyml-fleet-server"), self._talk, console.warn
        )

    async def _talk(self, client: aiomqtt.Client) -> None:
        # A broker without a disk forgets what it retained.
        self._told, self._released, self._signed = {}, set(), {}
        for what in ("dev/+/telemetry", "dev/+/shadow/reported", "gateway/+/status"):
            await client.subscribe(f"{PREFIX}/{what}", qos=1)
        inbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        await together(self._receive(client, inbox), self._take(client, inbox), self._step(client))

    async def _receive(self, client: aiomqtt.Client, inbox: asyncio.Queue[tuple[str, bytes]]) -> None:
        async for message in self._line.received(client):
            inbox.put_nowait(message)

    async def _take(self, client: aiomqtt.Client, inbox: asyncio.Queue[tuple[str, bytes]]) -> None:
        """Enters messages, many in a transaction, and acknowledges them when it is on the disk."""
        while True:
            batch = [await inbox.get()]
            while len(batch) < _BATCH and not inbox.empty():
                batch.append(inbox.get_nowait())
            acknowledged = await asyncio.to_thread(self.take, batch)
            for gateway, upto in acknowledged.items():
                await self._line.publish(
                    client, gateway_topic(gateway, "ack"), Acknowledged(upto=upto).encoded()
                )

    def take(self, batch: list[tuple[str, bytes]]) -> dict[str, dict[str, tuple[str, int]]]:
        """Enters messages in one transaction; gateway -> device -> [epoch, number] to acknowledge."""
        found: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
        now = time.time()
        with self._state.writing() as table:
            for topic, payload in batch:
                match = _TOPIC.fullmatch(topic)
                try:
                    if match is None:
                        raise DamagedMessageError(topic)
                    kind, id, what = match.groups()
                    if (kind, what) == ("gateway", "status"):
                        online = GatewayStatus.decoded(payload).online
                        table.execute("insert or replace into gateways values (?, ?, ?)", (id, online, now))
                    elif (kind, what) == ("dev", "shadow/reported"):
                        self._take_report(table, id, ReportedState.decoded(payload), now)
                    elif (kind, what) == ("dev", "telemetry"):
                        told = Telemetry.decoded(payload)
                        upto = intake.take_telemetry(table, id, told, now)
                        row = table.execute("select gateway from devices where id = ?", (id,)).fetchone()
                        if row is not None:
                            found[row["gateway"]][id] = (told.e, upto)
                except DamagedMessageError:
                    database.count(table, "refused")
            database.count(table, "messages", len(batch))
            database.count(table, "bytes", sum(len(topic) + len(payload) for topic, payload in batch))
        return found

    def _take_report(self, table: sqlite3.Connection, id: str, told: ReportedState, now: float) -> None:
        is_known = table.execute("select 1 from devices where id = ?", (id,)).fetchone()
        if not is_known and table.execute("select count(*) from devices").fetchone()[0] >= _MOST_DEVICES:
            raise DamagedMessageError("the fleet is full")
        intake.take_report(table, id, told, now)

    async def _step(self, client: aiomqtt.Client) -> None:
        while True:
            for topic, payload in await asyncio.to_thread(self.step):
                if "/release/" in topic:
                    await client.publish(topic, payload, qos=1, retain=True)
                else:
                    await self._line.publish(client, topic, payload, qos=1, retain=True)
            await asyncio.sleep(_STEP_S)

    def step(self) -> list[tuple[str, bytes]]:
        """Moves the rollout on; what is to be published now, retained."""
        now = time.time()
        found: list[tuple[str, bytes]] = []
        with self._state.writing() as table:
            if (hour := int(now // 3600)) != self._swept_hour:
                self._swept_hour = hour
                table.execute("delete from counts where hour < ?", (hour - _KEPT_HOURS,))
            rollout.step(table, now)
            for (id,) in table.execute("select id from releases").fetchall():
                if id not in self._released:
                    self._released.add(id)
                    row = table.execute(
                        "select document, package from releases where id = ?", (id,)
                    ).fetchone()
                    found.append((release_topic(id), row["document"].encode()))
                    found.append((release_topic(id, "/package"), row["package"]))
            numbers = signed.numbers(table)
            for id, number in numbers.items():
                if self._signed.get(id) != number:
                    self._signed[id] = number
                    found.append((release_topic(id, "/update"), signed.update(table, id)))
            for row in table.execute(
                "select id, desired, desired_shadow, desired_revision, revision from devices "
                "where desired_revision > 0"
            ):
                revision, at_s = self._told.get(row["id"], (-1, 0.0))
                is_lost = row["revision"] < row["desired_revision"] and now > at_s + _AGAIN_S
                if revision != row["desired_revision"] or is_lost:
                    self._told[row["id"]] = (row["desired_revision"], now)
                    desired = DesiredState(
                        revision=row["desired_revision"],
                        release=row["desired"],
                        update=numbers.get(row["desired"], 0),
                        shadow=row["desired_shadow"],
                    )
                    found.append((device_topic(row["id"], "shadow/desired"), desired.encoded()))
        return found
