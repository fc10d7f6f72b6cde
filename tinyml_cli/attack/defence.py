"""Adversarial training: a variant of the run that has seen attacked inputs, and what that costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tinyml_cli import registry, variants
from tinyml_cli.attack.attempt import attempts, snr_at_half
from tinyml_cli.attack.options import AttackOptions
from tinyml_cli.attack.victims import Victims
from tinyml_cli.console import console
from tinyml_cli.conversion.convert import convert
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.files import atomic_path
from tinyml_cli.models import require_tensorflow
from tinyml_cli.outcomes.attacks import Defence, DefendedAccuracy
from tinyml_cli.run import MODEL, Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.statistics.metrics import wilson_interval

NAME = "defended"


def defend(run: Run, victims: Victims, options: AttackOptions, data_dir: Path | None) -> Defence:
    """Trains, quantises and converts the variant `defended`, and attacks the same items by its own gradients.

    Raises:
        TinymlError: the run did not keep labelled training inputs.
    """
    task = registry.task(run.manifest().task)
    inputs, labels = task.labelled_inputs(run)
    before = _accuracy(run, data_dir)

    def work(variant: Run) -> Defence:
        require_tensorflow()
        from tinyml_cli.training.adversarial import RADIUS, harden

        manifest = variants.start(run, variant)
        console.info(f"[{NAME}]")
        model = harden(run.require(run.manifest(), MODEL), inputs, labels, options.epochs, options.seed)
        with atomic_path(variant.file(MODEL)) as temporary:
            model.save(temporary, include_optimizer=False)
        variant.record(manifest, MODEL, run.manifest().artifacts[MODEL].made_by)
        variant.save(manifest)
        quantize(variant, "ptq")
        convert(variant)
        surface = task.attack_surface(variant, data_dir)
        again = dataclasses.replace(options, board=None)
        points = [each.point for each in attempts(variant, surface, victims, again)]
        return Defence(
            run=str(variant.path),
            epochs=options.epochs,
            radius=RADIUS,
            clean_before=before,
            clean_after=_accuracy(variant, data_dir),
            points=points,
            snr_at_half_db=snr_at_half(points),
        )

    return variants.make(run, NAME, work)


def _accuracy(run: Run, data_dir: Path | None) -> DefendedAccuracy:
    """The int8 model's, item by item as `evaluate` judges."""
    evaluation = registry.task(run.manifest().task).evaluation(run, data_dir, None, EvaluationOptions())
    items = evaluation.load()
    answers = evaluation.model.run(evaluation.model.inputs(items.features)).argmax(axis=1)
    right, n = int(np.sum(answers == items.labels)), len(items.labels)
    return DefendedAccuracy(accuracy=right / n, ci95=wilson_interval(right, n), n=n)
