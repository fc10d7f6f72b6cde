"""A single image as the model takes it."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.images.image_cache import decode_entry
from tinyml_cli.images.image_file import UnreadableImageError
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.training.image_batches import to_float


def image_input(path: Path, image: ImageInput) -> ModelInput:
    """Its centred square, scaled.

    Raises:
        TinymlError: it cannot be read.
    """
    try:
        pixels, _, _ = decode_entry(path, image.size, image.channels)
    except UnreadableImageError as error:
        advice = "Give a picture."
        raise TinymlError(f"Cannot read the image: {error}", str(path), advice) from error
    return ModelInput(to_float(pixels[None], image), pixels, "image")
