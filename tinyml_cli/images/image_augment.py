"""Random variations of images, a batch at a time: those of a cheap camera in another place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.recipes.vww import ImageAugmentationRecipe

Images = NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_GREY = 128.0


def augment(
    pixels: NDArray[np.uint8], settings: ImageAugmentationRecipe, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One variation of each image, uint8 [n, size, size, channels]."""
    images = _crop_and_flip(pixels.astype(np.float32), settings, rng)
    images = _colour(images, settings, rng)
    images = _blur(images, settings, rng)
    images = _noise(images, settings, rng)
    varied = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    return _five_bits(varied, settings, rng)


def mix(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float32],
    strength: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Blends each example with another one of its batch, and their targets alike.

    H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412.

    Args:
        inputs: [n, ...].
        targets: [n, labels], rows sum to 1.
        strength: both parameters of the beta distribution; 0 changes nothing.
        rng: source of chance.
    """
    if strength <= 0:
        return inputs, targets
    share = np.float32(rng.beta(strength, strength))
    order = rng.permutation(len(inputs))
    return share * inputs + (1 - share) * inputs[order], share * targets + (1 - share) * targets[order]


def _crop_and_flip(images: Images, settings: ImageAugmentationRecipe, rng: np.random.Generator) -> Images:
    n, size = len(images), images.shape[1]
    zoom = rng.uniform(settings.crop_share, 1.0, (n, 1))
    stretch = np.exp(rng.uniform(-1, 1, (n, 1)) * np.log(settings.stretch))
    lengths = np.minimum(np.concatenate([zoom * stretch, zoom / stretch], axis=1), 1.0) * size
    starts = rng.uniform(0, 1, (n, 2)) * (size - lengths)
    flipped = rng.random(n) < settings.flip_share
    rows = _places(starts[:, 0], lengths[:, 0], size)
    columns = _places(starts[:, 1], lengths[:, 1], size)
    columns[flipped] = columns[flipped, ::-1]
    tall = _interpolated(images, rows)
    wide = _interpolated(tall.transpose(0, 2, 1, 3), columns)
    return np.ascontiguousarray(wide.transpose(0, 2, 1, 3))


def _places(starts: NDArray[np.float64], lengths: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """[n, size]: where in the source each output pixel lies; a crop never shrinks, so two pixels suffice."""
    step = (lengths / size)[:, None]
    centre = starts[:, None] + (np.arange(size) + 0.5) * step
    return np.clip(centre - 0.5, 0, size - 1)


def _interpolated(images: Images, places: NDArray[np.float64]) -> Images:
    """Pixels between pixels along axis 1; without BLAS, whose threads would wait for those that train."""
    low = places.astype(np.int64)
    share = (places - low).astype(np.float32)[:, :, None, None]
    which = np.arange(len(images))[:, None]
    first, second = images[which, low], images[which, np.minimum(low + 1, images.shape[1] - 1)]
    return np.asarray(first + share * (second - first), np.float32)


def _colour(images: Images, settings: ImageAugmentationRecipe, rng: np.random.Generator) -> Images:
    """Exposure in stops, contrast about the middle grey, and for colours white balance and saturation."""
    n, channels = len(images), images.shape[3]

    def drawn(spread: float, columns: int = 1) -> Images:
        return np.asarray(rng.uniform(-spread, spread, (n, 1, 1, columns)), np.float32)

    stops = rng.uniform(*settings.exposure_stops, (n, 1, 1, 1)).astype(np.float32)
    images = np.asarray(images * np.exp2(stops), np.float32)
    images = (images - _GREY) * (1 + drawn(settings.contrast)) + _GREY
    if channels == 3:
        grey = np.asarray(images @ _LUMA, np.float32)[..., None]
        images = grey + (images - grey) * (1 + drawn(settings.saturation))
        images = images * (1 + drawn(settings.white_balance, 3))
    return images


def _blur(images: Images, settings: ImageAugmentationRecipe, rng: np.random.Generator) -> Images:
    """A binomial blur of three pixels, of random strength, in some images."""
    chosen = np.flatnonzero(rng.random(len(images)) < settings.blur_share)
    if len(chosen) == 0:
        return images
    some = images[chosen]
    for axis in (1, 2):
        padded = np.pad(some, [(1, 1) if i == axis else (0, 0) for i in range(4)], mode="edge")
        left, middle, right = (padded.take(np.arange(k, k + some.shape[axis]), axis=axis) for k in range(3))
        strength = rng.uniform(0.2, 1.0, (len(some), 1, 1, 1)).astype(np.float32)
        some = np.asarray(some + strength * ((left + 2 * middle + right) / 4 - some), np.float32)
    images[chosen] = some
    return images


def _noise(images: Images, settings: ImageAugmentationRecipe, rng: np.random.Generator) -> Images:
    """Sensor noise: each image has a level of its own."""
    chosen = np.flatnonzero(rng.random(len(images)) < settings.noise_share)
    levels = rng.uniform(0, settings.noise_steps, (len(chosen), 1, 1, 1)).astype(np.float32)
    images[chosen] += levels * rng.standard_normal((len(chosen), *images.shape[1:]), np.float32)
    return images


def _five_bits(
    pixels: NDArray[np.uint8], settings: ImageAugmentationRecipe, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Colours as a camera's RGB565 brings them: the low bits repeat the high ones."""
    if pixels.shape[3] != 3:
        return pixels
    chosen = rng.random(len(pixels)) < settings.rgb565_share
    some = pixels[chosen]
    pixels[chosen] = np.stack(
        [some[..., 0] & 0xF8 | some[..., 0] >> 5, some[..., 1] & 0xFC | some[..., 1] >> 6,
         some[..., 2] & 0xF8 | some[..., 2] >> 5],
        axis=-1,
    )  # fmt: skip
    return pixels
