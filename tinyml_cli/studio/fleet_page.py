"""Endpoints of the page Fleet: devices, drift, and the rollout."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tinyml_cli.fleet import rollout
from tinyml_cli.fleet.database import DATABASE, FleetDatabase
from tinyml_cli.fleet.listing import changed, history, rollout_shown, shown
from tinyml_cli.fleet.plan import active, latest
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.outcomes.fleets import FleetShown, HistoryLine, RolloutShown
from tinyml_cli.studio.studio import Studio

FOLDER = "fleet"
_LINES = 20
_ACTS = {"pause": rollout.pause, "resume": rollout.resume, "abort": rollout.abort}


class FleetTold(Told):
    """The fleet below the studio's folder."""

    fleet: FleetShown | None = Field(description="null where there is none")
    rollout: RolloutShown | None = Field(description="that goes on, or the last one")
    history: list[HistoryLine]


class RolloutAsked(Asked):
    """What is to become of the rollout."""

    act: Literal["pause", "resume", "abort"]


class RolloutTold(Told):
    """The rollout after that."""

    rollout: RolloutShown


def _fleet(studio: Studio) -> FleetTold:
    if not (studio.inside(FOLDER) / DATABASE).is_file():
        return FleetTold(fleet=None, rollout=None, history=[])
    with _opened(studio) as state:
        with state.reading() as table:
            found = active(table) or latest(table)
            going_on = None if found is None else rollout_shown(table, found)
        return FleetTold(fleet=shown(state), rollout=going_on, history=history(state, _LINES).lines)


def _act(studio: Studio, asked: RolloutAsked) -> RolloutTold:
    return RolloutTold(rollout=changed(studio.inside(FOLDER), _ACTS[asked.act]))


@contextlib.contextmanager
def _opened(studio: Studio) -> Iterator[FleetDatabase]:
    state = FleetDatabase.existing(studio.inside(FOLDER))
    try:
        yield state
    finally:
        state.close()


ENDPOINTS = (
    Endpoint("GET", "/api/fleet", _fleet, "The fleet, its devices and its rollout", gives=FleetTold),
    Endpoint(
        "POST", "/api/fleet/rollout", _act, "Pause, resume or abort", takes=RolloutAsked, gives=RolloutTold
    ),
)
