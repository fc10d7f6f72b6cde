"""The device's events: one JSON object per line, checked field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from tinyml_cli.link.protocol.event import Acceleration, Base64Bytes, Byte, Count, Event, HexBytes, Int8, Seq
from tinyml_cli.link.protocol.learning_events import (
    KnownWord,
    Learned,
    NotLearned,
    TakeHeard,
    TrainedRows,
)
from tinyml_cli.validation import first_problem

SlotState = Literal["empty", "partial", "complete", "confirmed", "rejected"]


class Ready(Event):
    """The banner, at boot and as the answer of `info`."""

    event: Literal["ready"] = "ready"
    protocol: Count
    tinyml: str
    app: str
    board: str
    engine: str
    model: str
    arena_used: Count = 0
    arena_bytes: Count = 0
    input_bytes: Count = 0
    output_bytes: Count = 0
    input_type: str = "int8"
    output_type: str = "int8"
    sensors: list[str] = Field(default_factory=list)
    sample_rate_hz: Annotated[int, Field(ge=1, le=1_000_000)] = 16_000
    labels: list[str] = Field(default_factory=list)


class Ack(Event):
    """The command with this number was carried out (or had been before)."""

    event: Literal["ack"] = "ack"
    seq: Seq


class Nak(Event):
    """The command was refused; seq 0 when the device could not read the number."""

    event: Literal["nak"] = "nak"
    seq: Seq
    reason: str


class Detection(Event):
    """A word was heard; `t_ms` is stream time."""

    event: Literal["detection"] = "detection"
    label: str
    score: Annotated[float, Field(ge=0, le=1)]
    t_ms: Count


class Led(Event):
    """The colour that the board shows."""

    event: Literal["led"] = "led"
    r: Byte
    g: Byte
    b: Byte
    t_ms: Count


class Scores(Event):
    """The int8 output of one inference (after `trace scores`)."""

    event: Literal["scores"] = "scores"
    t_ms: Count
    q: list[Int8]


class Features(Event):
    """One frame of features, uint16 little endian (after `trace features`)."""

    event: Literal["features"] = "features"
    frame: Count
    data: HexBytes


class Audio(Event):
    """What the microphone heard, int16 little endian (after `trace audio`).

    `sample` is the position of its first sample in the stream: a gap says that lines were lost. `overruns`
    counts the microphone buffers that the board lost since boot.
    """

    event: Literal["audio"] = "audio"
    sample: Count
    overruns: Count = 0
    data: Base64Bytes


class Output(Event):
    """The answer of `run`: the bytes of all outputs; `instructions` is 0 where the device cannot count.

    `inference_us` is time of the device's clock, which is emulated on the virtual board.
    """

    event: Literal["output"] = "output"
    seq: Seq
    data: HexBytes
    instructions: Count = 0
    inference_us: Count = 0


class Status(Event):
    """The state of the device, once a second (after `trace status`).

    `audio_rms` is the level of the last second in int16 units, `overruns` the microphone buffers lost since
    boot, `inference_us` the time of the last inference. `clipped` counts the samples at full scale in that
    second; `noise` is the mean of the front end's noise estimate, in units of its filter bank. Older firmware
    and applications without a microphone lack both.
    """

    event: Literal["status"] = "status"
    uptime_ms: Count
    inference_us: Count
    audio_rms: Count
    overruns: Count
    clipped: Count | None = None
    noise: Count | None = None


class Sensors(Event):
    """The answer of `sensors`; None where the device has no such sensor. Acceleration is in g / 1000."""

    event: Literal["sensors"] = "sensors"
    seq: Seq
    imu: str
    microphone_rms: Count | None = None
    ax_mg: Acceleration | None = None
    ay_mg: Acceleration | None = None
    az_mg: Acceleration | None = None


class Slots(Event):
    """Which model runs, and the slots of firmware that takes updates.

    `received` are the bytes of the tables that an update has brought so far.
    """

    event: Literal["slots"] = "slots"
    seq: Seq
    running: Literal["built-in", "a", "b"]
    release: Count
    model: str
    architecture: HexBytes
    tables_bytes: Count
    received: Count
    a: SlotState
    a_release: Count
    b: SlotState
    b_release: Count


class Anomaly(Event):
    """The score of one window, and whether the alarm is on; `t_ms` is stream time.

    `level` is the running mean of scores, `drifting` that it has left the trained one for good.
    """

    event: Literal["anomaly"] = "anomaly"
    t_ms: Count
    score: Count
    threshold: Count
    level: Count
    alarm: bool
    drifting: bool


class Drift(Event):
    """What a board is given, or makes of it, has left normal running, or is back.

    `mean` is that of the last block, `reference` that of normal running, in the units of the manifest's
    `drift_watch`; `inferences` counts since boot.
    """

    event: Literal["drift"] = "drift"
    signal: str
    drifting: bool
    direction: Literal["up", "down"]
    pace: Literal["sudden", "slow"]
    inferences: Count
    mean: int
    reference: int


class Calibrated(Event):
    """The result of `calibrate`; `threshold` is the new one if `done`, else the old one, which is kept."""

    event: Literal["calibrated"] = "calibrated"
    done: bool
    t_ms: Count
    windows: Count
    needed: Count
    threshold: Count
    previous: Count
    stored: bool


class Fault(Event):
    """The device met an error that it cannot recover from."""

    event: Literal["fault"] = "fault"
    what: str


class Image(Event):
    """The model's int8 scores for one frame.

    `frame_us` is the time from the frame in memory to the scores, `inference_us` the model's part of it.
    """

    event: Literal["image"] = "image"
    frame: Count
    t_ms: Count
    frame_us: Count
    inference_us: Count
    q: list[Int8]


class Person(Event):
    """What the camera sees has changed: `class` of the task `images`, else `person`.

    `present` is false if the label is the background, or if there is none because no class is sure.
    """

    event: Literal["person", "class"] = "person"
    label: str | None = None
    present: bool
    score: Annotated[float, Field(ge=0, le=1)]
    frame: Count
    t_ms: Count


class Gate(Event):
    """A word has switched the camera of a cascade on, or it is off again; `t_ms` is of the audio stream."""

    event: Literal["gate"] = "gate"
    open: bool
    label: str
    t_ms: Count


class Input(Event):
    """The int8 pixels that the model is about to see (after `trace features`)."""

    event: Literal["input"] = "input"
    frame: Count
    data: HexBytes


class Stroke(Event):
    """What the tip of a wand drew: pairs of int8, x to the right and y up, in 128ths of the wand's length."""

    event: Literal["stroke"] = "stroke"
    t_ms: Count
    points: Base64Bytes


class Gesture(Event):
    """A motion was judged; `label` is the first one, unknown, where the score of `best` is too low."""

    event: Literal["gesture"] = "gesture"
    label: str
    score: Annotated[float, Field(ge=0, le=1)]
    best: str
    t_ms: Count
    inference_us: Count = 0


class Wave(Event):
    """A point of the curve that a model of one number draws; `x` and `y` are its int8 input and output."""

    event: Literal["wave"] = "wave"
    t_ms: Count
    point: Count
    x: Int8
    y: Int8
    light: Byte


class Unknown(Event):
    """An event of a newer firmware; passed through unchanged."""


class Text(Event):
    """A line that is not JSON: text for people, or noise."""

    event: Literal["text"] = "text"
    text: str


class Malformed(Event):
    """An event with missing or impossible fields, or a line without end; for the log only."""

    event: Literal["malformed"] = "malformed"
    text: str
    why: str


_EVENTS: dict[str, type[Event]] = {
    "ready": Ready,
    "ack": Ack,
    "nak": Nak,
    "detection": Detection,
    "led": Led,
    "scores": Scores,
    "features": Features,
    "output": Output,
    "status": Status,
    "audio": Audio,
    "sensors": Sensors,
    "slots": Slots,
    "anomaly": Anomaly,
    "calibrated": Calibrated,
    "drift": Drift,
    "image": Image,
    "person": Person,
    "class": Person,
    "gate": Gate,
    "input": Input,
    "stroke": Stroke,
    "gesture": Gesture,
    "wave": Wave,
    "take": TakeHeard,
    "learned": Learned,
    "not_learned": NotLearned,
    "trained": TrainedRows,
    "word": KnownWord,
    "fault": Fault,
}


def parse_event(document: dict[str, Any]) -> Event:
    """The event of a JSON object with a field `event`; Malformed where its fields are impossible."""
    kind = _EVENTS.get(document["event"], Unknown)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        return Malformed(text=ascii(document)[:200], why=first_problem(error, kind).what)
