"""MLPerf Tiny's commands beside this project's lines: valid, mutated and random bytes (ASan, UBSan)."""

from __future__ import annotations

import random
import re
import zlib
from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run

MAX_LINE = 4095
UNKNOWN, ARGUMENTS, NUMBER, HEX = (f"error {code}" for code in (1, 2, 3, 4))
PLAIN = ("name", "timestamp", "profile", "help", "results")


@pytest.fixture(scope="module")
def parser() -> Path:
    return compile_harness("mlperf", "protocol")


def expected(text: bytes) -> str:
    """What the protocol says about one command, without its '%', written from its description alone."""
    words = [word for word in re.split(rb"[ \t\r]", text) if word]
    if not words:
        return "none 0 0"
    verb, rest = words[0].decode("latin-1"), words[1:]
    if verb == "db":
        return _expected_buffer(rest)
    if verb in PLAIN:
        return ARGUMENTS if rest else f"{verb} 0 0"
    return _numbers("infer", rest, (1, 10)) if verb == "infer" else UNKNOWN


def _expected_buffer(words: list[bytes]) -> str:
    if not words:
        return ARGUMENTS
    if words[0] == b"load":
        return _numbers("load", words[1:], (0,))
    if words[0] == b"print":
        return _numbers("print", words[1:], (16, 0))
    if not re.fullmatch(rb"([0-9a-fA-F]{2})*", words[0]):
        return HEX
    data = bytes.fromhex(words[0].decode())
    return ARGUMENTS if words[1:] else f"data 0 0 {len(data)} {zlib.crc32(data):08x}"


def _numbers(verb: str, words: list[bytes], defaults: tuple[int, ...]) -> str:
    values = list(defaults)
    for index, word in enumerate(words[: len(defaults)]):
        if not re.fullmatch(rb"[0-9]{1,9}", word):
            return NUMBER
        values[index] = int(word)
    return ARGUMENTS if len(words) > len(defaults) else f"{verb} {values[0]} {[*values, 0][1]}"


def check(parser: Path, stream: bytes) -> list[str]:
    answers = run(parser, stdin=stream).decode().splitlines()
    wanted = []
    for text, terminator in re.findall(rb"([^%\n]*)([%\n])", stream):
        if len(text) > MAX_LINE:
            wanted.append("too long %" if terminator == b"%" else "too long n")
        elif terminator == b"%":
            wanted.append(expected(text.removesuffix(b"\r")))
        else:
            wanted.append(f"line {len(text.removesuffix(bytes([13])))}")
    assert answers == wanted
    return answers


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (b"name", "name 0 0"),
        (b"  profile ", "profile 0 0"),
        (b"infer", "infer 1 10"),
        (b"infer 70 0", "infer 70 0"),
        (b"infer 1 2 3", ARGUMENTS),
        (b"infer -1", NUMBER),
        (b"infer 1000000000", NUMBER),
        (b"db load 490", "load 490 0"),
        (b"db load", "load 0 0"),
        (b"db print 8 16", "print 8 16"),
        (b"db 00fFa5", f"data 0 0 3 {zlib.crc32(bytes([0, 255, 165])):08x}"),
        (b"db 00f", HEX),
        (b"db 0g", HEX),
        (b"db", ARGUMENTS),
        (b"db 00 11", ARGUMENTS),
        (b"", "none 0 0"),
        (b"NAME", UNKNOWN),
        (b"setbaud 9600", UNKNOWN),
        (b"\x00\xff", UNKNOWN),
    ],
)
def test_commands(parser: Path, text: bytes, answer: str) -> None:
    assert check(parser, text + b"%") == [answer]


def test_both_kinds_share_the_stream(parser: Path) -> None:
    stream = b"name%info 1\n\nresults%" + b"x" * 5000 + b"%" + b"y" * 5000 + b"\r\nname\r%"
    answers = check(parser, stream)
    assert answers == ["name 0 0", "line 6", "line 0", "results 0 0", "too long %", "too long n", "name 0 0"]


def test_random_and_mutated_bytes(parser: Path) -> None:
    rng = random.Random(30)
    words = [
        b"db",
        b"load",
        b"print",
        b"infer",
        b"name",
        b"results",
        b"help",
        b" ",
        b" ",
        b"\t",
        b"00ff",
        b"7",
    ]
    words += [b"123456789", b"1234567890", b"abc", b"%", b"%", b"\n", b"\r", b"\x00", b"zz", b"5a" * 900]
    stream = b"".join(rng.choice(words) for _ in range(40_000)) + b"%"
    answers = check(parser, stream)
    assert {UNKNOWN, ARGUMENTS, NUMBER, HEX, "infer 1 10"} <= set(answers)
    check(parser, rng.randbytes(300_000) + b"%")
