"""A fleet without a broker and without firmware: real states on both sides, and a line that misbehaves."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinyml_cli.drift.columns import summarise
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.fleet import intake, releases, rollout
from tinyml_cli.fleet.broker import Broker
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.messages import (
    DesiredState,
    FleetRelease,
    GatewayStatus,
    ReportedState,
    SelfTest,
    Telemetry,
    device_topic,
    gateway_topic,
)
from tinyml_cli.fleet.plan import Rollout, RolloutPlan, latest
from tinyml_cli.fleet.server import FleetServer

HASH = "0" * 64


def release_of(name: str, reference: Reference | None = None) -> FleetRelease:
    """A release that nobody could install."""
    return FleetRelease(
        id=name,
        name=name,
        task="kws",
        labels=["yes", "no"],
        model_sha256=name.encode().hex().ljust(64, "0"),
        package_sha256=HASH,
        package_bytes=0,
        self_test=SelfTest(seed=0, inputs=0, outputs_sha256=HASH),
        reference=reference,
    )


class PretendDevice:
    """A device as its gateway keeps it.

    Attributes:
        wrong: release -> probability of a wrong answer.
        bricks: releases that do not start on it.
    """

    def __init__(self, id: str, rng: random.Random, wrong: dict[str, float]) -> None:
        self.id = id
        self.rng = rng
        self.wrong = wrong
        self.bricks: set[str] = set()
        self.is_dead = False
        self.running: str | None = None
        self.shadow: str | None = None
        self.revision = 0
        self.failed: str | None = None
        self.number = 0
        self.answers = 0
        self.outbox: dict[int, bytes] = {}

    def obey(self, desired: DesiredState) -> None:
        if self.is_dead or desired.revision <= self.revision:
            return
        self.revision, self.shadow = desired.revision, desired.shadow
        if desired.release and desired.release != self.running:
            if desired.release in self.bricks:
                self.failed = desired.release
            else:
                self.running, self.failed = desired.release, None

    def report(self) -> bytes:
        return ReportedState(
            gateway="g", board="native", release=self.running, revision=self.revision, failed=self.failed
        ).encoded()

    def hear(self, answers: int) -> None:
        if self.is_dead or self.running is None:
            return
        self.number += 1
        self.answers += answers
        right = [self.rng.random() >= self.wrong[self.running] for _ in range(answers)]
        wrong, beside = answers - sum(right), None
        if self.shadow is not None:
            shadow = [self.rng.random() >= self.wrong[self.shadow] for _ in range(answers)]
            only = [acting - other for acting, other in zip(right, shadow, strict=True)]
            beside = (self.shadow, answers, only.count(1), only.count(-1))
        told = Telemetry(
            e="epoch", n=self.number, r=self.running, s=60.0 * answers, p=(answers, wrong), x=beside
        )
        self.outbox[self.number] = told.encoded()


class PretendFleet:
    """Devices, a line, and a server that may die between any two of its transactions.

    Args:
        folder: of the server's state.
        wrong: release -> probability of a wrong answer.
    """

    def __init__(
        self, folder: Path, devices: int, seed: int, wrong: dict[str, float], drop: float, duplicate: float
    ) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.drop, self.duplicate = drop, duplicate
        self.now_s = 1e9
        self.devices = {f"d{n}": PretendDevice(f"d{n}", self.rng, wrong) for n in range(devices)}
        self._open()
        with self.state.writing() as table:
            for name in wrong:
                releases.add(table, release_of(name), b"")

    def die(self) -> None:
        """The server is killed, and started again."""
        self.state.close()
        self._open()

    def _open(self) -> None:
        self.state = FleetDatabase(self.folder)
        self.state._file.connection.execute("pragma synchronous = off")  # no power fails here
        self.server = FleetServer(Broker.at("mqtt://localhost"), self.state)

    def start(self, release: str, plan: RolloutPlan) -> None:
        with self.state.writing() as table:
            rollout.start(table, release, plan, now_s=self.now_s)

    def carried(self, messages: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """What arrives of messages, in what order."""
        found = []
        for message in messages:
            if self.rng.random() >= self.drop:
                found += [message] * (2 if self.rng.random() < self.duplicate else 1)
        self.rng.shuffle(found)
        return found

    def minute(self, monkey: Callable[[float], None], answers: int = 5) -> Rollout:
        """A minute of the fleet's life.

        Args:
            monkey: sets the server's clock.
        """
        self.now_s += 60
        monkey(self.now_s)
        up = [(gateway_topic("g", "status"), GatewayStatus(online=True).encoded())]
        for device in self.devices.values():
            if device.is_dead:
                continue
            device.hear(answers)
            up.append((device_topic(device.id, "shadow/reported"), device.report()))
            up += [(device_topic(device.id, "telemetry"), payload) for payload in device.outbox.values()]
        acknowledged = self.server.take(self.carried(up))
        for id, (_, upto) in acknowledged.get("g", {}).items():
            if self.rng.random() >= self.drop:
                device = self.devices[id]
                device.outbox = {n: payload for n, payload in device.outbox.items() if n > upto}
        for topic, payload in self.carried(self.server.step()):
            if "/shadow/desired" in topic:
                self.devices[topic.split("/")[3]].obey(DesiredState.decoded(payload))
        with self.state.reading() as table:
            found = latest(table)
        assert found is not None
        return found

    def counted_answers(self) -> int:
        with self.state.reading() as table:
            return intake.total(table.execute("select document from counts").fetchall()).probes

    def told_answers(self) -> int:
        """Answers of devices whose telemetry is acknowledged in full."""
        return sum(device.answers for device in self.devices.values())


def reference() -> Reference:
    """Of one column."""
    values = np.random.default_rng(0).permutation(1000).astype(np.float64)
    return Reference(of="x", columns={"score": summarise(values)})
