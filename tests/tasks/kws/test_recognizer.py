"""The recogniser in Python gives the firmware's detections, bit for bit."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.native import compile_harness, run
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.tasks.kws.explain import describe
from tinyml_cli.tasks.kws.hearing import Hearing
from tinyml_cli.tasks.kws.recognizer import Recognizer, RecognizerConfig, RecognizerStep
from tinyml_cli.tasks.kws.stream_recognizer import detections, smooth

SURE, QUIET = np.array([-128, -128, 127, -128], np.int8), np.array([127, -128, -128, -128], np.int8)


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_harness("recognizer", "recognizer")


def settings(**changes: object) -> RecognizerConfig:
    values = {
        "thresholds_permille": (0, 0, 700, 700),
        "average_window_ms": 500,
        "suppression_ms": 1000,
        "minimum_count": 3,
        "zero_point": -128,
        "permille_per_step_q16": 256_000,
    }
    return RecognizerConfig(**(values | changes))  # type: ignore[arg-type]


def heard(steps: list[RecognizerStep]) -> list[tuple[int, int, int]]:
    found = [step.reported for step in steps if step.reported is not None]
    return [(each.label, each.score_permille, each.time_ms) for each in found]


def of_firmware(
    program: Path, chosen: RecognizerConfig, stream: list[tuple[int, list[int]]]
) -> list[tuple[int, ...]]:
    head = [4, 2, chosen.average_window_ms, chosen.suppression_ms, chosen.minimum_count, chosen.zero_point]
    rows = [[*head, chosen.permille_per_step_q16, chosen.prefix_wait_ms], list(chosen.thresholds_permille)]
    rows.append(list(chosen.longer_words) or [0] * 4)
    rows += [[time_ms, *scores] for time_ms, scores in stream]
    text = "\n".join(" ".join(map(str, row)) for row in rows)
    return [tuple(map(int, line.split())) for line in run(program, stdin=text.encode()).decode().splitlines()]


def of_hours(chosen: RecognizerConfig, stream: list[tuple[int, list[int]]]) -> list[tuple[int, int, int]]:
    """What the recogniser for long streams finds."""
    times = np.array([time_ms for time_ms, _ in stream], np.int64)
    scores = np.array([values for _, values in stream], np.int8)
    found = detections(smooth(times, scores, chosen), chosen)
    return [(each.label, each.score_permille, each.time_ms) for each in found]


@pytest.mark.parametrize("seed", range(25))
def test_random_streams_are_heard_as_the_firmware_hears_them(program: Path, seed: int) -> None:
    rng = random.Random(seed)
    chosen = settings(
        thresholds_permille=(0, 0, rng.randint(200, 900), rng.randint(200, 900)),
        average_window_ms=rng.choice([20, 300, 500, 5000]),
        suppression_ms=rng.choice([0, 400, 1000]),
        minimum_count=rng.randint(1, 8),
        zero_point=rng.choice([-128, -100, 3]),
        permille_per_step_q16=rng.choice([256_000, 255_999, 300_001]),
        longer_words=rng.choice([(), (0, 0, 8, 0), (0, 0, 0, 4), (0, 0, 8, 0)]),
        prefix_wait_ms=rng.choice([0, 150, 500, 2000]),
    )
    stream, time_ms, favourite = [], 1000, 0
    for _ in range(400):
        time_ms += rng.choice([0, 10, 20, 100, 100, 700])
        favourite = rng.randrange(4) if rng.random() < 0.15 else favourite
        scores = [rng.randint(-128, 0) for _ in range(4)]
        scores[favourite] = rng.randint(-40, 127)
        stream.append((time_ms, scores))
    recognizer = Recognizer(chosen)
    found = heard([recognizer.push(at, np.array(scores, np.int8)) for at, scores in stream])
    assert found == of_firmware(program, chosen, stream)
    assert found == of_hours(chosen, stream)


def test_reasons_say_what_was_lacking() -> None:
    recognizer = Recognizer(settings())
    reasons = [recognizer.push(1000 + 100 * i, SURE).reason for i in range(5)]
    assert reasons == ["too few", "too few", "heard", "suppressed", "suppressed"]
    recognizer.reset()
    assert [recognizer.push(100 * i, QUIET).reason for i in range(3)][-1] == "no word"
    recognizer.reset()
    weak = np.array([-128, -128, 0, -128], np.int8)
    last = [recognizer.push(100 * i, weak) for i in range(3)][-1]
    assert (last.reason, last.averages_permille[2]) == ("below threshold", 500)


def test_settings_are_those_that_firmware_gets() -> None:
    manifest = Manifest(task="kws", seed=0, labels=["silence", "unknown", "yes", "yesterday"])
    manifest.recognizer.longer_words = {"yes": ["yesterday"]}
    output = TensorQuantization(scale=1 / 256, zero_point=-128)
    chosen = RecognizerConfig.of(manifest.recognizer, manifest.labels, output)
    assert chosen.thresholds_permille == (700,) * 4
    assert (chosen.longer_words, chosen.prefix_wait_ms) == ((0, 0, 8, 0), 500)
    assert chosen.permille_per_step_q16 == 256_000


def test_a_reset_forgets_what_waits() -> None:
    recognizer = Recognizer(settings(longer_words=(0, 0, 8, 0), prefix_wait_ms=500))
    reasons = [recognizer.push(1000 + 100 * n, SURE).reason for n in range(3)]
    assert reasons == ["too few", "too few", "waits"]
    recognizer.reset()
    assert all(recognizer.push(1300 + 100 * n, QUIET).reported is None for n in range(9))


def test_explain_says_that_a_word_waited_in_vain() -> None:
    manifest = Manifest(task="kws", seed=0, labels=["silence", "unknown", "no", "nora"])
    manifest.recognizer.longer_words = {"no": ["nora"]}
    output = TensorQuantization(scale=1 / 256, zero_point=-128)
    recognizer = Recognizer(RecognizerConfig.of(manifest.recognizer, manifest.labels, output))
    unsure = np.array([-128, -128, -128, 20], np.int8)
    rows = [SURE] * 3 + [unsure] * 8
    steps = [recognizer.push(1000 + 100 * index, row) for index, row in enumerate(rows)]
    hearing = Hearing(np.zeros(0, np.int16), 16_000, np.zeros((0, 40), np.uint16), np.zeros((11, 4)), steps)
    outcome = describe(hearing, manifest)
    assert outcome.heard is None
    assert outcome.why.startswith(
        "Nothing was heard: `no` passed at 0.20 s of the recording, but had to wait"
    )
