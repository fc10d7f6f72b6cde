"""Smoothing of posteriors over time, on sequences made by hand and against a plain reading of its rules."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run

SILENCE, UNKNOWN, YES, NO = range(4)
Detection = tuple[int, int, int]


@dataclass
class Settings:
    labels: int = 4
    first_word: int = 2
    window_ms: int = 500
    suppression_ms: int = 1000
    minimum: int = 3
    zero_point: int = -128
    permille_per_step_q16: int = 256000  # scale 1/256
    prefix_wait_ms: int = 500
    thresholds: list[int] = field(default_factory=lambda: [0, 0, 700, 700])
    longer_words: list[int] = field(default_factory=lambda: [0, 0, 0, 0])


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_harness("recognizer", "recognizer")


def recognize(program: Path, settings: Settings, steps: list[tuple[int, list[int]]]) -> list[Detection]:
    head = [settings.labels, settings.first_word, settings.window_ms, settings.suppression_ms]
    head += [settings.minimum, settings.zero_point, settings.permille_per_step_q16]
    head.append(settings.prefix_wait_ms)
    rows = [
        head,
        settings.thresholds,
        settings.longer_words,
        *([time_ms, *scores] for time_ms, scores in steps),
    ]
    text = "\n".join(" ".join(map(str, row)) for row in rows)
    output = run(program, stdin=text.encode()).decode()
    assert output != "refused\n"
    return [(a, b, c) for a, b, c in (map(int, line.split()) for line in output.splitlines())]


def sure_of(label: int, q: int = 127) -> list[int]:
    return [q if index == label else -128 for index in range(4)]


def every(interval_ms: int, *rows: list[int]) -> list[tuple[int, list[int]]]:
    return [(1000 + interval_ms * index, row) for index, row in enumerate(rows)]


def test_a_word_is_heard_once_minimum_count_is_reached(program: Path) -> None:
    steps = every(100, *[sure_of(YES)] * 5)
    assert recognize(program, Settings(), steps) == [(YES, 996, 1200)]
    assert recognize(program, Settings(minimum=1), steps) == [(YES, 996, 1000)]


def test_one_spike_is_not_a_word(program: Path) -> None:
    quiet, spike = sure_of(SILENCE), sure_of(NO)
    assert recognize(program, Settings(), every(100, quiet, quiet, spike, quiet, quiet, quiet)) == []


def test_silence_and_unknown_are_never_reported(program: Path) -> None:
    steps = every(100, *[sure_of(SILENCE)] * 10, *[sure_of(UNKNOWN)] * 10)
    assert recognize(program, Settings(), steps) == []


def test_a_held_word_is_repeated_only_after_suppression(program: Path) -> None:
    found = recognize(program, Settings(suppression_ms=700), every(100, *[sure_of(YES)] * 20))
    assert [time_ms for _, _, time_ms in found] == [1200, 1900, 2600]


def test_another_word_is_not_suppressed(program: Path) -> None:
    found = recognize(program, Settings(), every(100, *[sure_of(YES)] * 5, *[sure_of(NO)] * 5))
    assert [(label, time_ms) for label, _, time_ms in found] == [(YES, 1200), (NO, 1800)]


def test_old_scores_leave_the_window(program: Path) -> None:
    # Two scores, a gap longer than the window, two more: never three within it.
    steps = [(1000, sure_of(YES)), (1100, sure_of(YES)), (1600, sure_of(YES)), (1700, sure_of(YES))]
    assert recognize(program, Settings(), steps) == []
    assert recognize(program, Settings(), [*steps, (1800, sure_of(YES))]) == [(YES, 996, 1800)]


def test_each_word_has_its_own_threshold(program: Path) -> None:
    settings = Settings(thresholds=[0, 0, 900, 500])
    assert recognize(program, settings, every(100, *[sure_of(YES, q=50)] * 5)) == []
    assert recognize(program, settings, every(100, *[sure_of(NO, q=50)] * 5)) == [(NO, 695, 1200)]


def test_a_threshold_is_reached_by_equality(program: Path) -> None:
    steps = every(100, *[sure_of(YES, q=0)] * 3)  # 128 / 256
    assert recognize(program, Settings(thresholds=[0, 0, 500, 500]), steps) == [(YES, 500, 1200)]
    assert recognize(program, Settings(thresholds=[0, 0, 501, 500]), steps) == []


def test_settings_that_do_not_fit_are_refused(program: Path) -> None:
    for labels, minimum in ((33, 3), (4, 65), (0, 3)):
        text = f"{labels} 2 500 1000 {minimum} -128 256000 500\n" + "0 " * 2 * labels
        assert run(program, stdin=text.encode()) == b"refused\n"


@pytest.fixture
def no_nora() -> Settings:
    """Label 2 begins label 3."""
    return Settings(longer_words=[0, 0, 1 << NO, 0])


def test_a_word_that_begins_another_is_reported_after_its_wait(program: Path, no_nora: Settings) -> None:
    steps = every(100, *[sure_of(YES)] * 4, *[sure_of(SILENCE)] * 10)
    assert recognize(program, no_nora, steps) == [(YES, 996, 1700)], "it passed at 1200"
    no_nora.prefix_wait_ms = 0
    assert recognize(program, no_nora, steps) == [(YES, 996, 1300)], "with the next inference"


def test_the_longer_word_takes_its_place(program: Path, no_nora: Settings) -> None:
    steps = every(100, *[sure_of(YES)] * 4, *[sure_of(NO)] * 5, *[sure_of(SILENCE)] * 9)
    assert [(label, at) for label, _, at in recognize(program, no_nora, steps)] == [(NO, 1700)]
    plain = recognize(program, Settings(), steps)
    assert [label for label, _, _ in plain] == [YES, NO], "both, where neither waits"


def test_a_longer_word_that_leads_unsurely_keeps_the_shorter_one_back(
    program: Path, no_nora: Settings
) -> None:
    steps = every(100, *[sure_of(YES)] * 3, *[sure_of(NO, q=20)] * 7)
    assert recognize(program, no_nora, steps) == []


def test_the_shorter_word_does_not_follow_the_longer_one(program: Path, no_nora: Settings) -> None:
    steps = every(100, *[sure_of(NO)] * 5, *[sure_of(YES)] * 6, *[sure_of(SILENCE)] * 9)
    assert [label for label, _, _ in recognize(program, no_nora, steps)] == [NO]


def test_another_word_ends_the_wait_and_is_reported_too(program: Path) -> None:
    settings = Settings(
        labels=5,
        thresholds=[0, 0, 700, 700, 700],
        longer_words=[0, 0, 1 << NO, 0, 0],
        window_ms=100,
        minimum=1,
    )
    rows = [[*sure_of(label), -128] for label in (YES, YES)] + [[-128] * 4 + [127]] + [[127] + [-128] * 4] * 5
    found = recognize(program, settings, every(100, *rows))
    assert [(label, at) for label, _, at in found] == [(YES, 1200), (4, 1300)]


def by_definition(settings: Settings, steps: list[tuple[int, list[int]]]) -> list[Detection]:
    found: list[Detection] = []
    for end, (now_ms, _) in enumerate(steps):
        window = [
            row for time_ms, row in steps[max(0, end - 63) : end + 1] if now_ms - time_ms < settings.window_ms
        ]
        sums = [sum(row[label] for row in window) for label in range(settings.labels)]
        best = sums.index(max(sums))
        steps_above_zero = max(0, sums[best] - len(window) * settings.zero_point)
        permille = ((steps_above_zero * settings.permille_per_step_q16 // len(window)) + 32768) >> 16
        again = found and found[-1][0] == best and now_ms - found[-1][2] < settings.suppression_ms
        sure = min(permille, 1000) >= settings.thresholds[best] and len(window) >= settings.minimum
        if sure and best >= settings.first_word and not again:
            found.append((best, min(permille, 1000), now_ms))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_random_sequences_follow_the_definition(program: Path, seed: int) -> None:
    rng = random.Random(seed)
    settings = Settings(
        window_ms=rng.choice((60, 500, 4000)),
        suppression_ms=rng.choice((0, 300, 1500)),
        minimum=rng.randrange(1, 5),
        zero_point=rng.choice((-128, -100, 0)),
        thresholds=[0, 0, rng.randrange(100, 400), rng.randrange(100, 400)],
    )
    steps, now_ms, favourite = [], 0, 0
    for _ in range(2000):
        now_ms += rng.choice((20, 20, 40, 100, 700))
        favourite = rng.randrange(4) if rng.random() < 0.1 else favourite
        steps.append(
            (now_ms, [rng.randrange(0, 128) if k == favourite else rng.randrange(-128, 60) for k in range(4)])
        )
    wanted = by_definition(settings, steps)
    assert wanted
    assert recognize(program, settings, steps) == wanted
