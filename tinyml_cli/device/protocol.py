"""The serial protocol, version 1: what the host sends, and how a stream of bytes becomes events.

Host to device, one ASCII line per command: `VERB SEQ [ARGS] [CRC]`. Device to host, one JSON object per
line, mixed with plain text for people (`Heard yes (94%) @4056ms`). docs/protocol.md describes both.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

PROTOCOL_VERSION = 1
MAX_COMMAND_CHARS = 4095
MAX_PCM_SAMPLES = 640
IMU_SAMPLE_BYTES = 12
MAX_IMU_SAMPLES = 106
# 2,048 bytes are 2,732 base64 characters: well below MAX_COMMAND_CHARS with verb, offset and CRC.
MAX_INPUT_BYTES = 2048
MAX_SEQ = 65_535
# The longest honest line (`ready` with many labels, `output` of a large model) stays far below this.
MAX_EVENT_BYTES = 65_536
_MAX_RECOVERIES_PER_LINE = 16

TraceMode = Literal["off", "scores", "features", "status", "audio"]


def _unhex(value: object) -> object:
    return bytes.fromhex(value) if isinstance(value, str) else value


HexBytes = Annotated[
    bytes, BeforeValidator(_unhex), PlainSerializer(lambda data: data.hex(), return_type=str)
]


def _unbase64(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


Base64Bytes = Annotated[
    bytes,
    BeforeValidator(_unbase64),
    PlainSerializer(lambda data: base64.b64encode(data).decode(), return_type=str),
]
Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Byte = Annotated[int, Field(ge=0, le=255)]
Acceleration = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
Int8 = Annotated[int, Field(ge=-128, le=127)]


class Event(BaseModel):
    """One line of the device. Fields that this version does not know are kept."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, allow_inf_nan=False)

    event: str

    def as_dict(self) -> dict[str, Any]:
        """The event as a JSON-ready object."""
        return self.model_dump(mode="json")


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
    """How the device is, once a second (after `trace status`).

    `audio_rms` is the level of the last second in int16 units, `overruns` the microphone buffers lost since
    boot, `inference_us` the time of the last inference.
    """

    event: Literal["status"] = "status"
    uptime_ms: Count
    inference_us: Count
    audio_rms: Count
    overruns: Count


class Sensors(Event):
    """The answer of `sensors`; None where the device has no such sensor. Acceleration is in g / 1000."""

    event: Literal["sensors"] = "sensors"
    seq: Seq
    imu: str
    microphone_rms: Count | None = None
    ax_mg: Acceleration | None = None
    ay_mg: Acceleration | None = None
    az_mg: Acceleration | None = None


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


class Calibrated(Event):
    """What came of `calibrate`; `threshold` is the new one where `done`, else the old one is kept."""

    event: Literal["calibrated"] = "calibrated"
    done: bool
    t_ms: Count
    windows: Count
    needed: Count
    threshold: Count
    previous: Count
    stored: bool


class Fault(Event):
    """The device met an error that it cannot mend."""

    event: Literal["fault"] = "fault"
    what: str


class Image(Event):
    """What the model made of one frame: its int8 scores.

    `frame_us` is the time from the frame in memory to the scores, `inference_us` the model's part of it.
    """

    event: Literal["image"] = "image"
    frame: Count
    t_ms: Count
    frame_us: Count
    inference_us: Count
    q: list[Int8]


class Person(Event):
    """Another label than before is there; `present` is false where it is the one that means nobody."""

    event: Literal["person"] = "person"
    label: str
    present: bool
    score: Annotated[float, Field(ge=0, le=1)]
    frame: Count
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
    "anomaly": Anomaly,
    "calibrated": Calibrated,
    "image": Image,
    "person": Person,
    "input": Input,
    "stroke": Stroke,
    "gesture": Gesture,
    "fault": Fault,
}


class LineDecoder:
    """Turns bytes, in pieces of any size, into events; never raises.

    Survives noise, half lines, invalid UTF-8, lines without end, and a reboot in the middle of a line
    (the banner that follows the torn half on the same line is found).
    """

    def __init__(self, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._partial = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Event]:
        """Adds bytes; returns the events of every line that they complete."""
        events: list[Event] = []
        *ended, rest = data.split(b"\n")
        for piece in ended:
            events += self._end_line(piece)
        self._extend(rest)
        return events

    def reset(self) -> None:
        """Forgets a half line, as after a reconnection."""
        self._partial.clear()
        self._skipping = False

    def _extend(self, piece: bytes) -> None:
        if self._skipping:
            return
        self._partial += piece
        if len(self._partial) > self._max_line_bytes:
            del self._partial[80:]
            self._skipping = True

    def _end_line(self, piece: bytes) -> list[Event]:
        self._extend(piece)
        line = printable(self._partial.decode("utf-8", "replace").strip())
        skipped = self._skipping
        self.reset()
        if skipped:
            return [Malformed(text=line, why=f"line longer than {self._max_line_bytes} bytes")]
        return list(_parse_line(line)) if line else []


def printable(text: str) -> str:
    """`text` without control characters, so that no device can steer a terminal."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _parse_line(line: str) -> Iterator[Event]:
    found = False
    for document in _json_objects(line):
        found = True
        yield _parse_event(document)
    if not found:
        yield Text(text=line)


def _json_objects(line: str) -> Iterator[dict[str, Any]]:
    """Every JSON object with an "event" in the line, whatever stands around it."""
    position = 0
    for _ in range(_MAX_RECOVERIES_PER_LINE):
        position = line.find("{", position) if position == 0 else line.find('{"event"', position)
        if position < 0:
            return
        try:
            document, position = _DECODER.raw_decode(line, position)
            json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate can be read, not written
        except (ValueError, RecursionError):
            position += 1
            continue
        if isinstance(document.get("event"), str):
            yield document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse_event(document: dict[str, Any]) -> Event:
    kind = _EVENTS.get(document["event"], Unknown)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        return Malformed(text=ascii(document)[:200], why=f"{field}: {problem['msg']}")


def encode_info(seq: int) -> bytes:
    """Asks for the banner."""
    return _line("info", seq)


def encode_reset(seq: int) -> bytes:
    """Clears audio state, stream clock and recogniser."""
    return _line("reset", seq)


def encode_trace(seq: int, *modes: TraceMode) -> bytes:
    """Chooses what is reported besides detections: "off", or one or several of the other modes.

    Raises:
        ValueError: no mode, or "off" beside others.
    """
    if not modes or ("off" in modes and len(modes) > 1):
        raise ValueError(f"trace takes off or a list of modes, not {modes}")
    return _line("trace", seq, ",".join(modes))


def encode_sensors(seq: int) -> bytes:
    """Asks what the sensors feel."""
    return _line("sensors", seq)


def encode_led(seq: int, red: int, green: int, blue: int) -> bytes:
    """Shows a colour, parts within 0..255, until the next one or the next detection.

    Raises:
        ValueError: a part outside of its range.
    """
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"led takes parts within 0..255, not {(red, green, blue)}")
    return _line("led", seq, str(red), str(green), str(blue))


def encode_pcm(seq: int, samples_le: bytes) -> bytes:
    """Feeds the microphone with at most 640 samples, int16 little endian.

    Raises:
        ValueError: an odd number of bytes, none, or too many.
    """
    if not 0 < len(samples_le) <= 2 * MAX_PCM_SAMPLES or len(samples_le) % 2:
        raise ValueError(f"pcm takes 1..{MAX_PCM_SAMPLES} int16 samples, not {len(samples_le)} bytes")
    return _bulk_line("pcm", seq, _base64(samples_le))


def encode_imu(seq: int, samples_le: bytes) -> bytes:
    """Feeds the motion sensor with at most 106 samples of 6 values, int16 little endian.

    The values are acceleration in g / 1000 and rotation in tenths of a degree per second, x, y, z each.

    Raises:
        ValueError: no whole samples, none, or too many.
    """
    if not 0 < len(samples_le) <= IMU_SAMPLE_BYTES * MAX_IMU_SAMPLES or len(samples_le) % IMU_SAMPLE_BYTES:
        raise ValueError(f"imu takes 1..{MAX_IMU_SAMPLES} samples of 6 int16, not {len(samples_le)} bytes")
    return _bulk_line("imu", seq, _base64(samples_le))


def encode_calibrate(seq: int, seconds: int) -> bytes:
    """Asks the application `anomaly` to find its threshold anew from so many seconds of normal running.

    Raises:
        ValueError: a time that is not within 0..999999999; 0 brings the trained threshold back.
    """
    if not 0 <= seconds <= 999_999_999:
        raise ValueError(f"calibrate takes 0..999999999 seconds, not {seconds}")
    return _line("calibrate", seq, str(seconds))


def encode_input(seq: int, offset: int, data: bytes) -> bytes:
    """Writes int8 model input at a byte offset, at most 2,048 bytes at once.

    Raises:
        ValueError: a negative offset, no data or too much.
    """
    if offset < 0 or not 0 < len(data) <= MAX_INPUT_BYTES:
        raise ValueError(f"in takes 1..{MAX_INPUT_BYTES} bytes at offset >= 0, not {len(data)} at {offset}")
    return _bulk_line("in", seq, str(offset), _base64(data))


def encode_frame(seq: int, offset: int, data: bytes) -> bytes:
    """Writes a camera frame at a byte offset, at most 2,048 bytes at once; its last byte starts the model.

    Raises:
        ValueError: a negative offset, no data or too much.
    """
    if offset < 0 or not 0 < len(data) <= MAX_INPUT_BYTES:
        raise ValueError(f"frame takes 1..{MAX_INPUT_BYTES} bytes, offset >= 0, not {len(data)} at {offset}")
    return _bulk_line("frame", seq, str(offset), _base64(data))


def encode_run(seq: int) -> bytes:
    """Runs one inference on the input that was written."""
    return _line("run", seq)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _line(verb: str, seq: int, *arguments: str) -> bytes:
    if not 0 <= seq <= MAX_SEQ:
        raise ValueError(f"seq {seq} is not within 0..{MAX_SEQ}")
    return " ".join((verb, str(seq), *arguments)).encode("ascii") + b"\n"


def _bulk_line(verb: str, seq: int, *arguments: str) -> bytes:
    body = _line(verb, seq, *arguments)[:-1]
    return body + b" %08x\n" % zlib.crc32(body)
