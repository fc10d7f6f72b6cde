"""The task kws on whistled words: from a folder to a model, held-out clips and errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.corpus import write_corpus
from tinyml_cli import registry
from tinyml_cli.data import splits
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.recipes import load_as
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL, Run
from tinyml_cli.speech import espeak
from tinyml_cli.tasks.kws.checks import check_words
from tinyml_cli.tasks.kws.task import KWS, TRAINING_SAMPLE
from tinyml_cli.tasks.kws.training import for_source
from tinyml_cli.tasks.spec import TaskSpec


def small_recipe(data: Path | None, **changes: object) -> KwsRecipe:
    return KwsRecipe.model_validate(
        {
            "words": ["up", "down"],
            "data_path": None if data is None else str(data),
            "augmentation": {"copies": 4, "snr_db": [20, 40]},
            "training": {"epochs": 6, "learning_rate": 0.01, "batch_size": 16},
            "model": {"options": {"stem_filters": 8, "blocks": [[16, 2], [16, 1]]}},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "data", speakers=48)


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Trained]:
    run = Run.create(tmp_path_factory.mktemp("runs") / "whistle")
    return run, KWS.train(run, small_recipe(corpus))


def test_recordings_have_an_augmentation_of_their_own(corpus: Path) -> None:
    augmentation = {"noise_share": 0.7, "copies": 3, "recorded": {"noise_share": 0.2, "spec_masks": 0}}
    synthetic = for_source(small_recipe(None, augmentation=augmentation)).augmentation
    recorded = for_source(small_recipe(corpus, augmentation=augmentation)).augmentation
    assert (synthetic.noise_share, synthetic.spec_masks, synthetic.copies) == (0.7, 2, 3)
    training = {"learning_rate": 0.1, "recorded_learning_rate": 0.2}
    assert for_source(small_recipe(None, training=training)).training.learning_rate == 0.1
    assert for_source(small_recipe(corpus, training=training)).training.learning_rate == 0.2
    assert (recorded.noise_share, recorded.spec_masks, recorded.copies) == (0.2, 0, 3)


def test_it_is_a_task() -> None:
    assert isinstance(registry.task("kws"), TaskSpec)
    with pytest.raises(TinymlError) as caught:
        registry.task("kvs")
    assert "Did you mean `kws`" in caught.value.next_step


def test_train_fills_the_run(trained: tuple[Run, Trained]) -> None:
    run, outcome = trained
    manifest = run.manifest()
    assert outcome.n_train > 100
    assert outcome.n_test == sum(manifest.data.counts["test"].values())
    assert outcome.metrics["validation_accuracy"] > 0.5
    assert manifest.labels == ["silence", "unknown", "up", "down"]
    assert manifest.data.source == "folder"
    assert sum(manifest.data.groups.values()) >= 20
    assert manifest.model.macs > 0
    run.require(manifest, MODEL)


def test_test_speakers_are_never_trained_on(trained: tuple[Run, Trained], corpus: Path) -> None:
    run, _ = trained
    evaluation = KWS.load_evaluation_set(run, corpus)
    assert {splits.split_of(str(g), 0.15, 0.25) for g in evaluation.groups} == {"test"}
    everyone = KWS.load_evaluation_set(run, corpus, "all")
    assert len(everyone.labels) > len(evaluation.labels)
    assert evaluation.features.shape[1:] == (49, 40)
    assert len(set(np.bincount(evaluation.labels)) - {0}) == 1
    assert str(len(evaluation.labels)) in evaluation.note
    assert evaluation.left_out["of speakers that the model was trained on"] > 0
    assert not any("trained" in reason for reason in everyone.left_out)


def test_held_out_clips_travel_with_the_run(trained: tuple[Run, Trained], corpus: Path) -> None:
    run, _ = trained
    kept = KWS.load_evaluation_set(run, None)
    again = KWS.load_evaluation_set(run, corpus)
    assert set(kept.groups) <= set(again.groups)


def test_calibration_samples_come_from_training(trained: tuple[Run, Trained], corpus: Path) -> None:
    run, _ = trained
    samples = KWS.calibration_samples(run, small_recipe(corpus), 50, seed=1)
    assert samples.dtype == np.float32
    assert samples.shape == (50, 49, 40, 1)
    assert (samples == KWS.calibration_samples(run, small_recipe(corpus), 50, seed=1)).all()
    run.file(TRAINING_SAMPLE).write_bytes(b"")
    with pytest.raises(TinymlError, match="is not the file"):
        KWS.calibration_samples(run, small_recipe(corpus), 50, seed=1)


def test_replay_is_a_folder_of_wav_files(trained: tuple[Run, Trained]) -> None:
    folder = KWS.write_replay(trained[0], 2)
    KWS.write_replay(trained[0], 2)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.wav"))
    assert {"up/up_0.wav", "down/down_1.wav"} <= set(names)
    audio, rate_hz = soundfile.read(folder / "up" / "up_0.wav", dtype="int16")
    assert (rate_hz, len(audio)) == (16_000, 16_000)


def test_a_failed_training_leaves_no_model(tmp_path: Path, corpus: Path) -> None:
    run = Run.create(tmp_path / "run")
    with pytest.raises(TinymlError, match="No folder for the word"):
        KWS.train(run, small_recipe(corpus, words=["up", "dwn"]))
    assert not run.file(MODEL).exists()


def test_a_training_cut_off_at_once_can_be_run_again(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyml_cli.training.trainer._Training._epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        KWS.train(Run.create(tmp_path / "run"), small_recipe(corpus))
    run = Run.create(tmp_path / "run")
    assert not run.file(MODEL).exists()
    with pytest.raises(TinymlError, match="no manifest"):
        run.manifest()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "No words"),
        (["yes", "yes"], "twice"),
        (["silence"], "already a label of every model"),
        (["Unknown"], "already a label of every model"),
        (["../etc"], "not a valid word"),
        (["_background_noise_"], "not a valid word"),
        (["a" * 41], "not a valid word"),
        (["yes\n"], "not a valid word"),
    ],
)
def test_words_that_cannot_be_labels(words: list[str], what: str) -> None:
    with pytest.raises(TinymlError, match=what):
        check_words(words)


@pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")
def test_synthetic_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    run = Run.create(tmp_path / "run")
    synthesis = {"clips_per_word": 30, "unknown_clips": 30, "engines": ["espeak"]}
    once = {"training": {"epochs": 1}, "augmentation": {"copies": 1}}
    outcome = KWS.train(run, small_recipe(None, synthesis=synthesis, **once))
    assert outcome.n_train > 75
    data = run.manifest().data
    assert data.source == "synthetic" and data.languages == ["en"]
    assert load_as(run.file("recipe.yaml"), KwsRecipe).synthesis.language == ["en"]
    kept = KWS.load_evaluation_set(run, None)
    assert set(kept.labels) == {0, 1, 2, 3}
