"""The host's commands: one ASCII line each, with a checksum if it carries data."""

from __future__ import annotations

import base64
import zlib
from typing import Literal

from tinyml_cli.link.protocol.event import MAX_SEQ

MAX_COMMAND_CHARS = 4095
MAX_PCM_SAMPLES = 640
IMU_SAMPLE_BYTES = 12
MAX_IMU_SAMPLES = 106
# 2,048 bytes are 2,732 base64 characters: well below MAX_COMMAND_CHARS with verb, offset and CRC.
MAX_INPUT_BYTES = 2048

TraceMode = Literal["off", "scores", "features", "status", "audio"]


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
        raise ValueError(f"trace accepts off or a list of modes, not {modes}")
    return _line("trace", seq, ",".join(modes))


def encode_sensors(seq: int) -> bytes:
    """Asks for the sensors' readings."""
    return _line("sensors", seq)


def encode_led(seq: int, red: int, green: int, blue: int) -> bytes:
    """Shows a colour, components 0..255, until the next one or the next detection.

    Raises:
        ValueError: a component out of range.
    """
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"led accepts values in 0..255, not {(red, green, blue)}")
    return _line("led", seq, str(red), str(green), str(blue))


def encode_pcm(seq: int, samples_le: bytes) -> bytes:
    """Feeds the microphone with at most 640 samples, int16 little endian.

    Raises:
        ValueError: an odd number of bytes, none, or too many.
    """
    if not 0 < len(samples_le) <= 2 * MAX_PCM_SAMPLES or len(samples_le) % 2:
        raise ValueError(f"pcm accepts 1..{MAX_PCM_SAMPLES} int16 samples, not {len(samples_le)} bytes")
    return _bulk_line("pcm", seq, _base64(samples_le))


def encode_imu(seq: int, samples_le: bytes) -> bytes:
    """Feeds the motion sensor with at most 106 samples of 6 values, int16 little endian.

    The values are acceleration in g / 1000 and rotation in tenths of a degree per second, x, y, z each.

    Raises:
        ValueError: no whole samples, none, or too many.
    """
    if not 0 < len(samples_le) <= IMU_SAMPLE_BYTES * MAX_IMU_SAMPLES or len(samples_le) % IMU_SAMPLE_BYTES:
        raise ValueError(f"imu accepts 1..{MAX_IMU_SAMPLES} samples of 6 int16, not {len(samples_le)} bytes")
    return _bulk_line("imu", seq, _base64(samples_le))


def encode_calibrate(seq: int, seconds: int) -> bytes:
    """Asks the application `anomaly` to find its threshold anew from so many seconds of normal running.

    Raises:
        ValueError: a time that is not within 0..999999999; 0 brings the trained threshold back.
    """
    if not 0 <= seconds <= 999_999_999:
        raise ValueError(f"calibrate accepts 0..999999999 seconds, not {seconds}")
    return _line("calibrate", seq, str(seconds))


def encode_advance(seq: int, count: int) -> bytes:
    """Asks the application `hello` for its next points, which then come only when they are asked for.

    Raises:
        ValueError: a number that is not within 1..1000.
    """
    if not 1 <= count <= 1000:
        raise ValueError(f"advance accepts 1..1000 points, not {count}")
    return _line("advance", seq, str(count))


def encode_input(seq: int, offset: int, data: bytes) -> bytes:
    """Writes int8 model input at a byte offset, at most 2,048 bytes at once.

    Raises:
        ValueError: a negative offset, no data or too much.
    """
    if offset < 0 or not 0 < len(data) <= MAX_INPUT_BYTES:
        raise ValueError(f"in accepts 1..{MAX_INPUT_BYTES} bytes at offset >= 0, not {len(data)} at {offset}")
    return _bulk_line("in", seq, str(offset), _base64(data))


def encode_frame(seq: int, offset: int, data: bytes) -> bytes:
    """Writes a camera frame at a byte offset, at most 2,048 bytes at once; its last byte starts the model.

    Raises:
        ValueError: a negative offset, no data or too much.
    """
    if offset < 0 or not 0 < len(data) <= MAX_INPUT_BYTES:
        raise ValueError(
            f"frame accepts 1..{MAX_INPUT_BYTES} bytes, offset >= 0, not {len(data)} at {offset}"
        )
    return _bulk_line("frame", seq, str(offset), _base64(data))


def encode_slots(seq: int) -> bytes:
    """Asks which model runs, and what lies in the slots."""
    return _line("slots", seq)


def encode_update(seq: int, offset: int, data: bytes) -> bytes:
    """Writes a piece of a signed update: its header at 0, alone, then at most 2,048 bytes at once, in order.

    Raises:
        ValueError: a negative offset, no data or too much.
    """
    if offset < 0 or not 0 < len(data) <= MAX_INPUT_BYTES:
        raise ValueError(
            f"update accepts 1..{MAX_INPUT_BYTES} bytes, offset >= 0, not {len(data)} at {offset}"
        )
    return _bulk_line("update", seq, str(offset), _base64(data))


def encode_packed(seq: int, offset: int, data: bytes) -> bytes:
    """Writes a piece of an update's tables that were packed, at most 2,048 bytes at once, in order from 0 on.

    Raises:
        ValueError: a negative offset, no data or too much.
    """
    if offset < 0 or not 0 < len(data) <= MAX_INPUT_BYTES:
        raise ValueError(
            f"packed accepts 1..{MAX_INPUT_BYTES} bytes, offset >= 0, not {len(data)} at {offset}"
        )
    return _bulk_line("packed", seq, str(offset), _base64(data))


def encode_restart(seq: int) -> bytes:
    """Starts the device anew."""
    return _line("restart", seq)


def encode_run(seq: int) -> bytes:
    """Runs one inference on the input that was written."""
    return _line("run", seq)


def encode_learn(seq: int, takes: int, name: str, verb: Literal["learn", "train"] = "learn") -> bytes:
    """Has a board take the next 3 to 10 words that it hears for this one."""
    return _named_line(verb, seq, name, str(takes))


def encode_list(seq: int) -> bytes:
    """Asks for the words that a board was taught."""
    return _line("list", seq)


def encode_forget(seq: int, name: str) -> bytes:
    """Removes a word that a board was taught."""
    return _named_line("forget", seq, name)


def _named_line(verb: str, seq: int, name: str, *arguments: str) -> bytes:
    """A line that ends in a name, which may have any letters and blanks.

    Raises:
        ValueError: it is empty or would end the line.
    """
    if not name or not name.isprintable():
        raise ValueError(f"{name!r} is no name")
    return _line(verb, seq, *arguments)[:-1] + b" " + name.encode() + b"\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _line(verb: str, seq: int, *arguments: str) -> bytes:
    if not 0 <= seq <= MAX_SEQ:
        raise ValueError(f"seq {seq} is not in 0..{MAX_SEQ}")
    return " ".join((verb, str(seq), *arguments)).encode("ascii") + b"\n"


def _bulk_line(verb: str, seq: int, *arguments: str) -> bytes:
    body = _line(verb, seq, *arguments)[:-1]
    return body + b" %08x\n" % zlib.crc32(body)
