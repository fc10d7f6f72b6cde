"""The wand's raw motion: recorded by any tool, or simulated for generated figures, as windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory, splits
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import AXES, MAX_WINDOW_SAMPLES, UNKNOWN, ImuInput
from tinyml_cli.features.motion_windows import quantize, to_real
from tinyml_cli.files import atomic_folder
from tinyml_cli.next_step import next_step
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.wand import hand, kinematics, other_motion
from tinyml_cli.tasks.wand.motion_augment import augment
from tinyml_cli.tasks.wand.motion_file import write_motion
from tinyml_cli.tasks.wand.shapes import SHAPES
from tinyml_cli.tasks.wand.source import Item, LabelledMotions, name_of, need_each_label
from tinyml_cli.tasks.wand.takes import Take, read_takes
from tinyml_cli.tasks.wand.takes import Takes as Recorded
from tinyml_cli.wording import counted

_FEWEST_PEOPLE = 5
_OTHER_MOTIONS = {"train": 1200, "validation": 400, "test": 200}
_DRAWN_PER_LABEL = 150
_JOLT_MG = 1800
_WINDOW_S = 2.0


class MotionSource:
    """Motion int16 [samples, 6] as windows of the same."""

    network = "motion_conv"
    # Of few takes a network is seldom sure; the many motions made as unknown bar what they must.
    least_threshold = 0.3

    def shape(self, recipe: WandRecipe) -> tuple[int, ...]:
        """Samples, values of a sample, and one channel."""
        return recipe.imu.window_samples, AXES, 1

    def load(self, recipe: WandRecipe) -> LabelledMotions:
        """The recipe's takes, and motions that are none of its gestures.

        Raises:
            TinymlError: unreadable files, a label without takes, or a label that nobody can draw.
        """
        takes = _drawn(recipe) if recipe.data_path is None else self._recorded(recipe)
        return _with_unknown(takes, recipe)

    def read(
        self,
        folder: Path,
        recipe: WandRecipe,
        units: Mapping[str, str] | None = None,
        refused: dict[Path, TinymlError] | None = None,
    ) -> LabelledMotions:
        """Every take of a folder or file, long ones as windows that overlap by half.

        Raises:
            TinymlError: nothing there, or unreadable files.
        """
        imu = recipe.imu
        recorded = _read(folder, recipe, units, refused)
        console.info(f"Read as {recorded.reading}")
        said = inventory.tell(recorded.left_out)
        settle(imu, recorded)
        labels = recipe.model_labels
        pieces = [(piece, take) for take in recorded.takes for piece in _windows(take.samples, imu)]
        indices = [labels.index(take.label) if take.label in labels else 0 for _, take in pieces]
        where, split_by = _split([take for _, take in pieces], indices, recipe)
        return LabelledMotions(
            [piece for piece, _ in pieces],
            np.array(indices, np.int64),
            np.array([name_of(piece) for piece, _ in pieces]),
            where,
            split_by,
            "folder",
            (counted(len(recorded.takes), "recording"), recorded.reading, *said),
            recorded.units,
            inventory.counts(recorded.left_out),
            frozenset(take.label for take in recorded.takes),
            np.array([take.group for _, take in pieces], np.str_),
        )

    def features(self, items: Sequence[Item], recipe: WandRecipe) -> NDArray[np.int16]:
        """Windows int16 [n, samples, 6]."""
        return np.stack([_padded(item, recipe.imu.window_samples) for item in items])

    def vary(self, items: Sequence[Item], recipe: WandRecipe, rng: np.random.Generator) -> NDArray[np.int16]:
        """Windows of one variation of each take."""
        return augment(self.features(items, recipe), recipe.augmentation, rng)

    def to_float(self, features: NDArray[Any], recipe: WandRecipe) -> NDArray[np.float32]:
        """float32 [n, samples, 6, 1]."""
        return to_real(features, recipe.imu)

    def quantize(
        self, features: NDArray[Any], recipe: WandRecipe, scale: float, zero_point: int
    ) -> NDArray[np.int8]:
        """int8 [n, samples, 6, 1]."""
        return quantize(features, recipe.imu, scale, zero_point)

    def write_replay(self, run: Run, takes: LabelledMotions, per_label: int) -> Path:
        """Held-out motion as `replay/LABEL/NUMBER.csv`; an old folder is replaced."""
        manifest = run.manifest()
        assert manifest.gesture is not None
        rate_hz = manifest.gesture.rate_hz
        with atomic_folder(run.file("replay")) as made:
            for index, label in enumerate(manifest.labels):
                for number, row in enumerate(np.flatnonzero(takes.labels == index)[:per_label]):
                    write_motion(made / label / f"{number + 1}.csv", takes.items[row], rate_hz)
        return run.file("replay")

    def _recorded(self, recipe: WandRecipe) -> LabelledMotions:
        takes = self.read(Path(str(recipe.data_path)), recipe)
        need_each_label(takes, recipe, "take", 10)
        return takes


MOTIONS = MotionSource()


def _read(
    folder: Path,
    recipe: WandRecipe,
    units: Mapping[str, str] | None = None,
    refused: dict[Path, TinymlError] | None = None,
) -> Recorded:
    imu = recipe.imu
    length = imu.window_samples if "window_samples" in imu.model_fields_set else round(imu.rate_hz)
    wanted_hz = imu.rate_hz if "rate_hz" in imu.model_fields_set else None
    return read_takes(folder, imu.rate_hz, length, recipe.data, units, wanted_hz, refused)


def settled(recipe: WandRecipe) -> WandRecipe:
    """A copy of the recipe as training keeps it.

    Raises:
        TinymlError: see `read_takes`.
    """
    recipe = recipe.model_copy(deep=True)
    if recipe.data_path is None:
        recipe.imu.rate_hz = kinematics.SAMPLE_RATE_HZ
    else:
        settle(recipe.imu, _read(Path(recipe.data_path), recipe))
    return recipe


def settle(imu: ImuInput, recorded: Recorded) -> None:
    """Fills in what the recipe leaves to the data."""
    given = set(imu.model_fields_set)
    if "rate_hz" not in given:
        imu.rate_hz = recorded.rate_hz
    if "window_samples" not in given:
        usual = min(round(_WINDOW_S * imu.rate_hz), MAX_WINDOW_SAMPLES)
        shared = recorded.window_samples
        imu.window_samples = shared if shared is not None and shared <= MAX_WINDOW_SAMPLES else usual
    if "stride_samples" not in given:
        imu.stride_samples = max(1, imu.window_samples // 6)
    if "start_mg" not in given:
        imu.start_mg = _jolt(recorded)


def _jolt(recorded: Recorded) -> int:
    """How strongly all takes begin; 0 where they do not begin with a jolt, as cut recordings do not."""
    if recorded.window_samples is None:
        return 0
    first = np.array([np.abs(take.samples[0, :3].astype(int)).sum() for take in recorded.takes])
    weakest = int(np.quantile(first, 0.02))
    return weakest if weakest >= _JOLT_MG else 0


def _windows(samples: NDArray[np.int16], imu: ImuInput) -> list[NDArray[np.int16]]:
    length = imu.window_samples
    if len(samples) < length * 3 // 2:
        return [_padded(samples, length)]
    return [samples[start : start + length] for start in range(0, len(samples) - length + 1, length // 2)]


def _padded(samples: NDArray[np.int16], length: int) -> NDArray[np.int16]:
    """The first `length` samples; the last one goes on where there are fewer."""
    return np.pad(samples[:length], ((0, max(0, length - len(samples))), (0, 0)), mode="edge")


def _split(takes: list[Take], labels: list[int], recipe: WandRecipe) -> tuple[NDArray[np.str_], str]:
    """The split of each window: by person where there are enough, else evenly for each label."""
    training = recipe.training
    people = {take.group for take in takes if take.group != take.name}
    if len(people) >= _FEWEST_PEOPLE and all(take.group != take.name for take in takes):
        groups = [take.group for take in takes]
        return splits.split_groups(groups, training.validation_share, training.test_share), "person"
    where = np.empty(len(takes), "<U10")
    for label in set(labels):
        rows = [row for row, index in enumerate(labels) if index == label]
        names = sorted({takes[row].name for row in rows}, key=splits.position)
        n_test = round(training.test_share * len(names))
        n_validation = max(1, round(training.validation_share * len(names)))
        place = {
            name: "test" if i < n_test else "validation" if i < n_test + n_validation else "train"
            for i, name in enumerate(names)
        }
        for row in rows:
            where[row] = place[takes[row].name]
    return where, "take" if any(":" in take.name for take in takes) else "file"


def _drawn(recipe: WandRecipe) -> LabelledMotions:
    """Figures drawn by a model of a hand, as the sensor in the wand would have felt them."""
    missing = [label for label in recipe.labels if label not in SHAPES]
    if missing:
        raise TinymlError(
            f"`{missing[0]}` has no built-in shape",
            "--labels",
            f"Record it: {next_step('data', 'record', 'strokes', '--gesture', missing[0])}; or choose from: "
            f"{', '.join(SHAPES)}.",
        )
    recipe.imu.rate_hz = kinematics.SAMPLE_RATE_HZ
    items = [
        _felt(label, recipe.imu, np.random.default_rng([recipe.seed, 40, index, number]))
        for index, label in enumerate(recipe.labels)
        for number in range(_DRAWN_PER_LABEL)
    ]
    names = np.array([name_of(item) for item in items])
    training = recipe.training
    return LabelledMotions(
        items,
        np.repeat(np.arange(1, len(recipe.labels) + 1), _DRAWN_PER_LABEL),
        names,
        splits.split_groups(names, training.validation_share, training.test_share),
        "writer",
        "synthetic",
        ("motion computed for simulated hand strokes, each by a different writer",),
    )


def _felt(label: str, imu: ImuInput, rng: np.random.Generator) -> NDArray[np.int16]:
    path = hand.draw(label, hand.random_writer(rng), rng)
    rest_s = (0.3, imu.window_samples / kinematics.SAMPLE_RATE_HZ)
    moved = kinematics.wave(path, kinematics.random_grip(rng), kinematics.random_sensor(rng), rng, rest_s)
    middle = (moved.start + moved.end) // 2
    start = max(0, min(moved.start - 6, middle - imu.window_samples // 2))
    return _padded(moved.samples[start:], imu.window_samples)


def _with_unknown(takes: LabelledMotions, recipe: WandRecipe) -> LabelledMotions:
    """Adds motions that nobody meant, made for each split from its own takes."""
    if recipe.unknown.share == 0:
        return takes
    made, where = [], []
    for number, (split, count) in enumerate(_OTHER_MOTIONS.items()):
        own = takes.part(split)  # type: ignore[arg-type]
        gestures = [item for item, label in zip(own.items, own.labels, strict=True) if label]
        if gestures:
            rng = np.random.default_rng([recipe.seed, 41, number])
            made += list(other_motion.make(np.stack(gestures), count, rng))
            where += [split] * count
    return LabelledMotions(
        [*takes.items, *made],
        np.concatenate([takes.labels, np.zeros(len(made), np.int64)]),
        np.concatenate([takes.names, [name_of(item) for item in made]]),
        np.concatenate([takes.where, where]),
        takes.split_by,
        takes.origin,
        (
            *takes.notes,
            f"{counted(len(made), 'generated motion')} of `{UNKNOWN}`: {', '.join(other_motion.KINDS)}",
        ),
        takes.units,
        takes.left_out,
        people=takes.people,
    )
