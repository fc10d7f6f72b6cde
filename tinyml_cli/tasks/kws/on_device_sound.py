"""Plays an evaluation set to a board as its microphone's samples, and counts what it reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation.on_device import describe, opened
from tinyml_cli.outcomes.evaluations import FalseAlarms, OnDevice, SoundOnDevice
from tinyml_cli.run import Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.kws.replay import replay_file

NOTHING = "nothing"


def heard(
    run: Run, target: BuildTarget, examples: EvaluationSet, labels: Sequence[str], limit: int
) -> SoundOnDevice:
    """Plays clips to the board, each after a reset and between a second of quiet, and counts what it reports.

    The board hears them as its microphone's samples: front end, model, smoothing and threshold take part.

    False alarms are clips of silence and unknown in which a word was reported.
    """
    rows = np.linspace(0, len(examples.labels) - 1, min(limit, len(examples.labels))).astype(np.int64)
    counts: dict[str, Counter[str]] = {label: Counter() for label in labels}
    with opened(run, target) as (link, ready), console.progress(len(rows), ready.board) as bar:
        for row in rows:
            detections = replay_file(link, examples.audio[row], ready.sample_rate_hz)
            best = max(detections, key=lambda detection: detection.score, default=None)
            counts[labels[int(examples.labels[row])]][best.label if best else NOTHING] += 1
            bar.advance()
    return summarise(describe(ready, target), counts)


def summarise(device: OnDevice, counts: dict[str, Counter[str]]) -> SoundOnDevice:
    """What `heard` returns, of clips counted by label and report."""
    totals = {label: sum(reports.values()) for label, reports in counts.items()}
    words = [label for label in counts if label not in (SILENCE, UNKNOWN)]
    others = [label for label in counts if label in (SILENCE, UNKNOWN)]
    alarms = sum(totals[label] - counts[label][NOTHING] for label in others)
    total = sum(totals[label] for label in others)
    return SoundOnDevice.extending(
        device,
        path="audio",
        n=sum(totals.values()),
        heard={label: dict(sorted(reports.items())) for label, reports in counts.items()},
        recall={word: counts[word][word] / totals[word] if totals[word] else None for word in words},
        recall_ci95={word: wilson_interval(counts[word][word], totals[word]) for word in words},
        false_alarms=FalseAlarms(
            clips=alarms,
            of=total,
            share=alarms / total if total else None,
            ci95=wilson_interval(alarms, total),
        ),
    )
