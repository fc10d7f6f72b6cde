"""What every task does around its fitting: the run that is begun, and the files that are left in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinyml_cli.files import atomic_path, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Epochs, Model
from tinyml_cli.models import count_macs, require_tensorflow
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.recipes.base import BaseRecipe, ClassifierRecipe
from tinyml_cli.run import MADE_BY, MODEL, RECIPE, Run
from tinyml_cli.run_folder import TRAINED_BY
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.judging import figures

if TYPE_CHECKING:
    import keras

    from tinyml_cli.training.trainer import Fitted


@dataclass
class RunTraining:
    """The training of a run; its clock starts here.

    Args:
        run: where to write.
        recipe: what to train.
        resume: what to do with the checkpoint of a stopped training.
    """

    run: Run
    recipe: BaseRecipe
    resume: Resume | bool = False
    started_s: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Call it when the data are there: they may be refused before TensorFlow's import takes its seconds.

        Raises:
            TinymlError: TensorFlow is missing.
        """
        require_tensorflow()
        if not self.run.file(RECIPE).exists():
            # A folder with nothing but a checkpoint would not be taken for a run, and --resume refused.
            write_atomic(self.run.file(RECIPE), self.recipe.to_yaml())
        if Resume.of(self.resume) in (Resume.NEVER, Resume.IF_SAVED):  # the others may still be refused
            write_atomic(self.run.file(TRAINED_BY), self.recipe.to_yaml())

    def finish(
        self,
        manifest: Manifest,
        model: keras.Model,
        files: Sequence[str],
        sizes: tuple[int, int, int],
        **more: Any,
    ) -> Trained:
        """Writes model and recipe, and the manifest last: until then an earlier training stays whole.

        Args:
            manifest: of the new training.
            model: the trained network.
            files: what else belongs to the training and lies in the run already.
            sizes: examples of an epoch, of the validation and of the test split.
            more: notes and left_out, where the task has them.
        """
        seconds = round(time.monotonic() - self.started_s, 1)
        if Resume.of(self.resume) is Resume.NEVER:
            manifest.metrics["train"]["seconds"] = seconds
        with atomic_path(self.run.file(MODEL)) as temporary:
            model.save(temporary, include_optimizer=False)
        write_atomic(self.run.file(RECIPE), self.recipe.to_yaml())
        for name in (MODEL, *files):
            self.run.record(manifest, name, MADE_BY[MODEL])
        self.run.save(manifest)
        n_train, n_validation, n_test = sizes
        return Trained(
            run=str(self.run.path),
            seconds=seconds,
            n_train=n_train,
            n_validation=n_validation,
            n_test=n_test,
            metrics=manifest.metrics["train"],
            history=[],
            **more,
        )


def classifier_manifest(recipe: ClassifierRecipe, fitted: Fitted, network: str, **sections: Any) -> Manifest:
    """The manifest of a fitted classifier.

    Args:
        recipe: what was trained.
        fitted: what came of it.
        network: name of the architecture.
        sections: the fields that depend on the task.
    """
    return Manifest(
        task=recipe.task,
        seed=recipe.seed,
        labels=recipe.model_labels,
        complete=fitted.epochs == recipe.training.epochs,
        epochs=Epochs(done=fitted.epochs, planned=recipe.training.epochs),
        model=Model(name=network, parameters=fitted.model.count_params(), macs=count_macs(fitted.model)),
        metrics={"train": {**figures(fitted), "epochs": fitted.epochs}},
        **sections,
    )
