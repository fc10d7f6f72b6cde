"""Rollouts: whatever is lost, doubled or killed, a release ends everywhere or nowhere; answers count once."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fleet.simulated import PretendFleet
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet import database, rollout, server
from tinyml_cli.fleet.plan import Rollout, RolloutPlan

WRONG = {"old": 0.2, "good": 0.2, "bad": 0.6}
PLAN = RolloutPlan(stages=[10, 50, 100], soak_s=120, least=20, margin=0.3, silent_s=600, install_s=1200)
FIRST = RolloutPlan(stages=[100], soak_s=0)

Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    def set_to(now_s: float) -> None:
        monkeypatch.setattr(server.time, "time", lambda: now_s)

    return set_to


def _fleet(folder: Path, clock: Clock, seed: int = 1, drop: float = 0.0, devices: int = 20) -> PretendFleet:
    """Devices that all run `old`."""
    fleet = PretendFleet(folder, devices, seed, WRONG, drop, drop)
    fleet.start("old", FIRST)
    for _ in range(40):
        if fleet.minute(clock).state == "done" and all(d.running == "old" for d in fleet.devices.values()):
            return fleet
    raise AssertionError("the first release did not reach all")


def _until_over(fleet: PretendFleet, clock: Clock, most: int = 300) -> Rollout:
    for _ in range(most):
        found = fleet.minute(clock)
        if found.ended_s is not None:
            return found
    raise AssertionError(found)


def test_a_good_release_reaches_all_stage_by_stage(tmp_path: Path, clock: Clock) -> None:
    fleet = _fleet(tmp_path, clock)
    fleet.start("good", PLAN)
    assert fleet.minute(clock).stage == 0
    assert sum(device.running == "good" for device in fleet.devices.values()) == 2
    assert _until_over(fleet, clock).state == "done"
    fleet.minute(clock)
    assert all(device.running == "good" for device in fleet.devices.values())


def test_a_bad_release_is_stopped_at_the_first_stage_and_all_go_back(tmp_path: Path, clock: Clock) -> None:
    fleet = _fleet(tmp_path, clock)
    fleet.start("bad", PLAN)
    found = _until_over(fleet, clock)
    assert (found.state, found.stage) == ("rolled back", 0)
    assert "errors" in found.reason
    assert all(device.running == "old" for device in fleet.devices.values())
    with pytest.raises(TinymlError, match="rolled back"), fleet.state.writing() as table:
        rollout.start(table, "bad", PLAN)


def test_a_release_that_does_not_start_is_stopped_by_its_first_devices(tmp_path: Path, clock: Clock) -> None:
    fleet = _fleet(tmp_path, clock)
    for device in fleet.devices.values():
        device.bricks.add("good")
    fleet.start("good", PLAN)
    found = _until_over(fleet, clock)
    assert (found.state, found.stage) == ("rolled back", 0) and "boots" in found.reason
    assert all(device.running == "old" for device in fleet.devices.values())


def test_one_device_that_is_broken_does_not_stop_a_good_release(tmp_path: Path, clock: Clock) -> None:
    fleet = _fleet(tmp_path, clock)
    first = min(fleet.devices, key=lambda id: rollout.rank(id, "good"))
    fleet.devices[first].bricks.add("good")
    fleet.start("good", PLAN)
    assert _until_over(fleet, clock).state == "done"
    fleet.minute(clock)
    running = {id: device.running for id, device in fleet.devices.items()}
    assert running.pop(first) == "old" and set(running.values()) == {"good"}


def test_devices_that_die_of_a_release_bring_it_back(tmp_path: Path, clock: Clock) -> None:
    fleet = _fleet(tmp_path, clock)
    fleet.start("good", PLAN)
    for _ in range(3):
        fleet.minute(clock)
    dead = [device for device in fleet.devices.values() if device.running == "good"]
    for device in dead:
        device.is_dead = True
    found = _until_over(fleet, clock)
    assert (found.state, found.stage) == ("rolled back", 0) and "heartbeat" in found.reason
    for device in dead:  # they come back, and are told
        device.is_dead = False
    for _ in range(3):
        fleet.minute(clock)
    assert all(device.running == "old" for device in fleet.devices.values())


@pytest.mark.parametrize(("release", "ends"), [("good", "done"), ("bad", "rolled back")])
def test_a_challenger_scores_as_a_shadow_before_any_device_runs_it(
    tmp_path: Path, clock: Clock, release: str, ends: str
) -> None:
    fleet = _fleet(tmp_path, clock, devices=6)
    fleet.start(release, PLAN.model_copy(update={"shadow_percent": 50.0}))
    while (found := fleet.minute(clock)).stage < 0 and found.state == "running":
        assert not any(device.running == release for device in fleet.devices.values())
    if ends == "rolled back":
        assert found.reason.startswith("shadow: ")
    assert _until_over(fleet, clock).state == ends
    fleet.minute(clock)
    assert all(device.shadow is None for device in fleet.devices.values())


def test_a_device_that_starts_nothing_ends_a_rollout_and_may_start_it_the_next_time(
    tmp_path: Path, clock: Clock
) -> None:
    fleet = _fleet(tmp_path, clock, devices=1)
    device = fleet.devices["d0"]
    device.bricks.add("good")
    fleet.start("good", PLAN)
    found = _until_over(fleet, clock)
    assert found.state == "rolled back" and "no other to try" in found.reason
    device.bricks.clear()  # and what it says of the first attempt is still what the server knows
    with fleet.state.writing() as table:
        rollout.start(table, "good", PLAN, again=True, now_s=fleet.now_s)
    assert _until_over(fleet, clock).state == "done"


def test_abort_and_pause(tmp_path: Path, clock: Clock) -> None:
    fleet = _fleet(tmp_path, clock)
    fleet.start("good", PLAN)
    fleet.minute(clock)
    with fleet.state.writing() as table:
        rollout.pause(table)
    for _ in range(6):
        assert fleet.minute(clock).stage == 0
    with fleet.state.writing() as table:
        assert rollout.resume(table).state == "running"
        with pytest.raises(TinymlError, match="is running"):
            rollout.start(table, "bad", PLAN)
        rollout.abort(table)
    assert _until_over(fleet, clock).state == "rolled back"
    assert all(device.running == "old" for device in fleet.devices.values())


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**16),
    drop=st.floats(0, 0.5),
    release=st.sampled_from(["good", "bad"]),
    deaths=st.floats(0, 0.3),
    bricks=st.integers(0, 2),
)
def test_invariants_hold_whatever_is_lost_doubled_or_killed(
    tmp_path_factory: pytest.TempPathFactory,
    clock: Clock,
    seed: int,
    drop: float,
    release: str,
    deaths: float,
    bricks: int,
) -> None:
    fleet = _fleet(tmp_path_factory.mktemp("fleet"), clock, seed, drop, devices=12)
    rng = random.Random(seed)
    for id in rng.sample(sorted(fleet.devices), bricks):
        fleet.devices[id].bricks.add(release)
    fleet.start(release, PLAN)
    revisions: dict[str, int] = {}
    for _ in range(150):
        if rng.random() < deaths:
            fleet.die()
        found = fleet.minute(clock)
        _check(fleet, found, release, revisions)
        if found.ended_s is not None:
            break
    assert found.ended_s is not None, found
    fleet.drop = fleet.duplicate = 0.0
    for _ in range(4):
        fleet.minute(clock, answers=0)
    end = {"done": release, "rolled back": "old"}[found.state]
    for device in fleet.devices.values():
        assert device.running == ("old" if release in device.bricks else end)
    assert fleet.counted_answers() == fleet.told_answers()


def _check(fleet: PretendFleet, found: Rollout, release: str, revisions: dict[str, int]) -> None:
    devices = fleet.devices.values()
    assert all(device.running in ("old", release) for device in devices)  # never none
    allowed = rollout.quota(found.percent, len(fleet.devices)) + sum(release in d.bricks for d in devices)
    assert sum(device.running == release for device in devices) <= allowed
    with fleet.state.reading() as table:
        for row in table.execute("select id, desired_revision from devices"):
            assert row["desired_revision"] >= revisions.get(row["id"], 0)
            revisions[row["id"]] = row["desired_revision"]
        assert database.setting(table, "champion") == (release if found.state == "done" else "old")


@pytest.mark.nightly
def test_a_release_that_is_no_worse_is_seldom_stopped(
    tmp_path: Path, clock: Clock, record_property: Any
) -> None:
    """30 rollouts: with alpha = 0.01 for 4 gates in 3 stages, at most 12 % may be stopped."""
    stopped = 0
    for seed in range(30):
        folder = tmp_path / str(seed)
        folder.mkdir()
        fleet = _fleet(folder, clock, seed, 0.1)
        fleet.start("good", PLAN)
        stopped += _until_over(fleet, clock).state != "done"
    record_property("stopped", stopped)
    assert stopped <= 6  # P(X > 6) < 0.05 of a binomial variable with 0.12
