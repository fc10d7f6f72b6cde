"""Telemetry: hostile bytes are refused, each message counts once, and summaries are what they summarise."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fleet.simulated import release_of
from tinyml_cli.drift.columns import summarise
from tinyml_cli.drift.compare import coarse, compare, compare_counts, counts_of
from tinyml_cli.fleet import intake
from tinyml_cli.fleet.broker import Broker
from tinyml_cli.fleet.database import FleetDatabase, setting
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.members import BOOTS, MemberSlots
from tinyml_cli.fleet.messages import (
    DamagedMessageError,
    DesiredState,
    FleetRelease,
    ReportedState,
    Telemetry,
    device_topic,
)
from tinyml_cli.fleet.server import FleetServer
from tinyml_cli.fleet.summary import DeviceSummary
from tinyml_cli.link.protocol import Detection

_KINDS = (Telemetry, ReportedState, DesiredState, FleetRelease)


@pytest.mark.parametrize("kind", _KINDS)
@settings(max_examples=10, deadline=None)
@given(payload=st.binary(max_size=200) | st.recursive(st.integers(), st.lists).map(cbor2.dumps))
def test_any_bytes_are_a_message_or_refused(kind: type, payload: bytes) -> None:
    with contextlib.suppress(DamagedMessageError):
        kind.decoded(payload)  # type: ignore[attr-defined]


def test_hostile_messages_are_counted_and_nothing_else(tmp_path: Path) -> None:
    state = FleetDatabase(tmp_path)
    server = FleetServer(Broker.at("localhost"), state)
    topic = device_topic("a", "telemetry")
    hostile = [
        (topic, b"\xff" * 70_000),
        (topic, cbor2.dumps({"e": "x", "n": -1})),
        (topic, cbor2.dumps({"e": "x", "n": 1, "c": [[1] * 65]})),
        (topic, cbor2.dumps({"e": "x", "n": 1, "s": float("nan")})),
        (topic, b"\x9f" * 2000),
        ("tinyml/v1/dev/../telemetry", b""),
        (device_topic("a", "shadow/reported"), b'{"gateway": "G!", "board": "b"}'),
    ]
    assert server.take(hostile) == {}
    with state.reading() as table:
        assert setting(table, "refused") == str(len(hostile))
        assert table.execute("select count(*) from devices").fetchone()[0] == 0


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**16), count=st.integers(1, 25))
def test_each_message_counts_once_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    state = FleetDatabase(tmp_path_factory.mktemp("fleet"))
    state._file.connection.execute("pragma synchronous = off")
    rng = random.Random(seed)
    sent = [Telemetry(e="e", n=n, r="r", p=(n, 0)) for n in range(1, count + 1)]
    came = [*sent, *rng.choices(sent, k=count)]
    rng.shuffle(came)
    with state.writing() as table:
        for told in came:
            upto = intake.take_telemetry(table, "a", told, 0.0)
        assert upto == count
        assert intake.counts_of(table, "r").probes == sum(range(1, count + 1))
        assert intake.counts_of(table, "r").messages == count
        assert table.execute("select count(*) from taken").fetchone()[0] == 0  # no memory of each is kept
        intake.take_telemetry(table, "a", Telemetry(e="another", n=1, r="r", p=(1, 1)), 0.0)
        assert intake.counts_of(table, "r").wrong == 1  # a gateway that lost its state begins anew


def test_few_bins_tell_a_shift_as_many_do() -> None:
    rng = np.random.default_rng(1)
    many = summarise(rng.normal(0, 1, 4000))
    few = coarse(many)
    assert len(few.shares) <= 11 and sum(few.shares) == pytest.approx(1)
    for shift in (0.0, 0.8):
        values = rng.normal(shift, 1, 500)
        one, other = compare("x", many, values), compare_counts("x", few, counts_of(few, values))
        assert one.drifted == other.drifted == bool(shift)
        assert other.psi == pytest.approx(one.psi, rel=0.05, abs=0.01)


def test_a_summary_is_emptied_into_one_message() -> None:
    summary = DeviceSummary(release_of("r"), None)
    assert summary.is_empty
    summary.add([Detection(label="no", score=0.9, t_ms=1), Detection(label="other", score=0.9, t_ms=2)], 3.0)
    summary.probe(True)
    summary.probe(False)
    summary.shadow("s", acting_is_right=True, shadow_is_right=False)
    told = Telemetry.decoded(summary.take("e", 7).encoded())
    assert (told.n, told.r, told.s, told.d, told.p) == (7, "r", 3.0, {1: 1}, (2, 1))
    assert told.x == ("s", 1, 1, 0)
    assert summary.is_empty


def test_a_gateway_numbers_on_after_it_was_killed(tmp_path: Path) -> None:
    def one(number: int) -> Telemetry:
        return Telemetry(e="e", n=number)

    first = GatewayState(tmp_path)
    first.member("a")
    first.queue("a", one)
    first.queue("a", one)
    again = GatewayState(tmp_path)  # the first was never closed
    assert again.epoch == first.epoch
    again.queue("a", one)
    assert [number for _, number, _ in again.waiting(10)] == [1, 2, 3]
    again.acknowledge({"a": 2})
    assert [number for _, number, _ in again.waiting(10)] == [3]


def test_slots_hold_the_old_or_the_new_release_after_every_power_cut(tmp_path: Path) -> None:
    state = GatewayState(tmp_path)
    slots = MemberSlots(state, "a")
    slots.write("old", 1)
    assert slots.is_trying() == "old"
    slots.keep()
    slots.write("new", 2)
    for _ in range(BOOTS):  # power fails in each start
        assert state.member("a").running == "old"
        slots = MemberSlots(GatewayState(tmp_path), "a")
        assert slots.is_trying() == "new"
    again = GatewayState(tmp_path)
    assert MemberSlots(again, "a").is_trying() is None
    found = again.member("a")
    assert (found.running, found.failed) == ("old", "new") and "3 starts" in found.reason
