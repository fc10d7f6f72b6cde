"""The page Fleet: what it tells, and what it does to a rollout."""

from __future__ import annotations

import time

from starlette.testclient import TestClient

from tests.fleet.simulated import release_of
from tinyml_cli.fleet import intake, releases, rollout
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.messages import ReportedState
from tinyml_cli.fleet.plan import RolloutPlan
from tinyml_cli.studio.studio import Studio


def test_a_rollout_is_shown_and_aborted(studio: Studio, owner: TestClient) -> None:
    assert owner.get("/api/fleet").json() == {"fleet": None, "rollout": None, "history": []}
    (studio.root / "fleet").mkdir()
    state = FleetDatabase(studio.root / "fleet")
    with state.writing() as table:
        releases.add(table, release_of("r"), b"")
        intake.take_report(table, "a", ReportedState(gateway="g", board="native"), time.time())
        rollout.start(table, "r", RolloutPlan())
    told = owner.get("/api/fleet").json()
    assert [device["id"] for device in told["fleet"]["devices"]] == ["a"]
    assert told["rollout"]["state"] == "running" and told["history"]
    assert owner.post("/api/fleet/rollout", json={"act": "pause"}).json()["rollout"]["state"] == "paused"
    assert owner.post("/api/fleet/rollout", json={"act": "pause"}).status_code == 422
    assert (
        owner.post("/api/fleet/rollout", json={"act": "abort"}).json()["rollout"]["state"] == "rolling back"
    )
