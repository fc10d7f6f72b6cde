"""Measures that follow from answers to labelled examples of any kind."""

from __future__ import annotations

import numpy as np

from tinyml_cli.evaluation import mistakes
from tinyml_cli.evaluation.answers import Answers
from tinyml_cli.evaluation.labelled import Labelled
from tinyml_cli.outcomes.evaluations import ClassifiedInt8, Measured
from tinyml_cli.statistics import chance, curves
from tinyml_cli.statistics.calibration_curve import reliability
from tinyml_cli.statistics.metrics import Classification


def measure(labels: tuple[str, ...], examples: Labelled, answers: Answers) -> Measured:
    """Accuracy, confusion, curves, calibration and the worst mistakes."""
    truth = np.asarray(examples.labels, np.int64)
    exact, rounded = answers.float32.argmax(axis=1), answers.int8.argmax(axis=1)
    by_class = curves.one_against_rest(labels, answers.scores, truth)
    int8 = Classification.of(labels, truth, rounded)
    return Measured(
        float32=Classification.of(labels, truth, exact).outcome(),
        int8=ClassifiedInt8.extending(
            int8.outcome(), better_than_chance=chance.is_better_than_chance(int8.confusion)
        ),
        agreement=float(np.mean(exact == rounded)),
        tflm=answers.tflm,
        auc=curves.mean_auc(by_class),
        curves={label: curve.outcome() for label, curve in by_class.items()},
        calibration=reliability(answers.scores, truth),
        mistakes=mistakes.worst(examples, answers.scores, labels),
    )
