"""Training on images learns, resumes as if nothing had happened, and starts from others' networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

import keras
from keras import layers

from tinyml_cli.errors import TinymlError
from tinyml_cli.images.procedural_images import ProceduralImages, people
from tinyml_cli.models import build_model, count_macs
from tinyml_cli.models.transfer import start_from
from tinyml_cli.recipes.vww import ImageModelRecipe, ImageTrainingRecipe, VwwRecipe
from tinyml_cli.training import class_weights, classifier
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.image_batches import ImageBatches, ImageSet
from tinyml_cli.training.image_fit import fit_images
from tinyml_cli.training.trainer import Fitted

OPTIONS = {"blocks": [[8, 1], [16, 2]], "stem_filters": 8}
SHAPE = (16, 16, 1)


def recipe(epochs: int = 3, backbone: str | None = None, **changes: Any) -> VwwRecipe:
    training = ImageTrainingRecipe(
        epochs=epochs, batch_size=16, learning_rate=0.01, weight_average=0.8, **changes
    )
    model = ImageModelRecipe(name="vww_micro", options=OPTIONS, backbone=backbone, frozen_epochs=1)
    return VwwRecipe(image={"size": 16}, training=training, model=model)


def sets() -> tuple[ImageSet, ImageSet]:
    images = ProceduralImages(160, [people(0), people(1)], 16, 1, 3)
    rows = np.arange(160)
    return ImageSet(images, rows[:120], images.labels[:120]), ImageSet(
        images, rows[120:], images.labels[120:]
    )


def fit(folder: Path, settings: VwwRecipe, resume: Resume | bool = False) -> Fitted:
    def build() -> keras.Model:
        if settings.model.backbone:
            return start_from(settings.model.backbone, SHAPE, 2)
        return build_model("vww_micro", SHAPE, 2, OPTIONS)

    return fit_images(build, *sets(), settings, folder, "print", resume)


def weights(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(value) for value in model.get_weights()]


def test_an_epoch_has_the_same_batches_whenever_it_is_drawn() -> None:
    """Which a training that is resumed relies on; tests/training/test_trainer.py stops and resumes one."""
    train, _ = sets()
    walked = ImageBatches(train, recipe())
    for epoch in range(2):
        list(walked.epoch(epoch))
    for one, other in zip(walked.epoch(2), ImageBatches(train, recipe()).epoch(2), strict=True):
        assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


@pytest.mark.slow
def test_a_cut_off_training_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(tmp_path / "whole", recipe())
    assert whole.epochs == 3
    original, calls = classifier.judge, []

    def judge_then_stop(*arguments: Any) -> dict[str, Any]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(classifier, "judge", judge_then_stop)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut", recipe())
    monkeypatch.undo()
    assert fit(tmp_path / "cut", recipe(), resume=Resume.AS_IT_IS).epochs == 1
    resumed = fit(tmp_path / "cut", recipe(), resume=True)
    assert resumed.epochs == 3
    for mine, theirs in zip(weights(resumed.model), weights(whole.model), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_another_training_is_not_resumed(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.json").write_text('{"fingerprint": "print", "epochs_done": 1}')
    (tmp_path / "checkpoint" / "last-0001.npz").touch()
    with pytest.raises(TinymlError, match="a different recipe"):
        fit_images(
            lambda: build_model("vww_micro", SHAPE, 2, OPTIONS), *sets(), recipe(), tmp_path, "other", True
        )


def test_drawn_figures_can_be_learnt(tmp_path: Path) -> None:
    settings = recipe(epochs=12)
    assert fit(tmp_path, settings).validation_accuracy > 0.8


def trained_elsewhere(path: Path, labels: int = 3) -> Path:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Conv2D(4, 3, strides=2, name="first"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(labels, activation="softmax", name="head"),
        ]
    )
    model.save(path)
    return path


def test_the_first_epochs_leave_the_backbone_alone(tmp_path: Path) -> None:
    backbone = trained_elsewhere(tmp_path / "backbone.h5")
    before = keras.saving.load_model(backbone, compile=False).get_layer("first").get_weights()
    frozen = fit(tmp_path / "frozen", recipe(epochs=1, backbone=str(backbone))).model
    np.testing.assert_array_equal(frozen.get_layer("first").get_weights()[0], before[0])
    tuned = fit(tmp_path / "tuned", recipe(epochs=2, backbone=str(backbone))).model
    assert (tuned.get_layer("first").get_weights()[0] != before[0]).any()
    norm = tuned.get_layer("norm").get_weights()
    assert norm[2].tolist() == [0, 0, 0, 0]  # statistics of the backbone's own data stay
    assert tuned.output_shape == (None, 2)


def test_a_backbone_with_as_many_outputs_keeps_its_classifier(tmp_path: Path) -> None:
    backbone = trained_elsewhere(tmp_path / "backbone.keras", labels=2)
    model = fit(tmp_path / "run", recipe(epochs=0, backbone=str(backbone))).model
    inputs = np.random.default_rng(0).random((4, *SHAPE), np.float32)
    expected = keras.saving.load_model(backbone, compile=False).predict(inputs, verbose=0)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-6)


def test_unfit_backbones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="backbone does not exist"):
        start_from(str(tmp_path / "none.h5"), SHAPE, 2)
    (tmp_path / "text.h5").write_text("no model")
    with pytest.raises(TinymlError, match="Cannot load"):
        start_from(str(tmp_path / "text.h5"), SHAPE, 2)
    backbone = trained_elsewhere(tmp_path / "backbone.keras")
    with pytest.raises(TinymlError, match="needs 16 x 16 x 1") as error:
        start_from(str(backbone), (96, 96, 3), 2)
    assert error.value.next_step == "Add --size 16 and --gray."


def test_rare_classes_weigh_as_much_as_frequent_ones() -> None:
    weight = class_weights.of_labels("balanced", ["none", "person"], [90, 10])
    assert weight[0] * 90 == pytest.approx(weight[1] * 10)
    assert class_weights.of_labels("balanced", ["none", "person"], [1000, 1])[1] == 20
    assert class_weights.of_labels({"person": 3}, ["none", "person"], [1, 1]).tolist() == [1, 3]
    train, _ = sets()
    _, targets, weights_of_batch = next(ImageBatches(train, recipe()).epoch(0))
    np.testing.assert_allclose(weights_of_batch, 1.0, atol=0.1)
    assert targets.shape == (16, 2)


@pytest.mark.parametrize(
    ("name", "channels", "macs"),
    [("mobilenet_v1", 3, 7_489_664), ("mobilenet_v2", 1, None), ("vww_micro", 1, None)],
)
def test_networks_for_96_pixels(name: str, channels: int, macs: int | None) -> None:
    model = build_model(name, (96, 96, channels), 2, {})
    assert model.output_shape == (None, 2)
    if macs is not None:
        # MLPerf Tiny's visual wake words: 7.49 million.
        assert count_macs(model) == macs


def test_small_inputs_keep_something_to_look_at() -> None:
    for name in ("mobilenet_v1", "mobilenet_v2", "vww_micro"):
        pooled = build_model(name, (16, 16, 1), 2, {}).get_layer("average")
        assert min(pooled.input.shape[1:3]) >= 2
