"""Keyword spotting: silence, unknown, and the user's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory, splits
from tinyml_cli.data.clips import ClipSet, Corpus
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.drift import columns as drift
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.drift.watch import NormalRunning
from tinyml_cli.evaluation.frame import Split, section
from tinyml_cli.evaluation.labelled import kept
from tinyml_cli.evaluation.membership import Losses, of_labels
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.validation_items import VALIDATION
from tinyml_cli.files import write_arrays
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.link.protocol import Event
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data, RecognizerSettings
from tinyml_cli.models import build_model
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.explanations import ExplainedClip
from tinyml_cli.outcomes.stages import AfterConversion, Trained
from tinyml_cli.pages.items import Items
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import Run
from tinyml_cli.speech import prefixes, pronunciation
from tinyml_cli.tasks.kws import checks as kws_checks
from tinyml_cli.tasks.kws import corpus as kws_corpus
from tinyml_cli.tasks.kws import default_point
from tinyml_cli.tasks.kws import examples as kws_examples
from tinyml_cli.tasks.kws import fine_tuning as kws_fine_tuning
from tinyml_cli.tasks.kws import held_out as kws_held_out
from tinyml_cli.tasks.kws import languages as kws_languages
from tinyml_cli.tasks.kws import phrases as kws_phrases
from tinyml_cli.tasks.kws import quality as kws_quality
from tinyml_cli.tasks.kws import search as kws_search
from tinyml_cli.tasks.kws import settings as settings_kws
from tinyml_cli.tasks.kws import streaming as kws_streaming
from tinyml_cli.tasks.kws import training as kws_training
from tinyml_cli.tasks.kws.monitor import SoundMonitor
from tinyml_cli.tasks.spec import Augmented, TaskSpec
from tinyml_cli.tasks.trial import Trial
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.examples import to_float
from tinyml_cli.training.run_training import RunTraining, classifier_manifest

if TYPE_CHECKING:
    import keras

    from tinyml_cli.tasks.kws.attacked import AttackedClips
    from tinyml_cli.tasks.kws.evaluate import ClipEvaluation
    from tinyml_cli.training.trainer import Fitted

TRAINING_SAMPLE = "logs/training_sample.npz"
HELD_OUT = kws_held_out.HELD_OUT


_ITEMS = Items(
    "clip",
    "clips",
    "speakers",
    "synthetic speech",
    "recordings",
    "It was trained only on synthetic voices: real voices, rooms and microphones differ.",
)


class KeywordSpotting(TaskSpec):
    """The task `kws`."""

    name = "kws"
    recipe_schema = KwsRecipe
    data_kind = "sound"
    drift_kept_by = "evaluate"
    firmware_app = "kws"
    monitor = SoundMonitor
    compares_clips = True
    budgets = MappingProxyType({"accuracy": 0.8, "worst_recall": 0.7, "inference_ms": 100.0})

    def items(self, manifest: Manifest) -> Items:
        """What reports count."""
        return _ITEMS

    def load_data(self, recipe: KwsRecipe) -> Corpus:
        """Clips from `recipe.data_path`, or synthetic speech where that is None.

        Raises:
            TinymlError: unusable words or data.
        """
        kws_checks.check_words(recipe.words)
        return kws_corpus.load(recipe)

    def first_recipe(self, has_data: bool) -> str | None:
        """Streams where synthetic speech trains, clips where recordings do."""
        return kws_quality.recipe_name(None, has_data, None)

    def check(self, recipe: KwsRecipe) -> None:
        """Words, model and clips; see kws_checks.check."""
        kws_checks.check(recipe)

    def settled(self, recipe: KwsRecipe) -> KwsRecipe:
        """The recipe with the languages that its words' script stands for, and a window for phrases."""
        return kws_phrases.settled(kws_languages.settled(recipe))

    def build_model(self, recipe: KwsRecipe) -> keras.Model:
        """An untrained model for the recipe's words and features."""
        shape = (recipe.features.frames(recipe.clip_samples), recipe.features.channels, 1)
        return build_model(recipe.model.name, shape, len(recipe.words) + 2, recipe.model.options)

    def on_board(self, recipe: KwsRecipe, model: bytes) -> bytes:
        """The streaming form of a network that streams."""
        return kws_streaming.on_board(recipe, model)

    def search_space(self, trial: Trial, recipe: KwsRecipe) -> Mapping[str, Any]:
        """Depth, width, dropout and rate of a DS-CNN, of one that streams where the recipe's network does."""
        return kws_search.space(trial, recipe)

    def search_start(self, recipe: KwsRecipe) -> Mapping[str, Any]:
        """The recipe's own DS-CNN."""
        return kws_search.start(recipe)

    def augmented(self, recipe: KwsRecipe, root: Path, most: int, variations: int) -> Augmented:
        """As training varies them; see tasks/kws/preview.py."""
        from tinyml_cli.tasks.kws.preview import varied_clips

        return varied_clips(root, recipe, most, variations)

    def train(self, run: Run, recipe: KwsRecipe, resume: Resume | bool = False) -> Trained:
        """Trains and writes model.keras, recipe.yaml and manifest.json.

        Args:
            run: where to write.
            recipe: what to train.
            resume: what to do with the checkpoint of a stopped training.

        Raises:
            TinymlError: unusable words or data, or packages that are missing.
        """
        if recipe.data_path is None:
            pronunciation.tell_default(recipe.words, recipe.synthesis.language)
        recipe = self.settled(recipe)
        training = RunTraining(run, recipe, resume)
        kws_checks.check(recipe)
        kws_streaming.check_hop(recipe, lambda: self.build_model(recipe))
        corpus = self.load_data(recipe)
        training.begin()
        where = _split(corpus, recipe)
        parts = {split: corpus.clips.take(where == split) for split in splits.SPLITS}
        trained = kws_training.train(lambda: self.build_model(recipe), corpus, parts, recipe, run, resume)
        sample = trained.sample
        plain = kws_examples.plain_examples(
            kws_examples.balanced(parts["train"], recipe.model_labels, kws_held_out.SAVED_CLIPS_PER_LABEL),
            recipe.model_labels,
            recipe.features,
        )
        arrays: dict[str, NDArray[Any]] = {"features": sample.features, "labels": sample.labels}
        arrays |= {"plain": plain.features, "plain_labels": plain.labels}
        write_arrays(run.file(TRAINING_SAMPLE), arrays)
        kept = kws_examples.balanced(parts["test"], recipe.model_labels, kws_held_out.SAVED_CLIPS_PER_LABEL)
        kws_held_out.save(run, kept)
        kws_held_out.save_speakers(run, parts)
        kws_held_out.keep_validation(run, parts["validation"], recipe)
        manifest = _describe(recipe, corpus, parts, trained.fitted)
        files = (TRAINING_SAMPLE, HELD_OUT, kws_held_out.SPEAKERS, VALIDATION, *trained.files)
        sizes = (trained.examples_per_epoch, trained.validation_examples, len(parts["test"]))
        left_out = inventory.counts(corpus.left_out)
        finished = training.finish(manifest, trained.fitted.model, files, sizes, left_out=left_out)
        if recipe.data_path is None and not recipe.streams.hours:
            words = ",".join(recipe.words)
            console.info(
                "Judged by clips. A device that listens for hours needs few false accepts an hour: "
                f"{next_step('train', 'kws', '--words', words, '--config', kws_quality.STREAMING)}"
            )
        return finished

    def calibration_samples(self, run: Run, recipe: KwsRecipe, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs from the training split, float32 [min(n, kept), frames, channels, 1].

        Raises:
            TinymlError: the run's training sample is missing or changed.
        """
        manifest = run.manifest()
        with np.load(run.require(manifest, TRAINING_SAMPLE)) as archive:
            features = archive["features"]
        rows = np.random.default_rng([seed, 5]).permutation(len(features))[:n]
        return to_float(features[rows])

    def training_inputs(self, run: Run, recipe: KwsRecipe, n: int, seed: int) -> NDArray[np.float32]:
        """About n new variations of the training speakers' clips; the kept ones where the data are gone."""
        if recipe.data_path is not None and not Path(recipe.data_path).is_dir():
            console.warn("the recordings are gone: training on the inputs kept for calibration")
            return self.calibration_samples(run, recipe, n, seed)
        return kws_fine_tuning.inputs(recipe, self.load_data(recipe), _split, n, seed)

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> ClipEvaluation:
        """Of both flatbuffers, by clips; see tasks/kws/evaluate.py."""
        from tinyml_cli.tasks.kws.evaluate import ClipEvaluation

        return ClipEvaluation(run, data_dir, split, options)

    def explain(self, clip: Path, run: Run, out: Path | None, at_s: float | None = None) -> ExplainedClip:
        """What the recogniser made of a recording; see tasks/kws/explain.py."""
        from tinyml_cli.tasks.kws.explain import explain

        return explain(clip, run, out, at_s)

    def drift_values(self, manifest: Manifest, events: Sequence[Event]) -> Values:
        """Of the frames that the front end gave."""
        return drift.frame_values(events)

    def normal_running(self, run: Run, hours: float) -> NormalRunning:
        """Streams of the validation voices; see tasks/kws/normal_running.py."""
        from tinyml_cli.tasks.kws.normal_running import normal_running

        return normal_running(run, hours)

    def model_input(self, run: Run, item: Path) -> ModelInput:
        """The first second of a clip, or its loudest part where it is longer."""
        from tinyml_cli.tasks.kws.one_input import clip_input

        manifest = run.manifest()
        return clip_input(item, manifest.clip_ms, section(run, manifest.features, "features"))

    def labelled_inputs(self, run: Run) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """A sample of the last epoch's examples."""
        with np.load(run.require(run.manifest(), TRAINING_SAMPLE)) as archive:
            return to_float(archive["features"]), archive["labels"]

    def known_losses(self, run: Run) -> Losses:
        """Of clips as they were recorded."""
        with np.load(run.require(run.manifest(), TRAINING_SAMPLE)) as archive:
            plain, labels = kept(archive, run, "plain", "plain_labels")
        return of_labels(self.evaluation(run, None, None, EvaluationOptions()), plain, labels)

    def attack_surface(self, run: Run, data_dir: Path | None) -> AttackedClips:
        """Clips in a stream, judged by the recogniser; see tasks/kws/attacked.py."""
        from tinyml_cli.tasks.kws.attacked import AttackedClips

        return AttackedClips(self.evaluation(run, data_dir, None, EvaluationOptions()))

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        """Front end, labels and recogniser."""
        return settings_kws.parts(manifest, graph)

    def load_evaluation_set(
        self, run: Run, data_dir: Path | None, split: Split | None = None
    ) -> EvaluationSet:
        """Balanced clips to judge the run by; see kws_held_out.load."""
        return kws_held_out.load(run, data_dir, split)

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """Held-out clips as WAV files in `replay/LABEL/`; see kws_held_out.write_replay."""
        return kws_held_out.write_replay(run, items_per_label)

    def after_convert(self, run: Run) -> AfterConversion:
        """The model's streaming form and its operating point, where the recipe asks for them."""
        outcome, point = kws_streaming.after_convert(run), default_point.after_convert(run)
        return outcome if point is None else outcome.model_copy(update={"operating_point": point})


KWS = KeywordSpotting()


def _split(corpus: Corpus, recipe: KwsRecipe) -> NDArray[np.str_]:
    return kws_checks.split(corpus.clips.labels, corpus.clips.groups, corpus.fixed_splits, recipe)


def _with_prefixes(recipe: KwsRecipe) -> RecognizerSettings:
    """The recogniser's settings, with the words that begin another one unless the recipe names them."""
    found = recipe.recognizer.longer_words or prefixes.longer_words(
        recipe.words, kws_languages.of_recordings(recipe)
    )
    return recipe.recognizer.model_copy(update={"longer_words": found})


def _describe(
    recipe: KwsRecipe, corpus: Corpus, parts: dict[splits.Split, ClipSet], fitted: Fitted
) -> Manifest:
    labels = recipe.model_labels
    validation, test = kws_checks.shares(recipe)
    return classifier_manifest(
        recipe,
        fitted,
        recipe.model.name,
        features=recipe.features,
        clip_ms=recipe.clip_ms,
        data=Data(
            source="folder" if recipe.data_path else "synthetic",
            path=recipe.data_path,
            recordings=recipe.recordings.path,
            split_by=f"speaker (validation {validation:g}, test {test:g})",
            counts={split: clips.counts(labels) for split, clips in parts.items()},
            groups={split: len(set(clips.groups)) for split, clips in parts.items()},
            notes=list(corpus.notes),
            languages=list(corpus.languages or recipe.synthesis.language or ()),
            pronounce=recipe.synthesis.pronounce if corpus.languages else {},
            left_out=inventory.counts(corpus.left_out),
        ),
        recognizer=_with_prefixes(recipe),
    )
