"""Measures that follow from answers to labelled examples of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_cli.evaluation import mistakes
from tinyml_cli.evaluation.answers import Answers
from tinyml_cli.statistics import curves
from tinyml_cli.statistics.calibration_curve import reliability
from tinyml_cli.statistics.metrics import Classification


def measure(labels: tuple[str, ...], examples: mistakes.LabelledExamples, answers: Answers) -> dict[str, Any]:
    """float32, int8, agreement, tflm, auc, curves, calibration and mistakes, as docs/json.md lists them."""
    truth = np.asarray(examples.labels, np.int64)
    exact, rounded = answers.float32.argmax(axis=1), answers.int8.argmax(axis=1)
    by_class = curves.one_against_rest(labels, answers.scores, truth)
    return {
        "float32": Classification.of(labels, truth, exact).as_dict(),
        "int8": Classification.of(labels, truth, rounded).as_dict(),
        "agreement": float(np.mean(exact == rounded)),
        "tflm": answers.tflm,
        "auc": curves.mean_auc(by_class),
        "curves": {label: curve.as_dict() for label, curve in by_class.items()},
        "calibration": reliability(answers.scores, truth),
        "mistakes": mistakes.worst(examples, answers.scores, labels),
    }
