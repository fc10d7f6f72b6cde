"""The fleet's drift as a trigger of `tinyml retrain`."""

from __future__ import annotations

import time
from pathlib import Path

from tests.fleet.simulated import reference, release_of
from tinyml_cli.fleet import intake, releases
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.listing import drift_of_model, shown
from tinyml_cli.fleet.messages import ReportedState, Telemetry


def test_a_fleet_that_drifts_as_a_whole_calls_for_training(tmp_path: Path) -> None:
    state = FleetDatabase(tmp_path)
    release = release_of("r", reference())
    bins = len(reference().columns["score"].shares)
    model = release.model_sha256
    assert drift_of_model(state, model) == (False, "the fleet never ran the champion")
    now = time.time()
    with state.writing() as table:
        releases.add(table, release, b"")
        intake.take_report(table, "a", ReportedState(gateway="g", board="native", release="r"), now)
    assert not drift_of_model(state, model)[0]
    with state.writing() as table:
        intake.take_telemetry(table, "a", Telemetry(e="e", n=1, r="r", s=60, c=[[100] * bins]), now)
    assert not drift_of_model(state, model)[0]
    assert shown(state).devices[0].drift is False
    with state.writing() as table:
        moved = [10_000] + [0] * (bins - 1)
        intake.take_telemetry(table, "a", Telemetry(e="e", n=2, r="r", s=60, c=[moved]), now)
    drifts, why = drift_of_model(state, model)
    assert drifts and "score" in why
