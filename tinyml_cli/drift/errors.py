"""Errors where labels come late: whether the share of wrong answers has risen, by Page's test."""

from __future__ import annotations

import csv
import functools
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.drift.watch import climbs
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.boards import ErrorsFound
from tinyml_cli.wording import counted

LEAST_ANSWERS = 20
MOST_BYTES = 16 << 20
_FALSE_ALARM_ANSWERS = 2000
"""Answers between two false alarms, on average."""
_SIMULATED = 400_000
_LEAST_RATE = 0.005


def judge_errors(wrong: NDArray[np.bool_], normal_rate: float) -> ErrorsFound:
    """Whether wrong answers have become more frequent.

    Page's test of the log likelihood ratio of a rate at least twice as high; the threshold is simulated, for
    one false alarm in 2,000 answers.

    Args:
        wrong: of answers in order of time, [n].
        normal_rate: share of wrong answers in normal running.
    """
    before = min(0.45, max(_LEAST_RATE, normal_rate))
    after = min(0.9, max(2 * before, before + 0.1))
    gain, loss = math.log(after / before), math.log((1 - after) / (1 - before))
    threshold = _threshold(before, gain, loss)
    evidence, found = 0.0, None
    for number, each in enumerate(wrong.tolist(), 1):
        evidence = max(0.0, evidence + (gain if each else loss))
        if found is None and evidence >= threshold:
            found = number
    return ErrorsFound(
        n=len(wrong), wrong=int(wrong.sum()), normal_rate=before, drifted=found is not None, found_after=found
    )


def kind(data: bool, errors: ErrorsFound) -> str:
    """What has changed, in one sentence."""
    if errors.drifted:
        return (
            "Data drift that costs answers: retrain with data of today"
            if data
            else "Concept drift: the same inputs now have other answers. Check the labels, then train anew"
        )
    return "Data drift that costs no answers so far" if data else "Neither inputs nor errors have changed"


def read_feedback(path: Path) -> NDArray[np.bool_]:
    """Which answers of a CSV file with the columns `heard` and `truth` are wrong, in its order.

    Raises:
        TinymlError: no such columns, too few rows, or rows without a value.
    """
    if path.stat().st_size > MOST_BYTES:
        raise TinymlError("The feedback is larger than 16 MiB", str(path), "Give the latest answers only.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return _wrong(csv.DictReader(stream), path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise TinymlError(
            "The feedback is not a CSV file in UTF-8", str(path), "Write two columns: heard,truth"
        ) from error


def _wrong(rows: csv.DictReader[str], path: Path) -> NDArray[np.bool_]:
    if not {"heard", "truth"} <= set(rows.fieldnames or ()):
        raise TinymlError(
            "The feedback has no columns `heard` and `truth`",
            str(path),
            "Begin it with the line: heard,truth",
        )
    wrong: list[bool] = []
    for row in rows:
        heard, truth = (row[name] for name in ("heard", "truth"))
        if not heard or not truth:
            raise TinymlError(
                f"Line {rows.line_num} has no value for `heard` or `truth`",
                str(path),
                "Complete it, or leave out the line.",
            )
        wrong.append(heard.strip() != truth.strip())
    if len(wrong) < LEAST_ANSWERS:
        raise TinymlError(
            f"The feedback has {counted(len(wrong), 'answer')}; at least {LEAST_ANSWERS} are needed",
            str(path),
            "Collect more answers whose truth is known.",
        )
    return np.array(wrong)


@functools.cache
def _threshold(rate: float, gain: float, loss: float) -> float:
    """The height that the evidence reaches once in `_FALSE_ALARM_ANSWERS` at this rate of errors."""
    rng = np.random.default_rng(0)
    heights = climbs(np.where(rng.random(_SIMULATED) < rate, gain, loss))
    return float(heights[min(len(heights) - 1, _SIMULATED // _FALSE_ALARM_ANSWERS)])
