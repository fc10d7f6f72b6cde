"""Data from the host in place of a sensor: what is sent again is taken once, on every application's path."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_harness("host_feed", "protocol")


def feed(program: Path, words: Sequence[object]) -> list[str]:
    return run(program, stdin=" ".join(map(str, words)).encode()).decode().splitlines()


def test_a_number_sent_again_is_taken_once(program: Path) -> None:
    assert feed(program, [1, 1, 1, 2, 1]) == ["new 1", "repeated 1", "repeated 1", "new 1", "new 1"]
    assert feed(program, [65535, 65535, 1]) == ["new 1", "repeated 1", "new 1"]


def test_data_without_a_number_is_always_new(program: Path) -> None:
    assert feed(program, [0, 0, 5, 0, 5]) == ["new 1"] * 5


def test_after_a_reset_the_sensor_is_back_and_every_number_is_new(program: Path) -> None:
    assert feed(program, ["reset", 7, "reset", 7, 7]) == [
        "reset 0",
        "new 1",
        "reset 0",
        "new 1",
        "repeated 1",
    ]


def test_any_sequence(program: Path) -> None:
    rng = random.Random(4)
    words = [rng.choice([0, 1, 2, 65535, "reset"]) for _ in range(5000)]
    wanted: list[str] = []
    last: object = 0
    for word in words:
        if word == "reset":
            last = 0
            wanted.append("reset 0")
            continue
        wanted.append("repeated 1" if word and word == last else "new 1")
        last = word
    assert feed(program, words) == wanted
