"""The wand's strokes: recorded as JSON or drawn by a model of a hand, as pictures for the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import splits
from tinyml_cli.data.wand.hand import draw, random_writer, scribble
from tinyml_cli.data.wand.shapes import SHAPES, unlike
from tinyml_cli.data.wand.strokes import Points, Stroke, read_folder, to_points, write_strokes
from tinyml_cli.data.wand.variation import vary
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import UNKNOWN
from tinyml_cli.features.image import pixel_transform, quantize_pixels
from tinyml_cli.features.motion import turned
from tinyml_cli.features.raster import CHANNELS, SIZE, rasterise_all
from tinyml_cli.files import atomic_folder
from tinyml_cli.next_step import next_step
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.wand_source import Item, Takes, name_of, need_each_label

_SCRIBBLE_SHARE = 0.5
_FEWEST_PEOPLE = 5


class StrokeSource:
    """Strokes int8 [points, 2] as pictures uint8 [32, 32, 3]."""

    network = "stroke_cnn"
    least_threshold = 0.5

    def shape(self, recipe: WandRecipe) -> tuple[int, ...]:
        """Of a picture."""
        return SIZE, SIZE, CHANNELS

    def load(self, recipe: WandRecipe) -> Takes:
        """The recipe's strokes, and drawn ones that mean nothing of ours.

        Raises:
            TinymlError: unreadable files, a label without strokes, or a label that nobody can draw.
        """
        takes = self._drawn(recipe) if recipe.data_path is None else self._recorded(recipe)
        return _with_unknown(takes, recipe)

    def read(self, folder: Path, recipe: WandRecipe, units: Mapping[str, str] | None = None) -> Takes:
        """Every stroke of a folder or file.

        Raises:
            TinymlError: nothing there, or unreadable files.
        """
        strokes = read_folder(folder)
        labels = recipe.model_labels
        people = [stroke.person for stroke in strokes]
        by_person = len(set(people)) >= _FEWEST_PEOPLE and "" not in people
        names = np.array([name_of(stroke.points) for stroke in strokes])
        where = _shares(recipe)(people if by_person else names)
        return Takes(
            [stroke.points for stroke in strokes],
            np.array([labels.index(s.label) if s.label in labels else 0 for s in strokes], np.int64),
            names,
            where,
            "person" if by_person else "stroke",
            "folder",
            () if by_person else ("too few people are named: one person's strokes may be in two splits",),
            found=frozenset(stroke.label for stroke in strokes),
        )

    def features(self, items: Sequence[Item], recipe: WandRecipe) -> NDArray[np.uint8]:
        """Pictures uint8 [n, 32, 32, 3]."""
        is_turned = recipe.stroke.rotation_invariant
        return rasterise_all([turned(points) if is_turned else points for points in items])

    def vary(self, items: Sequence[Item], recipe: WandRecipe, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Pictures of one variation of each stroke."""
        return self.features([vary(points, recipe.stroke, rng) for points in items], recipe)

    def to_float(self, features: NDArray[Any], recipe: WandRecipe) -> NDArray[np.float32]:
        """0 to 1."""
        return (features / np.float32(255)).astype(np.float32)

    def quantize(
        self, features: NDArray[Any], recipe: WandRecipe, scale: float, zero_point: int
    ) -> NDArray[np.int8]:
        """int8 of the same shape."""
        return quantize_pixels(features, pixel_transform(scale, zero_point, 0.0, 1.0))

    def write_replay(self, run: Run, takes: Takes, per_label: int) -> Path:
        """Held-out strokes as `replay/LABEL.json`; an old folder is replaced."""
        labels = run.manifest().labels
        with atomic_folder(run.file("replay")) as made:
            for index, label in enumerate(labels):
                rows = np.flatnonzero(takes.labels == index)[:per_label]
                if len(rows):
                    strokes = [Stroke(takes.items[row], label, str(takes.names[row])) for row in rows]
                    write_strokes(made / f"{label}.json", strokes)
        return run.file("replay")

    def _recorded(self, recipe: WandRecipe) -> Takes:
        takes = self.read(Path(str(recipe.data_path)), recipe)
        need_each_label(takes, recipe, "stroke", 20)
        return takes

    def _drawn(self, recipe: WandRecipe) -> Takes:
        unknown_shapes = [label for label in recipe.labels if label not in SHAPES]
        if unknown_shapes:
            raise TinymlError(
                f"`{unknown_shapes[0]}` has no built-in shape",
                "--labels",
                f"Record it: {next_step('data', 'record', '--gesture', unknown_shapes[0])}; or choose "
                f"from: {', '.join(SHAPES)}.",
            )
        count, split = recipe.stroke.generated_per_label, _shares(recipe)
        parts = [
            _generate(lambda rng, label=label: _draw(label, rng), count, [recipe.seed, 30, number])  # type: ignore[misc]
            for number, label in enumerate(recipe.labels)
        ]
        items = [points for part in parts for points in part]
        labels = np.repeat(np.arange(1, len(parts) + 1), count)
        names = np.array([name_of(points) for points in items])
        note = "simulated hand strokes, each by a different writer"
        return Takes(items, labels, names, split(names), "writer", "synthetic", (note,))


STROKES = StrokeSource()


def _draw(label: str, rng: np.random.Generator) -> Points:
    return to_points(draw(label, random_writer(rng), rng))


def _generate(one: Callable[[np.random.Generator], Points], count: int, seed: list[int]) -> list[Points]:
    return [one(np.random.default_rng([*seed, number])) for number in range(count)]


def _shares(recipe: WandRecipe) -> Callable[[Iterable[str]], NDArray[np.str_]]:
    of = recipe.training
    return lambda groups: np.array(
        [splits.split_of(str(group), of.validation_share, of.test_share) for group in groups], "<U10"
    )


def _with_unknown(takes: Takes, recipe: WandRecipe) -> Takes:
    """Adds other shapes and scribbles, so that a motion is not taken for the gesture it is least unlike."""
    others = unlike(recipe.labels)

    def one(rng: np.random.Generator) -> Points:
        if not others or rng.random() < _SCRIBBLE_SHARE:
            return to_points(scribble(random_writer(rng), rng))
        return _draw(others[rng.integers(len(others))], rng)

    per_label = recipe.stroke.generated_per_label
    count = round(recipe.unknown.share * per_label)
    if count == 0:
        return takes
    drawn = _generate(one, count, [recipe.seed, 31])
    names = np.array([name_of(points) for points in drawn])
    return Takes(
        [*takes.items, *drawn],
        np.concatenate([takes.labels, np.zeros(count, np.int64)]),
        np.concatenate([takes.names, names]),
        np.concatenate([takes.where, _shares(recipe)(names)]),
        takes.split_by,
        takes.origin,
        (*takes.notes, f"{count} strokes of `{UNKNOWN}` are generated: other shapes, and scribbles"),
    )
