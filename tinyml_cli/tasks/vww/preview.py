"""Images of a folder, and what training makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import image_folder
from tinyml_cli.images.image_augment import augment
from tinyml_cli.images.image_cache import decode_entry
from tinyml_cli.images.image_file import UnreadableImageError
from tinyml_cli.pages.augmented import AugmentedItem
from tinyml_cli.recipes.vww import VwwRecipe


def varied_images(root: Path, recipe: VwwRecipe, most: int, variations: int) -> list[AugmentedItem]:
    """Images of every folder in turn, up to `most`, with so many variations.

    Raises:
        TinymlError: no such folder, or no image that can be read.
    """
    by_folder: dict[str, list[Path]] = {}
    for entry in image_folder.every_image(root):
        by_folder.setdefault(entry.folder, []).append(entry.path)
    turns = sorted((turn, name, path) for name, paths in by_folder.items() for turn, path in enumerate(paths))
    items: list[AugmentedItem] = []
    why = ""
    for _, name, path in turns:
        try:
            pixels, _, _ = decode_entry(path, recipe.image.size, recipe.image.channels)
        except UnreadableImageError as error:
            why = why or f": {path.name}: {error}"
            continue
        rng = np.random.default_rng([recipe.seed, 12, len(items)])
        several = np.repeat(pixels[None], variations, axis=0)
        items.append(AugmentedItem(name, path.name, pixels, list(augment(several, recipe.augmentation, rng))))
        if len(items) == most:
            break
    if not items:
        left_out = "" if why else inventory.explained(image_folder.left_out_of(root, ()))
        raise TinymlError(
            f"The folder contains no image that can be read{why or left_out}",
            str(root),
            "Put the images of each class into a separate folder.",
        )
    return sorted(items, key=lambda item: item.label)
