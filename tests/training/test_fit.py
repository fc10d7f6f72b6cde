"""Training learns, repeats bit for bit, resumes as if nothing had happened, and survives Ctrl-C."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tinyml_cli.errors import TinymlError
from tinyml_cli.models import build_model, count_macs
from tinyml_cli.recipes.kws import AugmentationRecipe, KwsRecipe, KwsTraining
from tinyml_cli.training import fit as fitting
from tinyml_cli.training.balance import balance
from tinyml_cli.training.checkpoint import Checkpoint, Resume, TrainingProgress
from tinyml_cli.training.examples import Examples, to_float

SHAPE = (20, 12, 1)
OPTIONS = {"stem_filters": 8, "stem_kernel": [4, 4], "blocks": [[8, 2], [8, 1]], "dropout": 0.1}


def examples(seed: int, count: int = 512) -> Examples:
    """Three classes: loud early, loud late, even."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    features = rng.integers(0, 200, (count, *SHAPE[:2]))
    features[labels == 0, :10] += 400
    features[labels == 1, 10:] += 400
    return Examples(features.astype(np.uint16), labels.astype(np.int64))


def recipe(epochs: int = 5, **changes: Any) -> KwsRecipe:
    return KwsRecipe(
        words=["late"],
        training=KwsTraining(epochs=epochs, batch_size=32, learning_rate=0.01, weight_average=0.9, **changes),
        augmentation=AugmentationRecipe(mixup=0.2),
    )


class Drifting:
    """Examples that are others in each epoch, and harder ones once a miner has sought them."""

    after_epochs = 2

    def __init__(self) -> None:
        self.found: list[int] = []

    def __len__(self) -> int:
        return 512

    @property
    def labels(self) -> np.ndarray:
        return examples(100).labels

    def at(self, epoch: int) -> Examples:
        drawn = examples(100 + epoch)
        if self.found and epoch > self.after_epochs:
            drawn.features[: len(self.found)] = 300
        return drawn

    def seek(self, model: Any) -> list[int]:
        worst = fitting.predict(model, examples(1, 64).features).max(axis=1)
        return [int(row) for row in np.argsort(worst)[:20]]

    def use(self, found: list[int]) -> None:
        self.found = found


def run(
    logs: Path, chosen: KwsRecipe, resume: Resume | bool = False, fingerprint: str = "a"
) -> fitting.Fitted:
    def build() -> Any:
        return build_model("ds_cnn", SHAPE, 3, OPTIONS)

    source = Drifting()
    return fitting.fit(build, source, examples(2, 64), chosen, logs, fingerprint, resume, source)


def weights(fitted: fitting.Fitted) -> list[np.ndarray]:
    return [np.asarray(w) for w in fitted.model.get_weights()]


def same(first: fitting.Fitted, second: fitting.Fitted) -> bool:
    return all((a == b).all() for a, b in zip(weights(first), weights(second), strict=True))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[fitting.Fitted, Path]:
    logs = tmp_path_factory.mktemp("logs")
    return run(logs, recipe()), logs


def test_it_learns_and_logs(whole: tuple[fitting.Fitted, Path]) -> None:
    fitted, logs = whole
    assert fitted.validation_accuracy > 0.9
    assert fitted.epochs == 5
    assert list((logs / "tensorboard").iterdir())
    held_out = examples(3, 64)
    scores = fitted.model.predict(to_float(held_out.features), verbose=0)
    assert (scores.argmax(axis=1) == held_out.labels).mean() > 0.9


def test_scores_do_not_tell_how_often_a_label_was_shown(tmp_path: Path) -> None:
    """`late` weighs nine times as much as the others, and the last biases take that back."""
    skewed = {"class_weights": {"late": 9.0}}
    plain = run(tmp_path / "plain", recipe(2, balance_scores=False, **skewed))
    balanced = run(tmp_path / "balanced", recipe(2, **skewed))
    *layers, bias = weights(plain)
    *same_layers, shifted = weights(balanced)
    assert all((a == b).all() for a, b in zip(layers, same_layers, strict=True))
    shift = shifted - bias
    assert shift[0] - shift[2] == pytest.approx(np.log(9), abs=0.2)  # labels are drawn, so nearly
    assert shift.sum() == pytest.approx(0, abs=1e-5)


def test_balanced_scores_are_divided_by_the_shares() -> None:
    model = build_model("ds_cnn", SHAPE, 3, OPTIONS)
    inputs = to_float(examples(4, 16).features)
    before, shares = model.predict(inputs, verbose=0), np.array([0.1, 0.7, 0.2], np.float32)
    balance(model, shares)
    expected = before / shares
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-5)


def test_a_label_that_weighs_nothing_is_left_alone() -> None:
    model = build_model("ds_cnn", SHAPE, 3, OPTIONS)
    before = model.get_weights()[-1].copy()
    balance(model, np.array([0.0, 0.8, 0.2], np.float32))
    shift = model.get_weights()[-1] - before
    np.testing.assert_allclose(shift, [0, -np.log(4) / 2, np.log(4) / 2], atol=1e-6)


@pytest.mark.slow
def test_a_seed_fixes_the_weights(whole: tuple[fitting.Fitted, Path], tmp_path: Path) -> None:
    assert same(whole[0], run(tmp_path, recipe()))


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(1, marks=pytest.mark.slow, id="before hard examples are sought"),
        pytest.param(3, id="after"),
    ],
)
def test_ctrl_c_keeps_the_last_and_resume_ends_where_an_unbroken_training_ends(
    whole: tuple[fitting.Fitted, Path], stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = fitting.ClipBatches.epoch

    def interrupted(self: Any, epoch: int) -> Any:
        for number, batch in enumerate(batches(self, epoch)):
            if (epoch, number) == (stop, 3):
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(fitting.ClipBatches, "epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, recipe())
    monkeypatch.undo()
    partial = run(tmp_path, recipe(), resume=Resume.AS_IT_IS)
    assert partial.epochs == stop == len(partial.history)
    second = run(tmp_path, recipe(), resume=Resume.IF_SAVED)
    assert same(whole[0], second)
    assert second.history == whole[0].history


def test_ctrl_c_in_the_first_epoch_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Any, epoch: int) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting.ClipBatches, "epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, recipe())


def test_resume_refuses_another_training(whole: tuple[fitting.Fitted, Path]) -> None:
    with pytest.raises(TinymlError, match="a different recipe or different data"):
        run(whole[1], recipe(), resume=True, fingerprint="b")


def test_resume_without_a_checkpoint_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    for resume in (True, Resume.MUST, Resume.AS_IT_IS):
        with pytest.raises(TinymlError, match="No interrupted training"):
            run(tmp_path / "none", recipe(), resume=resume)
    assert not (tmp_path / "none").exists()


def test_what_cannot_go_on_begins_anew_where_that_is_allowed(
    whole: tuple[fitting.Fitted, Path], tmp_path: Path
) -> None:
    shutil.copytree(whole[1], tmp_path / "logs")
    assert same(whole[0], run(tmp_path / "logs", recipe(), resume=Resume.IF_SAVED, fingerprint="b"))


def test_resume_refuses_a_damaged_state(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(TinymlError, match="damaged"):
        run(tmp_path, recipe(), resume=True)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam")
    model.optimizer.build(model.trainable_variables)
    checkpoint, progress = Checkpoint(tmp_path), TrainingProgress("print", epochs=2, epochs_done=1)
    checkpoint.save(model, None, progress)
    saved = model.get_weights()
    model.set_weights([weights * 0 for weights in saved])
    checkpoint.load_last(progress, model)
    assert all(np.array_equal(*pair) for pair in zip(saved, model.get_weights(), strict=True))
    (path,) = tmp_path.glob("last-*")
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for length in random.integers(0, len(whole), 40):
        path.write_bytes(whole[:length])
        with pytest.raises(TinymlError, match="damaged"):
            checkpoint.load_last(progress, model)
    path.write_bytes(whole)
    wider = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    wider.compile("adam")
    wider.optimizer.build(wider.trainable_variables)
    with pytest.raises(TinymlError, match="damaged"):
        checkpoint.load_last(progress, wider)


def test_unknown_model_and_option() -> None:
    with pytest.raises(TinymlError, match="Unknown model `ds_cn`") as caught:
        build_model("ds_cn", SHAPE, 3, {})
    assert "ds_cnn" in caught.value.next_step
    with pytest.raises(TinymlError, match="Unknown option `layers`"):
        build_model("ds_cnn", SHAPE, 3, {"layers": 3})


def test_macs_of_the_default_model() -> None:
    # 25x20 positions after the stem, 13x10 after the first block.
    model = build_model("ds_cnn", (49, 40, 1), 4, {})
    depthwise = 130 * 9 * (32 + 48 + 64 + 64)
    pointwise = 130 * (32 * 48 + 48 * 64 + 64 * 64 + 64 * 64)
    assert count_macs(model) == 25 * 20 * 32 * 40 + depthwise + pointwise + 64 * 4
