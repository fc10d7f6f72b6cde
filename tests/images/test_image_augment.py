"""Random variations of images: repeatable, within range, and no change of what they show."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.images.image_augment import augment, mix
from tinyml_cli.images.procedural_images import SHAPES, ProceduralImages, people
from tinyml_cli.recipes.vww import ImageAugmentationRecipe

NOTHING = ImageAugmentationRecipe(
    crop_share=1, stretch=1, flip_share=0, exposure_stops=(0, 0), contrast=0, saturation=0, white_balance=0,
    blur_share=0, noise_share=0, rgb565_share=0,
)  # fmt: skip


def images(n: int = 6, size: int = 24, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_all_turned_off_changes_nothing(channels: int) -> None:
    pixels = images(channels=channels)
    np.testing.assert_array_equal(augment(pixels, NOTHING, np.random.default_rng(1)), pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_seed_fixes_the_variation(channels: int) -> None:
    pixels, settings = images(channels=channels), ImageAugmentationRecipe()
    first = augment(pixels, settings, np.random.default_rng(1))
    np.testing.assert_array_equal(first, augment(pixels, settings, np.random.default_rng(1)))
    assert (first != augment(pixels, settings, np.random.default_rng(2))).any()
    assert first.shape == pixels.shape


def test_mirrors_and_crops() -> None:
    pixels = images(1)
    mirrored = augment(pixels, NOTHING.model_copy(update={"flip_share": 1.0}), np.random.default_rng(1))
    np.testing.assert_array_equal(mirrored, pixels[:, :, ::-1])
    ramp = np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[None, :, None], 24, axis=0)[None]
    cropped = augment(ramp, NOTHING.model_copy(update={"crop_share": 0.5}), np.random.default_rng(3))
    assert int(cropped.max()) - int(cropped.min()) < 200
    assert (np.diff(cropped[0, 0, :, 0].astype(int)) >= 0).all()


def test_exposure_doubles_the_light_with_each_stop() -> None:
    grey = np.full((2, 16, 16, 1), 50, np.uint8)
    brighter = augment(grey, NOTHING.model_copy(update={"exposure_stops": (1, 1)}), np.random.default_rng(1))
    assert (brighter == 100).all()


def test_rgb565_keeps_what_the_camera_keeps() -> None:
    colours = np.zeros((1, 1, 2, 3), np.uint8)
    colours[0, 0] = [[255, 255, 255], [7, 3, 7]]
    reduced = augment(
        np.repeat(colours, 2, axis=1),
        NOTHING.model_copy(update={"rgb565_share": 1.0}),
        np.random.default_rng(1),
    )
    assert reduced[0, 0].tolist() == [[255, 255, 255], [0, 0, 0]]


def test_mixing_blends_inputs_and_targets_alike() -> None:
    inputs, targets = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)
    mixed, wanted = mix(inputs, targets, 0.4, np.random.default_rng(5))
    np.testing.assert_array_equal(mixed, wanted)
    np.testing.assert_allclose(wanted.sum(axis=1), 1, atol=1e-6)
    assert mix(inputs, targets, 0.0, np.random.default_rng(5)) == (inputs, targets)


def test_drawn_figures_follow_their_seed_and_differ_by_class() -> None:
    figures = [people(1), *SHAPES.values()]
    first, again = (ProceduralImages(18, figures, 32, 1, 7) for _ in range(2))
    rows = np.arange(18)
    np.testing.assert_array_equal(first.rows(rows), again.rows(rows))
    assert first.labels.tolist() == [*range(9)] * 2
    assert len(set(first.hashes)) == 18
