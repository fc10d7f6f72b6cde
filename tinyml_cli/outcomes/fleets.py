"""A fleet: its devices, how they do, and the release that is on its way to them."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Share

Percent = float


class FleetServed(Outcome):
    """A fleet's server, from now on."""

    fleet: str = Field(description="the folder of its state")
    broker: str
    devices: Count


class GatewayOpened(Outcome):
    """A gateway, from now on."""

    gateway: str
    broker: str
    state: str = Field(description="the folder of what it must not forget")
    devices: list[str]
    broken: dict[str, str] = Field(description="virtual device -> its fault")


class DeviceHealth(Outcome):
    """A device, and what it told in the last 24 hours about what it runs now."""

    id: str
    gateway: str
    board: str
    online: bool = Field(description="heard of lately, and its gateway is connected")
    seen: str = Field(description="UTC, ISO 8601")
    release: str | None = Field(description="id of what it runs; null where it is none of the fleet's")
    name: str | None = Field(description="of that release")
    phase: str = Field(description="idle, downloading or updating")
    desired: str | None = Field(description="id of what it shall run")
    shadow: str | None = Field(description="id of a release that scores without acting")
    failed: str | None = Field(description="id of the last release that did not start, or was refused")
    reason: str = Field(description="why")
    hours: float = Field(description="of sound that it heard")
    detections_per_hour: float | None
    answers: Count = Field(description="answers with known truth")
    wrong: Count = Field(description="of them")
    inference_us: float | None = Field(description="mean, by the device's clock")
    overruns: Count
    battery_mv: Count | None
    drift: bool | None = Field(description="null: too little was heard, or nothing to compare with")
    drift_why: str


class FleetShown(Outcome):
    """A fleet."""

    fleet: str = Field(description="folder")
    champion: str | None = Field(description="id of the release that devices run outside of rollouts")
    champion_name: str | None
    devices: list[DeviceHealth]
    online: Count
    drift: bool | None = Field(description="of all devices that run the champion, taken together")
    drift_why: str
    drifting: Count = Field(description="devices that drift by themselves")
    messages: Count = Field(description="that the server took since the fleet began")
    message_bytes: Count = Field(description="of them, topics and payloads")
    duplicates: Count = Field(description="telemetry that came again, and was not counted again")
    refused: Count = Field(description="messages that could not be read")


class RolloutGate(Outcome):
    """A gate of the present stage."""

    gate: str
    result: str = Field(description="pass, fail, wait or not measured")
    reason: str


class RolloutShown(Outcome):
    """A rollout."""

    rollout: Count = Field(description="its number")
    release: str = Field(description="id")
    name: str
    champion: str | None = Field(description="id of what devices ran before")
    state: str = Field(description="running, paused, rolling back, rolled back or done")
    stage: Percent = Field(description="per cent of the devices")
    stages: list[Percent]
    shadow: bool = Field(description="whether the release only scores in this stage")
    started: str = Field(description="UTC, ISO 8601")
    stage_started: str = Field(description="UTC, ISO 8601")
    ended: str | None
    assigned: Count = Field(description="devices that were given the release")
    running: Count = Field(description="devices that run it")
    share: Share = Field(description="of all devices that run it")
    gates: list[RolloutGate]
    reason: str = Field(description="why it goes back, or went back")


class HistoryLine(Outcome):
    """Something that happened."""

    at: str = Field(description="UTC, ISO 8601")
    rollout: Count | None
    device: str | None
    what: str


class FleetHistory(Outcome):
    """What happened, the latest last."""

    fleet: str
    lines: list[HistoryLine]
