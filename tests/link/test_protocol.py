"""The host's half of the serial protocol: encoding, decoding, hostile bytes."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_cli.link import protocol
from tinyml_cli.link.protocol import (
    Ack,
    Detection,
    LineDecoder,
    Malformed,
    Output,
    Ready,
    Sensors,
    Status,
    Text,
    Unknown,
)

READY = {
    "event": "ready",
    "protocol": 1,
    "tinyml": "0.1.0",
    "app": "kws",
    "board": "sim",
    "engine": "aot",
    "model": "0123456789ab",
    "arena_used": 10,
    "arena_bytes": 20,
    "input_bytes": 1960,
    "output_bytes": 4,
    "input_type": "int8",
    "output_type": "int8",
    "sensors": ["microphone", "lsm9ds1"],
    "sample_rate_hz": 16000,
    "labels": ["silence", "unknown", "yes", "no"],
}


def decode(data: bytes) -> list[protocol.Event]:
    return LineDecoder().feed(data)


def test_commands_have_golden_encodings() -> None:
    assert protocol.encode_info(1) == b"info 1\n"
    assert protocol.encode_reset(2) == b"reset 2\n"
    assert protocol.encode_trace(3, "scores") == b"trace 3 scores\n"
    assert protocol.encode_trace(3, "scores", "status") == b"trace 3 scores,status\n"
    assert protocol.encode_trace(3, "off") == b"trace 3 off\n"
    assert protocol.encode_sensors(4) == b"sensors 4\n"
    assert protocol.encode_led(5, 0, 128, 255) == b"led 5 0 128 255\n"
    assert protocol.encode_run(65535) == b"run 65535\n"
    # CRC-32 (zlib) of b"pcm 7 AQD//w==" and of b"in 8 16 /38A".
    assert protocol.encode_pcm(7, b"\x01\x00\xff\xff") == b"pcm 7 AQD//w== 9cf0900c\n"
    assert protocol.encode_input(8, 16, b"\xff\x7f\x00") == b"in 8 16 /38A 3a80628a\n"


@given(st.integers(0, 65535), st.lists(st.integers(-32768, 32767), min_size=1, max_size=640))
def test_pcm_line_carries_samples_and_crc_within_the_limit(seq: int, values: list[int]) -> None:
    samples = np.array(values, dtype="<i2")
    line = protocol.encode_pcm(seq, samples.tobytes())
    assert len(line) <= protocol.MAX_COMMAND_CHARS + 1
    body, _, crc = line[:-1].rpartition(b" ")
    assert int(crc, 16) == zlib.crc32(body)
    verb, number, data = body.split(b" ")
    assert (verb, int(number)) == (b"pcm", seq)
    assert np.array_equal(np.frombuffer(base64.b64decode(data), "<i2"), samples)


def test_longest_input_line_fits_the_device_buffer() -> None:
    line = protocol.encode_input(65535, 9_999_999, bytes(protocol.MAX_INPUT_BYTES))
    assert len(line) <= protocol.MAX_COMMAND_CHARS + 1


@pytest.mark.parametrize("samples", [b"", b"\0", b"\0" * 1282])
def test_wrong_pcm_lengths_are_refused(samples: bytes) -> None:
    with pytest.raises(ValueError, match="samples"):
        protocol.encode_pcm(1, samples)


@pytest.mark.parametrize("seq", [-1, 65536])
def test_seq_out_of_range_is_refused(seq: int) -> None:
    with pytest.raises(ValueError, match="seq"):
        protocol.encode_run(seq)


def test_impossible_modes_and_colours_are_refused() -> None:
    for modes in ((), ("off", "scores")):
        with pytest.raises(ValueError, match="trace"):
            protocol.encode_trace(1, *modes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="led"):
        protocol.encode_led(1, 0, -1, 256)


def test_status_and_sensors() -> None:
    status, full, bare = decode(
        b'{"event":"status","uptime_ms":1000,"inference_us":181000,"audio_rms":12,"overruns":0}\n'
        b'{"event":"sensors","seq":7,"microphone_rms":9,"imu":"lsm9ds1","ax_mg":-3,"ay_mg":4,"az_mg":998}\n'
        b'{"event":"sensors","seq":8,"imu":"none"}\n'
    )
    assert isinstance(status, Status) and (status.inference_us, status.audio_rms) == (181000, 12)
    assert isinstance(full, Sensors) and (full.ax_mg, full.ay_mg, full.az_mg) == (-3, 4, 998)
    assert isinstance(bare, Sensors) and bare.microphone_rms is None and bare.ax_mg is None


def test_events_are_typed() -> None:
    data = (
        json.dumps(READY).encode()
        + b'\r\n{"event":"detection","label":"yes","score":1,"t_ms":4056}\n'
        + b"Heard yes (94%) @4056ms\n"
        + b'{"event":"output","seq":5,"data":"80ff7f","instructions":9}\n'
    )
    ready, detection, text, output = decode(data)
    assert isinstance(ready, Ready) and ready.labels == READY["labels"]
    assert isinstance(detection, Detection) and (detection.label, detection.t_ms) == ("yes", 4056)
    assert isinstance(text, Text) and text.text == "Heard yes (94%) @4056ms"
    assert isinstance(output, Output) and output.data == b"\x80\xff\x7f"
    assert output.as_dict()["data"] == "80ff7f"
    assert ready.as_dict() == READY


def test_unknown_events_and_fields_pass_through() -> None:
    newer, ack = decode(b'{"event":"battery","volts":3.1}\n{"event":"ack","seq":1,"cpu":7}\n')
    assert isinstance(newer, Unknown) and newer.as_dict() == {"event": "battery", "volts": 3.1}
    assert isinstance(ack, Ack) and ack.as_dict() == {"event": "ack", "seq": 1, "cpu": 7}


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"ack"}',
        b'{"event":"ack","seq":"1"}',
        b'{"event":"ack","seq":65536}',
        b'{"event":"ack","seq":true}',
        b'{"event":"detection","label":"yes","score":1.5,"t_ms":0}',
        b'{"event":"detection","label":"yes","score":1e999,"t_ms":0}',
        b'{"event":"output","seq":1,"data":"8z"}',
        b'{"event":"scores","t_ms":1,"q":[128]}',
    ],
)
def test_impossible_fields_are_malformed_not_fatal(line: bytes) -> None:
    (event,) = decode(line + b"\n")
    assert isinstance(event, Malformed) and event.why


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":NaN}',
        b'{"event":"ack","seq":' + b"9" * 5000 + b"}",
        b'{"event":' * 4000,
        b"[" * 50_000,
        b'{"event":"x","s":"\\ud800"}',
        b"[1,2]",
        b"null",
    ],
)
def test_what_is_no_event_is_text(line: bytes) -> None:
    (event,) = decode(line + b"\n")
    assert isinstance(event, Text)


def test_reboot_in_the_middle_of_a_line_loses_only_that_line() -> None:
    events = decode(b'{"event":"detec' + json.dumps(READY, separators=(",", ":")).encode() + b"\n")
    assert [event.event for event in events] == ["ready"]


def test_two_objects_whose_newline_was_lost_are_both_found() -> None:
    events = decode(b'xx{"event":"ack","seq":1}{"event":"ack","seq":2}\x00\n')
    assert [event for event in events if isinstance(event, Ack)] == [Ack(seq=1), Ack(seq=2)]


def test_line_without_end_is_dropped_and_the_next_is_read() -> None:
    decoder = LineDecoder(max_line_bytes=1000)
    assert decoder.feed(b"a" * 100_000) == []
    malformed, ack = decoder.feed(b'aaa\n{"event":"ack","seq":3}\n')
    assert isinstance(malformed, Malformed) and len(malformed.text) <= 80
    assert ack == Ack(seq=3)


def test_control_characters_never_reach_a_terminal() -> None:
    (event,) = decode(b"\x1b[2Jhello\x07\n")
    assert isinstance(event, Text) and "\x1b" not in event.text and "hello" in event.text


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes_never_raise_and_events_can_be_written_as_json(pieces: list[bytes]) -> None:
    decoder = LineDecoder(max_line_bytes=128)
    for piece in pieces:
        for event in decoder.feed(piece):
            json.dumps(event.as_dict(), ensure_ascii=False).encode()


JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
EVENT_NAMES = st.sampled_from(
    ["ready", "ack", "nak", "detection", "led", "scores", "features", "output", "zz"]
)


@given(EVENT_NAMES, st.dictionaries(st.text(), JSON_VALUE, max_size=4))
def test_any_json_object_never_raises(name: str, fields: dict[str, object]) -> None:
    for event in decode(json.dumps({"event": name, **fields}).encode() + b"\n"):
        json.dumps(event.as_dict(), ensure_ascii=False).encode()


@given(
    st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 65535)), min_size=1, max_size=8),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_valid_lines_among_noise_are_recovered_in_any_pieces(
    noise: list[tuple[bytes, int]], sizes: list[int]
) -> None:
    stream = b"".join(junk.replace(b"{", b"(") + b'{"event":"ack","seq":%d}\n' % seq for junk, seq in noise)
    decoder = LineDecoder()
    found: list[int] = []
    position = step = 0
    while position < len(stream):
        size = sizes[step % len(sizes)]
        events = decoder.feed(stream[position : position + size])
        found += [event.seq for event in events if isinstance(event, Ack)]
        position, step = position + size, step + 1
    assert found == [seq for _, seq in noise]
