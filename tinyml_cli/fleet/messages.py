"""What gateways and the server tell each other: MQTT topics, and the documents on them.

tinyml/v1/dev/ID/telemetry           summaries of a gateway, CBOR, numbered, sent until acknowledged
tinyml/v1/dev/ID/shadow/reported     what a device runs and what became of its last release, retained
tinyml/v1/dev/ID/shadow/desired      what it shall run, retained
tinyml/v1/gateway/ID/status          whether a gateway is connected, retained; its last will
tinyml/v1/gateway/ID/ack             the telemetry that the server has on its disk
tinyml/v1/release/ID                 a release, retained
tinyml/v1/release/ID/package         its bytes, retained
tinyml/v1/release/ID/update          the same, signed for real boards, retained
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

import cbor2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.documents import parse_json
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.outcomes.base import Sha256

PREFIX = "tinyml/v1"
MOST_BYTES = 64 << 10
"""Of any message but a package."""
MOST_PACKAGE_BYTES = 4 << 20

ID = r"[a-z0-9][a-z0-9-]{0,62}"
Id = Annotated[str, Field(pattern=f"^{ID}$")]
Number = Annotated[int, Field(ge=0, lt=1 << 40)]
Phase = Literal["idle", "downloading", "updating"]
"""As the firmware object of LwM2M names them."""

D = TypeVar("D", bound="FleetMessage")


def device_topic(device: str, what: str) -> str:
    """`what` is telemetry, shadow/reported or shadow/desired."""
    return f"{PREFIX}/dev/{device}/{what}"


def gateway_topic(gateway: str, what: str) -> str:
    """`what` is status or ack."""
    return f"{PREFIX}/gateway/{gateway}/{what}"


def release_topic(release: str, what: Literal["", "/package", "/update"] = "") -> str:
    """Of a release, of its bytes, or of the update that real boards take."""
    return f"{PREFIX}/release/{release}{what}"


class DamagedMessageError(Exception):
    """A message is none of this fleet's."""


class FleetMessage(BaseModel):
    """A document on a topic; fields of a newer version are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    def encoded(self) -> bytes:
        """As it travels."""
        return self.model_dump_json(exclude_defaults=True).encode()

    @classmethod
    def decoded(cls, payload: bytes) -> Self:
        """Checked field by field.

        Raises:
            DamagedMessageError: it is too long, no JSON, or not such a document.
        """
        try:
            if len(payload) > MOST_BYTES:
                raise ValueError(f"{len(payload)} bytes")
            return cls.model_validate(parse_json(payload.decode()))
        except (ValueError, ValidationError, RecursionError) as error:
            raise DamagedMessageError(str(error)) from error


class DesiredState(FleetMessage):
    """What a device shall run.

    Attributes:
        revision: counts the changes; the device reports the one that it knows.
        update: the number of the release's newest signed update; 0: it was signed for no board.
        shadow: a release that scores beside it without acting.
    """

    revision: Number
    release: Id | None = None
    update: Number = 0
    shadow: Id | None = None


class ReportedState(FleetMessage):
    """What a device runs.

    Attributes:
        model: the first digits of its model's SHA-256.
        release: None where the device does not know it.
        revision: of the desired state that it has seen.
        failed: the last release that did not boot, or was refused, and why.
    """

    gateway: Id
    board: str = Field(max_length=60)
    model: str = Field(default="", max_length=64)
    release: Id | None = None
    shadow: Id | None = None
    revision: Number = 0
    phase: Phase = "idle"
    failed: Id | None = None
    reason: str = Field(default="", max_length=300)


class GatewayStatus(FleetMessage):
    """Whether a gateway is connected; False is its last will."""

    online: bool = False


class Acknowledged(FleetMessage):
    """Device -> [epoch, number]: all telemetry up to there is on the server's disk."""

    upto: dict[Id, tuple[str, Number]] = Field(default_factory=dict)


class SelfTest(FleetMessage):
    """Random int8 inputs by numpy's `default_rng(seed)`, and the SHA-256 of the outputs to them."""

    seed: Number
    inputs: Number
    outputs_sha256: Sha256


class FleetRelease(FleetMessage):
    """A model on its way to devices.

    Attributes:
        id: the first 16 digits of its package's SHA-256.
        name: of the version or run, for people.
        reference: distributions in few bins, by which telemetry is counted.
    """

    id: Id
    name: str = Field(max_length=200)
    task: str = Field(max_length=60)
    labels: list[str]
    model_sha256: Sha256
    package_sha256: Sha256
    package_bytes: Number
    self_test: SelfTest
    reference: Reference | None = None


Bins = Annotated[list[Number], Field(max_length=64)]


class Telemetry(FleetMessage):
    """What a device heard and how it did since the summary before; names are short, as they travel often.

    Attributes:
        e, n: epoch of the gateway's state, and number within it: together they tell a message from its
        copies. r: release; s: seconds of sound; d: detections by index of the label.
        p: items whose truth is known, and how many of them were answered wrongly.
        c: counts in the bins of the release's reference, column by column.
        u: inferences and their microseconds; o: overruns; b: battery in mV.
        x: the shadow's release, its items, those that only the acting model got right, and only the shadow.
    """

    e: str = Field(max_length=16)
    n: Number
    r: Id | None = None
    s: float = Field(default=0, ge=0, lt=1e9)
    d: dict[Number, Number] = Field(default_factory=dict, max_length=256)
    p: tuple[Number, Number] = (0, 0)
    c: list[Bins] = Field(default_factory=list, max_length=512)
    u: tuple[Number, Number] = (0, 0)
    o: Number = 0
    b: Number | None = None
    x: tuple[Id, Number, Number, Number] | None = None

    def encoded(self) -> bytes:
        return cbor2.dumps(self.model_dump(exclude_defaults=True))

    @classmethod
    def decoded(cls, payload: bytes) -> Self:
        try:
            if len(payload) > MOST_BYTES:
                raise ValueError(f"{len(payload)} bytes")
            return cls.model_validate(cbor2.loads(payload))
        except (ValueError, cbor2.CBORError, TypeError, RecursionError, OverflowError, MemoryError) as error:
            raise DamagedMessageError(str(error)) from error
