"""Strokes or motion of a folder, and what training makes of them."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np

from tinyml_cli.pages.augmented import AugmentedItem, Look
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.tasks.spec import Augmented
from tinyml_cli.tasks.wand.sources import source_of


def varied_takes(root: Path, recipe: WandRecipe, most: int, variations: int) -> Augmented:
    """Takes of every label in turn, up to `most`, with so many variations.

    Raises:
        TinymlError: unreadable files, or none.
    """
    source = source_of(recipe)
    with contextlib.redirect_stderr(io.StringIO()):  # what it says of the files, the second reading says
        found = source.read(root, recipe, refused={}).found
    labels = sorted(label for label in found if label) or recipe.labels
    read = recipe.model_copy(update={"labels": labels})
    takes = source.read(root, read, refused={})
    places: dict[int, int] = {}
    order = []
    for row, label in enumerate(takes.labels.tolist()):
        places[label] = places.get(label, -1) + 1
        order.append((places[label], label, row))
    rows = sorted(row for _, _, row in sorted(order)[:most])
    items = []
    for row in rows:
        rng = np.random.default_rng([recipe.seed, 12, row])
        several = [takes.items[row]] * variations
        label = read.model_labels[int(takes.labels[row])]
        (plain,) = source.features([takes.items[row]], read)
        items.append(
            AugmentedItem(label, str(takes.names[row]), plain, list(source.vary(several, read, rng)))
        )
    look: Look = "image" if recipe.input == "stroke" else "motion"
    return Augmented(look, sorted(items, key=lambda item: item.label), takes.left_out)
