"""Which detection belongs to which word."""

from __future__ import annotations

import random

from tinyml_cli.tasks.kws.detection_errors import Target, match
from tinyml_cli.tasks.kws.recognizer import ReportedWord

YES, NO = 2, 3


def at(*times_ms: int, label: int = YES) -> list[ReportedWord]:
    return [ReportedWord(time_ms, label, 900) for time_ms in times_ms]


def test_a_report_during_or_soon_after_a_word_hits_it() -> None:
    targets = [Target(1000, 1500, YES), Target(5000, 5500, YES), Target(9000, 9500, YES)]
    matched = match(targets, at(1200, 6500, 10_501))
    assert [(target.start_ms, found.time_ms) for target, found in matched.hits] == [
        (1000, 1200),
        (5000, 6500),
    ]
    assert matched.latencies_ms == [-300, 1000]
    assert [target.start_ms for target in matched.misses] == [9000]
    assert [found.time_ms for found in matched.false_accepts] == [10_501]


def test_another_word_is_a_false_accept_and_a_miss() -> None:
    matched = match([Target(1000, 1500, YES)], at(1600, label=NO))
    assert (len(matched.hits), len(matched.misses), len(matched.false_accepts)) == (0, 1, 1)


def test_a_second_report_of_a_word_is_a_repeat() -> None:
    matched = match([Target(1000, 1500, YES)], at(1500, 2300))
    assert [found.time_ms for found in matched.repeats] == [2300]
    assert not matched.false_accepts


def test_close_words_are_given_one_report_each_in_any_order_of_the_truth() -> None:
    targets = [Target(2000, 2400, YES), Target(1000, 1500, YES)]
    matched = match(targets, at(2100, 2600))
    assert [(target.start_ms, found.time_ms) for target, found in matched.hits] == [
        (1000, 2100),
        (2000, 2600),
    ]


def test_every_target_and_detection_is_counted_once() -> None:
    rng = random.Random(4)
    for _ in range(200):
        targets = [
            Target(start, start + rng.randint(100, 900), rng.choice([YES, NO]))
            for start in rng.sample(range(0, 20_000, 100), rng.randint(0, 9))
        ]
        found = [
            ReportedWord(time_ms, rng.choice([YES, NO]), 800)
            for time_ms in sorted(rng.sample(range(21_000), rng.randint(0, 12)))
        ]
        matched = match(targets, found)
        assert len(matched.hits) + len(matched.misses) == len(targets)
        assert len(matched.hits) + len(matched.repeats) + len(matched.false_accepts) == len(found)
