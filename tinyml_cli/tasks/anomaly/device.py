"""Runs held-out recordings through a board's firmware, and compares its scores with the host's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.evaluation import on_device
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.link.protocol import Anomaly, Event
from tinyml_cli.outcomes.anomalies import RecordingsOnDevice
from tinyml_cli.outcomes.evaluations import OnDevice
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly.pool import MachineRecording
from tinyml_cli.tasks.anomaly.replay import replay


def device_scores(
    run: Run, target: BuildTarget, recordings: Sequence[MachineRecording]
) -> tuple[list[list[int]], OnDevice]:
    """Feeds recordings in place of the board's sensor, each after a reset.

    Returns:
        The scores of each recording's windows, and whose they are.

    Raises:
        TinymlError: a board that does not answer or runs another model.
    """
    scores: list[list[int]] = []
    manifest = run.manifest()
    with (
        on_device.opened(run, target) as (link, ready),
        console.progress(len(recordings), ready.board) as bar,
    ):
        for recording in recordings:
            mine: list[int] = []

            def keep(event: Event, mine: list[int] = mine) -> None:
                if isinstance(event, Anomaly):
                    mine.append(event.score)

            for _ in replay(link, [recording], manifest, keep):
                bar.advance()
            scores.append(mine)
        return scores, on_device.describe(ready, target)


def compared(
    run: Run,
    options: EvaluationOptions,
    recordings: Sequence[MachineRecording],
    scores: NDArray[np.int64],
    recording: NDArray[np.int64],
) -> RecordingsOnDevice | None:
    """A board's results on some of the recordings, spread evenly; None on the host.

    Args:
        run: with firmware for the board, unless that is virtual.
        options: where, and at most how many recordings.
        recordings: all evaluated recordings.
        scores: int64 [n] of their windows, by the host.
        recording: int64 [n], the recording of each window.
    """
    if options.target is None:
        return None
    rows = np.linspace(0, len(recordings) - 1, min(options.limit, len(recordings))).astype(np.int64)
    heard, facts = device_scores(run, options.target, [recordings[row] for row in rows])
    expected = [scores[recording == row].tolist() for row in rows]
    return RecordingsOnDevice.extending(
        facts,
        path="samples",
        recordings=len(rows),
        n=sum(map(len, expected)),
        mismatches=sum(map(_differences, expected, heard)),
    )


def _differences(expected: list[int], heard: list[int]) -> int:
    both = sum(one != other for one, other in zip(expected, heard, strict=False))
    return both + abs(len(expected) - len(heard))
