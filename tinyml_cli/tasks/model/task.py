"""A model file without a task: it can be converted, built and timed, but nobody knows what it is about."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Split
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.manifest import MODEL_TASK
from tinyml_cli.outcomes.evaluations import Evaluated
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import parse


class ModelFile(TaskSpec):
    """What stands for a task in runs of `inspect MODEL`, `build MODEL` and the like."""

    name = MODEL_TASK

    def evaluate(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> Evaluated:
        """Judges an autoencoder by the user's data, as MLPerf Tiny does; refuses other models."""
        from tinyml_cli.tasks.anomaly import files

        manifest = run.manifest()
        if data_dir is not None:
            graph = parse(run.require(manifest, MODEL_INT8).read_bytes())
            if files.is_autoencoder(graph):
                return files.evaluate_files(run, manifest, data_dir)
        raise TinymlError(
            "The run was imported from a model file: it has no test data, and its outputs have no known "
            "meaning",
            str(run.path),
            "To evaluate any int8 model on labelled data: tinyml bench MODEL --data DIR",
        )


MODEL = ModelFile()
