"""Images of a folder, and what training makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import image_folder
from tinyml_cli.images.image_augment import augment
from tinyml_cli.images.image_cache import decode_entry
from tinyml_cli.images.image_file import UnreadableImageError
from tinyml_cli.next_step import next_step
from tinyml_cli.pages.augmented import AugmentedItem
from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.tasks.spec import Augmented


def varied_images(root: Path, recipe: VwwRecipe, most: int, variations: int) -> Augmented:
    """Images of every folder in turn, up to `most`, with so many variations.

    Raises:
        TinymlError: no such folder, or no image that can be read.
    """
    entries = image_folder.every_image(root)
    by_folder: dict[str, list[Path]] = {}
    for entry in entries:
        by_folder.setdefault(entry.folder, []).append(entry.path)
    turns = sorted((turn, name, path) for name, paths in by_folder.items() for turn, path in enumerate(paths))
    items: list[AugmentedItem] = []
    damaged = []
    for _, name, path in turns:
        try:
            pixels, _, _ = decode_entry(path, recipe.image.size, recipe.image.channels)
        except UnreadableImageError as error:
            damaged.append(LeftOut(path, str(error)))
            continue
        rng = np.random.default_rng([recipe.seed, 12, len(items)])
        several = np.repeat(pixels[None], variations, axis=0)
        items.append(AugmentedItem(name, path.name, pixels, list(augment(several, recipe.augmentation, rng))))
        if len(items) == most:
            break
    left_out = [*damaged, *image_folder.left_out_of(root, [entry.path for entry in entries])]
    if not items:
        raise TinymlError(
            f"The folder contains no image that can be read{inventory.explained(left_out)}",
            str(root),
            f"Look at all of them: {next_step('data', 'check', root)}"
            if damaged
            else "Put the images of each class into a separate folder.",
        )
    inventory.tell(left_out)
    return Augmented("image", sorted(items, key=lambda item: item.label), inventory.counts(left_out))
