"""Keyword spotting: training examples generated on the fly, a share of them again for every epoch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.features.audio_frontend import extract_last
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.tasks.kws.variations import Variations
from tinyml_cli.training.examples import Examples

Features = NDArray[np.uint16]
Teacher = Callable[[Features], NDArray[np.float32]]

_BLOCK = 64
# NumPy's transforms and the C front end let go of the interpreter lock, so two threads use two cores.
_THREADS = 2


@dataclass(frozen=True)
class _PoolBlock:
    """Rows of the pool that are made together: `count` variations of one label from turn `start` on."""

    label: int
    start: int
    count: int
    row: int


class ExamplePool:
    """The examples of each epoch; use it as a context manager.

    The pool is cut into blocks. Each epoch renews the next blocks of a fixed shuffled order, which threads
    make while the epoch before is learned. What a block holds in an epoch depends on the seed and the number
    of the epoch alone, so an interrupted training finds the same examples again.
    """

    def __init__(
        self,
        variations: Variations,
        quotas: dict[str, int],
        recipe: KwsRecipe,
        seed: list[int],
        teacher: Teacher | None = None,
    ) -> None:
        """Makes nothing yet.

        Args:
            variations: makes the clips.
            quotas: label -> examples of it in an epoch.
            recipe: features, share to renew and epochs.
            seed: fixes everything.
            teacher: scores the examples, float32 [examples, labels].
        """
        self._variations = variations
        self._quotas = quotas
        self._recipe = recipe
        self._seed = seed
        self._teacher = teacher
        self._blocks = _cut(recipe.model_labels, quotas)
        self._order = np.random.default_rng([*seed, 998]).permutation(len(self._blocks))
        self._place = np.argsort(self._order)
        self._renewed = round(len(self._blocks) * recipe.augmentation.renewed_share)
        self._hard_from: int | None = None
        self._threads = ThreadPoolExecutor(_THREADS)
        self._epoch: int | None = None
        self._examples = Examples(np.empty((0, 0, 0), np.uint16), np.empty(0, np.int64))
        self._next: dict[int, Future[Features]] = {}

    def __enter__(self) -> ExamplePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        return sum(self._quotas.values())

    @property
    def labels(self) -> NDArray[np.int64]:
        """Of the examples, [examples], the same in every epoch."""
        return np.concatenate([np.full(b.count, b.label, np.int64) for b in self._blocks])

    def use_hard_from(self, epoch: int) -> None:
        """Blocks made for this epoch (counted from 0) and after hold hard clips too."""
        self._hard_from = epoch

    def at(self, epoch: int) -> Examples:
        """The examples of an epoch, counted from 0; they hold until the next call."""
        if epoch != self._epoch:
            if self._epoch is not None and epoch == self._epoch + 1 and self._next:
                self._fill({number: future.result() for number, future in self._next.items()})
            else:
                self._make_all(epoch)
            self._epoch = epoch
            self._next = self._start(epoch + 1) if epoch + 1 < self._recipe.training.epochs else {}
        return self._examples

    def sample(self, epoch: int, count: int) -> Examples:
        """About `count` examples of an epoch; no more are made for it than needed."""
        blocks: list[int] = []
        for number in self._order:
            if sum(self._blocks[b].count for b in blocks) >= count:
                break
            blocks.append(int(number))
        rows = np.concatenate([self._rows(b) for b in blocks])
        if epoch == self._epoch:
            return Examples(self._examples.features[rows], self._examples.labels[rows])
        made = list(self._threads.map(lambda block: self._make(block, epoch), blocks))
        return Examples(np.concatenate(made), self.labels[rows])

    def _make_all(self, epoch: int) -> None:
        numbers = range(len(self._blocks))
        made: dict[int, Features] = {}
        with console.progress(len(self), "Making examples") as bar:
            for number, features in zip(
                numbers, self._threads.map(lambda b: self._make(b, epoch), numbers), strict=True
            ):
                made[number] = features
                bar.advance(len(features))
        features = np.empty((len(self), *made[0].shape[1:]), np.uint16)
        soft = None
        if self._teacher is not None:
            soft = np.empty((len(self), len(self._recipe.model_labels)), np.float32)
        self._examples = Examples(features, self.labels, soft)
        self._fill(made)

    def _start(self, epoch: int) -> dict[int, Future[Features]]:
        """Begins to make the blocks that an epoch renews."""
        hits = range((epoch - 1) * self._renewed, epoch * self._renewed)
        numbers = {int(self._order[hit % len(self._order)]) for hit in hits}
        return {number: self._threads.submit(self._make, number, epoch) for number in sorted(numbers)}

    def _fill(self, made: dict[int, Features]) -> None:
        if not made:
            return
        rows = np.concatenate([self._rows(number) for number in made])
        features = np.concatenate(list(made.values()))
        self._examples.features[rows] = features
        if self._examples.soft is not None and self._teacher is not None:
            self._examples.soft[rows] = self._teacher(features)

    def _make(self, number: int, epoch: int) -> Features:
        """A block as it is in an epoch."""
        block = self._blocks[number]
        label = self._recipe.model_labels[block.label]
        turn, made_for = self._turn(number, epoch)
        hard = self._hard_from is not None and made_for >= self._hard_from
        rng = np.random.default_rng([*self._seed, number, turn])
        start = turn * self._quotas[label] + block.start
        audio = self._variations.make(label, start, block.count, hard, rng)
        return extract_last(audio, self._recipe.features, self._variations.samples)

    def _turn(self, number: int, epoch: int) -> tuple[int, int]:
        """How often a block has been renewed up to an epoch, and for which epoch it was last made."""
        size, place = len(self._blocks), int(self._place[number])
        turn = max(0, -(-(epoch * self._renewed - place) // size))
        if turn == 0:
            return 0, 0
        return turn, (place + (turn - 1) * size) // self._renewed + 1

    def _rows(self, number: int) -> NDArray[np.intp]:
        block = self._blocks[number]
        return np.arange(block.row, block.row + block.count)


def _cut(labels: list[str], quotas: dict[str, int]) -> list[_PoolBlock]:
    blocks = []
    row = 0
    for index, label in enumerate(labels):
        for start in range(0, quotas[label], _BLOCK):
            count = min(_BLOCK, quotas[label] - start)
            blocks.append(_PoolBlock(index, start, count, row))
            row += count
    return blocks
