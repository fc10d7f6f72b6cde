"""Computes on the host what a wand's board reports while motion is played to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.drift.columns import gesture_values, reference_of
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.motion_windows import Samples, windows_of
from tinyml_cli.tasks.wand.takes import between_rests
from tinyml_cli.tasks.wand.threshold import answers
from tinyml_cli.wording import counted

# Per label; a take gives about ten windows.
_TAKES = 40


def felt_reference(
    gesture: GestureInput, labels: Sequence[str], model: Int8Model, takes: NDArray[Any], indices: NDArray[Any]
) -> Reference:
    """The reference of scores and windows while some of the takes are played as by `monitor --replay`.

    Takes alone have another distribution: most windows of a stream contain part of a gesture, or rest.

    Args:
        gesture: the manifest's, for raw motion.
        labels: the manifest's.
        model: the int8 model, whose input is windows int16.
        takes: int16 [n, samples, 6]; there are at most as many unknown motions as takes of one gesture.
        indices: int64 [n], the label of each take.
    """
    assert gesture.imu is not None
    rng = np.random.default_rng(0)
    most = min(_TAKES, int(np.bincount(indices, minlength=2)[1:].max()) or _TAKES)
    rows = [rng.permutation(np.flatnonzero(indices == index))[:most] for index in range(len(labels))]
    chosen = rng.permutation(np.concatenate(rows))  # sorted by label, values would look correlated
    windows: list[Samples] = []
    begins, ends = [], []
    for row in chosen:
        begins.append(len(windows))
        for end, window in windows_of(between_rests(takes[row], gesture.rate_hz), gesture.imu):
            windows.append(window)
            ends.append(end)
    if not windows:
        return reference_of({}, "motions that start too gently to be judged")
    inputs = model.inputs(np.stack(windows))
    outputs = model.run(inputs)
    accepted = answers(model.scores(outputs), gesture.threshold) != 0
    judged = _judged(begins, ends, accepted, gesture.imu.suppression_samples)
    values = gesture_values(gesture, labels, outputs[judged], inputs[judged])
    return reference_of(values, f"{counted(len(chosen), 'motion')} with rests around them")


def _judged(
    begins: Sequence[int], ends: Sequence[int], accepted: NDArray[np.bool_], quiet: int
) -> NDArray[np.bool_]:
    """Which windows a board classifies: none for a while after it has accepted one of the same take.

    Args:
        begins: number of each take's first window.
        ends: index of each window's last sample in its take.
        accepted: whether a gesture was recognised in it.
        quiet: number of samples for which nothing is classified then.
    """
    judged = np.ones(len(ends), np.bool_)
    for first, last in zip(begins, [*begins[1:], len(ends)], strict=True):
        until = 0
        for number in range(first, last):
            judged[number] = ends[number] >= until
            if judged[number] and accepted[number]:
                until = ends[number] + quiet
    return judged
