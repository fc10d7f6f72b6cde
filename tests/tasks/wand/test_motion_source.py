"""Raw motion for the wand: files, units, splits, variations in the physical domain, motions that are none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli import recipes, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import ImuInput
from tinyml_cli.recipes.wand import ImuAugmentationRecipe, WandRecipe
from tinyml_cli.tasks.wand import other_motion
from tinyml_cli.tasks.wand.imu_input import MOTIONS
from tinyml_cli.tasks.wand.motion_augment import augment
from tinyml_cli.tasks.wand.motion_file import write_motion
from tinyml_cli.tasks.wand.takes import between_rests, holds_motion, read_takes

STILL = ImuAugmentationRecipe(
    rotate_rad=0, speed=1, amplitude=1, time_warp=0, shift_share=0, accelerometer_bias_mg=0,
    gyroscope_bias_dps=0, accelerometer_noise_mg=0, gyroscope_noise_dps=0,
)  # fmt: skip


def samples_of(seed: int, count: int = 100) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.normal(0, 40, (count, 6)), axis=0)
    values[:, 2] += 1000
    return values.astype(np.int16)


def folder_of(root: Path, takes: int = 20) -> Path:
    for index, label in enumerate(("ring", "wing", "other")):
        for number in range(takes):
            write_motion(root / label / f"{number}.csv", samples_of(number + 100 * index), 100)
    return root


def test_raw_motion_is_learnt_for_fewer_epochs(tmp_path: Path) -> None:
    def epochs(given: dict[str, object], *overrides: str, config: Path | None = None) -> int:
        return recipes.resolve("wand", config, list(overrides), given).training.epochs  # type: ignore[attr-defined]

    assert (epochs({}), epochs({"input": "stroke"}), epochs({"input": "imu"})) == (50, 50, 20)
    assert epochs({"input": "imu"}, "training.epochs=7") == 7
    own = tmp_path / "own.yaml"
    own.write_text("input: imu\ntraining: {epochs: 9}\n", encoding="utf-8")
    assert epochs({}, config=own) == 9


def write_csv(path: Path, header: str, rows: np.ndarray, gap: int = 0) -> Path:
    lines = [header]
    for index, row in enumerate(rows.tolist()):
        if gap and index and index % gap == 0:
            lines.append("")
        lines.append(",".join(f"{value:.4f}" for value in row))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_motion_survives_its_file(tmp_path: Path) -> None:
    samples = samples_of(1)
    write_motion(tmp_path / "wing" / "1.csv", samples, 104)
    recorded = read_takes(tmp_path, 50.0, 119)
    (take,) = recorded.takes
    np.testing.assert_array_equal(take.samples, samples)
    assert (take.label, take.name) == ("wing", "wing/1.csv")
    assert recorded.rate_hz == pytest.approx(104, rel=1e-3)
    assert recorded.window_samples == 100


@pytest.mark.parametrize(("unit", "per_g"), [("g", 1.0), ("m/s2", 9.80665), ("mg", 1000.4)])
def test_gravity_tells_the_unit_of_acceleration(tmp_path: Path, unit: str, per_g: float) -> None:
    rows = np.tile([0.0, 0.0, per_g, 1.5, -2.0, 90.0], (60, 1))
    write_csv(tmp_path / "still.csv", "accX,accY,accZ,gyrX,gyrY,gyrZ", rows)
    (take,) = read_takes(tmp_path, 119, 119).takes
    assert take.samples[0].tolist() == [0, 0, 1000, 15, -20, 900]


def test_takes_of_one_file_are_told_apart(tmp_path: Path) -> None:
    rows = np.tile([0.1, 0.2, 0.9, 1, 2, 3], (90, 1))
    header = "aX,aY,aZ,gX,gY,gZ"
    without = write_csv(tmp_path / "a.csv", header, rows)
    lines = write_csv(tmp_path / "b.csv", header, rows, gap=45)
    assert [len(take.samples) for take in read_takes(without, 119, 30).takes] == [30] * 3
    assert [len(take.samples) for take in read_takes(without, 119, 119).takes] == [90]
    takes = read_takes(lines, 119, 119).takes
    assert [take.name for take in takes] == ["b.csv:1", "b.csv:2"]
    assert {len(take.samples) for take in takes} == {45}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aX,aY,aZ\n",
        "aX,aY,aZ\n1,2\n",
        "aX,aY,aZ\n1,2,nan\n",
        "aX,aY,aZ\n1,2,x\n",
        "b,c\n1,2\n",
        "\x00\x01",
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.csv").write_text(text, encoding="utf-8")
    with pytest.raises(TinymlError) as refusal:
        read_takes(tmp_path, 119, 119)
    assert "broken.csv" in refusal.value.where


def test_edge_impulse_files_are_motion_and_stroke_files_are_not(tmp_path: Path) -> None:
    sensors = [{"name": f"{kind}{axis}", "units": unit} for kind, unit in (("acc", "m/s2"), ("gyr", "dps"))
               for axis in "XYZ"]  # fmt: skip
    payload = {"interval_ms": 10, "sensors": sensors, "values": [[0, 0, 9.80665, 1, 2, 3]] * 40}
    (tmp_path / "Lift.json.abc.json").write_text(json.dumps({"payload": payload}), encoding="utf-8")
    assert holds_motion(tmp_path)
    recorded = read_takes(tmp_path, 119, 119)
    assert recorded.takes[0].label == "Lift" and recorded.rate_hz == 100
    assert recorded.takes[0].samples[0].tolist() == [0, 0, 1000, 10, 20, 30]
    strokes = tmp_path / "strokes"
    strokes.mkdir()
    (strokes / "a.json").write_text('{"strokes": []}', encoding="utf-8")
    assert not holds_motion(strokes)


def test_the_source_splits_evenly_and_takes_other_labels_for_unknown(tmp_path: Path) -> None:
    recipe = WandRecipe(input="imu", labels=["ring", "wing"], data_path=str(folder_of(tmp_path)))
    recipe.training.test_share, recipe.training.validation_share = 0.4, 0.1
    takes = MOTIONS.load(recipe)
    counts = takes.counts(recipe.model_labels)
    for label in ("ring", "wing"):
        assert [counts[split][label] for split in ("train", "validation", "test")] == [10, 2, 8]
    assert recipe.imu.rate_hz == 100 and recipe.imu.window_samples == 100
    assert MOTIONS.features(takes.items[:3], recipe).shape == (3, 100, 6)
    read = MOTIONS.read(tmp_path, recipe)
    assert (read.labels == 0).sum() == 20
    names = {split: set(read.names[read.where == split]) for split in ("train", "test")}
    assert not names["train"] & names["test"]


def test_data_of_another_rate_is_resampled_later(tmp_path: Path) -> None:
    recipe = WandRecipe(input="imu", labels=["ring"], data_path=str(folder_of(tmp_path / "a", 5)))
    MOTIONS.read(tmp_path / "a", recipe)
    write_motion(tmp_path / "b" / "ring" / "1.csv", samples_of(1), 50)
    later = MOTIONS.read(tmp_path / "b", recipe)
    assert recipe.imu.rate_hz == 100 and "50 Hz → 100 Hz" in " ".join(later.notes)


def test_without_data_figures_are_waved() -> None:
    recipe = WandRecipe(input="imu", labels=["circle", "dragon"])
    with pytest.raises(TinymlError, match="dragon"):
        MOTIONS.load(recipe)


def test_nothing_varied_is_the_take_itself() -> None:
    windows = np.stack([samples_of(seed) for seed in range(4)])
    np.testing.assert_array_equal(augment(windows, STILL, np.random.default_rng(0)), windows)


def test_turning_keeps_lengths_and_amplitude_keeps_gravity() -> None:
    windows = np.stack([samples_of(seed) for seed in range(6)])
    rng = np.random.default_rng(0)
    turned = augment(windows, STILL.model_copy(update={"rotate_rad": 1.0}), rng).astype(float)
    for part in (slice(3), slice(3, 6)):
        lengths = [np.linalg.norm(w[:, :, part].astype(float), axis=2) for w in (windows, turned)]
        assert np.abs(lengths[0] - lengths[1]).max() < 3
    still = np.tile(np.array([0, 600, 800, 0, 0, 0], np.int16), (5, 80, 1))
    larger = augment(still, STILL.model_copy(update={"amplitude": 3.0, "speed": 2.0}), rng)
    np.testing.assert_array_equal(larger, still)


def test_a_quicker_take_turns_faster() -> None:
    moment = np.arange(100)
    window = np.zeros((1, 100, 6))
    window[0, :, 2] = 1000
    window[0, :, 5] = 1000 * np.exp(-(((moment - 30) / 8) ** 2))
    settings = STILL.model_copy(update={"speed": 1.6})
    for seed in range(5):
        quick = augment(window.astype(np.int16), settings, np.random.default_rng(seed))[0, :, 5]
        turn = quick.astype(float).sum() / window[0, :, 5].sum()
        assert turn == pytest.approx(1, abs=0.03)  # the same angle, whatever the tempo
        assert quick.max() / 1000 == pytest.approx(30 / quick.argmax(), rel=0.1)


def test_other_motions_have_the_shape_asked_for_and_a_seed_fixes_them() -> None:
    gestures = np.stack([samples_of(seed) for seed in range(8)])
    for kind in other_motion.KINDS:
        made = other_motion.make(gestures, 5, np.random.default_rng(3), (kind,))
        assert made.shape == (5, 100, 6) and made.dtype == np.int16, kind
        again = other_motion.make(gestures, 5, np.random.default_rng(3), (kind,))
        np.testing.assert_array_equal(made, again)
        assert not any((made == gesture).all(axis=(1, 2)).any() for gesture in gestures), kind
    assert len(other_motion.make(gestures, 3, np.random.default_rng(0))) == 3


def test_rests_around_a_take_hold_the_board_as_it_was() -> None:
    whole = between_rests(samples_of(2), 100, 0.5)
    assert len(whole) == 200
    assert abs(np.linalg.norm(whole[0, :3].astype(float)) - 1000) < 2
    assert not whole[:50, 3:].any() and not whole[-50:, 3:].any()


def test_a_gesture_that_nobody_recorded_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    recipe = WandRecipe(input="imu", labels=["ring", "Wing"], data_path=str(folder_of(tmp_path)))
    with pytest.raises(TinymlError, match="no take of `Wing`") as refusal:
        MOTIONS.load(recipe)
    assert (
        refusal.value.next_step.startswith("Did you mean `") and "Labels there: " in refusal.value.next_step
    )


@pytest.mark.parametrize("given", [{}, {"window_samples": 60}, {"rate_hz": 100, "start_mg": 0}])
def test_a_recipe_is_known_again_by_what_its_data_settled(tmp_path: Path, given: dict[str, int]) -> None:
    recipe = WandRecipe(
        input="imu", labels=["ring"], data_path=str(folder_of(tmp_path)), imu=ImuInput(**given)
    )
    asked = recipe.to_yaml()
    told = registry.task("wand").settled(recipe)
    assert recipe.to_yaml() == asked
    MOTIONS.read(tmp_path, recipe)
    assert recipe.to_yaml() == told.to_yaml() != asked
