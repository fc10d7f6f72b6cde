"""The firmware's command parser against an independent one: valid, mutated and random bytes (ASan, UBSan)."""

from __future__ import annotations

import base64
import binascii
import json
import random
import re
import zlib
from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run

MAX_LINE = 4095
VERBS = (
    "info",
    "reset",
    "trace",
    "pcm",
    "in",
    "run",
    "sensors",
    "led",
    "imu",
    "calibrate",
    "frame",
    "learn",
    "train",
    "forget",
    "list",
    "advance",
)
TRACE_BITS = {b"scores": 1, b"features": 2, b"status": 4, b"audio": 8}
ALPHABET = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=  \t\r\n\x00\xff"


@pytest.fixture(scope="module")
def parser() -> Path:
    return compile_harness("protocol", "protocol")


def with_crc(text: bytes) -> bytes:
    return text + b" %08x" % zlib.crc32(text)


def pcm(seq: int, data: bytes) -> bytes:
    return with_crc(b"pcm %d " % seq + base64.b64encode(data))


def imu(seq: int, data: bytes) -> bytes:
    return with_crc(b"imu %d " % seq + base64.b64encode(data))


def model_input(seq: int, offset: int, data: bytes) -> bytes:
    return with_crc(b"in %d %d " % (seq, offset) + base64.b64encode(data))


def frame(seq: int, offset: int, data: bytes) -> bytes:
    return with_crc(b"frame %d %d " % (seq, offset) + base64.b64encode(data))


def expected(line: bytes) -> str:
    """What protocol version 1 says about one line, written from its description alone."""
    line = line.removesuffix(b"\r")
    words = line.split(b" ")
    verb = words[0].decode("latin-1")
    if verb not in VERBS:
        return "nak 0 command"
    number = words[1] if len(words) > 1 else b""
    if len(number) > 9:
        return "nak 0 range"
    if not re.fullmatch(rb"[0-9]+", number):
        return "nak 0 format"
    seq = int(number)
    if seq > 65535:
        return "nak 0 range"
    if verb in ("pcm", "imu", "in", "frame"):
        return _expected_bulk(line, verb, seq)
    if verb == "trace":
        return _expected_trace(words[2:], seq)
    if verb == "led":
        return _expected_led(words[2:], seq)
    if verb in ("calibrate", "advance"):
        return _expected_number(verb, words[2:], seq)
    if verb in ("learn", "train"):
        count = _expected_number(verb, words[2:3], seq)
        return count if count.startswith("nak") else _expected_name(count, words[3:], seq)
    if verb == "forget":
        return _expected_name(f"{verb} {seq}", words[2:], seq)
    return f"{verb} {seq}" if len(words) == 2 else f"nak {seq} format"


def _expected_trace(words: list[bytes], seq: int) -> str:
    if words == [b"off"]:
        return f"trace {seq} 0"
    modes = words[0].split(b",") if len(words) == 1 else []
    if not modes or not set(modes) <= TRACE_BITS.keys():
        return f"nak {seq} format"
    return f"trace {seq} {sum(TRACE_BITS[mode] for mode in set(modes))}"


def _expected_led(words: list[bytes], seq: int) -> str:
    for word in [*words[:3], b"", b"", b""][:3]:
        if len(word) > 9:
            return f"nak {seq} range"
        if not re.fullmatch(rb"[0-9]+", word):
            return f"nak {seq} format"
        if int(word) > 255:
            return f"nak {seq} range"
    if len(words) > 3:
        return f"nak {seq} format"
    return f"led {seq} " + " ".join(str(int(word)) for word in words)


def _expected_number(verb: str, words: list[bytes], seq: int) -> str:
    word = words[0] if words else b""
    if len(word) > 9:
        return f"nak {seq} range"
    if not re.fullmatch(rb"[0-9]+", word) or len(words) > 1:
        return f"nak {seq} format"
    return f"{verb} {seq} {int(word)}"


def _expected_name(said: str, words: list[bytes], seq: int) -> str:
    """A name is the rest of the line, without control characters."""
    name = b" ".join(words)
    if not name or any(byte < 0x20 or byte == 0x7F for byte in name):
        return f"nak {seq} format"
    return f"{said} {zlib.crc32(name):08x}"


def _expected_bulk(line: bytes, verb: str, seq: int) -> str:
    match = re.fullmatch(rb"(.*) ([0-9a-f]{8})", line, re.DOTALL)
    if match is None:
        return f"nak {seq} format"
    if zlib.crc32(match[1]) != int(match[2], 16):
        return f"nak {seq} crc"
    words = match[1].split(b" ")[2:]
    offset = 0
    if verb in ("in", "frame"):
        number = words.pop(0) if words else b""
        if len(number) > 9:
            return f"nak {seq} range"
        if not re.fullmatch(rb"[0-9]+", number):
            return f"nak {seq} format"
        offset = int(number)
    if len(words) != 1:
        return f"nak {seq} format"
    try:
        data = base64.b64decode(words[0], validate=True)
    except (binascii.Error, ValueError):
        return f"nak {seq} format"
    if not data or base64.b64encode(data) != words[0]:
        return f"nak {seq} format"
    most, unit = {"pcm": (1280, 2), "imu": (1272, 12)}.get(verb, (len(data), 1))
    if len(data) > most:
        return f"nak {seq} length"
    if len(data) % unit:
        return f"nak {seq} format"
    return f"{verb} {seq} {offset} {len(data)} {zlib.crc32(data):08x}"


def check(parser: Path, stream: bytes) -> list[str]:
    lines = stream.split(b"\n")[:-1]
    answers = run(parser, stdin=stream).decode().splitlines()
    wanted = ["too long" if len(line) > MAX_LINE else expected(line) for line in lines]
    for line, answer, want in zip(lines, answers, wanted, strict=True):
        assert answer == want, line
    return answers


def test_every_command(parser: Path) -> None:
    lines = [
        b"info 1",
        b"reset 2\r",
        b"trace 3 off",
        b"trace 4 scores",
        b"trace 5 features",
        b"trace 5 features,scores,status",
        b"trace 6 audio",
        b"trace 5 status,status",
        b"sensors 5",
        b"led 5 0 128 255",
        b"calibrate 5 60",
        b"advance 5 128",
        b"run 65535",
        b"run 0",
    ]
    lines += [
        pcm(6, bytes(1280)),
        imu(6, bytes(1272)),
        frame(6, 1024, bytes(32)),
        model_input(7, 0, b"\x80"),
        model_input(8, 27647, bytes(range(256)) * 11),
    ]
    answers = check(parser, b"\n".join(lines) + b"\n")
    assert not [answer for answer in answers if answer.startswith("nak")]
    assert answers[-1].startswith("in 8 27647 2816 ")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"", "nak 0 command"),
        (b"INFO 1", "nak 0 command"),
        (b" info 1", "nak 0 command"),
        (b"info", "nak 0 format"),
        (b"info ", "nak 0 format"),
        (b"info 1 ", "nak 1 format"),
        (b"info 1 2", "nak 1 format"),
        (b"info -1", "nak 0 format"),
        (b"info 65536", "nak 0 range"),
        (b"info 99999999999999999999", "nak 0 range"),
        (b"trace 1", "nak 1 format"),
        (b"trace 1 loud", "nak 1 format"),
        (b"trace 1 ", "nak 1 format"),
        (b"trace 1 ,", "nak 1 format"),
        (b"trace 1 scores,", "nak 1 format"),
        (b"trace 1 scores,off", "nak 1 format"),
        (b"trace 1 scores status", "nak 1 format"),
        (b"sensors 1 2", "nak 1 format"),
        (b"led 1 1 2", "nak 1 format"),
        (b"led 1 1 2 x", "nak 1 format"),
        (b"led 1 1 2 256", "nak 1 range"),
        (b"led 1 1 2 3 4", "nak 1 format"),
        (b"pcm 9", "nak 9 format"),
        (b"pcm 9 AAAA", "nak 9 format"),
        (b"pcm 9 AAAA 00000000", "nak 9 crc"),
        (pcm(9, b"\0\0").upper().replace(b"PCM", b"pcm"), "nak 9 format"),
        (with_crc(b"pcm 9 "), "nak 9 format"),
        (with_crc(b"pcm 9 AA="), "nak 9 format"),
        (with_crc(b"pcm 9 AB=="), "nak 9 format"),
        (with_crc(b"pcm 9 AA=A"), "nak 9 format"),
        (with_crc(b"pcm 9 ===="), "nak 9 format"),
        (with_crc(b"pcm 9 AAAA AAAA"), "nak 9 format"),
        (pcm(9, b"\0"), "nak 9 format"),
        (pcm(9, bytes(1282)), "nak 9 length"),
        (imu(9, bytes(1284)), "nak 9 length"),
        (imu(9, bytes(14)), "nak 9 format"),
        (b"calibrate 9", "nak 9 format"),
        (b"advance 9", "nak 9 format"),
        (b"advance 9 1 2", "nak 9 format"),
        (b"calibrate 9 -1", "nak 9 format"),
        (b"calibrate 9 1 2", "nak 9 format"),
        (b"calibrate 9 9999999999", "nak 9 range"),
        (with_crc(b"in 9 4294967296 AAAA"), "nak 9 range"),
        (with_crc(b"in 9 AAAA"), "nak 9 format"),
        (b"pcm 9 \xff\x00\xfe", "nak 9 format"),
    ],
)
def test_wrong_lines_are_refused_with_the_reason(parser: Path, line: bytes, answer: str) -> None:
    assert check(parser, line + b"\n") == [answer]


def test_an_over_long_line_is_dropped_to_its_end(parser: Path) -> None:
    stream = b"i" * (MAX_LINE + 1) + b"\ninfo 1\n" + b"j" * 100_000 + b"\ninfo 2\n" + b"k" * MAX_LINE + b"\n"
    assert check(parser, stream) == ["too long", "info 1", "too long", "info 2", "nak 0 command"]


def test_mutated_commands(parser: Path) -> None:
    rng = random.Random(20)
    stream = bytearray()
    for _ in range(3000):
        data = rng.randbytes(rng.choice((1, 2, 3, 64, 640)))
        line = bytearray(
            rng.choice(
                (
                    pcm(rng.randrange(70000), data),
                    imu(1, data),
                    model_input(3, rng.randrange(2000), data),
                    frame(4, rng.randrange(2000), data),
                )
            )
        )
        for _ in range(rng.randrange(3)):
            place = rng.randrange(len(line))
            action = rng.randrange(3)
            if action == 0:
                line[place] = rng.choice(ALPHABET)
            elif action == 1:
                del line[place:]
                line += b"!"
            else:
                line.insert(place, rng.choice(ALPHABET))
        text = bytes(line)
        # A second CRC over the damage: gets mutations past the checksum into the parser behind it.
        stream += (with_crc(text[:-9]) if rng.random() < 0.5 and len(text) > 9 else text) + b"\n"
    answers = check(parser, bytes(stream))
    assert {"crc", "format", "command"} <= {answer.split()[-1] for answer in answers}
    assert any(answer.startswith("pcm") for answer in answers)


def test_random_bytes(parser: Path) -> None:
    rng = random.Random(21)
    stream = rng.randbytes(200_000) + b"\n"
    stream += bytes(rng.choice(ALPHABET) for _ in range(200_000)) + b"\n"
    words = [
        b"pcm",
        b"in",
        b"run",
        b"info",
        b"trace",
        b"led",
        b"imu",
        b"calibrate",
        b"advance",
        b"sensors",
        b"status",
        b",",
        b" ",
        b"  ",
        b"7",
        b"65535",
        b"AAAA",
        b"\n",
        b"00000000",
    ]
    stream += b"".join(rng.choice(words) for _ in range(50_000)) + b"\n"
    check(parser, stream)


def test_json_of_hostile_values(parser: Path) -> None:
    hostile = 'a"b\\c\n\x01é'
    line = run(parser, hostile.encode())
    assert line.endswith(b"}\n") and line.count(b"\n") == 1
    assert json.loads(line) == {
        "event": "all",
        "hostile": hostile,
        "zero": 0,
        "largest": 2**64 - 1,
        "p0": 0,
        "p4": 0,
        "p5": 0.01,
        "p938": 0.94,
        "p1000": 1.0,
        "texts": [hostile, "", "yes"],
        "no_texts": [],
        "numbers": [-128, -1, 0, 1, 127],
        "no_numbers": [],
        "hex": "007fff",
        "base64_0": "",
        "base64_1": "AA==",
        "base64_2": "AH8=",
        "base64_3": "AH//",
        "base64_5": "gP8AAX8=",
    }
